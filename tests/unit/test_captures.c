/*
 * test_captures.c - The judge against captures whose truth is known
 *
 * Each class of conversation, over many seeds: a world of that class alone and
 * worlds of all of them together, in all containers, on all link types and in
 * all tunnels. Every connection must be judged, once, and as it was. Only what
 * was judged is compared with what the script knew; a difference tells class,
 * seed and field. TEST_CAPTURES_SEEDS sets another number of seeds.
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "../../cli/capfile.h"
#include "../captures/gen.h"
#include "core/assert.h"
#include "unit.h"

#define SEEDS	    200
#define ALONE	    6	/* conversations of a class in its own world */
#define TOGETHER    120 /* ... in one of all classes */
#define JUDGED_MAX  2048
#define FOUND_MAX   8
#define REPORTS_MAX 12

static const uint32_t links[] = {
	LINK_ETHERNET, LINK_NULL,	LINK_LOOP,	 LINK_PPP,
	LINK_PPP_HDLC, LINK_RAW,	LINK_RAW_12,	 LINK_LINUX_SLL,
	LINK_ETHERNET, LINK_LINUX_SLL2, LINK_IEEE802_11, LINK_RADIOTAP,
};

static struct run {
	uint64_t seed;
	struct verdict judged[JUDGED_MAX];
	bool matched[JUDGED_MAX];
	unsigned int njudged;
	unsigned int truths, differences, reports;
	struct container box;
	struct {
		struct truth truth;
		struct encap encap[ENCAPS_MAX];
		uint8_t nencaps;
	} known[JUDGED_MAX];
	struct finding found[FOUND_MAX];
	unsigned int nfound;
	char *file;
	size_t len;
} run;

static void differ(const struct truth *h, const char *what, int64_t is,
		   int64_t should)
{
	run.differences++;
	if (run.reports++ < REPORTS_MAX)
		fprintf(stderr,
			"%s, seed %" PRIu64 ", frame %" PRIu64
			": %s is %" PRId64 ", not %" PRId64 "\n",
			class_name(h->class), run.seed, h->first_frame, what,
			is, should);
}

static void differ_odd(const struct truth *h, int side, unsigned int kind,
		       bool found)
{
	run.differences++;
	if (run.reports++ < REPORTS_MAX)
		fprintf(stderr,
			"%s, seed %" PRIu64 ", frame %" PRIu64
			": %s by %s %s\n",
			class_name(h->class), run.seed, h->first_frame,
			anomaly_name(kind), side ? "server" : "client",
			found ? "is no truth" : "was not found");
}

#define BIT(kind) (UINT64_C(1) << ANOMALY_##kind)

/* What follows from the rest of the truth. */
static uint64_t implied(const struct truth *h, int s)
{
	uint8_t missing = h->opts[CLIENT] & ~h->opts[SERVER] &
			  (POPT_WSCALE | POPT_SACK_OK | POPT_TS);
	uint64_t odd = 0;

	if (s == CLIENT && h->syn_tries > 1)
		odd |= BIT(SYN_RETRANSMITTED);
	if (s == SERVER && h->synack_tries > 1)
		odd |= BIT(SYNACK_RETRANSMITTED);
	if (s == SERVER && h->syn_frame && h->synack_frame && missing)
		odd |= BIT(OFFERED_NOT_GRANTED);
	if (s == CLIENT && h->total_ns >= SECOND)
		odd |= BIT(SLOW_HANDSHAKE);
	if (h->seen_before[s] + h->filled_hole[s])
		odd |= BIT(RETRANSMIT);
	if (h->needless[s])
		odd |= BIT(SPURIOUS_RETRANSMIT);
	if (h->late[s])
		odd |= BIT(REORDERED);
	if (h->ending == (s == CLIENT ? ENDING_RST_CLIENT : ENDING_RST_SERVER))
		odd |= BIT(CLOSE_BY_RESET);
	if (s == SERVER ? h->class == CLASS_synack_missing
			: h->class == CLASS_answers_only)
		odd |= BIT(ASYMMETRIC);
	return odd;
}

