FUZZ_SRC_fuzz_conf = $(wildcard daemon/conf*.c) daemon/ipaddr.c \
		     daemon/core/addr.c daemon/analysis/nearest.c
FUZZ_LIBS_fuzz_conf = -liniparser
