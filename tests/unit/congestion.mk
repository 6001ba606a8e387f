UNIT_SRC_test_cubic = $(RIG) daemon/core/cc.c daemon/core/cc_cubic.c daemon/core/hystart.c
UNIT_LIBS_test_cubic = -lm
UNIT_SRC_test_hystart = $(RIG) daemon/core/hystart.c daemon/core/cc_cubic.c daemon/core/cc_newreno.c
UNIT_SRC_test_prr = $(RIG) daemon/core/prr.c
UNIT_LIBS_test_prr = -lm
UNIT_SRC_test_cwv = $(RIG) daemon/core/cwv.c
UNIT_SRC_test_pace = $(RIG) daemon/core/pace.c
