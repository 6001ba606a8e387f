# Requirements of RFC 9293 that no other suite shows.
RFC_TESTS = test_rfc_header test_rfc_ip test_rfc_open test_rfc_send
$(foreach t,$(RFC_TESTS),$(eval UNIT_SRC_$(t) = tests/unit/rig.c \
	tests/unit/packet.c $$(CORE)))
UNIT_SRC_test_rfc_defaults = $(wildcard daemon/conf*.c) daemon/ipaddr.c \
	daemon/analysis/nearest.c tests/unit/rig.c $(CORE)
UNIT_LIBS_test_rfc_defaults = -liniparser
