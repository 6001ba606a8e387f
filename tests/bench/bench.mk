# Benches. `make bench` is two of them (root): `make bench-speed` compares tcphsd
# with the floor, with kernel TCP over veth and with lwIP, and with the goals, and
# `make goodput` with the kernel over the same bad network. `make bench-million`
# holds a million connections. `make bench_core` measures the engine without I/O,
# `make bench-smoke` looks whether all of it still works, and `make bench-all` runs
# all of it.
#
#	make bench-speed RUNS=7 BENCH_SECONDS=1
#	make bench-million CONNECTIONS=1000000
#	make bench-events		what the log and its readers cost
#	make bench-observers		what it costs to be observed; bench-smoke
#					has its goals as a test
#	make goodput			three seeds, 27 minutes
#	make goodput GOODPUT_SEEDS=1	9 minutes
#	make bench_core CORE_CONNECTIONS='1 1000 1000000'
BENCH_B   = $(B)/tests/bench
BENCH_BIN = $(addprefix $(BENCH_B)/,load floor flood kernel_peer \
	bench_core)
GOODPUT_BIN = $(BENCH_B)/load $(BENCH_B)/kernel_peer $(B)/tests/e2e/relay
# lwIP takes part if its headers are here (Debian: liblwip-dev).
LWIP = $(wildcard /usr/include/lwip/lwip/tcp.h)
BENCH_BIN += $(if $(LWIP),$(BENCH_B)/lwip_peer)
CORE_CONNECTIONS ?= 1 1000 100000

$(BENCH_B)/load: $(call obj,$(addprefix tests/bench/,load.c load_turns.c \
		load_bulk.c load_hold.c latency.c))
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(BENCH_B)/floor: $(call obj,tests/bench/floor.c daemon/tun.c \
		daemon/core/csum.c)
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(BENCH_B)/kernel_peer: $(call obj,tests/bench/kernel_peer.c)
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(BENCH_B)/lwip_peer.o: CPPFLAGS += -isystem /usr/include/lwip
$(BENCH_B)/lwip_peer: $(call obj,tests/bench/lwip_peer.c)
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -llwip

$(BENCH_B)/bench_core: $(call obj,tests/bench/bench_core.c \
		tests/bench/core_peer.c daemon/pktbus.c \
		$(wildcard daemon/pktmem*.c) daemon/analysis/outcome.c $(CORE))
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(LTO) -o $@ $^ -lsodium

# The same of an engine that nobody can observe.
$(B)/unobserved/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $< (unobserved)"
	$(Q)$(CC) $(CPPFLAGS) -DOBSERVABLE=0 $(CFLAGS) \
		$(if $(TOGETHER),-flto -ffat-lto-objects) $(DEPFLAGS) -c -o $@ $<

$(BENCH_B)/bench_core_unobserved: $(call obj,tests/bench/bench_core.c \
		tests/bench/core_peer.c daemon/pktbus.c \
		$(wildcard daemon/pktmem*.c) daemon/analysis/outcome.c) \
		$(patsubst %.c,$(B)/unobserved/%.o,$(CORE))
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(LTO) -o $@ $^ -lsodium

bench: all
	@$(MAKE) --no-print-directory bench-speed goodput

bench-speed: all $(BENCH_BIN)
	@B=$(B) RUNS=$(RUNS) SECONDS_EACH=$(BENCH_SECONDS) tests/bench/bench.sh \
		$(B)/bench.json

bench-million: all $(BENCH_BIN)
	@B=$(B) CONNECTIONS=$(CONNECTIONS) tests/bench/million.sh \
		$(B)/million.json

# An hour.
bench-all: all
	@$(MAKE) --no-print-directory bench bench-million bench-events

goodput: all $(GOODPUT_BIN)
	@B=$(B) SEEDS=$(GOODPUT_SEEDS) SECONDS_EACH=$(GOODPUT_SECONDS) \
		tests/bench/goodput.sh $(B)/goodput.json

bench-smoke: all $(BENCH_BIN) $(BENCH_B)/bench_core_unobserved $(GOODPUT_BIN)
	@B=$(B) tests/bench/observers.sh --check
	@B=$(B) tests/bench/bench.sh --smoke
	@B=$(B) tests/bench/million.sh --smoke
	@B=$(B) tests/bench/goodput.sh --smoke
	@B=$(B) tests/bench/events.sh --smoke

# What it costs to tell what happens: the log, the file, a reader.
bench-events: all $(BENCH_B)/load
	@B=$(B) tests/bench/events.sh

# What it costs that the engine can be observed, and to be: three minutes.
bench-observers: $(BENCH_B)/bench_core $(BENCH_B)/bench_core_unobserved
	@B=$(B) tests/bench/observers.sh

bench_core: $(BENCH_B)/bench_core
	$(Q)$< --json $(B)/bench_core.json $(CORE_CONNECTIONS)

.PHONY: bench bench-speed bench-all bench-million bench-events bench-observers \
	goodput bench-smoke bench_core
