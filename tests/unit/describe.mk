UNIT_SRC_test_describe = daemon/describe.c daemon/describe_text.c \
	daemon/ipaddr.c daemon/core/addr.c daemon/core/stack_names.c
UNIT_LIBS_test_describe = -ljansson
