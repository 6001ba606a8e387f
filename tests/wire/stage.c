/*
 * stage.c - What both stages share: names, text, and the configuration
 */
#include "stage.h"

#include <ctype.h>
#include <string.h>

#include "core/assert.h"

uint8_t stage_pattern(uint32_t n)
{
	return (uint8_t)(n * 7 + (n >> 8) * 13);
}

int stage_state(const char *name)
{
	for (int s = 0; s < TCP_NSTATES; s++) {
		const char *a = tcp_state_name((enum tcp_state)s), *b = name;

		while (*a && (*a == toupper((unsigned char)*b) ||
			      (*a == '-' && *b == '_'))) {
			a++;
			b++;
		}
		if (*a == *b)
			return s;
	}
	return -1;
}

size_t stage_settings(const struct script *s,
		      const char *all[STAGE_SUITS + SCRIPT_SETTINGS])
{
	static const char *const suits[] = {
		"limits.memory=16MiB",
		"limits.rcvbuf_max=64KiB",
		"interface.offload=off",
		"tcp.quick_acks=0",
	};
	size_t n = 0;

	_Static_assert(ARRAY_LEN(suits) == STAGE_SUITS, "room for them");
	for (size_t i = 0; i < STAGE_SUITS; i++)
		all[n++] = suits[i];
	for (unsigned int i = 0; i < s->nsettings; i++)
		all[n++] = s->settings[i];
	return n;
}

void stage_listeners(const struct script *s, const char *app, FILE *to)
{
	for (unsigned int i = 0; i < s->nlisteners; i++) {
		unsigned int port = s->listeners[i].port;
		const char *service = s->listeners[i].service;

		fprintf(to,
			"[listener.port%u]\nport = %u\nservice = %s\nallow = "
			"any\n",
			port, port,
			strcmp(service, "app") == 0 ? app : service);
	}
}
