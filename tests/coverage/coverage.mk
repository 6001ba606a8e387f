# What of daemon/core the tests reach, measured by gcov with the optimiser off:
# a line is a line and a condition its two branches, not what inlining and
# jump threading made of them. Built anew each time: the counts of an old
# object, or of a source that is gone, would be counted as well.
#
# The failing arm of ASSERT() is no branch of this measure. It is there never
# to be taken, no test could, and nobody should be rewarded for having fewer
# assertions. Everything else counts, header files included.
COVERAGE_LINES    ?= 95
COVERAGE_BRANCHES ?= 85
COVERAGE_SEEDS    ?= 200

COVERAGE = $(MAKE) --no-print-directory B=build-cov OPT='-O0 -g --coverage'

coverage:
	$(Q)rm -rf build-cov
	@$(COVERAGE) -j2 build-tests
	@$(COVERAGE) unit wire sim SIM_SEEDS=$(COVERAGE_SEEDS)
	@gcovr --root . --object-directory build-cov --filter daemon/core/ \
		--exclude-branches-by-pattern '\s*ASSERT\(' \
		--json build-cov/coverage.json build-cov
	@tests/coverage/report.py $(COVERAGE_LINES) $(COVERAGE_BRANCHES) \
		<build-cov/coverage.json

.PHONY: coverage
