/*
 * catalogue.h - Captures for every word of the judge
 */
#ifndef TCPHS_CATALOGUE_H
#define TCPHS_CATALOGUE_H

#include <tcphs/analysis.h>

struct row {
	const char *raises, *harmless;
};

#define SYN    "c SYN 1000\n"
#define SYNACK "s SYN-ACK 5000 1001\n"
#define OPENED SYN SYNACK "c ACK 1001 5001\n"
#define TALKED                             \
	OPENED "c PSH-ACK 1001 5001 100\n" \
	       "s PSH-ACK 5001 1101 300\n" \
	       "c ACK 1101 5301\n"
#define CLOSED                         \
	TALKED "c FIN-ACK 1101 5301\n" \
	       "s FIN-ACK 5301 1102\n" \
	       "c ACK 1102 5302\n"

extern const struct row catalogue_anomalies[ANOMALY_NKINDS];

#endif
