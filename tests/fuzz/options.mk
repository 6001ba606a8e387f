FUZZ_SRC_fuzz_options = daemon/core/wire_ip.c daemon/core/wire_tcp.c \
			daemon/core/csum.c tests/fuzz/seal.c
