# Tests. Each unit test is a program tests/unit/test_NAME.c linked with the
# core (and the shell's files it names); each prints `N passed, N failed`.
#
# What a test links with beside itself and tests/unit/unit.c:
#   UNIT_SRC_<name>  = sources    UNIT_LIBS_<name> = libraries

UNIT = $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
-include tests/unit/*.mk

.SECONDEXPANSION:
$(patsubst %,$(B)/tests/unit/%,$(UNIT)): $(B)/tests/unit/%: \
		$(B)/tests/unit/%.o $(B)/tests/unit/unit.o \
		$$(call obj,$$(UNIT_SRC_$$*))
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcunit -lsodium $(UNIT_LIBS_$*)

unit: $(patsubst %,$(B)/tests/unit/%,$(UNIT))
	@for t in $^; do $$t || exit 1; done

.PHONY: unit
