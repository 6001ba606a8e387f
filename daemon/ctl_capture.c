/*
 * ctl_capture.c - The daemon's own capture: capture.start, stop, list, read
 */
#include <errno.h>
#include <sodium/utils.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <tcphs/plural.h>

#include "capture_files.h"
#include "ctl_priv.h"
#include "log.h"

#define CHUNK  (24 * 1024) /* bytes of a file in one item */
#define BASE64 sodium_base64_VARIANT_ORIGINAL

/* A file on its way to a client. */
struct ctl_copy {
	int fd;
	json_int_t bytes;
};

static struct capture_files *files_of(const struct ctl_request *r)
{
	return r->client->ctl->hooks.files;
}

static void failed(const struct ctl_request *r, const char *what, int error)
{
	ctl_reply_error(r->client, r->id, CTL_ERROR_FAILED, CTL_NO_OFFSET, NULL,
			"%s: %s", what, strerror(-error));
}

/** ctl_capture_start() - capture.start */
void ctl_capture_start(const struct ctl_request *r)
{
	struct capture_files *files = files_of(r);
	char err[PATH_MAX + 64];
	const char *words;
	struct filter *f;
	int ret;

	if (!ctl_method_string(r, "filter", &words))
		return;
	f = ctl_dump_filter(r);
	if (!f)
		return;
	ret = capture_files_start(files, f, words, err, sizeof(err));
	if (ret) {
		filter_free(f);
		ctl_reply_error(r->client, r->id,
				ret == -EBUSY ? CTL_ERROR_BUSY
					      : CTL_ERROR_FAILED,
				CTL_NO_OFFSET, NULL, "%s", err);
		return;
	}
	log_notice("Capture to %s/%s begun by the operator", files->dir,
		   files->name);
	ctl_reply_result(r->client, r->id,
			 json_pack("{s:s, s:s}", "directory", files->dir,
				   "file", files->name));
}

/* Those files of this capture that are still there. */
static json_t *names_of(struct capture_files *files)
{
	json_t *names = json_array();
	struct capture_file *list;
	int n = capture_files_list(files, &list);
	size_t len = strlen("capture-") + strlen(files->stamp);

	for (int i = 0; i < n; i++) {
		if (strncmp(list[i].name + strlen("capture-"), files->stamp,
			    len - strlen("capture-")) == 0)
			json_array_append_new(names, json_string(list[i].name));
	}
	free(list);
	return names;
}

/** ctl_capture_stop() - capture.stop */
void ctl_capture_stop(const struct ctl_request *r)
{
	struct capture_files *files = files_of(r);
	const struct capture_taker *t = &files->taker;

	if (!files->running) {
		ctl_reply_error(r->client, r->id, CTL_ERROR_NOT_FOUND,
				CTL_NO_OFFSET, NULL, "no capture is running");
		return;
	}
	capture_files_stop(files);
	log_notice("Capture ended by the operator, %llu packet%s, %llu lost",
		   (unsigned long long)t->kept, plural(t->kept),
		   (unsigned long long)t->lost);
	ctl_reply_result(r->client, r->id,
			 json_pack("{s:I, s:I, s:I, s:I, s:s, s:o}", "packets",
				   (json_int_t)t->kept, "lost",
				   (json_int_t)t->lost, "seen",
				   (json_int_t)t->seen, "bytes",
				   (json_int_t)files->bytes, "directory",
				   files->dir, "files", names_of(files)));
}

static json_t *describe_file(const struct capture_file *f)
{
	char text[32];
	struct tm tm;

	gmtime_r(&f->modified, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_pack("{s:s, s:I, s:s, s:b}", "name", f->name, "bytes",
			 (json_int_t)f->bytes, "modified", text, "current",
			 f->current);
}

/** ctl_capture_list() - capture.list */
void ctl_capture_list(const struct ctl_request *r)
{
	struct capture_files *files = files_of(r);
	const struct capture_taker *t = &files->taker;
	struct capture_file *list;
	int n = capture_files_list(files, &list);
	json_t *result;

	if (n < 0 && n != -ENOENT) {
		failed(r, files->dir, n);
		return;
	}
	for (int i = 0; i < n; i++)
		ctl_reply_item(r->client, r->id, describe_file(&list[i]));
	free(list);
	result = json_pack("{s:i, s:s, s:b}", "count", n > 0 ? n : 0,
			   "directory", files->dir, "running", files->running);
	if (files->running) {
		json_object_set_new(result, "packets",
				    json_integer((json_int_t)t->kept));
		json_object_set_new(result, "lost",
				    json_integer((json_int_t)t->lost));
	}
	ctl_reply_result(r->client, r->id, result);
}

/** ctl_copy_del() - It was sent, or nobody wants it; NULL is fine */
void ctl_copy_del(struct ctl_copy *copy)
{
	if (!copy)
		return;
	close(copy->fd);
	free(copy);
}

static bool copy_step(struct ctl_job *job)
{
	char text[sodium_base64_ENCODED_LEN(CHUNK, BASE64)];
	struct ctl_copy *copy = job->copy;
	uint8_t data[CHUNK];
	ssize_t n = read(copy->fd, data, sizeof(data));

	if (n > 0) {
		copy->bytes += n;
		sodium_bin2base64(text, sizeof(text), data, (size_t)n, BASE64);
		ctl_reply_item(job->client, job->id,
			       json_pack("{s:s}", "base64", text));
		return false;
	}
	if (n < 0)
		ctl_reply_error(job->client, job->id, CTL_ERROR_FAILED,
				CTL_NO_OFFSET, NULL, "the file: %s",
				strerror(errno));
	else
		ctl_reply_result(job->client, job->id,
				 json_pack("{s:I}", "bytes", copy->bytes));
	return true;
}

/** ctl_capture_read() - capture.read */
void ctl_capture_read(const struct ctl_request *r)
{
	struct ctl_copy *copy;
	const char *name;
	struct ctl_job *job;
	int fd;

	if (!ctl_method_needs(r, "name", &name))
		return;
	fd = capture_files_open(files_of(r), name);
	if (fd == -EINVAL || fd == -ENOENT) {
		ctl_reply_error(r->client, r->id, CTL_ERROR_NOT_FOUND,
				CTL_NO_OFFSET, "capture.list has their names",
				"there is no capture file '%.60s'", name);
		return;
	}
	if (fd < 0) {
		failed(r, name, fd);
		return;
	}
	job = ctl_job_new(r, copy_step);
	copy = job ? calloc(1, sizeof(*copy)) : NULL;
	if (!copy) {
		close(fd);
		if (job) {
			failed(r, name, -ENOMEM);
			ctl_job_del(job);
		}
		return;
	}
	copy->fd = fd;
	job->copy = copy;
}
