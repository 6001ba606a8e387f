# Captures of a known truth. tests/unit/test_captures judges many of them in
# memory; this program writes one.
#
#	build/tests/captures/gen -s 7 -n 100 -t truth.json >capture.pcap
#	make bench-analyze		speed and memory beside tshark, tcptrace
CAPTURES = $(wildcard tests/captures/scripts_*.c) tests/captures/talk.c \
	tests/captures/wrap.c tests/captures/container.c \
	tests/captures/world.c tests/captures/crowd.c
CAPTURES_GEN = $(B)/tests/captures/gen
E2E_BIN += $(CAPTURES_GEN)

$(CAPTURES_GEN): $(call obj,tests/captures/gen.c $(CAPTURES) daemon/ipaddr.c \
		daemon/core/addr.c daemon/core/csum.c \
		daemon/analysis/analysis_names.c)
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

bench-analyze: all $(CAPTURES_GEN)
	@B=$(B) tests/captures/bench.sh

.PHONY: bench-analyze
