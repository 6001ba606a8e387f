FUZZ_SRC_fuzz_capfile  = $(UNIT_SRC_test_capfile) $(ANALYSIS_DECODER)
FUZZ_LIBS_fuzz_capfile = -lz -lzstd -lsodium
FUZZ_SRC_fuzz_analysis = $(ANALYSIS_ENGINE) $(ANALYSIS_DECODER) \
			 daemon/core/wire_ip.c tests/fuzz/seal.c
FUZZ_LIBS_fuzz_analysis = -lsodium