static void compare_odd(const struct truth *h, const struct verdict *v)
{
	/* Whether it is shows by how long the others go on. */
	const uint64_t whatever = BIT(FIN_WAIT2_STUCK);
	uint64_t found[2] = {0, 0};

	for (int i = 0; i < v->nanomalies; i++)
		found[v->anomaly[i].side] |= UINT64_C(1) << v->anomaly[i].kind;
	for (int s = CLIENT; s <= SERVER; s++)
		for (unsigned int k = 0; k < ANOMALY_NKINDS; k++)
			if (((found[s] ^ (h->odd[s] | implied(h, s))) &
			     ~whatever) >>
				    k &
			    1)
				differ_odd(h, s, k, found[s] >> k & 1);
}

static void compare_side(const struct truth *h, const struct verdict *v, int s)
{
	const struct verdict_side *is = &v->side[s];

#define SIDE(field)                                            \
	if (is->field != h->field[s])                          \
	differ(h, s ? "server's " #field : "client's " #field, \
	       (int64_t)is->field, (int64_t)h->field[s])
	SIDE(port);
	SIDE(packets);
	SIDE(by_seq);
	SIDE(captured);
	SIDE(seen_before);
	SIDE(filled_hole);
	SIDE(needless);
	SIDE(late);
#undef SIDE
	if (memcmp(&is->addr, &h->addr[s], sizeof(is->addr)) != 0)
		differ(h, "an address", s, s);
}

static void compare(const struct truth *h, const struct verdict *v)
{
#define SAME(is, should, what)                  \
	if ((int64_t)(is) != (int64_t)(should)) \
	differ(h, what, (int64_t)(is), (int64_t)(should))
#define FIELD(field) SAME(v->field, h->field, #field)
	FIELD(outcome);
	FIELD(stage);
	FIELD(ending);
	FIELD(tfo);
	FIELD(inferred);
	FIELD(simultaneous);
	FIELD(split);
	FIELD(cookie_like);
	FIELD(client_known);
	FIELD(icmp);
	FIELD(start_ns);
	FIELD(end_ns);
	FIELD(last_frame);
	FIELD(total_ns);
	SAME(v->fin_seen, h->fin, "fin_seen");
	SAME(v->syn.tries, h->syn_tries, "tries of the SYN");
	SAME(v->synack.tries, h->synack_tries, "tries of the SYN-ACK");
	SAME(v->syn.frame, h->syn_frame, "frame of the SYN");
	SAME(v->synack.frame, h->synack_frame, "frame of the SYN-ACK");
	if (h->outcome != JUDGED_SYNACK_MISSING)
		SAME(v->ack.frame, h->ack_frame, "frame of the ACK");
	if (h->fin)
		FIELD(first_fin);
	if (h->ending == ENDING_RST_CLIENT || h->ending == ENDING_RST_SERVER)
		FIELD(rst_plausible);
#undef FIELD
#undef SAME
	compare_side(h, v, CLIENT);
	compare_side(h, v, SERVER);
	compare_odd(h, v);
}

static void judged(void *ctx, const struct verdict *v)
{
	(void)ctx;
	ASSERT(run.njudged < JUDGED_MAX);
	run.judged[run.njudged++] = *v;
}

static void found(void *ctx, const struct finding *f)
{
	(void)ctx;
	CU_ASSERT_FATAL(run.nfound < FOUND_MAX);
	run.found[run.nfound++] = *f;
}

static void known(void *ctx, const struct conv *c, const struct truth *t)
{
	(void)ctx;
	ASSERT(run.truths < JUDGED_MAX);
	run.known[run.truths].truth = *t;
	run.known[run.truths].nencaps =
		wrap_encaps(c, run.known[run.truths].encap);
	run.truths++;
}

