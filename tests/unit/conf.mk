UNIT_SRC_test_conf = $(wildcard daemon/conf*.c) daemon/ipaddr.c \
		     daemon/core/addr.c daemon/analysis/nearest.c
UNIT_LIBS_test_conf = -liniparser
