# The lossy path of transfer.sh and closing.sh, and of the goodput bench.
E2E_BIN += $(B)/tests/e2e/relay

$(B)/tests/e2e/relay: $(call obj,tests/e2e/relay.c \
		tests/e2e/path.c)
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
