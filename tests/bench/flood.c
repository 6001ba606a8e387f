/*
 * flood.c - SYNs from addresses that nobody has
 *
 *	flood ADDRESS PORT RATE SECONDS
 *
 * So many a second from 198.19.0.0/16, which is for benches (RFC 2544); each from
 * an address, a port and a number drawn anew. They leave in bursts of a
 * millisecond by a raw socket, and go no further than the route of ADDRESS:
 * to be used in a namespace only. One line of JSON says what was sent. If the
 * machine is not fast enough, what is late is sent when it can be.
 */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define SOURCES	  0xc6130000u /* 198.19.0.0/16 */
#define MSS	  0x020405b4u /* the option, 1460 */
#define BURST_MAX 256
#define TICK_NS	  1000000
#define SECOND_NS 1000000000ull

struct syn {
	struct iphdr ip;
	struct tcphdr tcp;
	uint32_t mss;
} __attribute__((packed));

struct flood {
	int fd;
	struct sockaddr_in to;
	uint64_t seed, sent, refused;
	struct syn syns[BURST_MAX];
	struct iovec iov[BURST_MAX];
	struct mmsghdr msgs[BURST_MAX];
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND_NS + (uint64_t)ts.tv_nsec;
}

/* xorshift64*: the same flood each time. */
static uint32_t draw(struct flood *f)
{
	f->seed ^= f->seed >> 12;
	f->seed ^= f->seed << 25;
	f->seed ^= f->seed >> 27;
	return (uint32_t)((f->seed * 0x2545f4914f6cdd1dull) >> 32);
}

static void init(struct flood *f, const char *address, const char *port)
{
	f->seed = 1;
	f->to.sin_family = AF_INET;
	f->to.sin_port = htons((uint16_t)atoi(port));
	f->fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (f->fd < 0 || inet_pton(AF_INET, address, &f->to.sin_addr) != 1) {
		perror("flood");
		exit(1);
	}
	for (unsigned int i = 0; i < BURST_MAX; i++) {
		struct syn *s = &f->syns[i];

		s->ip.version = 4;
		s->ip.ihl = 5;
		s->ip.ttl = 64;
		s->ip.protocol = IPPROTO_TCP;
		s->ip.tot_len = htons(sizeof(*s));
		s->ip.daddr = f->to.sin_addr.s_addr;
		s->tcp.dest = f->to.sin_port;
		s->tcp.doff = 6;
		s->tcp.syn = 1;
		s->tcp.window = htons(65535);
		s->mss = htonl(MSS);
		f->iov[i] = (struct iovec){s, sizeof(*s)};
		f->msgs[i].msg_hdr = (struct msghdr){
			.msg_name = &f->to,
			.msg_namelen = sizeof(f->to),
			.msg_iov = &f->iov[i],
			.msg_iovlen = 1,
		};
	}
}

/* The kernel sums the IP header itself. */
static void seal(struct flood *f, struct syn *s)
{
	const uint8_t *p = (const uint8_t *)&s->tcp;
	uint32_t sum = IPPROTO_TCP + 24, addrs[2];

	s->ip.saddr = htonl(SOURCES | (draw(f) & 0xffff));
	s->tcp.source = htons((uint16_t)(1024 + draw(f) % 64000));
	s->tcp.seq = draw(f);
	s->tcp.check = 0;
	addrs[0] = ntohl(s->ip.saddr);
	addrs[1] = ntohl(s->ip.daddr);
	for (int i = 0; i < 2; i++)
		sum += (addrs[i] >> 16) + (addrs[i] & 0xffff);
	for (int i = 0; i < 24; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	sum = (sum >> 16) + (sum & 0xffff);
	s->tcp.check = htons((uint16_t) ~((sum >> 16) + sum));
}

static void burst(struct flood *f, unsigned int n)
{
	unsigned int done = 0;
	int ret;

	for (unsigned int i = 0; i < n; i++)
		seal(f, &f->syns[i]);
	while (done < n) {
		ret = sendmmsg(f->fd, f->msgs + done, n - done, 0);
		if (ret > 0) {
			done += (unsigned int)ret;
			f->sent += (unsigned int)ret;
		} else { /* a full queue: lost, as on any wire */
			done++;
			f->refused++;
		}
	}
}

int main(int argc, char **argv)
{
	static struct flood f;
	uint64_t rate, begin, end, now, due, n;

	if (argc != 5) {
		fputs("usage: flood ADDRESS PORT RATE SECONDS\n", stderr);
		return 2;
	}
	init(&f, argv[1], argv[2]);
	rate = strtoull(argv[3], NULL, 10);
	begin = now_ns();
	end = begin + (uint64_t)(strtod(argv[4], NULL) * 1e9);
	while ((now = now_ns()) < end) {
		due = (now - begin) * rate / SECOND_NS;
		n = due - f.sent - f.refused;
		if (n == 0) {
			nanosleep(&(struct timespec){.tv_nsec = TICK_NS}, NULL);
			continue;
		}
		burst(&f, n < BURST_MAX ? (unsigned int)n : BURST_MAX);
	}
	printf("{\"sent\":%llu,\"refused\":%llu,\"per_second\":%.0f}\n",
	       (unsigned long long)f.sent, (unsigned long long)f.refused,
	       (double)f.sent * 1e9 / (double)(now - begin));
	return 0;
}
