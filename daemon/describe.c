/*
 * describe.c - Connections, listeners and counters as JSON
 *
 * A member that does not apply is left out, never null or empty: a half-open
 * record has no bytes, a TIME-WAIT record no age, a connection without a
 * sample no RTT. The listing of connections has a writer of its own
 * (describe_text.c), which must say the same; test_describe.c compares them.
 */
#include "describe.h"

#include <inttypes.h>
#include <stdio.h>

#include <tcphs/ipaddr.h>

/* Half-open and TIME-WAIT records know little more than their ends. */
static bool is_full(const struct conn_info *info)
{
	return !info->half_open && info->age_us >= 0;
}

/* Without memory *@o becomes NULL, and what is put after that goes nowhere. */
static void put(json_t **o, const char *key, json_t *value)
{
	if (json_object_set_new(*o, key, value) != 0) {
		json_decref(*o);
		*o = NULL;
	}
}

static void put_number(json_t **o, const char *key, uint64_t n)
{
	put(o, key, json_integer((json_int_t)n));
}

/* A time or distance in time; a negative one does not apply. */
static void put_time(json_t **o, const char *key, int64_t us)
{
	if (us >= 0)
		put(o, key, json_integer(us));
}

/* Sampled values are 0 before the first sample. */
static void put_sample(json_t **o, const char *key, int64_t us)
{
	if (us > 0)
		put(o, key, json_integer(us));
}

static json_t *end_json(const struct ip_addr *addr, uint16_t port)
{
	char text[IPADDR_TEXT_MAX];

	return json_pack("{s:s, s:i}", "ip", ipaddr_format(addr, text), "port",
			 port);
}

/* ---- connections ------------------------------------------------------- */

static json_t *options_json(const struct conn_info *info)
{
	const struct {
		bool on;
		const char *name;
	} options[] = {
		{info->ts, "ts"},	    {info->sack, "sack"},
		{info->wscale, "ws"},	    {info->ecn, "ecn"},
		{info->nodelay, "nodelay"},
	};
	json_t *a = json_array();

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (options[i].on)
			json_array_append_new(a, json_string(options[i].name));
	}
	return a;
}

static json_t *timers_json(const struct conn_info *info)
{
	json_t *o = json_object();

	put_time(&o, "rexmt_us", info->rexmt_in_us);
	put_time(&o, "persist_us", info->persist_in_us);
	put_time(&o, "delack_us", info->delack_in_us);
	put_time(&o, "reorder_us", info->reorder_in_us);
	put_time(&o, "probe_us", info->probe_in_us);
	put_time(&o, "pace_us", info->pace_in_us);
	put_time(&o, "hold_us", info->hold_in_us);
	put_time(&o, "keepalive_us", info->keepalive_in_us);
	put_time(&o, "linger_us", info->linger_in_us);
	return o;
}

static void put_numbers(json_t **o, const struct conn_info *info)
{
	put_number(o, "iss", info->iss);
	if (info->state != TCP_SYN_SENT)
		put_number(o, "irs", info->irs);
	put_number(o, "snd_una", info->snd_una);
	put_number(o, "snd_nxt", info->snd_nxt);
	put_number(o, "snd_max", info->snd_max);
	put_number(o, "snd_wnd", info->snd_wnd);
	if (info->state != TCP_SYN_SENT)
		put_number(o, "rcv_nxt", info->rcv_nxt);
	put_number(o, "rcv_wnd", info->rcv_wnd);
	put_number(o, "snd_mss", info->snd_mss);
	put_number(o, "peer_mss", info->peer_mss);
	put_number(o, "own_mss", info->own_mss);
	if (info->state != TCP_SYN_SENT)
		put_number(o, "recv_mss", info->recv_mss);
	put_number(o, "pmtu", info->pmtu);
	if (info->mtu_probe)
		put_number(o, "mtu_probe", info->mtu_probe);
	if (info->dscp)
		put_number(o, "dscp", info->dscp);
	if (info->wscale) {
		put_number(o, "snd_wscale", info->snd_wscale);
		put_number(o, "rcv_wscale", info->rcv_wscale);
	}
	put(o, "options", options_json(info));
}

static void put_estimates(json_t **o, const struct conn_info *info)
{
	put_sample(o, "srtt_us", info->srtt_us);
	if (info->srtt_us > 0)
		put_time(o, "rttvar_us", info->rttvar_us);
	put_sample(o, "rto_us", info->rto_us);
	put_sample(o, "min_rtt_us", info->min_rtt_us);
	put_sample(o, "recv_rtt_us", info->recv_rtt_us);
	put_number(o, "cwnd", info->cwnd);
	if (info->ssthresh != UINT32_MAX) /* RFC 5681, 3.1: high at first */
		put_number(o, "ssthresh", info->ssthresh);
	if (info->pacing_rate)
		put_number(o, "pacing_rate", info->pacing_rate);
	put_number(o, "send_queued", info->send_queued);
	put_number(o, "recv_queued", info->recv_queued);
	put_number(o, "recv_ooo", info->recv_ooo);
	put_number(o, "rcvbuf", info->rcvbuf);
	put_number(o, "memory", info->memory);
	put_number(o, "in_flight", info->in_flight);
	put_number(o, "sacked", info->sacked);
	put_number(o, "lost", info->lost);
	if (info->urgent_in)
		put_number(o, "urgent_in", info->urgent_in);
	if (info->urgent_out)
		put_number(o, "urgent_out", info->urgent_out);
	put_number(o, "reordering", info->reordering);
	if (info->undone)
		put_number(o, "undone", info->undone);
	put_number(o, "backoff", info->backoff);
	put_number(o, "tries", info->tries);
	put_number(o, "bytes_acked", info->bytes_acked);
	put_number(o, "segs_in", info->segs_in);
	put_number(o, "segs_out", info->segs_out);
	if (info->cc_name)
		put(o, "congestion", json_string(info->cc_name));
	if (info->recovery)
		put(o, "recovery", json_string(info->recovery));
}

