# The stack as its shell sees it: what is not about one segment.
STACK_TESTS = test_stack test_stack_fragments test_stack_share test_tcp_listener \
	      test_tcp_starved test_tcp_early test_tcp_half test_tcp_user
$(foreach t,$(STACK_TESTS),$(eval UNIT_SRC_$(t) = $$(STACK_RIG) $$(CORE)))
