/*
 * floor.c - The ceiling for any TCP behind a TUN
 *
 *	floor INTERFACE MTU
 *
 * Answers on every address that is routed to the interface, with what TCP would
 * have answered if nothing was ever lost, reordered or wrong, and with next to
 * no thought: what remains is the TUN, the client, and the copying. Addresses,
 * MTU and queue are set by who starts it.
 *
 *	SYN            SYN-ACK, the same options that tcphsd answers with
 *	port 7, text   the packet itself goes back, with its ends exchanged
 *	port 9, text   an ACK for each read, window always open
 *	port 19        super-segments as long as FLIGHT_MAX and the window allow
 *	FIN            FIN and ACK
 *
 * Only port 19 keeps something about a client, found by its port: what it
 * acknowledged and what it was sent. What is unacknowledged when nothing has
 * happened for STALL_MS is sent again, or a lost packet would end a run.
 *
 * IPv4 only. It reads and writes as the daemon does: offload both ways, until
 * EAGAIN but READS at most, one writev() a packet.
 */
#include <arpa/inet.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "core/wire.h"
#include "tun.h"

#define PORT_ECHO    7
#define PORT_CHARGEN 19

#define READS	   64
#define STALL_MS   100
#define WSCALE	   7
#define WINDOW	   (4u << 20) /* offered */
#define FLIGHT_MAX (4u << 20) /* sent and unacknowledged */
#define ISS	   1
#define OPTS_TS	   12 /* NOP NOP TS */
#define OPTS_SYN   20 /* MSS SACK-permitted TS NOP WS */
#define PORTS	   65536

struct packet {
	struct virtio_net_hdr vnet;
	struct iphdr ip;
	struct tcphdr tcp;
	uint8_t rest[65536]; /* options, then text */
} __attribute__((packed));

#define HEADS (sizeof(struct iphdr) + sizeof(struct tcphdr))

/* A client of port 19. */
struct flow {
	bool on;
	bool touched; /* in the list of those to look at */
	uint8_t wscale;
	uint32_t una, nxt, rcv; /* rcv: what we acknowledge */
	uint32_t wnd;		/* bytes from una */
	uint32_t ts_ecr;
	__be32 local, peer;
	__be16 port;
};

struct floor {
	struct tun tun;
	uint16_t mss; /* text bytes of a full segment, timestamps deducted */
	uint32_t now_ms;
	unsigned int on;	 /* flows */
	uint16_t touched[PORTS]; /* client ports */
	unsigned int ntouched;
	struct flow flows[PORTS]; /* by client port */
	uint8_t text[65536];	  /* what port 19 sends */
	struct packet in;
};

static void floor_open(struct floor *f, char **argv);
static void turn(struct floor *f);
static void answer(struct floor *f, uint32_t len);
static void answer_syn(struct floor *f, struct packet *p);
static void answer_text(struct floor *f, struct packet *p, uint32_t opts,
			uint32_t len);
static void exchange_ends(struct packet *p);
static void finish(struct packet *p, uint32_t opts, uint32_t len);
static void opts_ts(struct floor *f, uint8_t *o, uint32_t ecr);
static void flow_acked(struct floor *f, struct flow *w, const struct packet *p);
static void flow_send(struct floor *f, struct flow *w);
static void stalled(struct floor *f);

int main(int argc, char **argv)
{
	static struct floor f;

	if (argc != 3) {
		fputs("usage: floor INTERFACE MTU\n", stderr);
		return 2;
	}
	floor_open(&f, argv);
	puts("ready");
	fflush(stdout);
	for (;;) {
		struct pollfd p = {.fd = f.tun.fd, .events = POLLIN};
		int n = poll(&p, 1, f.on ? STALL_MS : -1);

		if (n > 0)
			turn(&f);
		else if (n == 0)
			stalled(&f);
	}
}

static void floor_open(struct floor *f, char **argv)
{
	unsigned long mtu = strtoul(argv[2], NULL, 10);
	char err[256];

	if (mtu < 576 || mtu > 65520) {
		fprintf(stderr, "floor: '%s' is no MTU\n", argv[2]);
		exit(2);
	}
	if (tun_open(&f->tun, argv[1], true, err, sizeof(err)) < 0) {
		fprintf(stderr, "floor: %s\n", err);
		exit(1);
	}
	f->mss = (uint16_t)(mtu - HEADS - OPTS_TS);
	for (size_t i = 0; i < sizeof(f->text); i++)
		f->text[i] = (uint8_t)(' ' + i % 95);
}