static void compare_all(void)
{
	for (unsigned int i = 0; i < run.truths; i++) {
		const struct truth *h = &run.known[i].truth;
		unsigned int k;

		for (k = 0; k < run.njudged; k++)
			if (run.judged[k].first_frame == h->first_frame)
				break;
		if (k == run.njudged || run.matched[k]) {
			differ(h, "how often it was judged", 0, 1);
			continue;
		}
		run.matched[k] = true;
		compare(h, &run.judged[k]);
		if (run.judged[k].nencaps != run.known[i].nencaps ||
		    memcmp(run.judged[k].encap, run.known[i].encap,
			   run.known[i].nencaps *
				   sizeof(run.known[i].encap[0])) != 0)
			differ(h, "what is around it", run.judged[k].nencaps,
			       run.known[i].nencaps);
	}
	for (unsigned int k = 0; k < run.njudged; k++)
		if (!run.matched[k])
			differ(&run.known[0].truth, "a verdict on nothing, at",
			       (int64_t)run.judged[k].first_frame, 0);
}

/* Some are packed: the file becomes what it is then. */
static void pack(uint64_t seed)
{
	size_t room = run.len + run.len / 8 + 1024;
	z_stream z = {.avail_out = (uInt)room};
	char *packed;

	if (seed % 4 > 1)
		return;
	packed = malloc(room);
	ASSERT(packed);
	if (seed % 4) {
		room = ZSTD_compress(packed, room, run.file, run.len, 1);
		ASSERT(!ZSTD_isError(room));
	} else {
		z.next_in = (Bytef *)run.file;
		z.avail_in = (uInt)run.len;
		z.next_out = (Bytef *)packed;
		ASSERT(deflateInit2(&z, 1, Z_DEFLATED, 31, 8,
				    Z_DEFAULT_STRATEGY) == Z_OK);
		ASSERT(deflate(&z, Z_FINISH) == Z_STREAM_END);
		deflateEnd(&z);
		room -= z.avail_out;
	}
	free(run.file);
	run.file = packed;
	run.len = room;
}

/* So many packets are known before the first is judged; 0 = not even it. False
 * at the end. What was put together from fragments must be judged at once. */
static bool judge_some(struct analysis *judge, struct decoder *d,
		       struct capfile *c, unsigned int ahead)
{
	uint8_t *bytes[ANALYSIS_AHEAD];
	struct packet p[ANALYSIS_AHEAD];
	unsigned int n = 0;
	struct frame f;

	do {
		if (capfile_next(c, &f) != CAPFILE_FRAME)
			break;
		bytes[n] = malloc(f.cap_len + 1);
		ASSERT(bytes[n]);
		memcpy(bytes[n], f.bytes, f.cap_len);
		f.bytes = bytes[n];
		decode(d, &f, &p[n]);
	} while (!(p[n++].notes & NOTE_WHOLE) && n < ahead);
	if (ahead)
		analysis_ahead(judge, p, n);
	for (unsigned int i = 0; i < n; i++) {
		analysis_take(judge, &p[i]);
		free(bytes[i]);
	}
	return n > 0;
}

static void judge_file(void)
{
	const struct analysis_conf conf = {
		.memory = 512u << 10,
		.embryonic_ns = 130 * SECOND,
		.idle_ns = 7200 * SECOND,
		.closed_ns = 10 * SECOND,
	};
	struct analysis *judge = analysis_new(&conf, judged, NULL);
	struct decoder *d = decoder_new(DECODER_MIN);
	char words[CAPFILE_WORDS_MAX] = "";
	struct capfile *c = capfile_open(bytes_of(run.file, run.len), words);

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	ASSERT(judge && d);
	while (judge_some(judge, d, c, run.seed % (ANALYSIS_AHEAD + 1)))
		;
	analysis_end(judge);
	analysis_findings(judge, found, NULL);
	CU_ASSERT_PTR_NULL(capfile_damage(c, &(uint64_t){0}));
	CU_ASSERT_EQUAL(analysis_stats(judge)->packets[PACKET_BROKEN], 0);
	CU_ASSERT_EQUAL(analysis_stats(judge)->packets[PACKET_OTHER], 0);
	analysis_free(judge);
	decoder_free(d);
	capfile_close(c);
}

