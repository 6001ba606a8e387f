/*
 * conf_schema.c - Which sections and keys there are
 *
 * One row a key: its default in the words of the file, what takes the value,
 * where the value lies, and its range. The defaults are read by the same code
 * as the file, so a default that the file could not say cannot exist. A row
 * added here wants its lines in conf/tcphsd.conf and in tcphsd.conf(5); the
 * unit test compares the former with this table.
 */
#include "conf_priv.h"

#include <stdlib.h>
#include <string.h>

#include <tcphs/nearest.h>

#include "core/assert.h"
#include "pktmem.h"
#include "shards.h"

#define MS  UINT64_C(1000) /* microseconds */
#define S   (1000 * MS)
#define M   (60 * S)
#define H   (60 * M)
#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

#define IN(f) \
	.at = offsetof(struct conf, f), .size = sizeof(((struct conf *)0)->f)
#define IN_LISTENER(f)                           \
	.at = offsetof(struct conf_listener, f), \
	.size = sizeof(((struct conf_listener *)0)->f)

static const char *const no_yes[] = {"no", "yes", NULL};
static const char *const offload[] = {"auto", "on", "off", NULL};
static const char *const timestamps[] = {"no", "yes", "strict", NULL};
static const char *const congestion[] = {"newreno", "cubic", NULL};
static const char *const listener_congestion[] = {"default", "newreno", "cubic",
						  NULL};
static const char *const ecn[] = {"no", "accept", "request", NULL};
static const char *const cookies[] = {"never", "pressure", "always", NULL};
static const char *const overflow[] = {"drop", "reset", NULL};
static const char *const target[] = {"auto",   "journal", "stderr",
				     "syslog", "file",	  NULL};
static const char *const privacies[] = {"full", "prefix", "hash", NULL};
static const char *const format[] = {"classic", "logfmt", "json", NULL};
static const char *const levels[] = {"error", "warning", "notice",
				     "info",  "debug",	 NULL};

#define YES_NO .set = conf_set_word, .words = no_yes

