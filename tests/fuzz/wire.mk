FUZZ_SRC_fuzz_wire = daemon/core/wire_ip.c daemon/core/wire_tcp.c \
		     daemon/core/wire_icmp.c daemon/core/csum.c \
		     tests/fuzz/seal.c
