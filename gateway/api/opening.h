/* How long machines could have been used: the opening hours of their sites, each machine from when it was first seen. */
#ifndef GATEWAY_API_OPENING_H
#define GATEWAY_API_OPENING_H

#include "gateway/api/fleet.h"
#include "gateway/sites/sites.h"

/* Never NULL; `sites` NULL: everywhere UTC, open around the clock. */
const struct calendar *opening_calendar(const struct sites *sites, const char *site);

/* Sorts machines as opening_ms wants them. */
void opening_sort(struct fleet *fleet);
/* The sum over `count` machines, sorted by site and then by when they were first seen, of their opening time in [from_ms, until_ms). */
int64_t opening_ms(const struct sites *sites, const struct store_machine *machines, size_t count, int64_t from_ms,
                   int64_t until_ms);
/* How many of the machines from `machines` on, at least one of `count`, are at the site of the first. */
size_t opening_run(const struct store_machine *machines, size_t count);

#endif
