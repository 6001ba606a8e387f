UNIT_SRC_test_drops_manual = daemon/core/stack_names.c daemon/core/addr.c
UNIT_SRC_test_explain = daemon/analysis/explain.c \
	daemon/analysis/explain_catalogue.c daemon/core/stack_names.c \
	daemon/core/addr.c
