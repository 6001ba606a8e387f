ANALYSIS_ENGINE = daemon/analysis/analysis.c daemon/analysis/analysis_names.c \
	daemon/analysis/anomaly_texts.c \
	daemon/analysis/copies.c daemon/analysis/crowd.c daemon/analysis/flow.c \
	daemon/analysis/flow_copy.c daemon/analysis/flow_history.c daemon/analysis/flow_text.c \
	daemon/analysis/flow_lost.c daemon/analysis/flow_late.c daemon/analysis/flow_verdict.c
ANALYSIS_DECODER = daemon/analysis/decode.c daemon/analysis/decode_ip.c \
	daemon/analysis/decode_tcp.c daemon/analysis/decode_tunnel.c \
	daemon/core/csum.c daemon/core/pool.c daemon/core/reasm.c

UNIT_SRC_test_analysis_manual = $(ANALYSIS_ENGINE) tests/unit/flow_script.c
UNIT_SRC_test_catalogue = $(ANALYSIS_ENGINE) tests/unit/flow_script.c \
	tests/unit/catalogue_anomalies.c
FLOW_TESTS = test_analysis test_flow test_flow_end test_flow_text test_flow_zeek
$(foreach t,$(FLOW_TESTS),$(eval UNIT_SRC_$(t) = $$(ANALYSIS_ENGINE) \
	tests/unit/flow_rig.c))
UNIT_SRC_test_decode = $(ANALYSIS_DECODER) daemon/core/wire_ip.c \
	daemon/core/wire_tcp.c
UNIT_SRC_test_capfile = cli/bytes.c cli/capfile.c cli/capfile_pcap.c \
	cli/capfile_pcapng.c
UNIT_LIBS_test_capfile = -lz -lzstd
UNIT_SRC_test_capset = cli/capset.c cli/text.c $(UNIT_SRC_test_capfile)
UNIT_LIBS_test_capset = -lz -lzstd
