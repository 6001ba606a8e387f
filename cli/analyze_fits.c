/*
 * analyze_fits.c - Options of analyze that say nothing without another one
 *
 * Most belong to one of its outputs. Whoever gives one without that has
 * forgotten something, and gets to know what; and no output may be written over
 * the capture that it is made of.
 */
#include "analyze.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct belongs {
	bool given;
	const char *option;
	const struct view *view, *other; /* NULL = only one */
};

static const char *option_of(const struct view *view);
static bool is_file(const char *path, const struct stat *file);

bool analyze_fits(const struct analyze *z)
{
	const struct cli *c = z->cli;
	const struct belongs options[] = {
		{c->classic, "classic", &packets_view, NULL},
		{c->file, "write", &export_view, NULL},
		{c->draw, "format", &conn_view, NULL},
		{c->at, "at", &conn_view, NULL},
		{c->absolute_seq, "absolute-seq", &packets_view, &conn_view},
		{c->relative_seq, "relative-seq", &packets_view, &conn_view},
		{c->utc, "utc", &packets_view, &conn_view},
		{c->local, "local", &packets_view, &conn_view},
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		const struct belongs *o = &options[i];

		if (!o->given || z->view == o->view || z->view == o->other)
			continue;
		complain("--%s goes with --%s%s%s", o->option,
			 option_of(o->view), o->other ? " or --" : "",
			 o->other ? option_of(o->other) : "");
		return false;
	}
	return true;
}

bool analyze_spares(const struct analyze *z, int n, char **paths)
{
	const char *to = z->view == &html_view	   ? z->cli->html
			 : z->view == &export_view ? z->cli->file
						   : NULL;
	struct stat file;

	if (!to || stat(to, &file) < 0 || !S_ISREG(file.st_mode))
		return true;
	for (int i = 0; i < n; i++) {
		if (!is_file(paths[i], &file))
			continue;
		complain("%s is what is read: write to another file", to);
		return false;
	}
	return true;
}

static const char *option_of(const struct view *view)
{
	if (view == &packets_view)
		return "packets";
	return view == &conn_view ? "connection" : "export";
}

static bool is_file(const char *path, const struct stat *file)
{
	struct stat s;
	int e = strcmp(path, "-") == 0 ? fstat(STDIN_FILENO, &s)
				       : stat(path, &s);

	return e == 0 && s.st_dev == file->st_dev && s.st_ino == file->st_ino;
}
