/*
 * tcp_priv.h - What the files of the engine do for each other
 *
 * For daemon/core and its unit tests only. Services and the shell see
 * tcphs/stack.h. The records that all of them work on are in tcp_records.h.
 */
#ifndef TCPHS_TCP_PRIV_H
#define TCPHS_TCP_PRIV_H

#include "tcp_records.h"

/* ---- stack_event.c ---------------------------------------------------- */

/* Facts of an event beyond its connection; any may be left 0. */
struct event_more {
	int64_t a, b;
	const struct tcp_seg *seg; /* as received; for sent ones the fields */
	uint32_t seq, ack, len, wnd;
	uint8_t flags;
};

/* @more by value: for a local whose address is taken the compiler guards the
 * stack, in each call of whoever might have something to tell. */
void event_put(struct stack *st, enum event_type type,
	       const struct tcp_key *key, uint32_t id, uint16_t listener,
	       uint8_t role, uint8_t state, struct event_more more);
void event_conn_put(struct stack *st, enum event_type type,
		    const struct tcp_conn *c, struct event_more more);

/* make bench-observers compares with an engine that nobody can observe. */
#ifndef OBSERVABLE
#define OBSERVABLE 1
#endif

static inline bool event_wanted(const struct stack *st, enum event_type type)
{
	return OBSERVABLE && __builtin_expect(st->event_mask >> type & 1, 0);
}

