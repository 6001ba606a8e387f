EVLINE = daemon/evbus.c daemon/evwords.c daemon/evfields.c daemon/evline.c \
	daemon/jsontext.c daemon/ipaddr.c daemon/analysis/outcome.c \
	daemon/privacy.c daemon/community_id.c \
	daemon/core/addr.c \
	daemon/core/stack_names.c
UNIT_SRC_test_evlog = daemon/evlog.c daemon/evrate.c daemon/evid.c $(EVLINE)
UNIT_SRC_test_evbus = daemon/evbus.c daemon/jsontext.c daemon/core/stack_names.c
UNIT_SRC_test_jsontext = daemon/jsontext.c
UNIT_LIBS_test_jsontext = -ljansson
UNIT_SRC_test_log = daemon/log.c daemon/held_dir.c daemon/jsontext.c
