/*
 * ctl_dump.c - Packets to a client: dump.follow
 *
 * A job that lasts until it has its packets, or is told to stop. What is in its
 * queue goes out as items of base64, as fast as the client reads and no faster;
 * what the queue has no room for is lost to this client alone (capture.c).
 *
 * Bytes could go through a pipe handed over with SCM_RIGHTS instead, which
 * costs a copy. Base64 by libsodium costs 4 ns a byte, 1.4 us for a packet of
 * the usual snaplen beside some 5 us for its system calls, and is paid between
 * packets, in the slices that control has anyway. For that it passes whatever
 * carries the socket, ssh among them, needs no further system call in the
 * sandbox, and any JSON reader can take it.
 */
#include <errno.h>
#include <sodium/utils.h>
#include <stdlib.h>

#include "capture.h"
#include "ctl_priv.h"

#define CHUNK  (24 * 1024) /* bytes of the file in one item, but for */
#define BLOCK  PCAPNG_PACKET_MAX(CAPTURE_PACKET_MAX)
#define BASE64 sodium_base64_VARIANT_ORIGINAL

struct ctl_dump {
	struct capture_taker taker;
	struct ctl_job *job;
	uint8_t data[BLOCK];
	char text[sodium_base64_ENCODED_LEN(BLOCK, BASE64)];
};

static void on_ready(struct capture_taker *t)
{
	struct ctl_job *job = ((struct ctl_dump *)t)->job;

	if (!job->asleep)
		return;
	job->asleep = false;
	ctl_client_settle(job->client);
}

/** ctl_dump_del() - Nobody reads any more; NULL is fine */
void ctl_dump_del(struct ctl_dump *d)
{
	if (!d)
		return;
	capture_end(&d->taker);
	filter_free(d->taker.filter);
	free(d);
}

static bool dump_step(struct ctl_job *job)
{
	struct ctl_dump *d = job->dump;
	struct capture_taker *t = &d->taker;
	size_t n;

	if (!ctl_client_may_write(job->client))
		return false; /* goes on when the client has read */
	/* Whole blocks: a file whose end never comes can be read all the
	 * same. */
	n = capture_take_blocks(t, d->data, CHUNK);
	if (!n)
		n = capture_take_blocks(t, d->data, BLOCK);
	if (n) {
		sodium_bin2base64(d->text, sizeof(d->text), d->data, n, BASE64);
		ctl_reply_item(job->client, job->id,
			       json_pack("{s:s}", "base64", d->text));
		return false;
	}
	if (!t->over) {
		job->asleep = true;
		return false;
	}
	ctl_reply_result(job->client, job->id,
			 json_pack("{s:I, s:I, s:I}", "packets",
				   (json_int_t)t->kept, "lost",
				   (json_int_t)t->lost, "seen",
				   (json_int_t)t->seen));
	return true;
}

/** ctl_dump_filter() - A filter that packets can answer, or NULL: answered */
struct filter *ctl_dump_filter(const struct ctl_request *r)
{
	struct filter *f = ctl_walk_filter(r);

	if (!f || filter_fits_packets(f))
		return f;
	filter_free(f);
	ctl_reply_error(r->client, r->id, CTL_ERROR_BAD_FILTER, CTL_NO_OFFSET,
			"state, src, dst, sport, dport, listener, role and id",
			"age, idle, rtt, hs, retrans, outcome and bytes are of "
			"connections, not of packets");
	return NULL;
}

/** ctl_dump_follow() - dump.follow */
void ctl_dump_follow(const struct ctl_request *r)
{
	struct capture *cap = r->client->ctl->hooks.capture;
	json_int_t snaplen = cap->snaplen, packets = 0;
	const char *words;
	struct ctl_dump *d;
	struct filter *f;
	int err = -ENOMEM;

	if (!ctl_method_number(r, "snaplen", CAPTURE_SNAPLEN_MIN,
			       CAPTURE_PACKET_MAX, &snaplen) ||
	    !ctl_method_number(r, "packets", 1, INT64_MAX, &packets) ||
	    !ctl_method_string(r, "filter", &words))
		return;
	f = ctl_dump_filter(r);
	if (!f)
		return;
	d = calloc(1, sizeof(*d));
	if (d) {
		d->taker.filter = f;
		d->taker.snaplen = (uint32_t)snaplen;
		d->taker.limit = (uint64_t)packets;
		d->taker.ready = on_ready;
		err = capture_begin(cap, &d->taker, words);
	}
	if (!err)
		d->job = ctl_job_new(r, dump_step);
	if (d && d->job) {
		d->job->dump = d;
		return;
	}
	if (err)
		ctl_reply_error(
			r->client, r->id, CTL_ERROR_BUSY, CTL_NO_OFFSET, NULL,
			err == -EBUSY ? "at most %d captures run at once"
				      : "no memory for a queue (%d)",
			err == -EBUSY ? CAPTURE_TAKERS_MAX : -err);
	if (d)
		ctl_dump_del(d);
	else
		filter_free(f);
}

/**
 * ctl_dump_farewell() - The daemon ends, and with it every dump.follow
 *
 * What is left of the files goes out as far as the socket takes it at once.
 */
void ctl_dump_farewell(struct ctl_client *c)
{
	struct ctl_job *job, *next;

	for (job = TAILQ_FIRST(&c->jobs); job; job = next) {
		next = TAILQ_NEXT(job, link);
		if (!job->dump)
			continue;
		capture_finish(&job->dump->taker);
		do
			ctl_client_settle(c);
		while (ctl_client_may_write(c) && !dump_step(job));
	}
	ctl_client_settle(c);
}

/** ctl_dump_stats() - "capture" of stats */
json_t *ctl_dump_stats(const struct ctl *ctl)
{
	const struct capture *cap = ctl->hooks.capture;

	return json_pack("{s:I, s:I, s:I}", "readers", (json_int_t)cap->ntakers,
			 "packets", (json_int_t)cap->packets, "lost",
			 (json_int_t)cap->lost);
}

/** ctl_dump_stop() - dump.stop: what waits and the end are still sent */
void ctl_dump_stop(const struct ctl_request *r)
{
	struct ctl_job *job = NULL;
	char id[CTL_ID_MAX];

	if (ctl_method_id(json_object_get(r->params, "id"), id))
		job = ctl_job_find(r->client, id);
	if (!job || !job->dump) {
		ctl_method_refuse(r, "'id' is no dump.follow that runs");
		return;
	}
	capture_finish(&job->dump->taker);
	ctl_reply_result(r->client, r->id, json_object());
}
