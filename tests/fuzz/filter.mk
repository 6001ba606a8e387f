FUZZ_SRC_fuzz_filter = $(UNIT_SRC_test_filter)
