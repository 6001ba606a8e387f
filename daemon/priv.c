/*
 * priv.c - Giving up every right that is not needed any more
 *
 * CAP_NET_ADMIN makes the interface; the control socket is given to its group;
 * after that packets of strangers are parsed, and the process that does so
 * should be able to do nothing else. Three steps, each holds without the next:
 * no capability in any set and a user of its own (libcap-ng), no new privileges
 * by running something, and an allow-list of system calls (libseccomp).
 *
 * The interface goes when its fd is closed, so even the end needs no right.
 */
#include "priv.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/assert.h"

/* A sanitizer's run time makes calls of its own, ptrace(2) at the end. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANDBOX 0
#endif
#endif
#ifndef SANDBOX
#define SANDBOX 1
#endif

#define ALL_BITS 0xffffffffu /* of an int */

static int drop_caps(const struct priv_user *u);
static int allow_plain(scmp_filter_ctx ctx);
static int allow_checked(scmp_filter_ctx ctx);
static int allow_open(scmp_filter_ctx ctx);

int priv_find_user(const char *name, struct priv_user *u, char *err,
		   size_t errlen)
{
	const struct passwd *pw;

	u->uid = geteuid();
	u->gid = getegid();
	u->change = false;
	if (!name[0] || u->uid != 0)
		return 0;
	pw = getpwnam(name);
	if (!pw) {
		snprintf(err, errlen,
			 "there is no user '%s'; create it (systemd-sysusers) "
			 "or set tcphsd.user",
			 name);
		return -ENOENT;
	}
	u->uid = pw->pw_uid;
	u->gid = pw->pw_gid;
	u->change = u->uid != 0;
	return 0;
}

int priv_drop(const struct priv_user *u, char *err, size_t errlen)
{
	int ret = drop_caps(u);

	if (ret < 0) {
		snprintf(err, errlen, "cannot give up privileges (%d): %s", ret,
			 strerror(errno));
		return -EPERM;
	}
	/* Trust the kernel's word, not the library's. */
	if (capng_get_caps_process() < 0 ||
	    capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE ||
	    geteuid() != u->uid) {
		snprintf(err, errlen,
			 "privileges are still there after they "
			 "were given up");
		return -EPERM;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		snprintf(err, errlen, "cannot set no_new_privs: %s",
			 strerror(errno));
		return -errno;
	}
	return 0;
}

int priv_sandbox(char *err, size_t errlen)
{
	scmp_filter_ctx ctx;
	int ret;

	if (!SANDBOX)
		return 0;
	ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!ctx) {
		snprintf(err, errlen, "cannot make a seccomp filter");
		return -ENOMEM;
	}
	/* The threads of the shards are there already. */
	ret = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (ret == 0)
		ret = allow_plain(ctx);
	if (ret == 0)
		ret = allow_checked(ctx);
	if (ret == 0)
		ret = allow_open(ctx);
	if (ret == 0)
		ret = seccomp_load(ctx);
	seccomp_release(ctx);
	if (ret < 0)
		snprintf(err, errlen, "cannot load the seccomp filter: %s",
			 strerror(-ret));
	return ret;
}

int priv_reserve(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), ret = 0;

	for (int n = PRIV_DIR_FIRST; n <= PRIV_DIR_LAST && fd >= 0; n++)
		if (dup3(fd, n, O_CLOEXEC) < 0)
			ret = -errno;
	if (fd < 0)
		return -errno;
	close(fd);
	return ret;
}

int priv_place(int *fd, int number)
{
	if (*fd < 0 || *fd == number)
		return 0;
	if (dup3(*fd, number, O_CLOEXEC) < 0)
		return -errno;
	close(*fd);
	*fd = number;
	return 0;
}

static int drop_caps(const struct priv_user *u)
{
	capng_clear(CAPNG_SELECT_ALL);
	if (u->change)
		return capng_change_id((int)u->uid, (int)u->gid,
				       CAPNG_INIT_SUPP_GRP |
					       CAPNG_CLEAR_BOUNDING |
					       CAPNG_CLEAR_AMBIENT);
	/* The bounding set can be emptied by those with CAP_SETPCAP only; with
	 * no_new_privs it gives nothing back. */
	if (geteuid() == 0)
		return capng_apply(CAPNG_SELECT_ALL);
	return capng_apply(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT);
}

