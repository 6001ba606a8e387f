/*
 * ctl_listen.c - The control socket's file, and who may reach it
 *
 * The file has one group, and that is the admins'. Readers come in by an
 * access list (acl(5)) with the rights of the group, and so do the admins
 * where we may not give the file to their group. This is about reaching the
 * socket; what a client may do there is decided when it comes (ctl.c).
 */
#include "ctl.h"

#include <endian.h>
#include <errno.h>
#include <grp.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/assert.h"
#include "ctl_priv.h"
#include "log.h"

#define BACKLOG 128

static int open_socket(void);
static const char *claim_path(const struct sockaddr_un *addr, int *ret);
static int make_file(int fd, const struct ctl_conf *conf,
		     const struct sockaddr_un *addr);
static int set_access(const struct ctl_conf *conf);
static int grant(const char *path, mode_t mode, const gid_t *groups, size_t n);

/**
 * ctl_listen() - Make the control socket
 * @err: Gets one sentence on failure
 *
 * Return: the listening fd; -EADDRINUSE if another instance answers there, or
 *         another negative errno
 */
int ctl_listen(const struct ctl_conf *conf, char *err, size_t errlen)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	size_t len = strlen(conf->path);
	const char *why = NULL;
	int fd = -1, ret = 0;

	if (len >= sizeof(addr.sun_path))
		ret = -ENAMETOOLONG;
	else
		memcpy(addr.sun_path, conf->path, len);
	if (!ret)
		why = claim_path(&addr, &ret);
	if (!ret) {
		fd = open_socket();
		ret = fd < 0 ? fd : make_file(fd, conf, &addr);
	}
	if (!ret)
		return fd;
	if (fd >= 0)
		close(fd);
	snprintf(err, errlen, "control socket %s: %s", conf->path,
		 why ? why : strerror(-ret));
	return ret;
}

static int open_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

/*
 * Is somebody listening there? If not, what is left of the last one goes.
 * Returns what strerror() would not say.
 */
static const char *claim_path(const struct sockaddr_un *addr, int *ret)
{
	struct stat sb;
	int fd, error;

	if (lstat(addr->sun_path, &sb))
		return NULL; /* bind() finds out what is wrong with the path */
	if (!S_ISSOCK(sb.st_mode)) {
		*ret = -EEXIST;
		return "there is a file of this name that is no socket";
	}
	fd = open_socket();
	if (fd < 0) {
		*ret = fd;
		return NULL;
	}
	error = connect(fd, (const struct sockaddr *)addr, sizeof(*addr))
			? errno
			: 0;
	close(fd);
	if (error != ECONNREFUSED) { /* EAGAIN: its backlog is full */
		*ret = -EADDRINUSE;
		return "another tcphsd answers there";
	}
	if (unlink(addr->sun_path))
		*ret = -errno;
	return NULL;
}

static int make_file(int fd, const struct ctl_conf *conf,
		     const struct sockaddr_un *addr)
{
	mode_t mask = umask(0177); /* nobody else before set_access() */
	int ret = 0;

	if (bind(fd, (const struct sockaddr *)addr, sizeof(*addr)))
		ret = -errno;
	umask(mask);
	if (ret)
		return ret;
	ret = set_access(conf);
	if (!ret && listen(fd, BACKLOG))
		ret = -errno;
	if (ret)
		unlink(conf->path);
	return ret;
}

/* reader_group "*" is everybody, so everybody gets the rights of the group. */
static int set_access(const struct ctl_conf *conf)
{
	gid_t admins = ctl_group_id(conf->admin_group);
	gid_t readers = ctl_group_id(conf->reader_group);
	mode_t mode = conf->mode & 0777;
	gid_t more[2];
	size_t n = 0;

	if (strcmp(conf->reader_group, "*") == 0)
		mode |= mode >> 3 & 7;
	if (admins != CTL_NO_GROUP && chown(conf->path, (uid_t)-1, admins))
		more[n++] = admins; /* not a group of ours */
	if (readers != CTL_NO_GROUP)
		more[n++] = readers;
	if (chmod(conf->path, mode))
		return -errno;
	if (n && grant(conf->path, mode, more, n))
		log_warn("Control socket %s: not all groups can be let in",
			 conf->path);
	return 0;
}

/* The access list that chmod(@mode) means, and @n groups more. */
static int grant(const char *path, mode_t mode, const gid_t *groups, size_t n)
{
	uint16_t group = htole16(mode >> 3 & 7);
	struct {
		struct posix_acl_xattr_header head;
		struct posix_acl_xattr_entry entry[4 + 2];
	} acl = {.head = {htole32(POSIX_ACL_XATTR_VERSION)}};
	struct posix_acl_xattr_entry *e = acl.entry;

	ASSERT(n <= 2);
	e->e_tag = htole16(ACL_USER_OBJ);
	e++->e_perm = htole16(mode >> 6 & 7);
	e->e_tag = htole16(ACL_GROUP_OBJ);
	e++->e_perm = group;
	for (size_t i = 0; i < n; i++) {
		e->e_tag = htole16(ACL_GROUP);
		e->e_id = htole32(groups[i]);
		e++->e_perm = group;
	}
	e->e_tag = htole16(ACL_MASK);
	e++->e_perm = group;
	e->e_tag = htole16(ACL_OTHER);
	e++->e_perm = htole16(mode & 7);
	return setxattr(path, "system.posix_acl_access", &acl,
			(size_t)((char *)e - (char *)&acl), 0);
}

/**
 * ctl_group_id() - Look a group up
 *
 * Return: CTL_NO_GROUP if there is none, for "" and for "*"
 */
gid_t ctl_group_id(const char *name)
{
	const struct group *g;

	if (!*name || strcmp(name, "*") == 0)
		return CTL_NO_GROUP;
	g = getgrnam(name);
	return g ? g->gr_gid : CTL_NO_GROUP;
}
