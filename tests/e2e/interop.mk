# The two ends of interop.sh: the daemon without its main(), and a socket.
E2E_BIN += $(B)/tests/e2e/interop

INTEROP = $(addprefix tests/e2e/,interop.c interop_engine.c interop_kernel.c \
	  interop_pattern.c)

$(B)/tests/e2e/interop: $(call obj,$(INTEROP) $(CORE) $(ANALYSIS) $(SERVICE) \
		$(filter-out daemon/main.c,$(DAEMON)))
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_DAEMON)

# Every cell with 64 MB; `make e2e` has most of them with less.
interop: all $(B)/tests/e2e/interop
	@B=$(B) FULL=1 tests/e2e/interop.sh

.PHONY: interop
