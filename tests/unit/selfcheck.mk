UNIT_SRC_test_selfcheck = daemon/selfcheck.c daemon/pktbus.c \
	$(wildcard daemon/pktmem*.c) daemon/analysis/outcome.c daemon/log.c \
	daemon/jsontext.c daemon/ipaddr.c daemon/core/addr.c \
	$(ANALYSIS_ENGINE) $(ANALYSIS_DECODER) daemon/core/wire_ip.c \
	daemon/core/wire_tcp.c tests/unit/fake_stack.c
UNIT_LIBS_test_selfcheck = -ljansson -lsystemd
