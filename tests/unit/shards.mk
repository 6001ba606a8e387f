UNIT_SRC_test_spsc  = daemon/spsc.c
UNIT_SRC_test_steer = daemon/steer.c daemon/core/addr.c daemon/core/csum.c \
	$(wildcard daemon/core/wire*.c)
UNIT_SRC_test_shards = $(STACK_RIG) daemon/shards.c daemon/shards_conf.c $(CORE)
