# Packet scripts (script.h has the language): `make wire` plays all of them
# against the engine.
WIRE_SRC     = $(wildcard tests/wire/*.c)
WIRE_SCRIPTS = $(sort $(wildcard tests/wire/*.wire))

$(B)/tests/wire/wire: $(call obj,$(WIRE_SRC) $(CORE) $(SERVICE) \
		$(wildcard daemon/conf*.c) daemon/describe.c daemon/ipaddr.c \
		daemon/analysis/nearest.c)
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -liniparser -ljansson -lsodium

wire: $(B)/tests/wire/wire
	$(Q)$< $(WIRE_SCRIPTS)

.PHONY: wire
