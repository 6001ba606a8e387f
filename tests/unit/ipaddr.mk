UNIT_SRC_test_ipaddr = daemon/ipaddr.c daemon/core/addr.c
