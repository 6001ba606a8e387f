FUZZ_SRC_fuzz_icmp = tests/fuzz/seal.c $(CORE)
FUZZ_LIBS_fuzz_icmp = -lsodium
