# The lossy path of transfer.sh and closing.sh.
E2E_BIN += $(B)/tests/e2e/relay

$(B)/tests/e2e/relay: $(call obj,tests/e2e/relay.c)
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
