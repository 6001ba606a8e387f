UNIT_SRC_test_path = tests/e2e/path.c
$(B)/tests/unit/test_path.o: CPPFLAGS += -Itests
