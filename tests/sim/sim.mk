# The simulator: two ends on a virtual clock. `make sim` runs the scenarios
# and SIM_SEEDS seeds; a failure prints the command that repeats it.
SIM_SEEDS ?= 2000
SIM_FROM  ?= 1
SIM_SRC    = $(wildcard tests/sim/*.c)

$(B)/tests/sim/sim: $(call obj,$(SIM_SRC) $(CORE))
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lsodium

sim: $(B)/tests/sim/sim
	$(Q)$< --scenarios
	$(Q)$< --seeds $(SIM_SEEDS) --from $(SIM_FROM)

.PHONY: sim