static json_t *tcb_json(const struct conn_info *info)
{
	json_t *o = json_object();

	put_numbers(&o, info);
	put_estimates(&o, info);
	put(&o, "timers", timers_json(info));
	return o;
}

/**
 * describe_conn() - One connection
 * @listener: Name of its listener, NULL if none
 * @tcb:      With the control block, if it has one
 *
 * Return: a new reference; NULL without memory
 */
json_t *describe_conn(const struct conn_info *info, const char *listener,
		      bool tcb)
{
	bool full = is_full(info);
	json_t *o = json_object();

	put(&o, "id", json_sprintf("c%" PRIu32, info->id));
	put(&o, "state", json_string(tcp_state_key(info->state)));
	put(&o, "role",
	    json_string(info->role == ROLE_CLIENT ? "client" : "server"));
	put(&o, "local", end_json(&info->local, info->local_port));
	put(&o, "peer", end_json(&info->peer, info->peer_port));
	if (listener)
		put(&o, "listener", json_string(listener));
	put_time(&o, "age_us", info->age_us);
	put_time(&o, "idle_us", info->idle_us);
	put_time(&o, "handshake_us", info->handshake_us);
	if (full)
		put_sample(&o, "rtt_us", info->srtt_us);
	if (full || info->half_open)
		put_number(&o, "retrans", info->retrans);
	if (full) {
		put_number(&o, "bytes_in", info->bytes_in);
		put_number(&o, "bytes_out", info->bytes_out);
	}
	if (full && tcb)
		put(&o, "tcb", tcb_json(info));
	return o;
}

/* ---- listeners --------------------------------------------------------- */

static json_t *prefix_json(const struct ip_prefix *p)
{
	char text[IPPREFIX_TEXT_MAX];

	return json_string(ipprefix_format(p, text));
}

/* The words of the classic status line. */
static json_t *listener_status_json(const struct listener_info *info)
{
	char peer[IPPORT_TEXT_MAX];

	if (!info->conf.enabled)
		return json_string("disabled");
	if (!info->connections)
		return json_string("waiting for client");
	ipport_format(&info->last_peer, info->last_peer_port, peer);
	return json_sprintf("connected %s (%" PRIu32 ")", peer,
			    info->connections);
}

static json_t *allow_json(const struct stack_listener *l)
{
	json_t *a = json_array();

	for (unsigned int i = 0; i < l->nallow; i++)
		json_array_append_new(a, prefix_json(&l->allow[i]));
	return a;
}

/** describe_listener() - One listener; NULL without memory */
json_t *describe_listener(const struct listener_info *info)
{
	const struct stack_listener *l = &info->conf;
	json_t *o = json_object();
	uint64_t overflows = 0;

	put(&o, "name", json_string(l->name));
	if (l->service)
		put(&o, "service", json_string(l->service->name));
	put(&o, "address",
	    l->address.len ? prefix_json(&l->address) : json_string("own"));
	put_number(&o, "port", l->port);
	put(&o, "enabled", json_boolean(l->enabled));
	put_number(&o, "backlog", l->backlog);
	put_number(&o, "max_connections", l->max_connections);
	put(&o, "status", listener_status_json(info));
	put_number(&o, "half_open", info->half_open);
	put_number(&o, "connections", info->connections);
	put_number(&o, "syns", info->syns);
	put_number(&o, "opened", info->opened);
	put_number(&o, "refused", info->refused);
	for (int w = 0; w < OVERFLOW_NPLACES; w++)
		overflows += info->overflows[w];
	put_number(&o, "overflows", overflows);
	put_number(&o, "cookies", info->cookies);
	if (l->nallow)
		put(&o, "allow", allow_json(l));
	return o;
}

/* ---- counters ---------------------------------------------------------- */

static json_t *counters_json(const struct stack_stats *stats)
{
	json_t *o = json_object();

#define COUNTER(name, words) put_number(&o, #name, stats->name);
	STACK_STAT_LIST(COUNTER)
#undef COUNTER
	return o;
}

static json_t *states_json(const struct stack_stats *stats)
{
	json_t *o = json_object();

	for (int s = 0; s < TCP_NSTATES; s++)
		put_number(&o, tcp_state_key((enum tcp_state)s),
			   stats->conns[s]);
	return o;
}

static json_t *gauges_json(const struct stack_stats *stats)
{
	json_t *o = json_object();

	put_number(&o, "connections", stats->full);
	put_number(&o, "half_open", stats->half_open);
	put_number(&o, "time_wait", stats->time_wait);
	put_number(&o, "memory", stats->memory);
	put_number(&o, "memory_used", stats->memory_used);
	return o;
}

/** describe_stats() - Every counter and gauge; NULL without memory */
json_t *describe_stats(const struct stack_stats *stats)
{
	json_t *dropped = json_object(), *limits = json_object();
	json_t *o = json_object();

	for (int r = DROP_NONE + 1; r < DROP_NREASONS; r++)
		put_number(&dropped, drop_name(r), stats->dropped[r]);
	for (int l = 0; l < LIMIT_NLIMITS; l++)
		put_number(&limits, limit_name(l), stats->limits[l]);
	put(&o, "counters", counters_json(stats));
	put(&o, "dropped", dropped);
	put(&o, "limits", limits);
	put(&o, "states", states_json(stats));
	put(&o, "gauges", gauges_json(stats));
	return o;
}
