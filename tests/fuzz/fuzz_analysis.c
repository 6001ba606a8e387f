/*
 * fuzz_analysis.c - Whatever was captured, the judge has one verdict for each
 * connection, and its numbers go together
 *
 * The input is a byte for the judge's memory, then a list of steps of STEP_LEN
 * bytes. A step is a segment of one of a few connections, with numbers near to
 * what its sides have sent so far, an ICMP error about one, or a frame of any
 * link type made of the bytes that follow. All of them go through the decoder.
 *
 *	0	what: STEP_*, and the connection
 *	1	flags
 *	2, 3	distance of the sequence number from the next one, signed
 *	4, 5	the same of the acknowledgement
 *	6	length of the text, or of a raw frame
 *	7	window, in units of 16 bytes, and the IPv4 identification
 *	8	options: OPTION_*
 *	9	time that passes, in powers of 2 of 1 us; backwards if odd
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/analysis.h>

#include "core/assert.h"
#include "core/be.h"
#include "seal.h"

#define STEP_LEN   10
#define STEP_CONN  0x03
#define STEP_BACK  0x04 /* from the server */
#define STEP_V6	   0x08
#define STEP_RAW   0x10
#define STEP_ICMP  0x20
#define STEP_SPOIL 0x40 /* the checksums stay wrong */
#define STEP_FAR   0x80 /* distances count 64 KiB */

#define OPTION_MSS    0x01
#define OPTION_WSCALE 0x02
#define OPTION_SACK   0x04
#define OPTION_TS     0x08
#define OPTION_CUT    0x10 /* the frame is cut behind the headers */
#define OPTION_RES    0x20 /* reserved bits */

#define NCONNS	  4
#define FRAME_LEN 1024

struct fuzz {
	struct decoder *decoder;
	struct analysis *judge;
	uint64_t number, verdicts, packets;
	int64_t ns;
	uint32_t next[NCONNS][2]; /* of each side */
	uint8_t frame[FRAME_LEN];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

_Noreturn void tcphs_assert_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}

static void check_side(const struct verdict_side *s)
{
	ASSERT(s->captured <= s->by_seq);
	ASSERT(s->window_min <= s->window_max);
	ASSERT(s->wscale <= 14);
	ASSERT(s->seen_before + s->late + s->filled_hole + s->needless <=
	       s->packets);
}

static void check_verdict(void *ctx, const struct verdict *v)
{
	struct fuzz *z = ctx;
	char words[16];

	z->verdicts++;
	z->packets += v->side[CLIENT].packets + v->side[SERVER].packets;
	check_side(&v->side[CLIENT]);
	check_side(&v->side[SERVER]);
	ASSERT(v->outcome < JUDGED_NJUDGED);
	ASSERT(v->stage < REACHED_NREACHED);
	ASSERT(v->ending < ENDING_NENDINGS);
	ASSERT(v->nanomalies <= ANOMALIES_MAX);
	for (int i = 0; i < v->nanomalies; i++) {
		ASSERT(v->anomaly[i].kind < ANOMALY_NKINDS);
		ASSERT(v->anomaly[i].side <= SERVER);
		ASSERT(v->anomaly[i].count > 0);
	}
	ASSERT(memchr(v->zeek_state, '\0', sizeof(v->zeek_state)));
	ASSERT(memchr(v->zeek_history, '\0', sizeof(v->zeek_history)));
	ASSERT(v->first_frame <= v->last_frame);
	ASSERT(v->total_ns == -1 || (v->syn.frame && v->ack.frame));
	ASSERT(!v->syn.frame == (v->outcome == JUDGED_MIDSTREAM ||
				 v->outcome == JUDGED_SYN_MISSING));
	ASSERT(verdict_sentence(v, words, sizeof(words)) > 0);
	ASSERT(memchr(words, '\0', sizeof(words)));
}

static void check_finding(void *ctx, const struct finding *f)
{
	const struct fuzz *z = ctx;

	ASSERT(f->kind < FINDING_NKINDS);
	ASSERT(f->from_ns <= f->to_ns);
	ASSERT(f->count && f->count <= z->verdicts);
	ASSERT(f->answered <= f->count && f->completed <= f->count);
	ASSERT(f->distinct && (f->estimated || f->distinct <= f->count));
}

static void feed(struct fuzz *z, uint32_t link, size_t len, size_t cap)
{
	struct frame f = {
		.ns = z->ns,
		.number = ++z->number,
		.link = link,
		.len = (uint32_t)len,
		.cap_len = (uint32_t)cap,
	};
	struct packet p;
	uint8_t *exact = malloc(cap ? cap : 1); /* whoever reads on is found */

	ASSERT(exact);
	memcpy(exact, z->frame, cap);
	f.bytes = exact;
	decode(z->decoder, &f, &p);
	if (z->number % 2)
		analysis_ahead(z->judge, &p, 1);
	analysis_take(z->judge, &p);
	free(exact);
}

static size_t options(uint8_t *o, const uint8_t *step)
{
	size_t n = 0;

	if (step[8] & OPTION_MSS) {
		memcpy(o + n, "\2\4\5", 3);
		o[n + 3] = step[7];
		n += 4;
	}
	if (step[8] & OPTION_WSCALE) {
		memcpy(o + n, "\1\3\3", 3);
		o[n + 3] = step[7] & 0xf;
		n += 4;
	}
	if (step[8] & OPTION_SACK) {
		memcpy(o + n, "\1\1\5\12", 4);
		if (step[1] & TH_SYN)
			memcpy(o + n, "\4\2\1\1", 4);
		be_put32(o + n + 4, step[5] * 16u);
		be_put32(o + n + 8, step[5] * 16u + step[4]);
		n += step[1] & TH_SYN ? 4 : 12;
	}
	if (step[8] & OPTION_TS) {
		memcpy(o + n, "\1\1\10\12", 4);
		be_put32(o + n + 4, step[4] * 8u);
		be_put32(o + n + 8, step[5] * 8u);
		n += 12;
	}
	return n;
}

