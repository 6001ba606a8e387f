/*
 * flow_rig.h - Captures for the passive judge, packet by packet
 *
 * c() is a packet of the client, s() one of the server, a millisecond apart.
 * What cap.p holds goes into the next packet, which leaves a fresh one.
 */
#ifndef TCPHS_FLOW_RIG_H
#define TCPHS_FLOW_RIG_H

#include <tcphs/analysis.h>

#define SYN  TH_SYN
#define SA   (TH_SYN | TH_ACK)
#define ACK  TH_ACK
#define PSH  (TH_PSH | TH_ACK)
#define FIN  (TH_FIN | TH_ACK)
#define RST  TH_RST
#define RA   (TH_RST | TH_ACK)
#define MS   1000000ll
#define CISN 1000u
#define SISN 5000u
#define WND  60000
#define TTL  64

#define VERDICTS_MAX 8

struct capture {
	struct analysis *judge;
	struct verdict v[VERDICTS_MAX];
	unsigned int n;
	struct packet p; /* what the next packet is made of */
	int64_t ns;
	uint64_t frame;
};

extern struct capture cap;

/** begin() - Nothing was captured yet; begin_with() - memory of the judge */
void begin(void);
void begin_with(size_t memory);

/** end() - No more packets; the verdict on the first connection */
const struct verdict *end(void);
void done(void);

void wait_ms(int64_t ms);
void c(uint16_t flags, uint32_t seq, uint32_t ack, uint32_t len);
void s(uint16_t flags, uint32_t seq, uint32_t ack, uint32_t len);

/** handshake() - begin(), and the three steps */
void handshake(void);

/** odd() - The anomaly of that kind; NULL if there is none */
const struct anomaly *odd(const struct verdict *v, enum anomaly_kind kind);
void expect_none(const struct verdict *v);
void expect_only(const struct verdict *v, enum anomaly_kind kind);

#endif
