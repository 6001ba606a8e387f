CONF_TESTS = test_conf test_conf_bad test_conf_listener test_conf_print \
	test_stack_manual
CONF_TEST_SRC = tests/unit/conf_rig.c $(wildcard daemon/conf*.c) \
	daemon/ipaddr.c daemon/core/addr.c daemon/analysis/nearest.c
$(foreach t,$(CONF_TESTS),$(eval UNIT_SRC_$(t) = $$(CONF_TEST_SRC)) \
	$(eval UNIT_LIBS_$(t) = -liniparser))
