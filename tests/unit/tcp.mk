# Suites that play segments against a whole stack (rig.h).
STACK_RIG = tests/unit/rig.c tests/unit/rig_pieces.c \
	tests/unit/rig_service.c tests/unit/rig_judge.c

RIG_TESTS = test_tcp_open test_tcp_active test_tcp_input test_tcp_reassembly \
	    test_tcp_ack test_tcp_send test_tcp_window test_tcp_close \
	    test_tcp_loss test_tcp_timestamps test_tcp_limits test_tcp_icmp \
	    test_tcp_facts test_tcp_settings test_tcp_urgent test_tcp_rack \
	    test_tcp_sack test_tcp_drs test_tcp_ecn test_tcp_spurious \
	    test_tcp_idle test_tcp_pacing test_tcp_odd test_stack_tap
$(foreach t,$(RIG_TESTS),$(eval UNIT_SRC_$(t) = $$(STACK_RIG) $$(CORE)))
UNIT_SRC_test_pktbus = daemon/pktbus.c $(STACK_RIG) $(CORE)
UNIT_SRC_test_pktmem = $(wildcard daemon/pktmem*.c) daemon/pktbus.c \
	daemon/analysis/outcome.c $(STACK_RIG) $(CORE)
# The same, with packets written by hand.
UNIT_SRC_test_icmp_complain = $(STACK_RIG) tests/unit/packet.c $(CORE)
UNIT_SRC_test_tcp_pmtu = $(STACK_RIG) tests/unit/packet.c $(CORE)
UNIT_SRC_test_stack_ahead = $(STACK_RIG) tests/unit/packet.c $(CORE)