/* clang-format off */
static const struct conf_key keys[] = {
{"tcphsd.seed", "", conf_set_seed, IN(seed), .max = UINT64_MAX,
 .restart = true},
{"tcphsd.stop_timeout", "5s", conf_set_time, IN(stop_timeout_us),
 .max = 10 * M},
{"tcphsd.user", "", conf_set_account, IN(user), .restart = true},

{"interface.name", "tcphs0", conf_set_ifname, IN(ifname), .restart = true},
{"interface.host_address4", "198.18.66.1/24", conf_set_host, IN(host4),
 .min = 4, .restart = true},
{"interface.address4", "198.18.66.2", conf_set_own, IN(stack.own4),
 .min = 4, .restart = true},
{"interface.host_address6", "fd74:6370:6873::1/64", conf_set_host, IN(host6),
 .min = 6, .restart = true},
{"interface.address6", "fd74:6370:6873::2", conf_set_own, IN(stack.own6),
 .min = 6, .restart = true},
{"interface.own_prefix", "no", YES_NO, IN(stack.own_prefix), .restart = true},
{"interface.mtu", "1500", conf_set_number, IN(stack.mtu),
 .min = 576, .max = 65520, .restart = true},
{"interface.offload", "auto", conf_set_word, IN(offload), .words = offload,
 .restart = true},
{"interface.busy_poll", "no", YES_NO, IN(busy_poll), .restart = true},
{"interface.txqueuelen", "10000", conf_set_number, IN(txqueuelen),
 .min = 1, .max = 1000000, .restart = true},
{"interface.persist", "no", YES_NO, IN(persist), .restart = true},
{"interface.icmp_echo", "yes", YES_NO, IN(stack.icmp_echo), .restart = true},
{"interface.ttl", "64", conf_set_number, IN(stack.ttl), .min = 1, .max = 255,
 .restart = true},

{"stack.threads", "auto", conf_set_auto, IN(threads), .min = 1,
 .max = SHARDS_MAX, .restart = true},

{"limits.max_connections", "65536", conf_set_number,
 IN(stack.max_connections), .min = 1, .max = 1 << 24},
{"limits.max_half_open", "4096", conf_set_number, IN(stack.max_half_open),
 .min = 1, .max = 1 << 24},
{"limits.max_per_source", "0", conf_set_number, IN(stack.max_per_source),
 .min = 1, .max = 1 << 24, .off = true},
{"limits.memory", "512MiB", conf_set_size, IN(memory),
 .min = STACK_MEM_MIN, .max = 1024 * GIB, .restart = true},
{"limits.rcvbuf", "64KiB", conf_set_size, IN(stack.rcvbuf),
 .min = 4 * KIB, .max = GIB},
{"limits.rcvbuf_max", "4MiB", conf_set_size, IN(stack.rcvbuf_max),
 .min = 4 * KIB, .max = GIB},
{"limits.sndbuf", "4MiB", conf_set_size, IN(stack.sndbuf),
 .min = 4 * KIB, .max = GIB},
{"limits.rst_rate", "200", conf_set_number, IN(stack.rst_rate),
 .min = 1, .max = 1000000, .off = true},
{"limits.challenge_ack_rate", "100", conf_set_number,
 IN(stack.challenge_ack_rate), .min = 1, .max = 1000000, .off = true},
{"limits.icmp_rate", "1000", conf_set_number, IN(stack.icmp_rate),
 .min = 1, .max = 1000000, .off = true},

{"timers.rto_initial", "1s", conf_set_time, IN(stack.rto_initial_us),
 .min = 10 * MS, .max = M},
{"timers.rto_min", "200ms", conf_set_time, IN(stack.rto_min_us),
 .min = MS, .max = M},
{"timers.rto_max", "60s", conf_set_time, IN(stack.rto_max_us),
 .min = S, .max = H},
/* RFC 9293, 3.8.3 (MUST-23): 183 s with a rto_max of 60 s. */
{"timers.syn_retries", "7", conf_set_number, IN(stack.syn_retries),
 .max = 32},
{"timers.synack_retries", "5", conf_set_number, IN(stack.synack_retries),
 .max = 32},
/* RFC 9293, 3.8.3 (SHLD-11): 12 minutes and more. */
{"timers.retries", "15", conf_set_number, IN(stack.retries),
 .min = 1, .max = 100},
{"timers.user_timeout", "0", conf_set_time, IN(stack.user_timeout_us),
 .min = S, .max = 24 * H, .off = true},
{"timers.msl", "30s", conf_set_time, IN(stack.msl_us),
 .min = 10 * MS, .max = 10 * M},
{"timers.fin_wait2", "60s", conf_set_time, IN(stack.fin_wait2_us),
 .min = 10 * MS, .max = 24 * H},
/* RFC 9293, 3.8.4 (MUST-25, MUST-27, MUST-28) */
{"timers.keepalive", "0", conf_set_time, IN(stack.keepalive_us),
 .min = S, .max = 720 * H, .off = true},
/* RFC 9293, 3.8.6.3 (MUST-40): an ACK is delayed by less than 0.5 s. */
{"timers.delayed_ack", "40ms", conf_set_time, IN(stack.delayed_ack_us),
 .min = MS, .max = 499 * MS, .off = true},

{"tcp.congestion", "cubic", conf_set_word, IN(stack.congestion),
 .words = congestion, .min = CC_NEWRENO},
{"tcp.ecn", "accept", conf_set_word, IN(stack.ecn), .words = ecn},
{"tcp.pacing", "yes", YES_NO, IN(stack.pacing)},
{"tcp.sack", "yes", YES_NO, IN(stack.sack)},
{"tcp.timestamps", "yes", conf_set_timestamps, IN(stack.timestamps),
 .words = timestamps},
{"tcp.window_scale", "7", conf_set_number, IN(stack.window_scale),
 .max = 14}, /* RFC 7323, 2.3 */
{"tcp.mtu_probing", "yes", YES_NO, IN(stack.mtu_probing)},
{"tcp.quick_acks", "16", conf_set_number, IN(stack.quick_acks), .max = 255},
{"tcp.cookies", "pressure", conf_set_word, IN(stack.cookies),
 .words = cookies},

{"listener.enabled", "yes", YES_NO, IN_LISTENER(l.enabled)},
{"listener.address", "own", conf_set_listen_address, IN_LISTENER(l.address)},
{"listener.port", NULL, conf_set_number, IN_LISTENER(l.port),
 .min = 1, .max = 65535},
{"listener.service", NULL, conf_set_service, IN_LISTENER(service)},
{"listener.backlog", "128", conf_set_number, IN_LISTENER(l.backlog),
 .min = 1, .max = 1 << 24},
{"listener.max_connections", "0", conf_set_number,
 IN_LISTENER(l.max_connections), .min = 1, .max = 1 << 24, .off = true},
{"listener.overflow", "drop", conf_set_word, IN_LISTENER(l.overflow),
 .words = overflow},
{"listener.allow", "host", conf_set_allow, IN_LISTENER(l.allow)},
{"listener.nodelay", "no", YES_NO, IN_LISTENER(l.nodelay)},
{"listener.congestion", "default", conf_set_word, IN_LISTENER(l.congestion),
 .words = listener_congestion},
{"listener.dscp", "0", conf_set_number, IN_LISTENER(l.dscp), .max = 63},
{"listener.slow_handshake", "500ms", conf_set_time,
 IN_LISTENER(slow_handshake_us), .min = MS, .max = H, .off = true},

{"detect.flood_rate", "1000", conf_set_number, IN(detect.flood_rate),
 .min = 1, .max = 100000000},
{"detect.scan_ports", "20", conf_set_number, IN(detect.scan_ports),
 .min = 2, .max = 1000},
{"detect.scan_window", "10s", conf_set_time, IN(detect.scan_window_us),
 .min = S, .max = H},
{"detect.self_check", "no", YES_NO, IN(self_check), .restart = true},

{"log.target", "auto", conf_set_word, IN(log_target), .words = target,
 .restart = true},
{"log.target_file", "", conf_set_path, IN(log_target_file), .restart = true},
{"log.format", "classic", conf_set_word, IN(log_format), .words = format},
{"log.level", "info", conf_set_word, IN(log_level), .words = levels,
 .min = 3},
{"log.handshakes", "yes", YES_NO, IN(log_handshakes)},
{"log.packets", "no", YES_NO, IN(log_packets), .restart = true},
{"log.address_privacy", "full", conf_set_word, IN(log_privacy),
 .words = privacies},
{"log.file", "", conf_set_path, IN(log_file), .restart = true},
{"log.file_level", "info", conf_set_word, IN(log_file_level),
 .words = levels, .min = 3},
{"log.file_size", "64MiB", conf_set_size, IN(log_file_size),
 .min = 64 * KIB, .max = 1024 * GIB},
{"log.file_keep", "8", conf_set_number, IN(log_file_keep),
 .min = 1, .max = 999},
{"log.recent", "16384", conf_set_number, IN(log_recent), .min = 1,
 .max = 1 << 24, .off = true, .restart = true},

{"capture.ring_packets", "32", conf_set_number, IN(ring_packets), .min = 2,
 .max = PKTMEM_PACKETS_MAX, .off = true, .restart = true},
{"capture.ring_memory", "8MiB", conf_set_size, IN(ring_memory),
 .min = MIB, .max = GIB, .restart = true},
{"capture.snaplen", "262", conf_set_number, IN(snaplen),
 .min = 64, .max = 65575},
{"capture.directory", "/var/lib/tcphsd", conf_set_directory, IN(capture_dir),
 .restart = true},
{"capture.rotate_size", "64MiB", conf_set_size, IN(rotate_size),
 .min = MIB, .max = 1024 * GIB},
{"capture.rotate_keep", "8", conf_set_number, IN(rotate_keep),
 .min = 1, .max = 1000},

{"control.socket", "/run/tcphsd/control.sock", conf_set_socket, IN(socket),
 .restart = true},
{"control.socket_mode", "0660", conf_set_mode, IN(socket_mode),
 .max = 0777, .restart = true},
{"control.admin_group", "tcphs", conf_set_account, IN(admin_group),
 .restart = true},
{"control.reader_group", "tcphs-view", conf_set_account, IN(reader_group),
 .restart = true},
};
/* clang-format on */

