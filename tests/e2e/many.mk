# The clients of many.sh.
E2E_BIN += $(B)/tests/e2e/many

$(B)/tests/e2e/many: $(call obj,tests/e2e/many.c)
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
