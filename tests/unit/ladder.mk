UNIT_SRC_test_ladder = $(wildcard daemon/analysis/ladder*.c) \
	daemon/analysis/segment.c daemon/core/wire_tcp.c daemon/core/wire_ip.c \
	daemon/core/csum.c daemon/core/addr.c
UNIT_SRC_test_kept = $(UNIT_SRC_test_ladder) cli/kept.c \
	daemon/analysis/analysis_names.c daemon/ipaddr.c
