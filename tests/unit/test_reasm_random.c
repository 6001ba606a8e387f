/*
 * test_reasm_random.c - Random datagrams against a list of what arrived
 *
 * Datagrams are cut anywhere, their pieces come in any order, some more than
 * once, some never, and time runs out.
 */
#include "reasm_rig.h"

#include <string.h>

#include <tcphs/stack.h>

#include "core/assert.h"
#include "core/be.h"
#include "unit.h"

#define FLOWS  24
#define PIECES 40

struct flow {
	struct whole whole;
	uint32_t id, npieces, at[PIECES + 1]; /* piece i is [at[i], at[i+1]) */
	bool here[PIECES];
	uint32_t nhere;
	int64_t came_us;
};

static void flow_new(struct flow *fl, uint32_t id, uint64_t *seed)
{
	uint32_t most = 1u << (7 + rig_below(seed, 10)), len, at = 0;
	bool v6 = rig_below(seed, 2);

	len = 40 + rig_below(seed, most < 65000 ? most : 65000);
	memset(fl, 0, sizeof(*fl));
	fl->id = id;
	if (v6)
		whole6(&fl->whole, IP_PROTO_TCP, rig_below(seed, 2), len);
	else
		whole4(&fl->whole, IP_PROTO_TCP, 4 * rig_below(seed, 11), len);
	for (uint32_t i = 0; i < len; i++)
		fl->whole.b[fl->whole.head + i] =
			(uint8_t)(rig_random(seed) >> 56);
	if (!v6) {
		be_put16(fl->whole.b + 4, id);
		whole_seal(&fl->whole);
	}
	while (at < len) {
		fl->at[fl->npieces++] = at;
		at += 24 + 8 * rig_below(seed, len / 60 + 2);
		if (at > len || fl->npieces == PIECES)
			at = len;
	}
	/* One piece would be no fragment. */
	if (fl->npieces == 1) {
		fl->at[1] = 32;
		fl->npieces = 2;
	}
	fl->at[fl->npieces] = len;
}

static void flow_forget(struct flow *fl)
{
	memset(fl->here, 0, sizeof(fl->here));
	fl->nhere = 0;
}

static void flow_put(struct reasm_rig *r, struct flow *fl, uint32_t i)
{
	enum reasm_verdict v =
		rig_put(r, &fl->whole, fl->id, fl->at[i], fl->at[i + 1]);

	if (fl->here[i]) {
		CU_ASSERT_EQUAL(v, REASM_COPY);
		return;
	}
	if (!fl->nhere)
		fl->came_us = r->now_us;
	fl->here[i] = true;
	if (++fl->nhere < fl->npieces) {
		CU_ASSERT_EQUAL(v, REASM_HELD);
		return;
	}
	CU_ASSERT_EQUAL_FATAL(v, REASM_DONE);
	rig_expect(r, &fl->whole);
	flow_forget(fl);
}

static int64_t flow_end(const struct flow *fl)
{
	if (!fl->nhere)
		return TIME_NEVER;
	return fl->came_us + (fl->whole.v6 ? REASM_LIFE6_US : REASM_LIFE4_US);
}

/* Those that are due go, one by one, and nobody else. */
static void flows_expire(struct reasm_rig *r, struct flow *fl)
{
	struct reasm_lost lost;
	uint32_t due = 0, quoted = 0, gone = 0;
	int64_t at = TIME_NEVER;

	for (int i = 0; i < FLOWS; i++) {
		if (flow_end(&fl[i]) > r->now_us) {
			at = flow_end(&fl[i]) < at ? flow_end(&fl[i]) : at;
			continue;
		}
		due++;
		quoted += fl[i].here[0];
		flow_forget(&fl[i]);
	}
	while (reasm_expire(&r->r, r->now_us, &lost)) {
		gone++;
		quoted -= lost.quote_len != 0;
	}
	CU_ASSERT_EQUAL(gone, due);
	CU_ASSERT_EQUAL(quoted, 0);
	CU_ASSERT_EQUAL(reasm_deadline(&r->r), at);
}

static void random_run(uint64_t seed)
{
	static struct flow fl[FLOWS];
	struct reasm_rig r;

	rig_init(&r, 300);
	r.r.blks.max = 0;
	for (uint32_t i = 0; i < FLOWS; i++)
		flow_new(&fl[i], (uint32_t)seed + i, &seed);
	for (int step = 0; step < 3000; step++) {
		struct flow *one = &fl[rig_below(&seed, FLOWS)];
		uint32_t held = 0;

		/* Some datagrams never get their last piece. */
		flow_put(&r, one,
			 rig_below(&seed, one->npieces - (one->id % 5 == 0)));
		r.now_us += rig_below(&seed, 100) ? 1000 : 20000000;
		flows_expire(&r, fl);
		for (int i = 0; i < FLOWS; i++)
			held += fl[i].nhere != 0;
		CU_ASSERT_EQUAL(r.r.dgrams.in_use, held);
	}
	CU_ASSERT_EQUAL(r.r.evicted, 0);
	rig_free(&r);
}

static void random_against_list(void)
{
	for (uint64_t seed = 1; seed <= 20; seed++)
		random_run(seed);
}

/* Too little memory for all: what comes out is right, and nothing is lost but
 * datagrams. */
static void random_with_too_little_memory(void)
{
	static struct flow fl[FLOWS];
	uint64_t seed = 99;
	unsigned int done = 0;
	struct reasm_rig r;

	rig_init(&r, 5);
	for (uint32_t i = 0; i < FLOWS; i++)
		flow_new(&fl[i], i, &seed);
	for (uint32_t step = 0; step < 20000; step++) {
		/* One sends all it has, again and again; the others stray. */
		uint32_t n = rig_below(&seed, 8) ? step / 400 % FLOWS
						 : rig_below(&seed, FLOWS);
		struct flow *one = &fl[n];
		uint32_t i = one->nhere++ % one->npieces;

		if (rig_put(&r, &one->whole, one->id, one->at[i],
			    one->at[i + 1]) != REASM_DONE)
			continue;
		rig_expect(&r, &one->whole);
		done++;
	}
	CU_ASSERT(done > 100);
	CU_ASSERT(r.r.evicted > 100);
	rig_free(&r);
}

static const struct unit_test tests[] = {
	UNIT_TEST(random_against_list),
	UNIT_TEST(random_with_too_little_memory),
};

int main(int argc, char **argv)
{
	return unit_run("reasm_random", tests, ARRAY_LEN(tests), argc, argv);
}
