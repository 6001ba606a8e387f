FUZZ_SRC_fuzz_http  = $(UNIT_SRC_test_http)
FUZZ_LIBS_fuzz_http = -ljansson -lsodium
