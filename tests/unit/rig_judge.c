/*
 * rig_judge.c - Is what the stack sends what the script expects?
 */
#include "rig_priv.h"

#include <stdio.h>
#include <string.h>

static const char *describe(char *buf, size_t len, uint8_t flags, tcp_seq seq,
			    tcp_seq ack, uint32_t text, uint16_t port)
{
	static const char letters[] = "FSRPAUEC";
	char f[9], *p = f;

	for (unsigned int i = 0; i < 8; i++)
		if (flags & 1u << i)
			*p++ = letters[i];
	*p = '\0';
	snprintf(buf, len, "%s seq %u+%u ack %u to %u", f, seq, text,
		 flags & TH_ACK ? ack : 0, port);
	return buf;
}

void rig_check_that(bool ok, const char *what, const char *file, int line)
{
	if (rig.failed)
		return;
	rig.failed = !ok;
	CU_assertImplementation(ok, (unsigned int)line, what, file, "",
				CU_FALSE);
}

/* What of a segment is not as expected; NULL if all is. */
static const char *difference(const struct rig_seg *e, const struct tcp_seg *s)
{
	uint8_t opts = 0, flags = s->flags;
	const struct rig_conn *rc = rig_conn(s->dport);
	uint32_t len = e->text ? (uint32_t)strlen(e->text) : e->len;

	if (!(e->flags & TH_PSH))
		flags &= (uint8_t)~TH_PSH;
	if (flags != e->flags)
		return "flags";
	if (s->seq != e->seq)
		return "seq";
	if (flags & TH_ACK ? s->ack != e->ack : s->ack != 0)
		return "ack";
	if ((s->tos & IP_ECN_MASK) != e->ecn)
		return "ECN field";
	if (flags & TH_URG && s->up != e->up)
		return "urgent pointer";
	if (s->len != len)
		return "length";
	if (s->dport != (e->peer_port ? e->peer_port : RIG_PEER_PORT))
		return "port";
	if (e->has_wnd && s->wnd != e->wnd)
		return "window";
	for (uint32_t i = 0; i < len; i++)
		if (s->text[i] != rig_pattern_at(s->seq + i))
			return "text";
	opts |= e->has_mss ? OPT_MSS : 0;
	opts |= e->has_wscale ? OPT_WSCALE : 0;
	opts |= e->sack_ok ? OPT_SACK_OK : 0;
	opts |= e->nsack ? OPT_SACK : 0;
	opts |= e->has_ts || (rc->ts && !(flags & (TH_SYN | TH_RST))) ? OPT_TS
								      : 0;
	if (flags & TH_RST) /* RFC 7323, 3.2 allows it there */
		opts |= s->opts & OPT_TS;
	if (s->opts != opts)
		return "options";
	if (e->has_mss && s->mss != e->mss)
		return "MSS";
	if (e->has_wscale && s->wscale != e->wscale)
		return "window scale";
	if (e->has_ts && s->ts_ecr != e->ts)
		return "timestamp echoed";
	if (e->nsack &&
	    (s->nsack != e->nsack ||
	     memcmp(s->sack, e->sack, e->nsack * sizeof(e->sack[0])) != 0))
		return "SACK blocks";
	return NULL;
}

void rig_expect_seg(const struct rig_seg *e, const char *file, int line)
{
	char want[96], got[96], msg[320];
	const char *diff;
	struct tcp_seg s;

	if (rig.failed)
		return;
	rig_start();
	describe(want, sizeof(want), e->flags, e->seq, e->ack,
		 e->text ? (uint32_t)strlen(e->text) : e->len,
		 e->peer_port ? e->peer_port : RIG_PEER_PORT);
	if (!rig_take(&s)) {
		snprintf(msg, sizeof(msg), "expected [%s], got nothing", want);
		rig_check_that(false, msg, file, line);
		return;
	}
	diff = difference(e, &s);
	if (!diff) {
		rig_check_that(true, "", file, line);
		return;
	}
	snprintf(msg, sizeof(msg),
		 "%s differs: expected [%s], got [%s "
		 "wnd %u opts %02x mss %u scale %u ecr %u "
		 "sack %u ecn %u]",
		 diff, want,
		 describe(got, sizeof(got), s.flags, s.seq, s.ack, s.len,
			  s.dport),
		 s.wnd, s.opts, s.mss, s.wscale, s.ts_ecr,
		 s.opts & OPT_SACK ? s.nsack : 0, s.tos & IP_ECN_MASK);
	rig_check_that(false, msg, file, line);
}

void rig_expect_timed(int64_t us, const struct rig_seg *s, const char *file,
		      int line)
{
	int64_t from_us = rig.now_us, after_us;
	char msg[128];

	rig_expect_nothing(0, file, line);
	if (rig.failed)
		return;
	rig_run(rig.now_us + us + RIG_LATE_US, true);
	after_us = rig.now_us - from_us;
	if (rig_unseen() && after_us < us) {
		snprintf(msg, sizeof(msg), "sent after %.3f ms, not %.3f",
			 (double)after_us / 1000, (double)us / 1000);
		rig_check_that(false, msg, file, line);
	}
	rig_expect_seg(s, file, line);
}

void rig_expect_nothing(int64_t us, const char *file, int line)
{
	char got[96], msg[192];
	struct tcp_seg s;
	int64_t from_us = rig.now_us;

	if (rig.failed)
		return;
	rig_start();
	if (us)
		rig_run(rig.now_us + us, true);
	if (!rig_unseen()) {
		rig_check_that(true, "", file, line);
		return;
	}
	if (!rig_take(&s))
		return;
	snprintf(msg, sizeof(msg), "expected silence, got [%s] after %.3f ms",
		 describe(got, sizeof(got), s.flags, s.seq, s.ack, s.len,
			  s.dport),
		 (double)(rig.now_us - from_us) / 1000);
	rig_check_that(false, msg, file, line);
}
