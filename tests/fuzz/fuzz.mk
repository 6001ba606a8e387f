# Fuzzing, with clang's libFuzzer, ASan and UBSan.
#
#	make fuzz FUZZ_SECONDS=20	each target for so long
#	make fuzz-regress		each stored input once
#	make fuzz-long FUZZ=fuzz_stack	half an hour, by hand; goes on where the
#					last one ended, in build-fuzz/found
#	make fuzz-keep FUZZ=fuzz_stack	put the least of that which reaches as
#					much into the corpus in the tree
#
# A target is tests/fuzz/fuzz_NAME.c; its seeds and the inputs that once found
# something lie in tests/fuzz/corpus/NAME/. What it links with beside itself:
#   FUZZ_SRC_fuzz_NAME = sources    FUZZ_LIBS_fuzz_NAME = libraries
#
# Nothing is written but under build-fuzz, but for fuzz-keep.

FUZZ_CC      = clang
FUZZ_B       = build-fuzz
FUZZ_SECONDS ?= 20
FUZZ_LONG    ?= 1800
FUZZ_CFLAGS  = -std=gnu11 -O1 -g -fno-strict-aliasing \
	       -fno-omit-frame-pointer $(WARN) \
	       -fsanitize=fuzzer-no-link,address,undefined \
	       -fno-sanitize-recover=undefined

FUZZ = $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_BIN = $(patsubst %,$(FUZZ_B)/%,$(FUZZ))
fuzz_obj = $(patsubst %.c,$(FUZZ_B)/%.o,$(1))

.SECONDEXPANSION:
$(FUZZ_BIN): $(FUZZ_B)/%: $(FUZZ_B)/tests/fuzz/%.o \
		$$(call fuzz_obj,$$(FUZZ_SRC_$$*))
	@echo "  FUZZLD  $@"
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $^ \
		$(FUZZ_LIBS_$*)

$(FUZZ_B)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  FUZZCC  $<"
	$(Q)$(FUZZ_CC) $(CPPFLAGS) $(FUZZ_CFLAGS) $(DEPFLAGS) -c -o $@ $<

fuzz-build: $(FUZZ_BIN)

fuzz: $(FUZZ_BIN)
	@tests/fuzz/run.sh $(FUZZ_SECONDS) $^

fuzz-regress: $(FUZZ_BIN)
	@tests/fuzz/run.sh regress $^

fuzz-long: $(FUZZ_BIN)
	@FOUND=$(FUZZ_B)/found tests/fuzz/run.sh $(FUZZ_LONG) $^

fuzz-keep: $(FUZZ_BIN)
	@FOUND=$(FUZZ_B)/found tests/fuzz/run.sh keep $^

.PHONY: fuzz-build fuzz fuzz-regress fuzz-long fuzz-keep

-include $(shell find $(FUZZ_B) -name '*.d' 2>/dev/null)
