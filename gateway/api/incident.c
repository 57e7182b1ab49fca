#include "gateway/api/incident.h"

#include <stdio.h>

#include "proto/base/clock.h"

/* Offline by a goodbye is no incident, and only attention. */
static bool vanished(const struct need *need, size_t site)
{
	return need->site == site && need->device[0] != '\0' && need->reason.code == HEALTH_CODE_OFFLINE &&
	       need->reason.severity == HEALTH_CRITICAL;
}

static int64_t newest(const struct need *needs, size_t count, size_t site)
{
	int64_t since_ms = 0;

	for (size_t i = 0; i < count; i++)
		if (vanished(&needs[i], site) && needs[i].reason.since_ms > since_ms)
			since_ms = needs[i].reason.since_ms;
	return since_ms;
}

static void make_incident(struct need *need, const struct site *site, size_t gone, int64_t now_ms)
{
	struct health_reason *r = &need->reason;
	char at[GF_RFC3339_MAX], ago[GF_DURATION_MAX];

	need->device[0] = '\0';
	(void)gf_time_format(r->since_ms, at);
	(void)gf_duration_format(now_ms > r->since_ms ? now_ms - r->since_ms : 0, ago);
	(void)snprintf(r->text, sizeof(r->text),
	               "%zu of %zu machines of this site are offline since %s (%s): they vanished together", gone,
	               site->machines, at, ago);
	(void)gf_strcpy(r->action, sizeof(r->action),
	                "check the site's power, network and broker; sessions are kept on the machines and come later");
}

static size_t gather_site(struct need *needs, size_t count, size_t index, const struct site *site, int64_t now_ms)
{
	int64_t from_ms = newest(needs, count, index) - INCIDENT_TOGETHER_MS;
	size_t gone = 0, kept = 0;
	struct need *first = NULL;

	for (size_t i = 0; i < count; i++)
		gone += vanished(&needs[i], index) && needs[i].reason.since_ms >= from_ms;
	if (gone < INCIDENT_MACHINES_MIN || gone * 2 < site->machines)
		return count;
	for (size_t i = 0; i < count; i++) {
		bool together = vanished(&needs[i], index) && needs[i].reason.since_ms >= from_ms;
		if (together && first != NULL) {
			if (needs[i].reason.since_ms < first->reason.since_ms)
				first->reason.since_ms = needs[i].reason.since_ms;
			continue;
		}
		if (kept != i)
			needs[kept] = needs[i];
		if (together)
			first = &needs[kept];
		kept++;
	}
	make_incident(first, site, gone, now_ms);
	return kept;
}

size_t incident_gather(struct need *needs, size_t count, const struct site *sites, size_t sites_count, int64_t now_ms)
{
	for (size_t i = 0; i < sites_count && count >= INCIDENT_MACHINES_MIN; i++)
		count = gather_site(needs, count, i, &sites[i], now_ms);
	return count;
}
