/*
 * tun.c - The TUN device
 *
 * Each packet travels with a struct virtio_net_hdr in front (IFF_VNET_HDR), in
 * its short form of 10 bytes. Inward it says whether somebody vouches for the
 * TCP checksum: a packet of this host that was never on a wire has only the
 * pseudo-header's sum in that field, one that came through a network card was
 * checked there. And it says whether the packet is a super-segment, many
 * segments with one header. Outward the same two are asked from the kernel.
 * That is where the time goes or does not: a bulk transfer that is not cut into
 * segments costs a fourteenth.
 *
 * Without offload everything works alike, with checksums of our own and one
 * segment a packet.
 */
#include "tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define TUN_PATH "/dev/net/tun"

/* A packet that is no longer is put together here: writev() of three pieces takes
 * the kernel a tenth of a microsecond more than write(), of 1.2. */
#define GATHER_MAX 512

static int open_first(struct tun *t, const char *name, bool offload, bool many,
		      char *err, size_t errlen);
static int open_more(struct tun *t, const struct tun *first, char *err,
		     size_t errlen);
static bool is_held(const char *name);
static int attach(struct tun *t, const char *name, char *err, size_t errlen);
static int open_device(char *err, size_t errlen);
static int refused_open(int error, char *err, size_t errlen);
static int refused_name(const struct tun *t, const char *name, int error,
			char *err, size_t errlen);
static bool name_valid(const char *name);
static void negotiate(struct tun *t, bool offload);
static void rx_meta(const struct virtio_net_hdr *h, struct stack_rx *meta);
static void tx_header(const struct stack_pkt *pkt, struct virtio_net_hdr *h);
static size_t gather(const struct iovec *iov, unsigned int n,
		     uint8_t all[GATHER_MAX]);

int tun_open(struct tun *t, const char *name, bool offload, char *err,
	     size_t errlen)
{
	return open_first(t, name, offload, false, err, errlen);
}

int tun_open_many(struct tun *t, unsigned int n, const char *name, bool offload,
		  char *err, size_t errlen)
{
	int ret = open_first(t, name, offload, n > 1, err, errlen);

	for (unsigned int i = 1; i < n && ret == 0; i++)
		ret = open_more(&t[i], &t[0], err, errlen);
	return ret;
}

static int open_first(struct tun *t, const char *name, bool offload, bool many,
		      char *err, size_t errlen)
{
	unsigned int features = 0;
	int ret;

	memset(t, 0, sizeof(*t));
	t->fd = -1;
	if (!name_valid(name)) {
		snprintf(err, errlen, "'%s' cannot be the name of an interface",
			 name);
		return -EINVAL;
	}
	t->fd = open_device(err, errlen);
	if (t->fd < 0)
		return t->fd;

	if (ioctl(t->fd, TUNGETFEATURES, &features) == 0)
		t->vnet_hdr = features & IFF_VNET_HDR;
	t->many = many;
	t->adopted = if_nametoindex(name) != 0;
	if (many && t->adopted && is_held(name)) {
		tun_close(t);
		return refused_name(t, name, EBUSY, err, errlen);
	}
	ret = attach(t, name, err, errlen);
	if (ret == 0)
		negotiate(t, offload);
	return ret;
}

static int open_more(struct tun *t, const struct tun *first, char *err,
		     size_t errlen)
{
	*t = *first; /* headers and offload are the interface's */
	t->fd = open_device(err, errlen);
	return t->fd < 0 ? t->fd : attach(t, first->name, err, errlen);
}

int tun_steer(struct tun *t, int program)
{
	return ioctl(t->fd, TUNSETSTEERINGEBPF, &program) < 0 ? -errno : 0;
}

int tun_persist(struct tun *t, bool on)
{
	return ioctl(t->fd, TUNSETPERSIST, on ? 1L : 0L) < 0 ? -errno : 0;
}

/**
 * tun_close() - Let go of the device; it is gone then unless it persists
 */
void tun_close(struct tun *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

ssize_t tun_read(struct tun *t, void *buf, size_t buflen, const uint8_t **pkt,
		 struct stack_rx *meta)
{
	const size_t head = t->vnet_hdr ? sizeof(struct virtio_net_hdr) : 0;
	struct virtio_net_hdr h;
	ssize_t n;

	do
		n = read(t->fd, buf, buflen);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0) {
		t->read_errors++;
		return -errno;
	}
	if ((size_t)n <= head) {
		t->read_errors++;
		return -EBADMSG;
	}
	memset(meta, 0, sizeof(*meta));
	if (t->vnet_hdr) {
		memcpy(&h, buf, sizeof(h));
		rx_meta(&h, meta);
	}
	*pkt = (const uint8_t *)buf + head;
	return n - (ssize_t)head;
}

int tun_write(struct tun *t, const struct stack_pkt *pkt)
{
	struct iovec iov[1 + STACK_IOV_MAX];
	struct virtio_net_hdr h;
	uint8_t all[GATHER_MAX];
	unsigned int n = 0;
	ssize_t done;
	size_t len;

	if (t->vnet_hdr) {
		tx_header(pkt, &h);
		iov[n++] = (struct iovec){&h, sizeof(h)};
	}
	memcpy(iov + n, pkt->iov, pkt->iov_len * sizeof(iov[0]));
	n += pkt->iov_len;
	len = gather(iov, n, all);
	do
		done = len ? write(t->fd, all, len)
			   : writev(t->fd, iov, (int)n);
	while (done < 0 && errno == EINTR);
	if (done >= 0)
		return 0;
	if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) {
		t->write_full++;
		return -EAGAIN;
	}
	t->write_errors++;
	return -errno;
}

