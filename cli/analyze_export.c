/*
 * analyze_export.c - The packets of one connection, as pcapng
 *
 * Frames go out as they came in, with their link layer. An interface of the new
 * file is a link type of the old ones. A fragment belongs to a connection only
 * when the last one has come, so the latest fragments wait in a ring until then.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/pcapng.h>
#include <tcphs/plural.h>

#include "analyze.h"
#include "dump.h"

#define LINKS_MAX     8
#define FRAGMENTS_MAX 64

struct fragment {
	struct frame frame;
	struct ip_addr src, dst;
	uint16_t ip_id;
	uint8_t *bytes;
};

struct one {
	FILE *out;
	uint32_t link[LINKS_MAX];
	uint32_t nlinks;
	uint64_t written;
	struct fragment fragment[FRAGMENTS_MAX];
	unsigned int next;
	uint8_t *block;
	size_t size;
};

static enum cli_exit begin(struct analyze *z);
static void packet(struct analyze *z, const struct frame *f,
		   const struct packet *p, const struct packet_place *at);
static void keep_fragment(struct one *one, const struct frame *f,
			  const struct packet *p);
static void write_fragments(struct analyze *z, const struct packet *p);
static void write_frame(struct analyze *z, const struct frame *f);
static void write_head(FILE *out);
static bool find_link(struct one *one, uint32_t link, uint32_t *interface);
static void verdict(struct analyze *z, const struct verdict *v);
static enum cli_exit end(struct analyze *z);
static void free_one(struct analyze *z);

const struct view export_view = {
	.begin = begin,
	.packet = packet,
	.verdict = verdict,
	.end = end,
	.free = free_one,
};

static enum cli_exit begin(struct analyze *z)
{
	struct one *one;

	if (!z->cli->file) {
		complain("--export wants -w FILE, or -w - for a pipe");
		return CLI_USAGE;
	}
	one = z->own = calloc(1, sizeof(*one));
	if (!one)
		return CLI_NO;
	one->out = dump_open(z->cli);
	return one->out ? CLI_OK : CLI_NO;
}

static void packet(struct analyze *z, const struct frame *f,
		   const struct packet *p, const struct packet_place *at)
{
	if (p->kind == PACKET_FRAGMENT)
		keep_fragment(z->own, f, p);
	if (at->conn != z->cli->export_conn)
		return;
	if (p->notes & NOTE_WHOLE)
		write_fragments(z, p);
	write_frame(z, f);
}

static void keep_fragment(struct one *one, const struct frame *f,
			  const struct packet *p)
{
	struct fragment *g = &one->fragment[one->next++ % FRAGMENTS_MAX];

	free(g->bytes);
	g->bytes = malloc(f->cap_len);
	if (!g->bytes)
		return;
	memcpy(g->bytes, f->bytes, f->cap_len);
	g->frame = *f;
	g->frame.bytes = g->bytes;
	g->src = p->src;
	g->dst = p->dst;
	g->ip_id = p->has_ip_id ? p->ip_id : 0;
}

/* IPv6 has its identification in a header that is gone by now: there both ends
 * have to do. */
static void write_fragments(struct analyze *z, const struct packet *p)
{
	struct one *one = z->own;

	for (unsigned int i = 0; i < FRAGMENTS_MAX; i++) {
		struct fragment *g =
			&one->fragment[(one->next + i) % FRAGMENTS_MAX];

		if (!g->bytes || g->ip_id != (p->has_ip_id ? p->ip_id : 0) ||
		    memcmp(&g->src, &p->src, sizeof(g->src)) != 0 ||
		    memcmp(&g->dst, &p->dst, sizeof(g->dst)) != 0)
			continue;
		write_frame(z, &g->frame);
		free(g->bytes);
		g->bytes = NULL;
	}
}

static void write_frame(struct analyze *z, const struct frame *f)
{
	struct one *one = z->own;
	struct pcapng_packet p = {
		.at_ns = f->ns,
		.data = f->bytes,
		.kept = f->cap_len,
		.len = f->len,
		.direction = f->direction == FRAME_IN	 ? PCAPNG_IN
			     : f->direction == FRAME_OUT ? PCAPNG_OUT
							 : PCAPNG_UNKNOWN,
	};
	size_t size = PCAPNG_PACKET_MAX(f->cap_len);

	if (size > one->size) {
		uint8_t *block = realloc(one->block, size);

		if (!block) {
			z->failed = true;
			return;
		}
		one->block = block;
		one->size = size;
	}
	if (!one->nlinks)
		write_head(one->out);
	if (!find_link(one, f->link, &p.interface))
		return;
	size = pcapng_packet(one->block, &p);
	fwrite(one->block, 1, size, one->out);
	one->written++;
}

/* With the first frame, and no sooner: for a connection that is not there the
 * file stays as it is. */
static void write_head(FILE *out)
{
	static const struct pcapng_section section = {
		.application = "tcphsctl " TCPHS_VERSION,
	};
	uint8_t head[PCAPNG_HEAD_MAX];
	size_t len = pcapng_section(head, &section);

	dump_begin(out);
	fwrite(head, 1, len, out);
}

/* An interface is described where it is needed first. */
static bool find_link(struct one *one, uint32_t link, uint32_t *interface)
{
	struct pcapng_interface described = {.link = (uint16_t)link};
	uint8_t head[PCAPNG_HEAD_MAX];
	size_t len;

	for (*interface = 0; *interface < one->nlinks; (*interface)++)
		if (one->link[*interface] == link)
			return true;
	if (one->nlinks == LINKS_MAX)
		return false;
	described.name = link_name(link);
	one->link[one->nlinks++] = link;
	len = pcapng_interface(head, &described);
	fwrite(head, 1, len, one->out);
	return true;
}

static void verdict(struct analyze *z, const struct verdict *v)
{
	z->enough |= v->id == z->cli->export_conn;
}

static enum cli_exit end(struct analyze *z)
{
	const struct one *one = z->own;
	struct cli *cli = z->cli;

	if (fflush(one->out) || ferror(one->out)) {
		complain("cannot write: %s", strerror(errno));
		return CLI_NO;
	}
	if (!one->written) {
		complain("there is no connection %" PRIu32, cli->export_conn);
		return CLI_NOT_FOUND;
	}
	if (cli->format == FORMAT_TEXT && strcmp(cli->file, "-") != 0)
		fprintf(cli->out, "%" PRIu64 " packet%s in %s\n", one->written,
			plural(one->written), cli->file);
	return CLI_OK;
}

static void free_one(struct analyze *z)
{
	struct one *one = z->own;

	if (!one)
		return;
	for (unsigned int i = 0; i < FRAGMENTS_MAX; i++)
		free(one->fragment[i].bytes);
	free(one->block);
	if (one->out)
		dump_close(z->cli, one->out);
	free(one);
}
