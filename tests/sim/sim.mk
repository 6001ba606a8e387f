# The simulator: two ends on a virtual clock. `make sim` runs the scenarios
# and SIM_SEEDS seeds; a failure prints the command that repeats it. Before that
# it looks what gets through bad paths (goodput.c, some seconds).
#
#	make sim-long SIM_LONG=1000000	by hand, for an hour or two; goes on
#					where the last one ended, in
#					build/sim-long, with the same program
SIM_SEEDS ?= 10000
SIM_LONG  ?= 1000000
SIM_FROM  ?= 1
SIM_JOBS  ?= $(shell nproc)
SIM_SRC    = $(filter-out tests/sim/goodput.c,$(wildcard tests/sim/*.c))

$(B)/tests/sim/sim: $(call obj,$(SIM_SRC) $(CORE))
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lsodium

$(B)/tests/sim/goodput.o: CPPFLAGS += -Itests
$(B)/tests/sim/goodput: $(call obj,tests/sim/goodput.c tests/e2e/path.c $(CORE))
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lsodium

sim: $(B)/tests/sim/sim $(B)/tests/sim/goodput
	$(Q)$(B)/tests/sim/goodput
	$(Q)$< --scenarios
	$(Q)$< --seeds $(SIM_SEEDS) --from $(SIM_FROM) --jobs $(SIM_JOBS)

sim-long: $(B)/tests/sim/sim
	@tests/sim/long.sh $< $(B)/sim-long $(SIM_LONG) $(SIM_FROM) $(SIM_JOBS)

.PHONY: sim sim-long
