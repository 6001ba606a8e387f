# The headers that the core writes, judged by tshark: no root, no daemon.
$(B)/tests/e2e/wire_dump: $(call obj,tests/e2e/wire_dump.c \
		daemon/core/wire_tcp.c daemon/core/wire_ip.c \
		daemon/core/wire_icmp.c daemon/core/csum.c)
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

wire-tshark: $(B)/tests/e2e/wire_dump
	@B=$(B) tests/e2e/wire_tshark.sh

.PHONY: wire-tshark