static int allow_plain(scmp_filter_ctx ctx)
{
	static const int calls[] = {
		/* packets and clients */
		SCMP_SYS(read),
		SCMP_SYS(write),
		SCMP_SYS(readv),
		SCMP_SYS(writev),
		SCMP_SYS(recvfrom),
		SCMP_SYS(recvmsg),
		SCMP_SYS(sendto),
		SCMP_SYS(sendmsg),
		SCMP_SYS(accept4),
		SCMP_SYS(accept),
		SCMP_SYS(connect),
		SCMP_SYS(shutdown),
		SCMP_SYS(getsockopt),
		SCMP_SYS(setsockopt),
		SCMP_SYS(getsockname),
		SCMP_SYS(getpeername),
		SCMP_SYS(fcntl),
		SCMP_SYS(close),
		/* the loop and its clock */
		SCMP_SYS(epoll_wait),
		SCMP_SYS(epoll_pwait),
		SCMP_SYS(epoll_ctl),
		SCMP_SYS(poll),
		SCMP_SYS(ppoll),
		SCMP_SYS(timerfd_settime),
		SCMP_SYS(clock_gettime),
		SCMP_SYS(gettimeofday),
		SCMP_SYS(time),
		SCMP_SYS(restart_syscall),
		/* memory: malloc of jansson and of the control clients */
		SCMP_SYS(brk),
		SCMP_SYS(munmap),
		SCMP_SYS(mremap),
		SCMP_SYS(madvise),
		SCMP_SYS(sched_getaffinity), /* so many arenas */
		SCMP_SYS(futex),
		SCMP_SYS(getrandom),
		/* the event file and captures: rotated, found again, cut back
		 * after half a write (evfile.c, capture_files.c) */
		SCMP_SYS(renameat),
		SCMP_SYS(renameat2),
		SCMP_SYS(dup3),
		SCMP_SYS(ftruncate),
		SCMP_SYS(getdents64),
		SCMP_SYS(mkdir),
		SCMP_SYS(mkdirat),
		/* reload: the file, which iniparser gets as a memfd */
		SCMP_SYS(memfd_create),
		SCMP_SYS(fstat),
		SCMP_SYS(newfstatat),
		SCMP_SYS(stat),
		SCMP_SYS(lstat),
		SCMP_SYS(statx),
		SCMP_SYS(lseek),
		SCMP_SYS(_llseek),
		SCMP_SYS(access),
		SCMP_SYS(faccessat),
		SCMP_SYS(faccessat2),
		SCMP_SYS(readlink),
		SCMP_SYS(getpid),
		SCMP_SYS(gettid),
		SCMP_SYS(getuid),
		SCMP_SYS(geteuid),
		SCMP_SYS(getgid),
		SCMP_SYS(getegid),
		SCMP_SYS(getgroups),
		/* qsort() asks how much memory there is */
		SCMP_SYS(sysinfo),
		/* signals, and the end: the socket file is removed */
		SCMP_SYS(rt_sigaction),
		SCMP_SYS(rt_sigprocmask),
		SCMP_SYS(rt_sigreturn),
		SCMP_SYS(unlink),
		SCMP_SYS(unlinkat),
		SCMP_SYS(exit),
		SCMP_SYS(exit_group),
	};
	int ret;

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/*
 * Calls that are allowed for some arguments: the bits of @mask in argument @arg
 * must be @want. What a library may try in passing (a module of the name
 * service, say) is refused; it must not be a reason to die.
 */
static int allow_checked(scmp_filter_ctx ctx)
{
	const struct {
		uint32_t action;
		int call;
		unsigned int arg;
		scmp_datum_t mask, want;
	} rules[] = {
		/* notify: local sockets; a resolver tries the others */
		{SCMP_ACT_ALLOW, SCMP_SYS(socket), 0, ALL_BITS, AF_UNIX},
		{SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 0, ALL_BITS,
		 AF_INET},
		{SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 0, ALL_BITS,
		 AF_INET6},
		{SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 0, ALL_BITS,
		 AF_NETLINK},
		/* nothing new is executed */
		{SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, PROT_EXEC, 0},
		{SCMP_ACT_ERRNO(EACCES), SCMP_SYS(mmap), 2, PROT_EXEC,
		 PROT_EXEC},
		{SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 2, PROT_EXEC, 0},
		/* stdio asks whether its file is a terminal */
		{SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, ALL_BITS, TCGETS},
		/* abort() */
		{SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 0, ALL_BITS,
		 (scmp_datum_t)getpid()},
	};
	struct scmp_arg_cmp cmp = {.op = SCMP_CMP_MASKED_EQ};
	int ret;

	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		cmp.arg = rules[i].arg;
		cmp.datum_a = rules[i].mask;
		cmp.datum_b = rules[i].want;
		ret = seccomp_rule_add_array(ctx, rules[i].action,
					     rules[i].call, 1, &cmp);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/*
 * Files are opened for reading; for writing only in the directories of the event
 * file and of captures. What else is tried fails. The rules exclude each other,
 * so their order does not matter; AT_FDCWD is beyond all numbers.
 */
static int allow_open(scmp_filter_ctx ctx)
{
	static const scmp_datum_t ways[] = {O_RDONLY, O_WRONLY, O_RDWR};
	struct scmp_arg_cmp cmp[] = {
		{.arg = 0},
		{.arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = O_ACCMODE},
	};
	int ret = 0;

	for (size_t i = 0; i < 2 * ARRAY_LEN(ways) && ret == 0; i++) {
		cmp[0].op = i % 2 ? SCMP_CMP_LT : SCMP_CMP_GT;
		cmp[0].datum_a = i % 2 ? PRIV_DIR_FIRST : PRIV_DIR_LAST;
		cmp[1].datum_b = ways[i / 2];
		ret = seccomp_rule_add_array(
			ctx, i / 2 ? SCMP_ACT_ERRNO(EACCES) : SCMP_ACT_ALLOW,
			SCMP_SYS(openat), ARRAY_LEN(cmp), cmp);
	}
	cmp[0].op = SCMP_CMP_EQ;
	for (int fd = PRIV_DIR_FIRST; fd <= PRIV_DIR_LAST && ret == 0; fd++) {
		cmp[0].datum_a = (scmp_datum_t)fd;
		ret = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW,
					     SCMP_SYS(openat), 1, cmp);
	}
	return ret;
}
