# Packet scripts (script.h has the language): `make wire` plays all of them
# against the engine, `make wire-live` (root) those that a daemon can take part
# in against a real one. tests/e2e/wire_live.sh plays the short ones of these.
WIRE_SRC     = $(wildcard tests/wire/*.c)
WIRE_SCRIPTS = $(sort $(wildcard tests/wire/*.wire))

$(B)/tests/wire/wire: $(call obj,$(WIRE_SRC) $(CORE) $(SERVICE) \
		$(wildcard daemon/conf*.c) daemon/describe.c daemon/ipaddr.c \
		daemon/analysis/nearest.c)
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -liniparser -ljansson -lsodium

wire: $(B)/tests/wire/wire
	$(Q)$< $(WIRE_SCRIPTS)

wire-live: all $(B)/tests/wire/wire
	@B=$(B) WIRE_MS=10000 tests/e2e/wire_live.sh

E2E_BIN += $(B)/tests/wire/wire

.PHONY: wire wire-live