/* An event of a connection; ... are fields of struct event_more. */
#define EVENT_CONN(st, c, type, ...)                                      \
	do {                                                              \
		if (event_wanted(st, EVENT_##type))                       \
			event_conn_put(st, EVENT_##type, c,               \
				       (struct event_more){__VA_ARGS__}); \
	} while (0)

/* Count a dropped packet; with an event if @key is known. */
void stack_drop(struct stack *st, enum drop_reason why,
		const struct tcp_key *key, const struct tcp_seg *seg,
		const struct tcp_conn *c);
/* Count a limit that refused work; an event at most once a second each. */
void stack_limit_hit(struct stack *st, enum stack_limit limit,
		     const struct tcp_key *key, uint16_t listener);

/* ---- stack_tap.c ------------------------------------------------------ */

static inline bool tap_on(const struct stack *st)
{
	return OBSERVABLE &&
	       __builtin_expect(st->tap.watcher.packet != NULL, 0);
}

/** tap_init() - Before all others */
void tap_init(struct stack *st);

/* Call these only if tap_on(). A packet that arrives takes tap_begin(), one of
 * the next three, or tap_addressed() and another one, and tap_taken(); one that
 * leaves one of the next two and then tap_sent(). */

/** tap_begin() - A packet is about to be judged */
void tap_begin(struct stack *st, const void *pkt, size_t len,
	       const struct stack_rx *meta);
/** tap_addressed() - Its IP header was read, and no TCP header; NULL if that is
 * none */
void tap_addressed(struct stack *st, const struct ip_pkt *ip);
/** tap_found_conn() - It is a segment of @c */
void tap_found_conn(struct stack *st, struct tcp_conn *c,
		    const struct tcp_seg *seg);
/** tap_found() - Or of st->tap.ends, which have this record (0 = none) */
void tap_found(struct stack *st, ref_t ref, const struct tcp_seg *seg);
/** tap_quoted() - It is an ICMP error about @key, which has this record */
void tap_quoted(struct stack *st, const struct tcp_key *key, ref_t ref);
/** tap_taken() - It was judged: show it */
void tap_taken(struct stack *st);
/** tap_conn_sends() - A packet of @c was built
 * @flags: enum packet_flags
 * @text:  Bytes of it */
void tap_conn_sends(struct stack *st, const struct tcp_conn *c,
		    unsigned int flags, uint32_t text);
/** tap_reply_sends() - One of the queue of replies leaves */
void tap_reply_sends(struct stack *st, const struct reply *r);
/** tap_sent() - It is ready: show it */
void tap_sent(struct stack *st, const struct stack_pkt *out);
/** tap_ended(), tap_half_ended() - It is about to end; c->reason is set */
void tap_ended(struct stack *st, const struct tcp_conn *c);
void tap_half_ended(struct stack *st, const struct tcp_half *h,
		    enum close_reason why);

/* ---- stack_look.c ----------------------------------------------------- */

/** conn_text() - Text received and sent so far, bytes, each once */
void conn_text(const struct stack *st, const struct tcp_conn *c, uint64_t *in,
	       uint64_t *out);
/** conn_handshake_us() - How long it took; -1 if it is not known */
int64_t conn_handshake_us(const struct tcp_conn *c);

/* ---- stack.c ---------------------------------------------------------- */

uint64_t stack_random(struct stack *st);
uint32_t stack_new_id(struct stack *st);
/* What limits are held against: ours and the others'. */
struct stack_counts stack_counted(const struct stack *st,
				  unsigned int listener);

/* Counts that other stacks' threads read: one writer, no lock, and no more than
 * an ordinary addition. */
static inline void count_add(uint32_t *count, int32_t n)
{
	__atomic_store_n(count, *count + (uint32_t)n, __ATOMIC_RELAXED);
}

static inline uint32_t count_of(const uint32_t *count)
{
	return __atomic_load_n(count, __ATOMIC_RELAXED);
}

/* RFC 6528: the clock's part is added by the caller. High half: TS offset. */
uint64_t stack_isn_hash(const struct stack *st, const struct tcp_key *key);
/* RFC 6437, 3: of an IPv6 connection, never 0, the same for all its packets
 * whatever became of its record; 0 for IPv4. */
uint32_t stack_flow_label(const struct stack *st, const struct tcp_key *key);
bool stack_is_own(const struct stack *st, const struct ip_addr *a);
/** stack_is_broadcast() - The network or broadcast address of our subnet? */
bool stack_is_broadcast(const struct stack *st, const struct ip_addr *a);
/** stack_is_short() - Is little enough left to give nothing to those who could
 * do without? It is not full yet. */
bool stack_is_short(const struct stack *st);
/** stack_is_full() - Is the last memory left to those who are connected? */
bool stack_is_full(const struct stack *st);
/** stack_is_full_for_syn() - Would it be, once all half-open ones are open? */
bool stack_is_full_for_syn(const struct stack *st);
/** challenge_take() - May another challenge ACK leave (RFC 5961, 7)? */
bool challenge_take(struct stack *st);
/** bucket_take() - May one more be done this second? @rate 0 = never */
bool bucket_take(struct bucket *b, uint32_t rate, int64_t now_us);

/* ---- icmp.c ----------------------------------------------------------- */

void icmp_input(struct stack *st, const struct ip_pkt *ip);

/* ---- icmp_complain.c -------------------------------------------------- */

/** icmp_complain() - Tell the source of @ip, if it may be told */
void icmp_complain(struct stack *st, enum icmp_complaint what,
		   const struct ip_pkt *ip);
/** icmp_complain_lost() - Fragments are missing (RFC 1122, 3.3.2) */
void icmp_complain_lost(struct stack *st, const struct reasm_lost *lost);
/** icmp_complain_fragment() - A fragment was refused (RFC 8200, 4.5) */
void icmp_complain_fragment(struct stack *st, enum reasm_verdict why,
			    const struct ip_pkt *ip);
/** udp_input() - We have no UDP ports (RFC 1122, 4.1.3.1)
 * @csum_ok: Somebody vouches for the checksum */
void udp_input(struct stack *st, const struct ip_pkt *ip, bool csum_ok);

/* ---- tcp_reply.c ------------------------------------------------------ */

/** tcp_reply() - Queue a segment without text; false without memory
 * @note: NULL = it answers the packet in work, for whomever that was */
bool tcp_reply(struct stack *st, const struct tcp_seg *seg,
	       const struct reply_note *note);
/** tcp_reply_rst() - Answer a segment nobody wants (RFC 9293, 3.10.7.1)
 * @note: As tcp_reply() */
void tcp_reply_rst(struct stack *st, const struct tcp_seg *seg,
		   const struct reply_note *note);
/** reply_new() - An empty one, or NULL, and then a limit was hit */
struct reply *reply_new(struct stack *st);
/** reply_queue() - Have it leave, @body (copied) behind its head
 *
 * Return: false without memory; it is gone then */
bool reply_queue(struct stack *st, struct reply *r, const void *body,
		 size_t len);
bool reply_output(struct stack *st, struct stack_pkt *out);
void reply_release(struct stack *st);

/* ---- tcp_listen.c ----------------------------------------------------- */

struct listener *listener_find(struct stack *st, const struct ip_addr *local,
			       uint16_t port, unsigned int *index);
void listener_release(struct stack *st, unsigned int index);
/** tcp_listen_input() - A segment without a record, or a SYN to @old, which
 * stays if nothing takes its place */
void tcp_listen_input(struct stack *st, const struct tcp_key *key,
		      struct tcp_seg *seg, struct tcp_timewait *old);
void tcp_half_input(struct stack *st, struct tcp_half *h, struct tcp_seg *seg);
void tcp_half_expire(struct stack *st, struct tcp_half *h);
void tcp_half_drop(struct stack *st, struct tcp_half *h, enum close_reason why);
/** tcp_syn_wscale() - The window scale we offer: as configured, unless the
 * buffer would be only a few of its units and windows round to nothing */
uint8_t tcp_syn_wscale(const struct stack *st);
/** tcp_syn_mss() - The MSS we announce (RFC 9293, 3.7.1 (MUST-67)) */
uint16_t tcp_syn_mss(const struct stack *st, const struct ip_addr *peer);

/* ---- tcp_cookie.c ----------------------------------------------------- */

#define COOKIE_LIFE_US (128ll * 1000000)

struct cookie {
	uint16_t mss;
	uint8_t wscale;	    /* the peer's; 15 = none */
	uint8_t rcv_wscale; /* as our SYN-ACK said, if that is not none */
	bool sack, ts, ecn;
};

/** cookie_make() - An ISS that remembers; @ts gets the TSval to send */
tcp_seq cookie_make(const struct stack *st, const struct tcp_key *key,
		    const struct tcp_seg *syn, uint32_t ts_offset,
		    uint32_t *ts);
/** cookie_recent() - Could a cookie that is still good have this number?
 *
 * Whatever its hash, which only the first ACK of a connection fits. */
bool cookie_recent(const struct stack *st, const struct tcp_seg *ack);
/** cookie_check() - Is this the ACK of a cookie of the last two minutes? */
bool cookie_check(const struct stack *st, const struct tcp_key *key,
		  const struct tcp_seg *ack, struct cookie *k);

/* ---- tcp_source.c ----------------------------------------------------- */

/** source_add() - Count a connection; false if its address has too many, or
 * there is no memory to count it */
bool source_add(struct stack *st, const struct tcp_key *key, uint16_t listener);
void source_sub(struct stack *st, const struct ip_addr *peer);

/* ---- tcp_timewait.c --------------------------------------------------- */

/** timewait_enter() - Leave a TIME-WAIT record of a connection
 *
 * In its place in the table, or, if it is dead, in none's. */
void timewait_enter(struct stack *st, struct tcp_conn *c);
/** timewait_leave() - Before its 2 MSL are over: its ends are another's */
void timewait_leave(struct stack *st, struct tcp_timewait *tw);
void timewait_input(struct stack *st, struct tcp_timewait *tw,
		    const struct tcp_key *key, struct tcp_seg *seg);
void timewait_expire(struct stack *st);
int64_t timewait_left(const struct stack *st, const struct tcp_timewait *tw);
int64_t timewait_deadline(const struct stack *st);

/* ---- tcp_conn.c ------------------------------------------------------- */

/** tcp_conn_new() - A connection in CLOSED, not in the table and without an id
 * yet, or NULL */
struct tcp_conn *tcp_conn_new(struct stack *st, const struct tcp_key *key);
/** tcp_activate() - Its active record, made if need be; NULL without memory */
struct tcp_active *tcp_activate(struct stack *st, struct tcp_conn *c);
/** tcp_idle() - Is there nothing that needs an active record? */
bool tcp_idle(const struct tcp_conn *c, const struct tcp_active *a);
void tcp_deactivate(struct stack *st, struct tcp_conn *c);
void tcp_set_state(struct stack *st, struct tcp_conn *c, enum tcp_state to);
/** tcp_wake_output() - Have tcp_output() look at it this turn */
void tcp_wake_output(struct stack *st, struct tcp_conn *c);
/** tcp_wake_service() - Have its service called this turn */
void tcp_wake_service(struct stack *st, struct tcp_conn *c);
/** tcp_dead() - It ended: out of the table now, freed by stack_reap() */
void tcp_dead(struct stack *st, struct tcp_conn *c, enum close_reason why);
/** tcp_reads() - Does its service want text? Else it is thrown away */
bool tcp_reads(const struct stack *st, const struct tcp_conn *c);
/** tcp_read_out() - Has its service all text and knows of the FIN? */
bool tcp_read_out(const struct stack *st, const struct tcp_conn *c);
/** tcp_reset() - Send a RST with the right numbers, then tcp_dead() */
void tcp_reset(struct stack *st, struct tcp_conn *c, enum close_reason why);
void tcp_run_service(struct stack *st, struct tcp_conn *c);
void tcp_reap(struct stack *st);
/** tcp_init_windows() - Segment sizes and cwnd once the options are known */
void tcp_init_windows(struct tcp_conn *c);
/** tcp_established() - The handshake is over: tell everybody
 * @how: HANDSHAKE_COOKIE, HANDSHAKE_SYN_AGAIN */
void tcp_established(struct stack *st, struct tcp_conn *c, int64_t how);

/* ---- tcp_input.c ------------------------------------------------------ */

void tcp_input(struct stack *st, const struct ip_pkt *ip,
	       const struct stack_rx *meta);
void tcp_conn_input(struct stack *st, struct tcp_conn *c, struct tcp_seg *seg);
/** tcp_challenge() - Send an ACK if both limits allow it (RFC 5961, 7) */
void tcp_challenge(struct stack *st, struct tcp_conn *c);

/* ---- tcp_settings.c --------------------------------------------------- */

/** service_index() - Of @svc in st->services, added if new; -1 if full */
int service_index(struct stack *st, const struct tcp_service *svc);
int64_t tcp_user_timeout_us(const struct stack *st, const struct tcp_conn *c);
int64_t tcp_keepalive_us(const struct stack *st, const struct tcp_conn *c);
/** tcp_trouble() - Tell the service what is wrong with the path */
void tcp_trouble(struct stack *st, struct tcp_conn *c,
		 const struct tcp_trouble *t);

/* ---- tcp_receive.c ---------------------------------------------------- */

/** tcp_receive_text() - Text inside the window: deliver, store, own an ACK */
void tcp_receive_text(struct stack *st, struct tcp_conn *c,
		      const struct tcp_seg *seg);
/** tcp_receive_expire() - The ACK that we owe has waited long enough */
void tcp_receive_expire(struct stack *st, struct tcp_conn *c);
/** tcp_receive_fin() - A FIN with number @seq arrived */
void tcp_receive_fin(struct stack *st, struct tcp_conn *c, tcp_seq seq);
/** tcp_window_edge() - Right edge to offer now: never left of rcv_adv */
tcp_seq tcp_window_edge(struct stack *st, struct tcp_conn *c);

/** tcp_window_offer() - Promise it: the window field of a segment to be sent */
uint16_t tcp_window_offer(struct stack *st, struct tcp_conn *c);
/** tcp_window_consumed() - The service read @n bytes from the queue */
void tcp_window_consumed(struct stack *st, struct tcp_conn *c, uint32_t n);
/** tcp_window_opened() - Is a window update worth a packet? */
void tcp_window_opened(struct stack *st, struct tcp_conn *c);

/* ---- tcp_drs.c -------------------------------------------------------- */

/** tcp_drs_arrived() - Text came: what does it say of the round trip? */
void tcp_drs_arrived(const struct stack *st, const struct tcp_conn *c,
		     struct tcp_active *a, const struct tcp_seg *seg);
/** tcp_drs_read() - @n bytes were read: c->rcvbuf may grow */
void tcp_drs_read(const struct stack *st, struct tcp_conn *c,
		  struct tcp_active *a, uint32_t n);

/* ---- tcp_early.c ------------------------------------------------------ */

void tcp_early_init(struct stack *st);
/** tcp_early_put() - recvq_put(), but others who hold more may lose some */
int tcp_early_put(struct stack *st, struct tcp_active *a,
		  const struct tcp_seg *s);
/** tcp_early_rank() - What it holds beyond holes may have changed */
void tcp_early_rank(struct stack *st, struct tcp_active *a);
/** tcp_early_forget() - It holds nothing that could be taken */
void tcp_early_forget(struct stack *st, struct tcp_active *a);

/* ---- tcp_urgent.c ----------------------------------------------------- */

/** tcp_urgent_receive() - A segment with URG passed the checks */
void tcp_urgent_receive(struct stack *st, struct tcp_conn *c,
			const struct tcp_seg *seg);
/** tcp_urgent_read() - The service read on, or the FIN came */
void tcp_urgent_read(struct stack *st, struct tcp_conn *c);
/** tcp_urgent_queued() - What is in the send queue now is urgent */
void tcp_urgent_queued(struct stack *st, struct tcp_conn *c);
/** tcp_urgent_acked() - snd_una moved */
void tcp_urgent_acked(struct stack *st, struct tcp_conn *c);
/** tcp_urgent_ahead() - Does urgent data of ours end behind @seq? */
bool tcp_urgent_ahead(const struct tcp_conn *c, const struct tcp_active *a,
		      tcp_seq seq);
/** tcp_urgent_mark() - Put the urgent pointer into a segment that leaves */
void tcp_urgent_mark(const struct tcp_conn *c, const struct tcp_active *a,
		     struct tcp_seg *seg);

/* ---- tcp_sack.c ------------------------------------------------------- */

/** tcp_sack_early() - Text at @seq was stored beyond a hole */
void tcp_sack_early(const struct tcp_conn *c, struct tcp_active *a,
		    tcp_seq seq);
/** tcp_sack_advanced() - RCV.NXT moved on */
void tcp_sack_advanced(const struct tcp_conn *c, struct tcp_active *a);
/** tcp_sack_twice() - [start, end) came that had been there before */
void tcp_sack_twice(const struct tcp_conn *c, struct tcp_active *a,
		    tcp_seq start, tcp_seq end);
/** tcp_sack_count() - How many blocks the next segment will have */
unsigned int tcp_sack_count(const struct tcp_conn *c,
			    const struct tcp_active *a);
/** tcp_sack_fill() - Give it these blocks; they count as told */
void tcp_sack_fill(const struct tcp_conn *c, struct tcp_active *a,
		   struct tcp_seg *s);
/** tcp_sack_owed() - Is there more to tell than one ACK could? */
bool tcp_sack_owed(const struct tcp_active *a);

/* ---- tcp_ecn.c -------------------------------------------------------- */

/** tcp_ecn_syn() - Does this SYN ask for ECN, and do we want it? */
bool tcp_ecn_syn(const struct stack *st, const struct tcp_seg *seg);
/** tcp_ecn_answered() - A SYN or SYN-ACK answers our own SYN */
void tcp_ecn_answered(struct tcp_conn *c, const struct tcp_seg *seg);
/** tcp_ecn_syn_flags() - ECE and CWR of the SYN or SYN-ACK that leaves now */
uint8_t tcp_ecn_syn_flags(struct tcp_conn *c);
/** tcp_ecn_receive() - Marks on a segment that passed the checks, and CWR */
void tcp_ecn_receive(struct stack *st, struct tcp_conn *c,
		     const struct tcp_seg *seg);
/** tcp_ecn_mark() - New text leaves */
void tcp_ecn_mark(struct tcp_conn *c, struct tcp_seg *seg);
/** tcp_ecn_reduced() - cwnd was reduced, for whatever reason */
void tcp_ecn_reduced(struct tcp_conn *c, struct tcp_active *a);
/** tcp_ecn_ack() - Take the ECE of an acceptable ACK; snd_una is the old one
 *
 * Return: may cwnd not grow by this ACK? */
bool tcp_ecn_ack(struct stack *st, struct tcp_conn *c,
		 const struct tcp_seg *seg);

/* ---- tcp_loss.c ------------------------------------------------------- */

/** tcp_loss_sent() - [start, end) left just now; false without memory */
bool tcp_loss_sent(struct stack *st, struct tcp_conn *c, tcp_seq start,
		   tcp_seq end, bool fin);
/** tcp_loss_ack() - Take an acceptable ACK; snd_una is still the old one */
void tcp_loss_ack(struct stack *st, struct tcp_conn *c,
		  const struct tcp_seg *seg);
/** tcp_loss_timeout() - The RTO ran out: all is lost until proven otherwise */
void tcp_loss_timeout(struct stack *st, struct tcp_conn *c);
/** tcp_loss_mtu() - Everything in flight was too large */
void tcp_loss_mtu(struct stack *st, struct tcp_conn *c);
/** tcp_loss_resent() - [rec->start, end) was sent again just now */
void tcp_loss_resent(struct stack *st, struct tcp_conn *c, struct tx_rec *rec,
		     tcp_seq end);
void tcp_loss_clear(struct stack *st, struct tcp_conn *c);

/* ---- tcp_tx.c --------------------------------------------------------- */

/** tcp_tx_next() - First stretch to be sent again; NULL if there is none */
struct tx_rec *tcp_tx_next(struct stack *st, struct tcp_conn *c);
/** tcp_tx_join() - Make one of @t and the lost ones behind it
 * @most: Sequence numbers it may span at most */
void tcp_tx_join(struct stack *st, struct tcp_conn *c, struct tx_rec *t,
		 uint32_t most);

/* ---- tcp_rack.c ------------------------------------------------------- */

/** tcp_rack_stamp() - The timestamp of @t, which leaves once more now */
uint32_t tcp_rack_stamp(const struct stack *st, const struct tcp_conn *c,
			struct tcp_active *a, const struct tx_rec *t);
/** tcp_rack_expire() - The reordering timer ran out (RFC 8985, 6.2) */
void tcp_rack_expire(struct stack *st, struct tcp_conn *c);

/* ---- tcp_probe.c ------------------------------------------------------ */

/** tcp_probe_arm() - When to probe for what is in flight (RFC 8985, 7.2) */
void tcp_probe_arm(struct stack *st, struct tcp_conn *c, struct tcp_active *a);
/** tcp_probe_sent() - New text left as a probe: snd_nxt is behind it */
void tcp_probe_sent(const struct tcp_conn *c, struct tcp_active *a);
/** tcp_probe_expire() - The tail loss probe timer ran out (RFC 8985, 7.3) */
void tcp_probe_expire(struct stack *st, struct tcp_conn *c);

/* ---- tcp_spurious.c --------------------------------------------------- */

/** tcp_undo_drop() - Whatever happens, it was a loss */
void tcp_undo_drop(struct stack *st, struct tcp_active *a);
/** tcp_undo_waits() - Is new text to be sent first, to see what happens? */
bool tcp_undo_waits(const struct tcp_active *a);

/* ---- tcp_output.c ----------------------------------------------------- */

bool tcp_output(struct stack *st, struct tcp_conn *c, struct stack_pkt *out);
/** tcp_fill_seg() - What every segment of a connection has in common */
void tcp_fill_seg(struct stack *st, struct tcp_conn *c, struct tcp_seg *seg,
		  uint8_t flags);

/* ---- tcp_pmtu.c ------------------------------------------------------- */

/** tcp_eff_mss() - Text bytes of a full segment (RFC 9293, 3.7.1 (MUST-16)) */
uint32_t tcp_eff_mss(const struct tcp_conn *c);
/** tcp_pmtu_too_big() - A router says so (RFC 1191, RFC 8201)
 * @mtu: What it takes; 0 = it does not say
 * @seq: Of the segment that was too big, in flight */
void tcp_pmtu_too_big(struct stack *st, struct tcp_conn *c, uint32_t mtu,
		      tcp_seq seq);
/** tcp_pmtu_timeout() - An RTO ran out; before tcp_loss_timeout() */
void tcp_pmtu_timeout(struct stack *st, struct tcp_conn *c);
/** tcp_pmtu_acked() - An ACK arrived, and there is a path record */
void tcp_pmtu_acked(struct stack *st, struct tcp_conn *c, tcp_seq ack);
/** tcp_pmtu_spares() - Is what is lost no sign of congestion? */
bool tcp_pmtu_spares(struct stack *st, struct tcp_conn *c);
/** tcp_pmtu_probe() - Shall the next segment be a probe?
 * @mss: Of a segment with the options of the moment
 *
 * There is a path record. Return: bytes of text in it; 0 = no; PMTU_HOLD = yes,
 * when there is room in cwnd */
#define PMTU_HOLD (-1)
int tcp_pmtu_probe(struct stack *st, struct tcp_conn *c, uint32_t mss);
/** tcp_pmtu_probe_sent() - It leaves: @len bytes from snd_nxt on */
void tcp_pmtu_probe_sent(struct stack *st, struct tcp_conn *c, uint32_t len);
/** tcp_pmtu_free() - Give the path record back, if there is one */
void tcp_pmtu_free(struct stack *st, struct tcp_conn *c);

/* ---- tcp_pace.c ------------------------------------------------------- */

/** tcp_pace_rate() - Bytes a second; 0 = as they come */
uint64_t tcp_pace_rate(const struct stack *st, const struct tcp_conn *c);
/** tcp_pace_shift() - An ACK has come: what it lets go leaves a little later */
void tcp_pace_shift(struct stack *st, const struct tcp_conn *c,
		    struct tcp_active *a);
/** tcp_pace_waits() - Must text wait? Then its deadline is set */
bool tcp_pace_waits(struct stack *st, const struct tcp_conn *c,
		    struct tcp_active *a);
/** tcp_pace_burst() - Bytes that may leave at once */
uint32_t tcp_pace_burst(const struct stack *st, const struct tcp_conn *c,
			uint32_t mss);
/** tcp_pace_sent() - So many left */
void tcp_pace_sent(const struct stack *st, const struct tcp_conn *c,
		   struct tcp_active *a, uint32_t len);

/* ---- tcp_odd.c -------------------------------------------------------- */

/* Call these only if their events are wanted. */

/** tcp_odd_ttl() - Did @s come over the way of those before it? */
void tcp_odd_ttl(struct stack *st, const struct tcp_conn *c,
		 const struct tcp_seg *s);
/** tcp_odd_text() - Is its text what came under these numbers before?
 * @s:     With more than a byte of text
 * @again: Its numbers were received before, whenever that was */
void tcp_odd_text(struct stack *st, const struct tcp_conn *c,
		  const struct tcp_seg *s, bool again);

/* ---- tcp_timer.c ------------------------------------------------------ */

/** tcp_rearm() - Put it into the wheel under its earliest deadline */
void tcp_rearm(struct stack *st, struct tcp_conn *c);
void tcp_timer(struct stack *st, struct tcp_conn *c);
/** tcp_keepalive_at() - When the next probe is due (RFC 9293, 3.8.4) */
int64_t tcp_keepalive_at(const struct stack *st, const struct tcp_conn *c);
uint32_t tcp_rto_us(const struct stack *st, const struct tcp_conn *c);
/** tcp_rtt_sample() - A round trip was measured (RFC 6298, 2) */
void tcp_rtt_sample(struct stack *st, struct tcp_conn *c, uint32_t sample_us);
/** tcp_persist_end() - The window lets something pass */
void tcp_persist_end(struct tcp_conn *c, struct tcp_active *a);
/** tcp_rexmt_restart() - RFC 6298, 5.1 to 5.3: run if anything is in flight */
void tcp_rexmt_restart(struct stack *st, struct tcp_conn *c);

/* ---- tcp_check.c ------------------------------------------------------ */

void tcp_check(struct stack *st, struct tcp_conn *c);

#endif
