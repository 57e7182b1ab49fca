/*
 * Machines of one site that vanish together are one incident: it is the site's power, network or broker that somebody has to look at, not each
 * machine. Pure.
 *
 *     several vanish within a few minutes, half the site ──opens──> others join ──> most are back, or nobody misses them any more ──ends
 *
 * Who vanishes while the site is closed counts from its next opening on, with some time for those who switch things on.
 */
#ifndef GW_HEALTH_INCIDENT_H
#define GW_HEALTH_INCIDENT_H

#include <stddef.h>

#include "gateway/sites/calendar.h"

enum {
	INCIDENT_MACHINES_MIN = 3,            /* fewer may be chance */
	INCIDENT_TOGETHER_MS = 5 * 60 * 1000, /* a will comes at once, silence is noticed after three minutes */
	INCIDENT_OPENING_MS = 15 * 60 * 1000,
};
#define INCIDENT_LASTS_MS (INT64_C(30) * 24 * 3600 * 1000) /* then it ends, whoever is still away */

struct incident_machine {
	int64_t gone_ms; /* its connection broke, or it fell silent; 0 = it is there, or nobody misses it */
	bool member;     /* of the incident */
};

/* Is it one, with all machines of the site and none a member yet? Marks those that vanished together, and says since when. */
bool incident_opens(struct incident_machine *machines, size_t count, const struct calendar *calendar, int64_t now_ms,
                    int64_t *ret_since_ms);
/* Marks who has followed the members. Returns how many. */
size_t incident_joins(struct incident_machine *machines, size_t count, const struct calendar *calendar, int64_t now_ms);
/* With the members at least. */
bool incident_ends(const struct incident_machine *machines, size_t count, int64_t since_ms, int64_t now_ms);

#endif
