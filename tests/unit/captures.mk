# Captures of a known truth: a file in memory, through readers and decoder.
UNIT_SRC_test_captures = $(CAPTURES) $(ANALYSIS_ENGINE) $(ANALYSIS_DECODER) \
	cli/bytes.c cli/capfile.c cli/capfile_pcap.c cli/capfile_pcapng.c \
	daemon/core/addr.c
UNIT_LIBS_test_captures = -lz -lzstd
