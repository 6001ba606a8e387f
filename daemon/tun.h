/*
 * tun.h - The TUN device: packets in, packets out, and its set-up
 */
#ifndef TCPHS_TUN_H
#define TCPHS_TUN_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <tcphs/stack.h>

struct tun {
	int fd;
	char name[IFNAMSIZ];
	bool vnet_hdr; /* IFF_VNET_HDR: each packet has a virtio header */
	bool offload;  /* checksums and TSO both ways */
	bool adopted;  /* it was there before: a persistent one */
	bool many;     /* IFF_MULTI_QUEUE */
	uint64_t read_errors, write_errors, write_full;
};

/**
 * tun_open() - Create or adopt the interface
 * @name:    Interface name
 * @offload: Try for checksum and segmentation offload
 * @err:     Gets one sentence on failure
 *
 * Return: 0; -EPERM no right, -ENOENT no tun device, -EEXIST the name is
 *         something else, -EBUSY somebody holds it, or another negative errno
 */
int tun_open(struct tun *t, const char *name, bool offload, char *err,
	     size_t errlen);

/** tun_open_many() - The same with @n queues, one in each of @t */
int tun_open_many(struct tun *t, unsigned int n, const char *name, bool offload,
		  char *err, size_t errlen);

/** tun_steer() - Have a program deal packets to the queues; 0 or -errno */
int tun_steer(struct tun *t, int program);

/** tun_persist() - Keep the device when we exit, or not */
int tun_persist(struct tun *t, bool on);

void tun_close(struct tun *t);

/**
 * tun_read() - Read one packet
 * @buf:  At least 12 + 65535 bytes
 * @pkt:  Set to the IP packet in @buf
 * @meta: Set to what the device says
 *
 * Return: its length; 0 if none waits; negative errno
 */
ssize_t tun_read(struct tun *t, void *buf, size_t buflen, const uint8_t **pkt,
		 struct stack_rx *meta);

/**
 * tun_write() - Write one packet, one writev()
 *
 * Return: 0; -EAGAIN if the queue is full (counted), or another negative errno
 *         (counted). The packet is gone either way, as on any wire.
 */
int tun_write(struct tun *t, const struct stack_pkt *pkt);

#endif
