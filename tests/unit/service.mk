# Services against a scripted stack, and the HTTP parser against another one.
SERVICE_TEST_SRC = $(SERVICE) tests/unit/fake_conn.c daemon/describe.c \
	daemon/ipaddr.c daemon/core/stack_names.c daemon/core/addr.c

UNIT_SRC_test_service  = $(SERVICE_TEST_SRC)
UNIT_LIBS_test_service = -ljansson
UNIT_SRC_test_http     = $(SERVICE_TEST_SRC)
UNIT_LIBS_test_http    = -ljansson
UNIT_SRC_test_http_parse  = daemon/service/http_parse.c
UNIT_LIBS_test_http_parse = -lhttp_parser
