UNIT_SRC_test_filter = daemon/analysis/filter.c daemon/analysis/filter_lex.c \
	daemon/analysis/filter_word.c daemon/analysis/outcome.c daemon/analysis/nearest.c \
	daemon/analysis/alert_words.c daemon/ipaddr.c daemon/core/addr.c
UNIT_SRC_test_filter_verdict = $(UNIT_SRC_test_filter) \
	daemon/analysis/filter_verdict.c daemon/analysis/verdict.c \
	daemon/analysis/analysis_names.c
