/*
 * old_kernel.c - A kernel that knows less of TUN devices
 *
 * To be preloaded. OLD_KERNEL lists what is refused as an old kernel would, each
 * a letter:
 *
 *	h   packets have no virtio header (before 2.6.27)
 *	s   the size of the header cannot be chosen (before 2.6.33)
 *	o   no offload (before 2.6.27, or where TSO is switched off)
 *	p   no program deals packets to queues (before 4.16)
 */
#include <errno.h>
#include <linux/if_tun.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool old(char letter)
{
	const char *letters = getenv("OLD_KERNEL");

	return letters && strchr(letters, letter);
}

int ioctl(int fd, unsigned long request, ...)
{
	unsigned int *features;
	void *arg;
	va_list ap;
	long ret;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if ((request == TUNSETVNETHDRSZ && old('s')) ||
	    (request == TUNSETSTEERINGEBPF && old('p')) ||
	    (request == TUNSETOFFLOAD && arg && old('o'))) {
		errno = EINVAL;
		return -1;
	}
	ret = syscall(SYS_ioctl, fd, request, arg);
	if (ret == 0 && request == TUNGETFEATURES && old('h')) {
		features = arg;
		*features &= ~(unsigned int)IFF_VNET_HDR;
	}
	return (int)ret;
}
