UNIT_SRC_test_selfcheck = daemon/selfcheck.c daemon/pktbus.c \
	$(wildcard daemon/pktmem*.c) daemon/analysis/outcome.c daemon/log.c \
	daemon/held_dir.c daemon/jsontext.c daemon/ipaddr.c $(ANALYSIS_ENGINE) \
	$(ANALYSIS_DECODER) $(STACK_RIG) $(CORE)
UNIT_LIBS_test_selfcheck = -ljansson -lsystemd
