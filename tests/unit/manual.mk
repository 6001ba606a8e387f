UNIT_SRC_test_drops_manual = daemon/core/stack_names.c daemon/core/addr.c
