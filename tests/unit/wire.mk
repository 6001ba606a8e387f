UNIT_SRC_test_csum = daemon/core/csum.c tests/unit/packet.c
