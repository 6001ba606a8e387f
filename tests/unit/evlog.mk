EVWORDS = daemon/evbus.c daemon/evwords.c daemon/ipaddr.c daemon/core/addr.c \
	daemon/core/stack_names.c
UNIT_SRC_test_evlog = daemon/evlog.c $(EVWORDS)
UNIT_SRC_test_evbus = daemon/evbus.c daemon/core/stack_names.c
UNIT_SRC_test_log = daemon/log.c
