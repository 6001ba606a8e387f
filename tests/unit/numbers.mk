UNIT_SRC_test_histogram = daemon/analysis/histogram.c
UNIT_SRC_test_handshakes = daemon/handshakes.c daemon/evbus.c daemon/jsontext.c \
	daemon/analysis/histogram.c daemon/core/stack_names.c
UNIT_LIBS_test_handshakes = -ljansson
# With a whole stack: each figure has its source.
ALERT = $(wildcard daemon/analysis/alert*.c)
UNIT_SRC_test_alert = $(ALERT) daemon/ipaddr.c daemon/core/addr.c
UNIT_SRC_test_metrics = $(ALERT) daemon/alerting.c daemon/shards.c daemon/privacy.c \
	daemon/pktbus.c \
	daemon/ipaddr.c daemon/metrics.c daemon/tun_queue.c daemon/handshakes.c daemon/evbus.c daemon/jsontext.c \
	daemon/analysis/histogram.c $(CORE)
UNIT_LIBS_test_metrics = -ljansson
UNIT_SRC_test_tun_queue = daemon/tun_queue.c
UNIT_SRC_test_spin = daemon/spin.c
UNIT_SRC_test_loop = daemon/loop.c daemon/spin.c daemon/analysis/histogram.c
UNIT_LIBS_test_loop = -lev
