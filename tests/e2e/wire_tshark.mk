# wire_tshark.sh builds and runs this by itself.
$(B)/tests/e2e/wire_dump: $(call obj,tests/e2e/wire_dump.c \
		daemon/core/wire_tcp.c daemon/core/wire_ip.c \
		daemon/core/csum.c)
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
