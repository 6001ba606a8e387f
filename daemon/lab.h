/*
 * lab.h - tcphsd lab: two stacks, one process, no network
 */
#ifndef TCPHS_LAB_H
#define TCPHS_LAB_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <tcphs/stack.h>

#define LAB_PORT	8090
#define LAB_PACKET_MAX	2048
#define LAB_PACKETS_MAX 16 /* on their way at once */
#define LAB_TEXT_MAX	64 /* of a message, with the final zero */

enum lab_side { LAB_CLIENT, LAB_SERVER };

struct lab_host {
	void *mem;
	struct stack *st;
	struct tcp_conn *conn;	  /* while it is open */
	char heard[LAB_TEXT_MAX]; /* read in this turn; "" = nothing */
};

struct lab_packet {
	int64_t at_us; /* arrives */
	enum lab_side from;
	uint32_t len;
	uint8_t data[LAB_PACKET_MAX];
};

struct lab {
	int64_t now_us; /* the virtual clock, from 0 */
	struct lab_host host[2];
	struct lab_packet packet[LAB_PACKETS_MAX]; /* a queue: first in front */
	unsigned int npackets;
	bool lose; /* the next packet */
	/* How it is shown. */
	FILE *out;
	bool classic; /* the sentences alone */
	bool step;    /* wait for Enter after each packet */
	uint32_t iss[2];
};

/** lab_main() - tcphsd lab [--classic] [--step] [--seed N]; exit code */
int lab_main(int argc, char **argv);

/* ---- lab_net.c --------------------------------------------------------- */

/**
 * lab_init() - Two stacks as the daemon's defaults make them; the second listens
 * @seed: Chooses numbers and ports
 *
 * Return: 0 or a negative errno
 */
int lab_init(struct lab *l, uint64_t seed);
void lab_free(struct lab *l);

/** lab_open() - The client connects */
void lab_open(struct lab *l);

/** lab_say() - Text from one side to the other */
void lab_say(struct lab *l, enum lab_side from, const char *text);

void lab_close(struct lab *l, enum lab_side side);

/** lab_run() - Let time go on until something is so; false if it never is */
bool lab_run(struct lab *l, bool (*until)(const struct lab *l));

enum tcp_state lab_state(const struct lab *l, enum lab_side side);

/** lab_settled() - Nothing under way, nothing to acknowledge */
bool lab_settled(const struct lab *l);

/* ---- lab_show.c -------------------------------------------------------- */

/** lab_show_prose() - What follows, for people; left out by --classic */
void lab_show_prose(const struct lab *l, const char *title, const char *text);

/** lab_show_state() - Where one side is now; left out by --classic */
void lab_show_state(const struct lab *l, enum lab_side side);

/** lab_show_line() - A sentence, with its time unless --classic */
void lab_show_line(const struct lab *l, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** lab_show_event() - The classic line of an event, if it has one */
void lab_show_event(const struct lab *l, const struct event *e,
		    const struct stack_conf *conf);

/** lab_show_packet() - A packet leaves; @lost: and gets nowhere */
void lab_show_packet(struct lab *l, const struct lab_packet *p, bool lost);

#endif