static const char *const sections[] = {
	"tcphsd",   "interface", "stack", "limits",  "timers", "tcp",
	"listener", "detect",	 "log",	  "capture", "control"};

static bool listener_section(const char *section, char *err);
static bool in_section(const struct conf_key *k, const char *section);

/**
 * conf_schema_keys() - The whole table
 * @n: Set to its length
 */
const struct conf_key *conf_schema_keys(size_t *n)
{
	*n = ARRAY_LEN(keys);
	return keys;
}

/**
 * conf_schema_is_listener() - Does a key belong to listener sections?
 * @k: Key
 */
bool conf_schema_is_listener(const struct conf_key *k)
{
	return strncmp(k->name, CONF_LISTENER, strlen(CONF_LISTENER)) == 0;
}

/**
 * conf_schema_key_name() - The key without its section
 * @k: Key
 */
const char *conf_schema_key_name(const struct conf_key *k)
{
	return strchr(k->name, '.') + 1;
}

/**
 * conf_schema_section() - May a section have this name?
 * @section: In lower case
 * @err:     Gets the reason if not, CONF_MESSAGE_MAX bytes
 */
bool conf_schema_section(const char *section, char *err)
{
	size_t stem = strcspn(section, ".");
	char word[CONF_SECTION_MAX];
	const char *near;

	snprintf(word, sizeof(word), "%.*s", (int)stem, section);
	if (strcmp(word, "listener") == 0)
		return listener_section(section, err);
	if (!section[stem]) {
		for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
			if (strcmp(section, sections[i]) == 0)
				return true;
		}
	}
	near = nearest(word, sections, ARRAY_LEN(sections));
	if (near)
		snprintf(err, CONF_MESSAGE_MAX,
			 "unknown section [%.60s]; did you mean '%s%.60s'?",
			 section, near,
			 strcmp(near, "listener") != 0 ? ""
			 : section[stem]	       ? section + stem
						       : ".NAME");
	else
		snprintf(err, CONF_MESSAGE_MAX,
			 "unknown section [%.60s]; there are tcphsd, interface,"
			 " stack, limits, timers, tcp, listener.NAME, detect, "
			 "log, "
			 "capture and control",
			 section);
	return false;
}

