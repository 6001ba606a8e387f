UNIT_SRC_test_evlog = daemon/evlog.c daemon/ipaddr.c daemon/core/addr.c \
	daemon/core/stack_names.c
UNIT_SRC_test_log = daemon/log.c
