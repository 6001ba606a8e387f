UNIT_SRC_test_histogram = daemon/analysis/histogram.c
UNIT_SRC_test_handshakes = daemon/handshakes.c daemon/evbus.c daemon/jsontext.c \
	daemon/analysis/histogram.c daemon/core/stack_names.c
UNIT_LIBS_test_handshakes = -ljansson
