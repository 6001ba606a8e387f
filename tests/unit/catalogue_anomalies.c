/*
 * catalogue_anomalies.c - For every anomaly a capture that has it, and one that
 * is as near to that as can be and has not
 */
#include "catalogue.h"

#define WITH_TS                         \
	"c SYN 1000 0 0 ts=10\n"        \
	"s SYN-ACK 5000 1001 0 ts=70\n" \
	"c ACK 1001 5001 0 ts=11\n"
#define FULL "s ACK 5001 1101 1460\n"
#define ASKED                              \
	OPENED "c PSH-ACK 1001 5001 100\n" \
	       "s ACK 5001 1101\n"

const struct row catalogue_anomalies[ANOMALY_NKINDS] = {
	[ANOMALY_SYNACK_ACK_MISMATCH] = {SYN "s SYN-ACK 5000 9999\n",
					 /* It acknowledges text of the SYN. */
					 "c SYN 1000 0 50 tfo=8\n"
					 "s SYN-ACK 5000 1051\n"},
	[ANOMALY_ACK_OUT_OF_WINDOW] = {TALKED "c ACK 1101 90005301\n",
				       /* Of what was not captured. */
				       TALKED "c ACK 1101 6301\n"},
	[ANOMALY_SEQ_OUT_OF_WINDOW] = {TALKED "c PSH-ACK 90001101 5301 100\n",
				       TALKED "c PSH-ACK 51101 5301 100\n"},
	[ANOMALY_ISN_CHANGED] = {SYN SYNACK "c SYN 7000\n",
				 /* Nobody had answered: another attempt. */
				 SYN "+1000 c SYN 7000\n"
				     "s SYN-ACK 5000 7001\n"},
	[ANOMALY_SYNACK_TWO_ISN] = {SYN SYNACK "s SYN-ACK 8000 1001\n",
				    SYN SYNACK "+1000 " SYNACK},
	[ANOMALY_DATA_BEFORE_ESTABLISHED] =
		{SYN SYNACK "s PSH-ACK 5001 1001 50\n"
			    "c ACK 1001 5001\n",
		 /* The ACK that establishes it has text. */
		 SYN SYNACK "c PSH-ACK 1001 5001 50\n"},

	[ANOMALY_RST_OUT_OF_WINDOW] = {TALKED "s RST 90005301\n",
				       TALKED "s RST 5301\n"},
	[ANOMALY_RST_NOT_EXACT] = {TALKED "s RST 5400\n",
				   TALKED "s RST-ACK 5301 1101\n"},
	[ANOMALY_RST_TTL_MISMATCH] = {TALKED "s RST 5301 0 0 ttl=57\n",
				      TALKED "s RST 5301\n"},
	[ANOMALY_RST_IGNORED] =
		{TALKED "s RST 5400\n"
			"s PSH-ACK 5301 1101 50\n"
			"c ACK 1101 5351\n",
		 /* What was on its way when the RST was sent. */
		 TALKED "s RST 5301\n"
			"c PSH-ACK 1101 5301 50\n"},
	[ANOMALY_RST_AFTER_FIN] = {TALKED "s FIN-ACK 5301 1101\n"
					  "s RST 5302\n",
				   /* Of the other side. */
				   TALKED "s FIN-ACK 5301 1101\n"
					  "c RST 1101\n"},
	[ANOMALY_SYN_IN_ESTABLISHED] = {TALKED "c SYN 777777\n"
					       "s ACK 5301 1101\n",
					CLOSED "+500 c SYN 777777\n"},

	[ANOMALY_FLAGS_NONE] = {OPENED "c none 1001\n",
				OPENED "c ACK 1001 5001\n"},
	[ANOMALY_FLAGS_SYN_FIN] = {"c SYN-FIN 1000\n",
				   OPENED "c FIN-ACK 1001 5001\n"},
	[ANOMALY_FLAGS_SYN_RST] = {"c SYN-RST 1000\n",
				   SYN "s RST-ACK 0 1001\n"},
	[ANOMALY_FLAGS_XMAS] = {"c FIN-PSH-URG 1000\n",
				OPENED "c FIN-PSH-URG-ACK 1001 5001 10\n"},
	[ANOMALY_FIN_WITHOUT_ACK] = {"c FIN 1000\n", "c FIN-ACK 1000 5000\n"},
	[ANOMALY_FLAGS_ODD] = {OPENED "c FIN-RST-ACK 1001 5001\n",
			       OPENED "c PSH-RST-ACK 1001 5001\n"},
	[ANOMALY_RESERVED_BITS] = {OPENED "c ACK-res 1001 5001\n",
				   /* RFC 9768: it asks for accurate ECN. */
				   "c SYN-AE-CWR-ECE 1000\n"},

	[ANOMALY_NO_MSS] = {"c SYN 1000 0 0 mss=0\n", "c SYN 1000\n"},
	[ANOMALY_MSS_TINY] = {"c SYN 1000 0 0 mss=215\n",
			      "c SYN 1000 0 0 mss=216\n"},
	[ANOMALY_WS_OVER_14] = {"c SYN 1000 0 0 ws=15\n",
				"c SYN 1000 0 0 ws=14\n"},
	[ANOMALY_OPTION_TRUNCATED] = {OPENED "c ACK 1001 5001 0 option=cut\n",
				      OPENED
				      "c ACK 1001 5001 0 sack=5101-5201\n"},
	[ANOMALY_OPTIONS_CHANGED] = {SYN
				     "+1000 c SYN 1000 0 0 opts=mss mss=1460\n",
				     SYN "+1000 " SYN},
	[ANOMALY_TS_MISSING] = {WITH_TS "c PSH-ACK 1001 5001 100\n",
				/* RFC 7323, 3.2: a RST need not have it. */
				WITH_TS "c RST 1001\n"},
	[ANOMALY_TS_BACKWARDS] = {WITH_TS "c PSH-ACK 1001 5001 100 ts=4\n",
				  /* It was sent earlier and came later. */
				  WITH_TS "c PSH-ACK 1101 5001 100 ts=21\n"
					  "+0 c ACK 1001 5001 100 ts=20\n"},
	[ANOMALY_OFFERED_NOT_GRANTED] =
		{SYN "s SYN-ACK 5000 1001 0 opts=mss mss=1460\n",
		 "c SYN 1000 0 0 opts=mss mss=1460\n"
		 "s SYN-ACK 5000 1001 0 opts=mss mss=1460\n"},

	[ANOMALY_SYN_RETRANSMITTED] = {SYN "+1000 " SYN,
				       /* Captured twice, that is. */
				       "c SYN 1000 0 0 id=7\n"
				       "c SYN 1000 0 0 id=7\n"},
	[ANOMALY_SYNACK_RETRANSMITTED] = {SYN SYNACK "+1000 " SYNACK,
					  SYN "s SYN-ACK 5000 1001 0 id=7\n"
					      "s SYN-ACK 5000 1001 0 id=7\n"},
	[ANOMALY_FINAL_ACK_LOST] = {OPENED "+1000 " SYNACK, SYN SYNACK
				    "+1000 " SYNACK "c ACK 1001 5001\n"},
	[ANOMALY_RETRANSMIT] = {OPENED "c PSH-ACK 1001 5001 100\n"
				       "+300 c PSH-ACK 1001 5001 100\n",
				/* A keep-alive. */
				TALKED "+60000 c ACK 1100 5301 1\n"
				       "s ACK 5301 1101\n"},
	[ANOMALY_SPURIOUS_RETRANSMIT] = {ASKED "+300 c PSH-ACK 1001 5001 100\n",
					 OPENED "c PSH-ACK 1001 5001 100\n"
						"+300 c PSH-ACK 1001 5001 100\n"
						"s ACK 5001 1101\n"},
	[ANOMALY_DUPLICATE] = {OPENED "c PSH-ACK 1001 5001 100 id=7\n"
				      "c PSH-ACK 1001 5001 100 id=7\n",
			       /* Sent again: another packet. */
			       OPENED "c PSH-ACK 1001 5001 100 id=7\n"
				      "c PSH-ACK 1001 5001 100 id=8\n"},
	[ANOMALY_REORDERED] = {OPENED "c PSH-ACK 1101 5001 100\n"
				      "+0 c ACK 1001 5001 100\n",
			       OPENED "c PSH-ACK 1101 5001 100\n"
				      "+300 c ACK 1001 5001 100\n"},

	[ANOMALY_ZERO_WINDOW] = {TALKED "s ACK 5301 1101 0 wnd=0\n",
				 /* A RST has no window to offer. */
				 TALKED "s RST-ACK 5301 1101 0 wnd=0\n"},
	[ANOMALY_ZERO_WINDOW_SYN] = {SYN "s SYN-ACK 5000 1001 0 wnd=0\n",
				     SYN "s SYN-ACK 5000 1001 0 wnd=1\n"},
	[ANOMALY_WINDOW_FULL] = {OPENED "s ACK 5001 1001\n"
					"c ACK 60001 5001 1000\n",
				 OPENED "s ACK 5001 1001\n"
					"c ACK 60001 5001 999\n"},
	[ANOMALY_SILLY_WINDOW] = {TALKED "s ACK 5301 1101 0 wnd=0\n"
					 "+500 s ACK 5301 1101 0 wnd=20\n",
				  TALKED "s ACK 5301 1101 0 wnd=0\n"
					 "+500 s ACK 5301 1101 0 wnd=1460\n"},
	[ANOMALY_WINDOW_SHRUNK] = {OPENED "s ACK 5001 1001\n"
					  "s ACK 5001 1001 0 wnd=1000\n",
				   /* Its edge stays where it was. */
				   OPENED "s ACK 5001 1001\n"
					  "c PSH-ACK 1001 5001 100\n"
					  "s ACK 5001 1101 0 wnd=59900\n"},

	[ANOMALY_HALF_CLOSED_LONG] = {OPENED "c FIN-ACK 1001 5001\n"
					     "s ACK 5001 1002\n"
					     "+61000 s PSH-ACK 5001 1002 500\n",
				      OPENED
				      "c FIN-ACK 1001 5001\n"
				      "s ACK 5001 1002\n"
				      "+59000 s PSH-ACK 5001 1002 500\n"},
	[ANOMALY_FIN_UNACKED] = {OPENED "c FIN-ACK 1001 5001\n"
					"+3000 c FIN-ACK 1001 5001\n"
					"+9000 c FIN-ACK 1001 5001\n"
					"+9000 c FIN-ACK 1001 5001\n",
				 OPENED "c FIN-ACK 1001 5001\n"
					"+3000 c FIN-ACK 1001 5001\n"
					"+9000 c FIN-ACK 1001 5001\n"
					"+9000 s ACK 5001 1002\n"},
	[ANOMALY_FIN_WAIT2_STUCK] = {"many 2 clients\n+70000 " OPENED
				     "c FIN-ACK 1001 5001\n"
				     "s ACK 5001 1002\n",
				     "many 2 clients\n+50000 " OPENED
				     "c FIN-ACK 1001 5001\n"
				     "s ACK 5001 1002\n"},
	[ANOMALY_TIME_WAIT_REUSE] = {CLOSED "+500 c SYN 90000\n",
				     /* After a RST there is no TIME-WAIT. */
				     TALKED "c RST 1101\n"
					    "+500 c SYN 90000\n"},
	[ANOMALY_CLOSE_BY_RESET] = {TALKED "c RST-ACK 1101 5301\n",
				    /* It was closed before. */
				    CLOSED "c RST-ACK 1102 5302\n"},

	[ANOMALY_SLOW_HANDSHAKE] = {SYN "+900 " SYNACK "+200 c ACK 1001 5001\n",
				    SYN "+450 " SYNACK
					"+450 c ACK 1001 5001\n"},
	[ANOMALY_SLOW_LEG_SERVER] = {SYN "+700 " SYNACK,
				     /* The first SYN was lost. */
				     SYN "+1000 " SYN SYNACK},
	[ANOMALY_SLOW_LEG_CLIENT] = {SYN SYNACK "+700 c ACK 1001 5001\n",
				     /* The first SYN-ACK was lost. */
				     SYN SYNACK "+1000 " SYNACK
						"c ACK 1001 5001\n"},
	[ANOMALY_BACKLOG_WAIT] = {SYN "+1000 " SYN "+2000 " SYN SYNACK,
				  /* One is lost now and then. */
				  SYN "+1000 " SYN SYNACK},

	[ANOMALY_TTL_SHIFT] = {OPENED "s ACK 5001 1001 0 ttl=60\n",
			       /* Each side has its own. */
			       SYN "s SYN-ACK 5000 1001 0 ttl=60\n"
				   "c ACK 1001 5001\n"
				   "s ACK 5001 1001 0 ttl=60\n"},
	[ANOMALY_DIFFERENT_DATA] = {OPENED "s PSH-ACK 5001 1001 40 text=a\n"
					   "s PSH-ACK 5001 1001 40 text=b\n",
				    OPENED "s PSH-ACK 5001 1001 40 text=a\n"
					   "s PSH-ACK 5001 1001 40 text=a\n"},
	[ANOMALY_OVERLAP_DATA] = {OPENED "s PSH-ACK 5001 1001 40 text=a\n"
					 "s PSH-ACK 5021 1001 60 text=b\n",
				  /* Cut anew, with the same bytes. */
				  OPENED "s PSH-ACK 5001 1001 40\n"
					 "s PSH-ACK 5021 1001 60\n"},
	[ANOMALY_MSS_CHANGED] = {"c SYN 1000 0 0 id=7 mss=1460\n"
				 "c SYN 1000 0 0 id=7 mss=1400 ttl=63\n",
				 /* The client itself tries less. */
				 "c SYN 1000 0 0 id=7 mss=1460\n"
				 "+1000 c SYN 1000 0 0 id=8 mss=1400\n"},

	[ANOMALY_CHECKSUM_BAD] = {OPENED "c PSH-ACK 1001 5001 100 sum=bad\n"
					 "+300 c PSH-ACK 1001 5001 100\n"
					 "s ACK 5001 1101\n",
				  /* It was taken as it is. */
				  OPENED "c PSH-ACK 1001 5001 100 sum=bad\n"
					 "s ACK 5001 1101\n"},
	[ANOMALY_CHECKSUM_OFFLOAD] = {OPENED
				      "c PSH-ACK 1001 5001 100 sum=part\n"
				      "s ACK 5001 1101\n",
				      OPENED "c PSH-ACK 1001 5001 100 sum=bad\n"
					     "+300 c PSH-ACK 1001 5001 100\n"
					     "s ACK 5001 1101\n"},
	[ANOMALY_ASYMMETRIC] = {SYN "c ACK 1001 5001\n"
				    "c PSH-ACK 1001 5001 100\n",
				/* Perhaps nobody had asked. */
				SYNACK},
	[ANOMALY_ICMP_FRAG_NEEDED] = {OPENED "c PSH-ACK 1001 5001 1460\n"
					     "c i 1001 0 0 mtu=1400\n",
				      /* RFC 5927, 4.1: of what nobody sent. */
				      OPENED "c PSH-ACK 1001 5001 1460\n"
					     "c i 99999 0 0 mtu=1400\n"},
	[ANOMALY_MTU_BLACKHOLE] = {ASKED FULL
				   "s PSH-ACK 6461 1101 40\n"
				   "c ACK 1101 5001 0 sack=6461-6501\n"
				   "+300 " FULL "+600 " FULL "+1200 " FULL,
				   /* The client is gone. */
				   ASKED FULL "s PSH-ACK 6461 1101 40\n"
					      "+300 " FULL "+600 " FULL
					      "+1200 " FULL},
	[ANOMALY_ICMP_ERROR] = {SYN "c i 1000 0 0 code=1\n",
				SYN "c i 9000 0 0 code=1\n"},
};
