CLI_TEST_NAMES = daemon/core/stack_names.c daemon/core/addr.c daemon/ipaddr.c
UNIT_SRC_test_cli_text = cli/text.c
UNIT_SRC_test_cli_client = cli/client.c cli/text.c
UNIT_LIBS_test_cli_client = -ljansson
UNIT_SRC_test_cli_output = cli/output.c cli/text_table.c cli/names.c cli/cell.c \
	cli/item.c cli/text.c $(CLI_TEST_NAMES)
UNIT_LIBS_test_cli_output = -ljansson
UNIT_SRC_test_cli_probe = cli/probe_report.c cli/output.c cli/text_table.c \
	cli/names.c cli/cell.c cli/item.c cli/text.c $(CLI_TEST_NAMES)
UNIT_LIBS_test_cli_probe = -ljansson
UNIT_SRC_test_verdict_cells = cli/verdict.c daemon/community_id.c \
	daemon/analysis/analysis_names.c daemon/analysis/verdict.c
UNIT_SRC_test_verdict_json = cli/verdict_json.c cli/text.c daemon/jsontext.c \
	$(UNIT_SRC_test_verdict_cells) $(CLI_TEST_NAMES)
UNIT_LIBS_test_verdict_json = -ljansson
UNIT_SRC_test_cli_item = $(UNIT_SRC_test_cli_output)
UNIT_LIBS_test_cli_item = -ljansson
UNIT_SRC_test_cli_names = cli/names.c cli/text.c $(CLI_TEST_NAMES)
