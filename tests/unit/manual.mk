UNIT_SRC_test_drops_manual = daemon/core/stack_names.c daemon/core/addr.c
UNIT_SRC_test_explain = daemon/analysis/explain.c \
	daemon/analysis/explain_catalogue.c daemon/analysis/outcome.c \
	daemon/core/stack_names.c daemon/core/addr.c
UNIT_SRC_test_events_manual = daemon/evfields.c daemon/evwords.c daemon/evid.c \
	daemon/analysis/outcome.c daemon/privacy.c daemon/community_id.c \
	daemon/log.c daemon/held_dir.c daemon/jsontext.c daemon/ipaddr.c daemon/core/addr.c \
	daemon/core/stack_names.c
