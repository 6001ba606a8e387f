# For weather.sh: a flood, and a kernel that knows less.
E2E_BIN += $(B)/tests/bench/flood $(B)/tests/e2e/old_kernel.so

$(B)/tests/bench/flood: $(call obj,tests/bench/flood.c)
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(B)/tests/e2e/old_kernel.so: tests/e2e/old_kernel.c
	@mkdir -p $(@D)
	@echo "  LD      $@"
	$(Q)$(CC) $(CPPFLAGS) -std=gnu11 -O2 $(WARN) -fPIC -shared -o $@ $<
E2E_BIN += $(B)/tests/bench/load