/* The kernel would let any process add a queue and take its share of packets. A
 * device that is up has a carrier as long as it has one. IFF_RUNNING says the same
 * up to a second late: a restart would find the device held by ourselves. */
static bool is_held(const char *name)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ethtool_value link = {.cmd = ETHTOOL_GLINK};
	struct ifreq ifr = {.ifr_data = (void *)&link};
	bool held;

	memcpy(ifr.ifr_name, name, strlen(name) + 1);
	held = fd >= 0 && ioctl(fd, SIOCETHTOOL, &ifr) == 0 && link.data;
	if (fd >= 0)
		close(fd);
	return held;
}

/* Make the interface, or become a queue of it. */
static int attach(struct tun *t, const char *name, char *err, size_t errlen)
{
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int error;

	if (t->vnet_hdr)
		ifr.ifr_flags |= IFF_VNET_HDR;
	if (t->many)
		ifr.ifr_flags |= IFF_MULTI_QUEUE;
	memcpy(ifr.ifr_name, name, strlen(name) + 1);
	if (ioctl(t->fd, TUNSETIFF, &ifr) < 0) {
		error = errno;
		tun_close(t);
		return refused_name(t, name, error, err, errlen);
	}
	memcpy(t->name, ifr.ifr_name, sizeof(t->name));
	return 0;
}

static int open_device(char *err, size_t errlen)
{
	int fd = open(TUN_PATH, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	return fd >= 0 ? fd : refused_open(errno, err, errlen);
}

static int refused_open(int error, char *err, size_t errlen)
{
	struct stat st;

	switch (error) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		snprintf(err, errlen,
			 "there is no tun device: " TUN_PATH ": %s; load the "
			 "module (modprobe tun) or, in a container, pass the "
			 "device in",
			 strerror(error));
		return -ENOENT;
	case EACCES:
	case EPERM:
		if (stat(TUN_PATH, &st) < 0)
			st.st_mode = 0;
		snprintf(err, errlen,
			 "no right to open " TUN_PATH " (mode %04o, owner %u): "
			 "%s; run as root, or let the device be opened (mode "
			 "0666, DeviceAllow=)",
			 st.st_mode & 07777, (unsigned int)st.st_uid,
			 strerror(error));
		return -EPERM;
	default:
		snprintf(err, errlen, TUN_PATH " cannot be opened: %s",
			 strerror(error));
		return -error;
	}
}

static int refused_name(const struct tun *t, const char *name, int error,
			char *err, size_t errlen)
{
	switch (error) {
	case EPERM:
	case EACCES:
		snprintf(err, errlen,
			 "no right to create interface %s: the capability "
			 "CAP_NET_ADMIN is missing; run as root",
			 name);
		return -EPERM;
	case EBUSY:
		snprintf(err, errlen, "interface %s is held by another process",
			 name);
		return -EBUSY;
	case EINVAL:
	case EEXIST:
		if (!if_nametoindex(name))
			break;
		snprintf(err, errlen,
			 "the name %s is taken by an interface that is no "
			 "%s TUN device; remove it or set interface.name%s",
			 name, t->many ? "multi-queue" : "single-queue",
			 t->many ? ", or stack.threads = 1" : "");
		return -EEXIST;
	default:
		break;
	}
	snprintf(err, errlen, "interface %s cannot be created: %s", name,
		 strerror(error));
	return -error;
}

/* What the kernel's dev_valid_name() wants; a '%' would make it a template. */
static bool name_valid(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < IFNAMSIZ && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0 && !strpbrk(name, "/:% \t\n\v\f\r");
}

/*
 * Ask for super-segments with unfinished checksums, both ways. A device that
 * persisted remembers what the last process asked for, so "no" is said, too.
 */
static void negotiate(struct tun *t, bool offload)
{
	unsigned long ask = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
	int size = sizeof(struct virtio_net_hdr);

	if (!t->vnet_hdr)
		return;
	(void)ioctl(t->fd, TUNSETVNETHDRSZ, &size);
	t->offload = offload && ioctl(t->fd, TUNSETOFFLOAD, ask) == 0;
	if (!t->offload)
		(void)ioctl(t->fd, TUNSETOFFLOAD, 0UL);
}

static void rx_meta(const struct virtio_net_hdr *h, struct stack_rx *meta)
{
	meta->csum_ok = h->flags & (VIRTIO_NET_HDR_F_NEEDS_CSUM |
				    VIRTIO_NET_HDR_F_DATA_VALID);
	if (h->gso_type == VIRTIO_NET_HDR_GSO_TCPV4 ||
	    h->gso_type == VIRTIO_NET_HDR_GSO_TCPV6)
		meta->gso_size = h->gso_size;
}

static void tx_header(const struct stack_pkt *pkt, struct virtio_net_hdr *h)
{
	memset(h, 0, sizeof(*h));
	if (pkt->csum_partial) {
		h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h->csum_start = pkt->csum_start;
		h->csum_offset = pkt->csum_offset;
	}
	if (pkt->gso_size) {
		h->gso_type = pkt->ipv6 ? VIRTIO_NET_HDR_GSO_TCPV6
					: VIRTIO_NET_HDR_GSO_TCPV4;
		h->hdr_len = (uint16_t)pkt->iov[0].iov_len;
		h->gso_size = pkt->gso_size;
	}
}

/* Return: bytes, or 0 if there is no room for all of them */
static size_t gather(const struct iovec *iov, unsigned int n,
		     uint8_t all[GATHER_MAX])
{
	size_t len = 0;

	for (unsigned int i = 0; i < n; i++) {
		if (iov[i].iov_len > GATHER_MAX - len)
			return 0;
		memcpy(all + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	return len;
}
