# Requirements of RFC 9293 that no other suite shows.
RFC_TESTS = test_rfc_header test_rfc_ip test_rfc_open test_rfc_send
$(foreach t,$(RFC_TESTS),$(eval UNIT_SRC_$(t) = $$(STACK_RIG) \
	tests/unit/packet.c $$(CORE)))
UNIT_SRC_test_rfc_defaults = $(wildcard daemon/conf*.c) daemon/ipaddr.c \
	daemon/analysis/nearest.c $(STACK_RIG) $(CORE)
UNIT_LIBS_test_rfc_defaults = -liniparser
