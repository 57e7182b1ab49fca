/* The parts of --check. Private to check*.c. */
#ifndef AGENT_CHECK_IMPL_H
#define AGENT_CHECK_IMPL_H

#include <stdio.h>

#include "agent/check.h"
#include "proto/catalog.h"

struct check {
	const struct agent_config *config;
	FILE *out;
	bool colour;
	unsigned counts[DRIVER_BROKEN + 1];
	struct gf_catalog catalog; /* none, when it doesn't load */
	bool panel_has_key;        /* staff can unlock a routine at the machine */
};

/* One line. `what` is a word or two. */
void check_say(struct check *check, enum driver_verdict verdict, const char *what, const char *fmt, ...)
    GF_PRINTF(4, 5);

/* The catalog, and what of it this machine can't play as it is written. */
void check_catalog(struct check *check);

/* Memory, priority, clock: what the system grants whoever runs this. */
void check_system(struct check *check);

#endif
