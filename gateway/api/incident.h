/*
 * What needs somebody, put together: machines of one site that vanished together are one incident, since it is the site's power,
 * network or broker that somebody has to look at, not each machine. Pure: no clock, no store.
 */
#ifndef GATEWAY_API_INCIDENT_H
#define GATEWAY_API_INCIDENT_H

#include <stddef.h>

#include "gateway/health/health.h"

enum {
	INCIDENT_MACHINES_MIN = 3,            /* fewer may be chance */
	INCIDENT_TOGETHER_MS = 5 * 60 * 1000, /* a will comes at once, silence is noticed after three minutes */
};

struct site {
	char name[GF_NAME_MAX];
	size_t machines;
};

struct need {
	char device[GF_ID_MAX]; /* empty: the whole site */
	size_t site;            /* place in the array of sites; beyond its end: none */
	struct health_reason reason;
};

/* Replaces the machines that vanished from a site together, when they are at least half of it, by one need for the site, where the
 * first of them stood. Returns how many needs are left. */
size_t incident_gather(struct need *needs, size_t count, const struct site *sites, size_t sites_count, int64_t now_ms);

#endif
