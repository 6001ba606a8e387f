CTL_SRC = daemon/ctl.c daemon/shards.c daemon/ctl_capture.c daemon/ctl_client.c \
	daemon/ctl_dump.c daemon/capture_files.c daemon/held_dir.c \
	daemon/ctl_listen.c daemon/ctl_numbers.c daemon/ctl_config.c \
	$(wildcard daemon/analysis/alert*.c) \
	daemon/capture.c daemon/capture_bytes.c daemon/capture_words.c \
	daemon/pktbus.c daemon/analysis/pcapng.c \
	daemon/core/csum.c daemon/core/wire_ip.c \
	daemon/ctl_method.c daemon/ctl_reply.c daemon/ctl_session.c \
	daemon/ctl_events.c daemon/ctl_text.c daemon/ctl_walk.c \
	daemon/ctl_packets.c $(wildcard daemon/pktmem*.c) \
	daemon/analysis/segment.c daemon/analysis/outcome.c \
	daemon/evbus.c daemon/evmemory.c daemon/evwords.c daemon/evfields.c \
	daemon/evline.c daemon/privacy.c daemon/community_id.c \
	daemon/describe.c daemon/describe_text.c daemon/log.c daemon/jsontext.c \
	daemon/analysis/filter.c daemon/analysis/filter_lex.c \
	daemon/analysis/filter_word.c daemon/analysis/nearest.c \
	daemon/ipaddr.c daemon/core/addr.c daemon/core/stack_names.c \
	tests/unit/fake_stack.c tests/unit/fake_chat.c

CTL_TESTS = test_ctl_method test_ctl_many test_ctl_input test_ctl_text \
	test_ctl_session test_ctl_events test_ctl_dump test_ctl_packets
$(foreach t,$(CTL_TESTS),$(eval UNIT_SRC_$(t) = tests/unit/ctl_rig.c $$(CTL_SRC)) \
	$(eval UNIT_LIBS_$(t) = -lev -ljansson -lsystemd -Wl,--wrap=calloc))

# The chat service with a whole stack.
UNIT_SRC_test_chat = $(STACK_RIG) daemon/service/chat.c $(CORE)
