#include "gateway/health/incident.h"

/* From when on it is missed; 0 = it isn't. */
static int64_t missed_ms(const struct incident_machine *m, const struct calendar *calendar, int64_t now_ms)
{
	int64_t opens_ms;

	if (m->gone_ms <= 0 || now_ms - m->gone_ms >= INCIDENT_LASTS_MS)
		return 0;
	if (calendar_is_open(calendar, m->gone_ms))
		return m->gone_ms;
	opens_ms = calendar_next_change_ms(calendar, m->gone_ms);
	return now_ms - INCIDENT_OPENING_MS >= opens_ms ? opens_ms : 0;
}

static bool is_within(int64_t ms, int64_t from_ms, int64_t until_ms)
{
	return ms != 0 && from_ms <= ms && ms <= until_ms;
}

static size_t together_until(const struct incident_machine *machines, size_t count, const struct calendar *calendar,
                             int64_t now_ms, int64_t last_ms)
{
	size_t gone = 0;

	for (size_t i = 0; i < count; i++)
		gone += is_within(missed_ms(&machines[i], calendar, now_ms), last_ms - INCIDENT_TOGETHER_MS, last_ms);
	return gone;
}

bool incident_opens(struct incident_machine *machines, size_t count, const struct calendar *calendar, int64_t now_ms,
                    int64_t *ret_since_ms)
{
	int64_t last_ms = 0, since_ms = INT64_MAX;
	size_t most = 0;

	if (!calendar_is_open(calendar, now_ms))
		return false;
	for (size_t i = 0; i < count; i++) {
		int64_t ms = missed_ms(&machines[i], calendar, now_ms);
		size_t gone = ms ? together_until(machines, count, calendar, now_ms, ms) : 0;

		if (gone > most || (gone == most && ms > last_ms)) {
			most = gone;
			last_ms = ms;
		}
	}
	if (most < INCIDENT_MACHINES_MIN || most * 2 < count)
		return false;
	for (size_t i = 0; i < count; i++) {
		int64_t ms = missed_ms(&machines[i], calendar, now_ms);

		machines[i].member = is_within(ms, last_ms - INCIDENT_TOGETHER_MS, last_ms);
		if (machines[i].member && ms < since_ms)
			since_ms = ms;
	}
	*ret_since_ms = since_ms;
	return true;
}

size_t incident_joins(struct incident_machine *machines, size_t count, const struct calendar *calendar, int64_t now_ms)
{
	int64_t first_ms = INT64_MAX, last_ms = 0;
	size_t joined = 0;

	for (size_t i = 0; i < count; i++) {
		int64_t ms = machines[i].member ? missed_ms(&machines[i], calendar, now_ms) : 0;

		if (ms && ms < first_ms)
			first_ms = ms;
		if (ms > last_ms)
			last_ms = ms;
	}
	for (size_t i = 0; i < count && last_ms; i++) {
		if (machines[i].member || !is_within(missed_ms(&machines[i], calendar, now_ms), first_ms - INCIDENT_TOGETHER_MS,
		                                     last_ms + INCIDENT_TOGETHER_MS))
			continue;
		machines[i].member = true;
		joined++;
	}
	return joined;
}

bool incident_ends(const struct incident_machine *machines, size_t count, int64_t since_ms, int64_t now_ms)
{
	size_t members = 0, missing = 0;

	for (size_t i = 0; i < count; i++) {
		members += machines[i].member;
		missing += machines[i].member && machines[i].gone_ms != 0;
	}
	return missing * 2 < members || members == 0 || now_ms - since_ms >= INCIDENT_LASTS_MS;
}
