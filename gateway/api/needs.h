/*
 * What needs somebody: the worst and oldest first, and where many machines of a site have the same, as one. Pure: no clock, no store.
 */
#ifndef GATEWAY_API_NEEDS_H
#define GATEWAY_API_NEEDS_H

#include <stddef.h>

#include "gateway/health/health.h"

enum {
	NEEDS_KEPT = 1000, /* more than are told, so that what is folded counts all */
	NEEDS_FOLD = 4,    /* so many of a site with the same are told as one */
};

struct need {
	char device[GF_ID_MAX]; /* empty: several of the site */
	char site[GF_NAME_MAX]; /* may be empty */
	size_t machines;
	struct health_reason reason;
};

struct needs {
	size_t count;
	struct need items[NEEDS_KEPT];
};

/* Keeps its place in the order; the last is dropped when there is no room. What is well, or somebody sees to already, needs nobody. */
void needs_add(struct needs *needs, const char *device, const char *site, const struct health_reason *reason);
/* What is critical is always told one by one. */
void needs_fold(struct needs *needs);

#endif