static void world(uint64_t seed, int class, enum crowd_kind crowd,
		  uint32_t conversations)
{
	const struct world_conf conf = {
		.seed = seed,
		.conversations = conversations,
		.class = class,
		.crowd = crowd,
		.gap_ns = crowd == CROWD_NONE ? 20 * MSEC : crowd_gap_ns(crowd),
		.container = &run.box,
		.fn = known,
	};
	struct rng r = {seed};

	memset(&run, 0, offsetof(struct run, known));
	run.nfound = 0;
	run.seed = seed;
	run.box.format = (enum format)draw(&r, GEN_NFORMATS);
	run.box.nifaces = 1;
	if (run.box.format >= GEN_pcapng)
		run.box.nifaces = (uint8_t)between(&r, 1, IFACES_MAX);
	for (uint8_t i = 0; i < run.box.nifaces; i++)
		run.box.link[i] = links[draw(&r, ARRAY_LEN(links))];
	run.box.out = open_memstream(&run.file, &run.len);
	ASSERT(run.box.out);
	world_run(&conf);
	fclose(run.box.out);
	pack(seed);
	judge_file();
	free(run.file);
	compare_all();
	CU_ASSERT_EQUAL(run.differences, 0);
}

static uint64_t seeds(void)
{
	const char *n = getenv("TEST_CAPTURES_SEEDS");

	return n ? strtoull(n, NULL, 10) : SEEDS;
}

#define CLASS_TEST(name)                                                   \
	static void class_##name(void)                                     \
	{                                                                  \
		for (uint64_t i = 0; i < seeds() && !run.reports; i++)     \
			world(1000 * (CLASS_##name + 1) + i, CLASS_##name, \
			      CROWD_NONE, ALONE);                          \
		run.reports = 0;                                           \
	}
CLASS_LIST(CLASS_TEST)

static void together(void)
{
	for (uint64_t i = 0; i < seeds() / 4 && !run.reports; i++)
		world(i, -1, CROWD_NONE, TOGETHER);
	run.reports = 0;
}

/* Exactly what the crowd did: its attempts, how many were answered, how many
 * came to something, how many different ones. */
static void compare_crowd(enum crowd_kind kind)
{
	const struct finding *f = &run.found[0];
	uint64_t answered = 0, completed = 0;
	uint32_t bad;

	if (run.nfound != (crowd_finding(kind) != FINDING_NKINDS))
		fprintf(stderr, "%s, seed %" PRIu64 ": %u findings\n",
			crowd_name(kind), run.seed, run.nfound);
	CU_ASSERT_EQUAL_FATAL(run.nfound,
			      crowd_finding(kind) != FINDING_NKINDS);
	if (!run.nfound)
		return;
	for (unsigned int i = 0; i < run.truths; i++) {
		const struct truth *h = &run.known[i].truth;

		answered += h->synack_tries || h->outcome == JUDGED_REFUSED;
		completed += h->outcome == JUDGED_COMPLETED;
	}
	bad = run.truths - (uint32_t)completed;
	CU_ASSERT_EQUAL(f->kind, crowd_finding(kind));
	CU_ASSERT_EQUAL(f->count, run.truths);
	CU_ASSERT_EQUAL(f->answered, answered);
	CU_ASSERT_EQUAL(f->completed, completed);
	CU_ASSERT(f->to_ns >= f->from_ns);
	if (kind == CROWD_land)
		bad = 1;
	if (f->estimated)
		CU_ASSERT(f->distinct > bad / 2 && f->distinct < bad * 2)
	else
		CU_ASSERT_EQUAL(f->distinct, bad);
}

#define CROWD_TEST(name, finding)                                             \
	static void crowd_##name(void)                                        \
	{                                                                     \
		for (uint64_t i = 0; i < seeds() / 20 && !run.reports; i++) { \
			world(100 * (CROWD_##name + 1) + i, -1, CROWD_##name, \
			      crowd_size(CROWD_##name));                      \
			compare_crowd(CROWD_##name);                          \
		}                                                             \
		run.reports = 0;                                              \
	}
CROWD_LIST(CROWD_TEST)

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
#define CLASS_ROW(name) UNIT_TEST(class_##name),
		CLASS_LIST(CLASS_ROW) UNIT_TEST(together),
#define CROWD_ROW(name, finding) UNIT_TEST(crowd_##name),
		CROWD_LIST(CROWD_ROW)};

	/* Thousands of judges in turn: let their memory not be the kernel's in
	 * between. */
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	return unit_run("captures", tests, ARRAY_LEN(tests), argc, argv);
}
