/*
 * interop.h - Our engine and the Linux kernel, one connection between them
 */
#ifndef TCPHS_INTEROP_H
#define TCPHS_INTEROP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <tcphs/stack.h>

#include "conf.h"
#include "evbus.h"
#include "loop.h"
#include "tun.h"

#define INTEROP_PORT 7777 /* of whoever listens */

/* Who sends first; the other one begins when it has everything and the FIN. */
enum order { ORDER_BOTH, ORDER_IN, ORDER_OUT };

enum way { WAY_IN, WAY_OUT }; /* as the engine sees it */

struct cell {
	bool active; /* we open */
	bool v6;
	enum order order;
	uint64_t bytes;		/* each way */
	bool pausing;		/* both readers stop for a while */
	int buffer;		/* the kernel's SO_RCVBUF, SO_SNDBUF; 0 = its */
	const char *congestion; /* of the kernel; NULL = its default */
	const char *netns;	/* where its end is; NULL = beside ours */
	struct ip_addr kernel_at;
	struct sockaddr_storage ours, kernels;
	socklen_t addr_len;
};

/* A reader that pauses stops here, for longer than a timeout takes. */
#define PAUSES	 2
#define PAUSE_US 300000

/** cell_pause_at() - How much a reader has when it stops for the @nth time */
static inline uint64_t cell_pause_at(const struct cell *cell, unsigned int nth)
{
	if (!cell->pausing || nth >= PAUSES)
		return UINT64_MAX;
	return cell->bytes / (PAUSES + 1) * (nth + 1);
}

/* ---- interop_pattern.c ------------------------------------------------- */

#define PATTERN_RUN 100000 /* bytes that pattern_at() gives at once */

void pattern_init(void);

/** pattern_at() - The text of one way from byte @pos on, PATTERN_RUN bytes */
const uint8_t *pattern_at(enum way way, uint64_t pos);

/* ---- interop_kernel.c -------------------------------------------------- */

/* What the kernel's end saw; from TCP_INFO where nothing else is said. */
struct kernel_report {
	char congestion[16];
	uint64_t sent, got;
	int64_t done_us; /* when it had all bytes and the FIN; loop_now_us() */
	bool ts, sack, wscale, ecn;
	uint8_t snd_wscale, rcv_wscale;
	uint32_t snd_mss, retrans, ssthresh;
	uint32_t dsacks;       /* it sent again, and we said that we had it */
	uint32_t delivered_ce; /* segments of its own that we say had a mark */
	char error[160];       /* "" = it is content */
};

/** kernel_listen() - A socket for kernel_run() in a cell in which we open */
int kernel_listen(const struct cell *cell);

/**
 * kernel_run() - Be the kernel's end, in a process of its own
 * @listener: From kernel_listen(), or -1 to connect
 * @report:   Pipe that gets a struct kernel_report at the end
 */
_Noreturn void kernel_run(const struct cell *cell, int listener, int report);

/* ---- interop_engine.c -------------------------------------------------- */

struct engine {
	const struct cell *cell;
	struct ev_loop *ev;
	struct tun tun;
	struct stack *st;
	struct evbus bus; /* nobody listens */
	struct loop loop;
	struct tcp_conn *conn; /* NULL before on_open and after on_closed */

	uint64_t sent, got;
	bool sending, paused;
	unsigned int pauses;	     /* so far */
	int64_t open_us, done_us;    /* done: the peer's FIN */
	int64_t progress_us, gap_us; /* the longest time without any */
	char error[256];	     /* "" = all is well so far */
	bool closed;
	enum close_reason reason;
	struct conn_info info; /* as it was when it ended */

	ev_io reported;
	ev_timer patience;
	struct kernel_report kernel;
	bool kernel_done;
};

/**
 * engine_start() - Open the interface, make the stack
 * @c: With the cell's settings; takes what the TUN decides
 *
 * Return: false if that failed; e->error says why
 */
bool engine_start(struct engine *e, const struct cell *cell, struct conf *c);

/**
 * engine_run() - Have the connection, from SYN to the last FIN
 * @report: Pipe of kernel_run()
 *
 * Return: true if both ends are content; else e->error or e->kernel.error says
 *         what is wrong
 */
bool engine_run(struct engine *e, int report);

#endif
