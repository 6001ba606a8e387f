/*
 * lwip_peer.c - echo, discard and chargen on lwIP
 *
 *	lwip_peer INTERFACE ADDRESS
 *
 * The library as Debian builds it, by its callback interface and from one
 * thread, which is the fastest way to use it. It has no offload: each packet is
 * at most one segment and all checksums are its own. Addresses, MTU and queue
 * of the interface are set by who starts it.
 *
 * Most of the options are the library's: a window of 64 KiB among them.
 */
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <lwip/init.h>
#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>

#define READS	     64 /* before timers are looked at */
#define BACKLOG	     255
#define PORT_ECHO    7
#define PORT_DISCARD 9
#define PORT_CHARGEN 19
#define PACKET_MAX   65536

static int tun = -1;
static char chunk[32768]; /* what chargen sends */

static int open_tun(const char *name)
{
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI};

	tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	return tun < 0 ? -1 : ioctl(tun, TUNSETIFF, &ifr);
}

/* ---- the interface ----------------------------------------------------- */

static err_t send_packet(struct netif *n, struct pbuf *p, const ip4_addr_t *to)
{
	static char buf[PACKET_MAX];
	const void *data = p->payload;

	(void)n;
	(void)to;
	if (p->next)
		data = pbuf_get_contiguous(p, buf, sizeof(buf), p->tot_len, 0);
	return write(tun, data, p->tot_len) == p->tot_len ? ERR_OK : ERR_IF;
}

static err_t init_interface(struct netif *n)
{
	n->name[0] = 't';
	n->name[1] = 'n';
	n->mtu = 1500;
	n->output = send_packet;
	n->flags = NETIF_FLAG_LINK_UP;
	return ERR_OK;
}

/* PBUF_RAM, since Debian's pool has less room in it than it believes. */
static void read_packets(struct netif *n)
{
	static char buf[PACKET_MAX];
	struct pbuf *p;
	ssize_t len;

	for (int i = 0; i < READS; i++) {
		len = read(tun, buf, sizeof(buf));
		if (len <= 0)
			return;
		p = pbuf_alloc(PBUF_RAW, (u16_t)len, PBUF_RAM);
		if (!p)
			continue;
		pbuf_take(p, buf, (u16_t)len);
		if (ip_input(p, n) != ERR_OK)
			pbuf_free(p);
	}
}

/* ---- the services ------------------------------------------------------ */

static err_t hang_up(struct tcp_pcb *pcb)
{
	if (tcp_close(pcb) == ERR_OK)
		return ERR_OK;
	tcp_abort(pcb);
	return ERR_ABRT;
}

/* The client never has more under way than the send buffer takes. */
static err_t echo(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	(void)arg;
	(void)err;
	if (!p)
		return hang_up(pcb);
	for (struct pbuf *q = p; q; q = q->next)
		(void)tcp_write(pcb, q->payload, q->len, TCP_WRITE_FLAG_COPY);
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	return tcp_output(pcb);
}

static err_t discard(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	(void)arg;
	(void)err;
	if (!p)
		return hang_up(pcb);
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	return ERR_OK;
}

static err_t chargen(void *arg, struct tcp_pcb *pcb, u16_t acked)
{
	u16_t room;

	(void)arg;
	(void)acked;
	while ((room = (u16_t)LWIP_MIN(tcp_sndbuf(pcb), sizeof(chunk))) > 0)
		if (tcp_write(pcb, chunk, room, 0) != ERR_OK)
			break;
	return tcp_output(pcb);
}

static err_t accepted(void *arg, struct tcp_pcb *pcb, err_t err)
{
	if (err != ERR_OK || !pcb)
		return ERR_VAL;
	tcp_nagle_disable(pcb);
	tcp_recv(pcb, pcb->local_port == PORT_ECHO ? echo : discard);
	if (pcb->local_port != PORT_CHARGEN)
		return ERR_OK;
	tcp_sent(pcb, chargen);
	return chargen(arg, pcb, 0);
}

static int listen_on(u16_t port)
{
	struct tcp_pcb *pcb = tcp_new();

	if (!pcb || tcp_bind(pcb, IP4_ADDR_ANY, port) != ERR_OK)
		return -1;
	pcb = tcp_listen_with_backlog(pcb, BACKLOG);
	if (!pcb)
		return -1;
	tcp_accept(pcb, accepted);
	return 0;
}

int main(int argc, char **argv)
{
	static struct netif netif;
	ip4_addr_t own, mask, gateway;
	struct pollfd p = {.events = POLLIN};

	if (argc != 3 || !ip4addr_aton(argv[2], &own)) {
		fputs("usage: lwip_peer INTERFACE ADDRESS\n", stderr);
		return 2;
	}
	if (open_tun(argv[1]) < 0) {
		perror(argv[1]);
		return 1;
	}
	memset(chunk, 'x', sizeof(chunk));
	IP4_ADDR(&mask, 255, 255, 255, 0);
	ip4_addr_set_any(&gateway);
	lwip_init();
	if (!netif_add(&netif, &own, &mask, &gateway, NULL, init_interface,
		       ip_input))
		return 1;
	netif_set_default(&netif);
	netif_set_up(&netif);
	if (listen_on(PORT_ECHO) < 0 || listen_on(PORT_DISCARD) < 0 ||
	    listen_on(PORT_CHARGEN) < 0)
		return 1;
	puts("ready");
	fflush(stdout);
	p.fd = tun;
	for (;;) {
		u32_t ms = sys_timeouts_sleeptime();

		(void)poll(&p, 1, ms > 1000 ? 1000 : (int)ms);
		read_packets(&netif);
		sys_check_timeouts();
	}
}
