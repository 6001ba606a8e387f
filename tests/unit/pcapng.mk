UNIT_SRC_test_pcapng = daemon/analysis/pcapng.c
