REASM = tests/unit/reasm_rig.c tests/unit/arena_rig.c daemon/core/pool.c \
	daemon/core/reasm.c daemon/core/wire_ip.c daemon/core/csum.c

UNIT_SRC_test_reasm = $(REASM)
UNIT_SRC_test_reasm_random = $(REASM)
