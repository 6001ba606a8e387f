/*
 * service.c - The table of services, and when they began
 */
#include "service/service.h"

#include <string.h>

#include "core/assert.h"

static const struct tcp_service *const services[] = {
	&echo_service, &discard_service, &chargen_service, &daytime_service,
	&qotd_service, &http_service,	 &chat_service,	   &metrics_service,
};

static struct {
	int64_t now_us;
	time_t wall;
} started;

static struct {
	service_report_fn *part;
	void *arg;
} report;

const struct tcp_service *service_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		if (!strcmp(services[i]->name, name))
			return services[i];
	return NULL;
}

const char *const *service_names(void)
{
	static const char *names[ARRAY_LEN(services) + 1];

	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		names[i] = services[i]->name;
	return names;
}

void service_start(int64_t now_us, time_t wall)
{
	started.now_us = now_us;
	started.wall = wall;
}

void service_report(service_report_fn *part, void *arg)
{
	report.part = part;
	report.arg = arg;
}

bool service_report_part(unsigned int index, FILE *out)
{
	return report.part && report.part(report.arg, index, out);
}

time_t service_started(int64_t *now_us)
{
	if (now_us)
		*now_us = started.now_us;
	return started.wall;
}
