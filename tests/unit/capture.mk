CAPTURE_SRC = daemon/capture.c daemon/capture_bytes.c daemon/capture_words.c \
	daemon/pktbus.c daemon/analysis/pcapng.c \
	daemon/analysis/filter.c daemon/analysis/filter_lex.c \
	daemon/analysis/filter_word.c daemon/analysis/outcome.c daemon/analysis/nearest.c \
	daemon/analysis/alert_words.c \
	daemon/ipaddr.c daemon/core/addr.c daemon/core/stack_names.c \
	daemon/core/csum.c daemon/core/wire_ip.c

UNIT_SRC_test_capture = $(CAPTURE_SRC) daemon/core/wire_tcp.c
UNIT_SRC_test_capture_files = $(CAPTURE_SRC) daemon/capture_files.c daemon/held_dir.c daemon/log.c \
	daemon/jsontext.c
UNIT_LIBS_test_capture_files = -lev -lsystemd
