# Tests. `make check` runs all of them; each kind has a target of its own.
#
# A unit test is a program tests/unit/test_NAME.c; what it links with beside
# itself and tests/unit/unit.c is said in tests/unit/*.mk:
#   UNIT_SRC_test_NAME = sources    UNIT_LIBS_test_NAME = libraries
# Every program and script closes with a line "NAME: N passed, N failed".

UNIT = $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
UNIT_BIN = $(patsubst %,$(B)/tests/unit/%,$(UNIT))

-include $(wildcard tests/*/*.mk)

.SECONDEXPANSION:
$(UNIT_BIN): $(B)/tests/unit/%: $(B)/tests/unit/%.o $(B)/tests/unit/unit.o \
		$$(call obj,$$(UNIT_SRC_$$*))
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcunit -lsodium -lnettle $(UNIT_LIBS_$*)

unit: $(UNIT_BIN)
	@set -e; for t in $^; do $$t; done

layers: all
	@tests/layers.sh $(B)

cli: all
	@B=$(B) tests/cli/run.sh

# End to end: real clients, a real TUN, namespaces of their own. Needs root.
E2E = $(filter-out tests/e2e/lib.sh tests/e2e/run.sh tests/e2e/demo.sh \
	tests/e2e/wire_tshark.sh, \
	$(sort $(wildcard tests/e2e/*.sh)))

e2e: all $(E2E_BIN)
	@B=$(B) OFFLOAD=$(OFFLOAD) THREADS=$(THREADS) tests/e2e/run.sh $(E2E)

# All of that with two shards; check has those that go through most of what
# only several have: walks, events, packets, limits, opening.
THREADS_E2E = $(patsubst %,tests/e2e/%.sh,closing ctl events ladder talk)
check-threads:
	@$(MAKE) --no-print-directory e2e THREADS=2

systemd: all
	@B=$(B) tests/systemd/run.sh

demo: deps-build
	@$(MAKE) --no-print-directory -j2 all
	@B=$(B) tests/e2e/demo.sh

ASAN_FLAGS = -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	     -fno-omit-frame-pointer
# Freed memory is not kept back: tests of the daemon's size would see it.
ASAN = ASAN_OPTIONS=quarantine_size_mb=0:thread_local_quarantine_size_kb=0 \
       $(MAKE) --no-print-directory B=build-asan OPT='-O1 -g1 $(ASAN_FLAGS)'

# The walk without its words, for check: does each step show what it promises?
demo-check: all
	@B=$(B) tests/e2e/demo.sh >$(B)/demo.log 2>&1 || \
		{ cat $(B)/demo.log; exit 1; }
	@echo "demo: 1 passed, 0 failed"

# The same tests under AddressSanitizer and UBSan, and with clang.
asan:
	@$(ASAN) -j2 all build-tests
	@$(ASAN) unit wire sim SIM_SEEDS=100
	@$(ASAN) e2e OFFLOAD=off

# Several threads under ThreadSanitizer, which ends the daemon's life with another
# exit code if it has seen a race. The kernel's address space is too random for
# it: setarch -R.
TSAN = B=build-tsan E2E_JUDGE=0 TSAN_OPTIONS=halt_on_error=1
TSAN_E2E = services ctl http
tsan:
	@$(MAKE) --no-print-directory B=build-tsan \
		OPT='-O1 -g1 -fsanitize=thread -fno-omit-frame-pointer' -j2 all \
		build-tsan/tests/unit/test_spsc build-tsan/tests/unit/test_shards \
		build-tsan/tests/e2e/old_kernel.so
	@set -e; for t in spsc shards; do \
		TSAN_OPTIONS=halt_on_error=1 setarch -R \
			build-tsan/tests/unit/test_$$t; done
	@set -e; echo '--- threads'; $(TSAN) setarch -R tests/e2e/threads.sh; \
		for t in $(TSAN_E2E); do for n in 2 3; do \
			echo "--- $$t with $$n threads"; \
			$(TSAN) THREADS=$$n setarch -R tests/e2e/$$t.sh; \
		done; done

build-tests: $(UNIT_BIN) $(B)/tests/sim/sim $(B)/tests/wire/wire

clang:
	@$(MAKE) --no-print-directory B=build-clang CC=clang -j2 all
	@$(MAKE) --no-print-directory B=build-clang CC=clang -j2 unit

SOURCES = $(wildcard include/tcphs/*.h daemon/*.[ch] daemon/*/*.[ch] \
	  cli/*.[ch] tests/*/*.[ch])

format:
	$(Q)clang-format -i $(SOURCES)

format-check:
	@clang-format --dry-run -Werror $(SOURCES)
	@echo "format: 1 passed, 0 failed"

LINT_SRC = $(CORE) $(ANALYSIS) $(SERVICE) $(DAEMON) $(CLI)

# One suite a line, so that a failure says which.
lint: format-check
	@cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 -j2 \
		--enable=warning,performance,portability \
		--suppress=missingIncludeSystem -Iinclude -Idaemon \
		-DTCPHS_VERSION='""' -DSYSCONFDIR='""' $(LINT_SRC)
	@echo "cppcheck: 1 passed, 0 failed"
	@printf '%s\n' $(LINT_SRC) | xargs -P2 -n6 sh -c 'clang-tidy --quiet \
		"$$@" -- -D_GNU_SOURCE -DTCPHS_VERSION=\"0\" \
		-DSYSCONFDIR=\"/etc\" -Iinclude -Idaemon -std=gnu11 \
		2>/dev/null' tidy
	@echo "tidy: 1 passed, 0 failed"
	@for m in $(MAN_SRC); do \
		scdoc <$$m | mandoc -Tlint -W warning | \
			grep -v 'skipping paragraph macro' && exit 1; \
	done; echo "manuals: 1 passed, 0 failed"

# Everything, on a clean checkout: packages, builds, tests. Quick ones first.
check: deps
	@$(MAKE) --no-print-directory -j2 all
	@$(MAKE) --no-print-directory layers
	@$(MAKE) --no-print-directory -j2 $(UNIT_BIN) $(B)/tests/sim/sim \
		$(B)/tests/wire/wire
	@$(MAKE) --no-print-directory unit wire sim rfc cli wire-tshark
	@$(MAKE) --no-print-directory coverage
	@$(MAKE) --no-print-directory clang
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory e2e
	@$(MAKE) --no-print-directory demo-check
	@$(MAKE) --no-print-directory e2e THREADS=2 E2E='$(THREADS_E2E)'
	@$(MAKE) --no-print-directory systemd
	@$(MAKE) --no-print-directory asan
	@$(MAKE) --no-print-directory tsan TSAN_E2E=services
	@$(MAKE) --no-print-directory -j2 fuzz-build
	@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=$(FUZZ_SECONDS)
	@$(MAKE) --no-print-directory bench-smoke
	@echo "check: everything passed"

.PHONY: unit layers cli e2e check-threads systemd demo demo-check asan tsan build-tests \
	clang format format-check lint check