static size_t ip_head(uint8_t *h, bool v6, uint8_t proto, const uint8_t *ends,
		      size_t body_len)
{
	size_t len = v6 ? 40 : 20;

	memset(h, 0, len);
	if (v6) {
		h[0] = 0x60;
		be_put16(h + 4, (uint16_t)body_len);
		h[6] = proto;
		h[7] = 64;
		h[23] = ends[0];
		h[39] = ends[1];
	} else {
		h[0] = 0x45;
		be_put16(h + 2, (uint16_t)(len + body_len));
		h[8] = 64;
		h[9] = proto;
		h[12] = h[16] = 10;
		h[15] = ends[0];
		h[19] = ends[1];
	}
	return len;
}

/* A segment near to what was sent so far; it counts as sent. */
static size_t segment(struct fuzz *z, uint8_t *h, const uint8_t *step)
{
	unsigned int conn = step[0] & STEP_CONN, back = !!(step[0] & STEP_BACK);
	unsigned int shift = step[0] & STEP_FAR ? 16 : 0;
	int32_t off = (int16_t)be_get16(step + 2);
	int32_t ack_off = (int16_t)be_get16(step + 4);
	uint32_t *me = &z->next[conn][back], *you = &z->next[conn][!back];
	uint32_t seq = *me + ((uint32_t)off << shift);
	uint8_t ends[2] = {(uint8_t)(1 + back), (uint8_t)(2 - back)};
	size_t opts = options(h + 80, step);
	size_t ip = ip_head(h, step[0] & STEP_V6, 6, ends, 20 + opts + step[6]);
	uint8_t *t = h + ip;

	if (!(step[0] & STEP_V6))
		h[5] = step[7]; /* the identification; 0 = none */
	memmove(t + 20, h + 80, opts);
	be_put16(t, back ? 80 : (uint16_t)(40000 + conn));
	be_put16(t + 2, back ? (uint16_t)(40000 + conn) : 80);
	be_put32(t + 4, seq);
	be_put32(t + 8, *you + ((uint32_t)ack_off << shift));
	t[12] = (uint8_t)((20 + opts) / 4 << 4 |
			  (step[8] & OPTION_RES ? 4 : 0));
	t[13] = step[1];
	be_put16(t + 14, (uint16_t)(step[7] * 16));
	be_put32(t + 16, 0);
	memset(t + 20 + opts, step[9], step[6]);
	if (!off)
		*me = seq + step[6] + !!(step[1] & (TH_SYN | TH_FIN));
	return ip + 20 + opts + step[6];
}

static size_t icmp(struct fuzz *z, const uint8_t *step)
{
	uint8_t ends[2] = {9, (uint8_t)(1 + !!(step[0] & STEP_BACK))};
	bool v6 = step[0] & STEP_V6;
	size_t head = v6 ? 48 : 28, len;

	len = segment(z, z->frame + head, step);
	ip_head(z->frame, v6, v6 ? 58 : 1, ends, len + 8);
	memset(z->frame + head - 8, 0, 8);
	z->frame[head - 8] = step[8];
	z->frame[head - 7] = step[7];
	return head + len;
}

static void pass_time(struct fuzz *z, uint8_t how)
{
	int64_t ns = 1000ll << how % 28;

	z->ns += how & 1 ? -(ns & 0xfffff) : ns;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct analysis_conf conf = ANALYSIS_DEFAULTS;
	struct fuzz z = {.ns = 1000000000000000000};
	const struct analysis_stats *stats;
	uint64_t outcomes = 0;
	size_t len, cap;

	if (!size)
		return 0;
	conf.memory = 512 * (1 + data[0] % 8u);
	data++;
	size--;
	z.decoder = decoder_new(data[-1] & 0x80 ? DECODER_MIN : 0);
	z.judge = analysis_new(&conf, check_verdict, &z);
	ASSERT(z.decoder && z.judge);
	for (; size >= STEP_LEN; data += STEP_LEN, size -= STEP_LEN) {
		uint32_t link = LINK_RAW;

		pass_time(&z, data[9]);
		if (data[0] & STEP_RAW) {
			link = data[1];
			len = data[6] < size - STEP_LEN ? data[6]
							: size - STEP_LEN;
			cap = len;
			memcpy(z.frame, data + STEP_LEN, len);
			len += data[7];
			data += cap;
			size -= cap;
		} else {
			len = data[0] & STEP_ICMP ? icmp(&z, data)
						  : segment(&z, z.frame, data);
			cap = data[8] & OPTION_CUT && len > data[6]
				      ? len - data[6]
				      : len;
			if (!(data[0] & STEP_SPOIL))
				packet_seal(z.frame, len);
		}
		feed(&z, link, len, cap);
	}
	analysis_end(z.judge);
	analysis_findings(z.judge, check_finding, &z);
	stats = analysis_stats(z.judge);
	for (int i = 0; i < JUDGED_NJUDGED; i++)
		outcomes += stats->outcomes[i];
	ASSERT(stats->live == 0);
	ASSERT(z.verdicts == stats->connections);
	ASSERT(outcomes == stats->connections);
	ASSERT(z.packets == stats->packets[PACKET_TCP]);
	analysis_free(z.judge);
	decoder_free(z.decoder);
	return 0;
}
