# The leaf modules of the core; they stand on the pool and on nothing else.
RIG = tests/unit/arena_rig.c daemon/core/pool.c

UNIT_SRC_test_pool = $(RIG)
UNIT_SRC_test_wheel = $(RIG) daemon/core/wheel.c
UNIT_SRC_test_table = $(RIG) daemon/core/table.c
UNIT_SRC_test_sendq = $(RIG) daemon/core/sendq.c
UNIT_SRC_test_recvq = $(RIG) daemon/core/recvq.c daemon/core/ranges.c
UNIT_SRC_test_ranges = $(RIG) daemon/core/ranges.c
UNIT_SRC_test_rtt = $(RIG) daemon/core/rtt.c
UNIT_SRC_test_cc = $(RIG) daemon/core/cc.c daemon/core/cc_newreno.c daemon/core/hystart.c
UNIT_SRC_test_seq = $(RIG)
UNIT_SRC_test_list = $(RIG)
