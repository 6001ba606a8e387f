UNIT_SRC_test_csum = daemon/core/csum.c tests/unit/packet.c
UNIT_SRC_test_wire_tcp = daemon/core/wire_tcp.c daemon/core/wire_ip.c \
			 daemon/core/csum.c tests/unit/packet.c
UNIT_SRC_test_wire_ip = daemon/core/wire_ip.c daemon/core/csum.c \
			tests/unit/packet.c
UNIT_SRC_test_wire_icmp = daemon/core/wire_icmp.c daemon/core/wire_ip.c \
			  daemon/core/csum.c tests/unit/packet.c