static void turn(struct floor *f)
{
	struct timespec ts;
	ssize_t n;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	f->now_ms = (uint32_t)(ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
	for (int i = 0; i < READS; i++) {
		n = read(f->tun.fd, &f->in, sizeof(f->in));
		if (n <= 0)
			break;
		answer(f, (uint32_t)n);
	}
	for (unsigned int i = 0; i < f->ntouched; i++) {
		f->flows[f->touched[i]].touched = false;
		flow_send(f, &f->flows[f->touched[i]]);
	}
	f->ntouched = 0;
}

static void answer(struct floor *f, uint32_t len)
{
	struct packet *p = &f->in;
	uint32_t heads, opts;
	struct flow *w;

	if (len < sizeof(p->vnet) + HEADS || p->ip.version != 4 ||
	    p->ip.ihl != 5 || p->ip.protocol != IP_PROTO_TCP || p->tcp.doff < 5)
		return;
	heads = (uint32_t)sizeof(p->ip) + p->tcp.doff * 4u;
	len = ntohs(p->ip.tot_len);
	if (len < heads)
		return;
	opts = heads - (uint32_t)HEADS;
	w = &f->flows[ntohs(p->tcp.source)];
	if (p->tcp.rst) {
		f->on -= w->on;
		w->on = false;
	} else if (p->tcp.syn) {
		answer_syn(f, p);
	} else {
		if (p->tcp.dest == htons(PORT_CHARGEN))
			flow_acked(f, w, p);
		if (len > heads || p->tcp.fin)
			answer_text(f, p, opts, len - heads);
	}
}

static void answer_syn(struct floor *f, struct packet *p)
{
	static const uint8_t sack_ok[] = {4, 2}, wscale[] = {1, 3, 3, WSCALE};
	const uint32_t mss = htonl(0x02040000u | (f->mss + OPTS_TS));
	struct flow *w = &f->flows[ntohs(p->tcp.source)];
	uint32_t ecr = 0, end = p->tcp.doff * 4u - 20, skip;
	uint8_t *o = p->rest;

	w->wscale = 0;
	for (uint32_t i = 0; i + 1 < end && o[i] != 0; i += skip) {
		skip = o[i] == 1 ? 1 : o[i + 1];
		if (skip == 0)
			return;
		if (o[i] == 8)
			memcpy(&ecr, o + i + 2, sizeof(ecr));
		else if (o[i] == 3)
			w->wscale = o[i + 2];
	}
	opts_ts(f, o + 4, ecr);
	memcpy(o, &mss, sizeof(mss));
	memcpy(o + 4, sack_ok, sizeof(sack_ok)); /* for NOP NOP */
	memcpy(o + 16, wscale, sizeof(wscale));

	exchange_ends(p);
	p->tcp.ack_seq = htonl(ntohl(p->tcp.seq) + 1);
	p->tcp.seq = htonl(ISS);
	p->tcp.ack = 1;
	p->tcp.ece = p->tcp.cwr = 0;
	p->tcp.window = htons(65535);
	if (p->tcp.source == htons(PORT_CHARGEN)) {
		f->on += !w->on;
		*w = (struct flow){.on = true,
				   .wscale = w->wscale,
				   .una = ISS + 1,
				   .nxt = ISS + 1,
				   .rcv = ntohl(p->tcp.ack_seq),
				   .local = p->ip.saddr,
				   .peer = p->ip.daddr,
				   .port = p->tcp.dest};
	}
	finish(p, OPTS_SYN, 0);
	(void)!write(f->tun.fd, p, sizeof(p->vnet) + HEADS + OPTS_SYN);
}

/* In place: a packet that goes back whole keeps even its virtio header. */
static void answer_text(struct floor *f, struct packet *p, uint32_t opts,
			uint32_t len)
{
	uint32_t seq = ntohl(p->tcp.seq), ecr, reply = 0;
	struct flow *w = &f->flows[ntohs(p->tcp.source)];

	memcpy(&ecr, p->rest + 4, sizeof(ecr));
	if (opts != OPTS_TS)
		return; /* every segment of a Linux client has just these */
	exchange_ends(p);
	p->tcp.seq = p->tcp.ack_seq;
	p->tcp.ack_seq = htonl(seq + len + p->tcp.fin);
	p->tcp.window = htons(WINDOW >> WSCALE);
	p->tcp.psh = 0;
	opts_ts(f, p->rest, ecr);
	if (p->tcp.source == htons(PORT_ECHO))
		reply = len;
	else if (p->tcp.fin && w->on)
		p->tcp.seq = htonl(w->nxt);
	if (p->tcp.fin && w->on) {
		w->on = false;
		f->on--;
	}
	finish(p, opts, reply);
	(void)!write(f->tun.fd, p, sizeof(p->vnet) + HEADS + opts + reply);
}

static void exchange_ends(struct packet *p)
{
	__be32 addr = p->ip.saddr;
	__be16 port = p->tcp.source;

	p->ip.saddr = p->ip.daddr;
	p->ip.daddr = addr;
	p->tcp.source = p->tcp.dest;
	p->tcp.dest = port;
}

/* Lengths and checksums; the TCP checksum is left to the device. */
static void finish(struct packet *p, uint32_t opts, uint32_t len)
{
	uint32_t tcp_len = (uint32_t)sizeof(p->tcp) + opts + len, sum;

	p->tcp.doff = (sizeof(p->tcp) + opts) / 4;
	p->ip.tot_len = htons((uint16_t)(sizeof(p->ip) + tcp_len));
	p->ip.check = 0;
	p->ip.check = htons(csum_fold(csum_partial(&p->ip, sizeof(p->ip), 0)));
	sum = csum_partial(&p->ip.saddr, 8, IP_PROTO_TCP + tcp_len);
	p->tcp.check = htons((uint16_t)~csum_fold(sum));
	if (!len)
		memset(&p->vnet, 0, sizeof(p->vnet));
	p->vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	p->vnet.csum_start = sizeof(p->ip);
	p->vnet.csum_offset = 16;
}

static void opts_ts(struct floor *f, uint8_t *o, uint32_t ecr)
{
	static const uint8_t head[] = {1, 1, 8, 10};
	uint32_t val = htonl(f->now_ms);

	memcpy(o, head, sizeof(head));
	memcpy(o + 4, &val, sizeof(val));
	memcpy(o + 8, &ecr, sizeof(ecr));
}

static void flow_acked(struct floor *f, struct flow *w, const struct packet *p)
{
	uint32_t ack = ntohl(p->tcp.ack_seq);

	if (!w->on)
		return;
	if (seq_gt(ack, w->una))
		w->una = ack;
	if (seq_gt(w->una, w->nxt))
		w->nxt = w->una;
	w->wnd = (uint32_t)ntohs(p->tcp.window) << w->wscale;
	memcpy(&w->ts_ecr, p->rest + 4, sizeof(w->ts_ecr));
	if (!w->touched)
		f->touched[f->ntouched++] = ntohs(p->tcp.source);
	w->touched = true;
}

/* Whole super-segments only, unless the window is smaller than one. */
static void flow_send(struct floor *f, struct flow *w)
{
	uint32_t full = (65535 - (uint32_t)HEADS - OPTS_TS) / f->mss * f->mss;
	uint32_t limit = w->wnd < FLIGHT_MAX ? w->wnd : FLIGHT_MAX;
	struct packet p;
	struct iovec iov[2] = {{&p, sizeof(p.vnet) + HEADS + OPTS_TS},
			       {f->text, 0}};

	while (w->on) {
		uint32_t flight = w->nxt - w->una;
		uint32_t len = flight < limit ? limit - flight : 0;

		if (len >= full)
			len = full;
		else if (flight > 0)
			return;
		else
			len -= len % f->mss;
		if (len == 0)
			return;
		memset(&p, 0, sizeof(p) - sizeof(p.rest));
		p.ip.version = 4;
		p.ip.ihl = 5;
		p.ip.ttl = 64;
		p.ip.frag_off = htons(0x4000); /* DF */
		p.ip.protocol = IP_PROTO_TCP;
		p.ip.saddr = w->local;
		p.ip.daddr = w->peer;
		p.tcp.source = htons(PORT_CHARGEN);
		p.tcp.dest = w->port;
		p.tcp.seq = htonl(w->nxt);
		p.tcp.ack_seq = htonl(w->rcv);
		p.tcp.ack = 1;
		p.tcp.window = htons(WINDOW >> WSCALE);
		opts_ts(f, p.rest, w->ts_ecr);
		finish(&p, OPTS_TS, len);
		p.vnet.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
		p.vnet.gso_size = f->mss;
		p.vnet.hdr_len = HEADS + OPTS_TS;
		iov[1].iov_len = len;
		(void)!writev(f->tun.fd, iov, 2);
		w->nxt += len;
	}
}

static void stalled(struct floor *f)
{
	for (unsigned int i = 0; i < PORTS; i++) {
		f->flows[i].nxt = f->flows[i].una;
		flow_send(f, &f->flows[i]);
	}
}
