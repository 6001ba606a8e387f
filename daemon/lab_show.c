/*
 * lab_show.c - How the lab looks
 *
 *	   0.000  [Client] Sending SYN to 198.18.66.2:8090
 *	   0.000  SYN-SENT     --- SYN seq=0 win=65535 ------------>  LISTEN
 *	                           mss=1460 sackok ts ws=7
 *	  10.000  [Server] Received SYN, sending SYN-ACK
 *
 * Milliseconds, then what a side did, as the daemon's log says it, or a packet
 * that leaves between the states that both sides are in at that time. Sequence
 * numbers count from each side's SYN.
 */
#include <stdarg.h>
#include <string.h>

#include <tcphs/plural.h>

#include "core/assert.h"
#include "core/wire.h"
#include "evwords.h"
#include "lab.h"

#define ARROW_WIDTH 40

static void show_segment(const struct lab *l, const struct tcp_seg *s,
			 enum lab_side from, bool lost);
static void arrow(char buf[ARROW_WIDTH + 1], enum lab_side from,
		  const char *words, bool lost);
static void segment_words(const struct lab *l, const struct tcp_seg *s,
			  enum lab_side from, char *buf, size_t len);
static void option_words(const struct tcp_seg *s, char *buf, size_t len);
static void await_enter(struct lab *l);

void lab_show_prose(const struct lab *l, const char *title, const char *text)
{
	if (l->classic)
		return;
	if (title)
		fprintf(l->out, "\n%s\n", title);
	fprintf(l->out, "\n%s\n\n", text);
}

void lab_show_line(const struct lab *l, const char *fmt, ...)
{
	va_list ap;

	if (!l->classic)
		fprintf(l->out, "%11.3f  ", (double)l->now_us / 1000);
	va_start(ap, fmt);
	vfprintf(l->out, fmt, ap);
	va_end(ap);
	fputc('\n', l->out);
}

void lab_show_state(const struct lab *l, enum lab_side side)
{
	if (!l->classic)
		lab_show_line(l, "%s", tcp_state_name(lab_state(l, side)));
}

void lab_show_event(const struct lab *l, const struct event *e,
		    const struct stack_conf *conf)
{
	char line[256];

	if (evwords(e, NULL, conf, line, sizeof(line)) > 0)
		lab_show_line(l, "%s", line);
}

void lab_show_packet(struct lab *l, const struct lab_packet *p, bool lost)
{
	struct tcp_seg s;
	struct ip_pkt ip;

	ASSERT(wire_ip_parse(p->data, p->len, &ip) == DROP_NONE);
	ASSERT(wire_tcp_parse(&ip, false, &s) == DROP_NONE);
	if (s.flags & TH_SYN)
		l->iss[p->from] = s.seq;
	if (l->classic && lost)
		fprintf(l->out, "[Network] Lost a packet of the %s\n",
			p->from == LAB_CLIENT ? "client" : "server");
	if (!l->classic)
		show_segment(l, &s, p->from, lost);
	await_enter(l);
}

static void show_segment(const struct lab *l, const struct tcp_seg *s,
			 enum lab_side from, bool lost)
{
	char words[80], buf[ARROW_WIDTH + 1], options[80];

	segment_words(l, s, from, words, sizeof(words));
	option_words(s, options, sizeof(options));
	arrow(buf, from, words, lost);
	lab_show_line(l, "%-12s %s  %s",
		      tcp_state_name(lab_state(l, LAB_CLIENT)), buf,
		      tcp_state_name(lab_state(l, LAB_SERVER)));
	if (*options)
		fprintf(l->out, "%31s%s\n", "", options);
}

/* "--- ACK seq=1 ---------->" or "<--- ACK seq=1 ---------"; a lost one ends in
 * the middle. */
static void arrow(char buf[ARROW_WIDTH + 1], enum lab_side from,
		  const char *words, bool lost)
{
	size_t len = strlen(words);

	ASSERT(len + 6 < ARROW_WIDTH);
	memset(buf, '-', ARROW_WIDTH);
	buf[ARROW_WIDTH] = '\0';
	memcpy(buf + 5, words, len);
	buf[4] = buf[5 + len] = ' ';
	if (from == LAB_SERVER)
		buf[0] = '<';
	else
		buf[ARROW_WIDTH - 1] = '>';
	if (!lost)
		return;
	memset(buf + len + 6, ' ', ARROW_WIDTH - len - 6);
	memcpy(buf + len + 6, "-- x lost", 9);
}

static void segment_words(const struct lab *l, const struct tcp_seg *s,
			  enum lab_side from, char *buf, size_t len)
{
	static const struct {
		uint8_t flag;
		const char *name;
	} flags[] = {{TH_SYN, "SYN"}, {TH_FIN, "FIN"}, {TH_RST, "RST"}};
	size_t n = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (s->flags & flags[i].flag)
			n += (size_t)snprintf(buf + n, len - n, "%s%s",
					      n ? "-" : "", flags[i].name);
	if (s->len)
		n += (size_t)snprintf(buf + n, len - n, "%s%u byte%s",
				      n ? "-" : "", s->len, plural(s->len));
	else if (s->flags & TH_ACK)
		n += (size_t)snprintf(buf + n, len - n, "%sACK", n ? "-" : "");
	n += (size_t)snprintf(buf + n, len - n, " seq=%u",
			      s->seq - l->iss[from]);
	if (s->flags & TH_ACK)
		snprintf(buf + n, len - n, " ack=%u", s->ack - l->iss[!from]);
}

/* What a SYN offers; later segments repeat nothing of it. */
static void option_words(const struct tcp_seg *s, char *buf, size_t len)
{
	size_t n;

	buf[0] = '\0';
	if (!(s->flags & TH_SYN))
		return;
	n = (size_t)snprintf(buf, len, "win=%u", s->wnd);
	if (s->opts & OPT_MSS)
		n += (size_t)snprintf(buf + n, len - n, " mss=%u", s->mss);
	if (s->opts & OPT_SACK_OK)
		n += (size_t)snprintf(buf + n, len - n, " sackok");
	if (s->opts & OPT_TS)
		n += (size_t)snprintf(buf + n, len - n, " ts");
	if (s->opts & OPT_WSCALE)
		snprintf(buf + n, len - n, " ws=%u", s->wscale);
}

/* At the end of the input there is nobody to wait for. */
static void await_enter(struct lab *l)
{
	int c;

	if (!l->step)
		return;
	fflush(l->out);
	do
		c = getchar();
	while (c != '\n' && c != EOF);
	l->step = c != EOF;
}
