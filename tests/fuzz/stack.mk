FUZZ_SRC_fuzz_stack = tests/fuzz/stack_peer.c tests/fuzz/stack_apps.c \
		      tests/fuzz/stack_operator.c tests/fuzz/seal.c $(CORE)
FUZZ_LIBS_fuzz_stack = -lsodium
