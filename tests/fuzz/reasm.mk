FUZZ_SRC_fuzz_reasm = daemon/core/reasm.c daemon/core/pool.c \
		      daemon/core/wire_ip.c daemon/core/csum.c \
		      tests/fuzz/seal.c
FUZZ_LIBS_fuzz_reasm = -lsodium