/**
 * conf_schema_key() - Find a key
 * @section: A valid one
 * @name:    In lower case
 * @err:     Gets the reason if there is none, CONF_MESSAGE_MAX bytes
 *
 * Return: NULL if there is none
 */
const struct conf_key *conf_schema_key(const char *section, const char *name,
				       char *err)
{
	const char *names[ARRAY_LEN(keys)], *near, *elsewhere = NULL;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *key = conf_schema_key_name(&keys[i]);
		bool here = in_section(&keys[i], section);
		bool same = strcmp(key, name) == 0;

		if (here && same)
			return &keys[i];
		if (same)
			elsewhere = keys[i].name;
		names[i] = here ? key : NULL;
	}
	near = nearest(name, names, ARRAY_LEN(names));
	if (near)
		snprintf(err, CONF_MESSAGE_MAX,
			 "unknown key '%.60s' in [%s]; did you mean '%s'?",
			 name, section, near);
	else if (elsewhere)
		snprintf(err, CONF_MESSAGE_MAX,
			 "unknown key '%.60s' in [%s]; it belongs to [%.*s%s]",
			 name, section, (int)strcspn(elsewhere, "."), elsewhere,
			 strncmp(elsewhere, CONF_LISTENER, 9) ? "" : ".NAME");
	else
		snprintf(err, CONF_MESSAGE_MAX,
			 "unknown key '%.60s' in [%s]; tcphsd.conf(5) lists"
			 " what there is",
			 name, section);
	return NULL;
}

/* The name goes through iniparser and into tables: nothing but letters,
 * digits, '-' and '_'. */
static bool listener_section(const char *section, char *err)
{
	const char *name = section + strlen("listener");
	size_t len;

	if (*name == '.')
		name++;
	len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");
	if (!*name)
		snprintf(err, CONF_MESSAGE_MAX,
			 "this listener has no name; write [listener.NAME]");
	else if (name[len])
		snprintf(err, CONF_MESSAGE_MAX,
			 "'%.60s' cannot name a listener; use letters, digits,"
			 " - and _",
			 name);
	else if (len >= STACK_NAME_MAX)
		snprintf(err, CONF_MESSAGE_MAX,
			 "the listener name '%.60s' is too long; use up to %d"
			 " characters",
			 name, STACK_NAME_MAX - 1);
	else
		return true;
	return false;
}

static bool in_section(const struct conf_key *k, const char *section)
{
	size_t len = strcspn(k->name, ".");

	if (conf_schema_is_listener(k))
		return strncmp(section, CONF_LISTENER, len + 1) == 0;
	return strlen(section) == len && strncmp(section, k->name, len) == 0;
}
