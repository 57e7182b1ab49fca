/* How long machines could have been used: the opening hours of their sites, each machine at each site while it was there. */
#ifndef GATEWAY_API_OPENING_H
#define GATEWAY_API_OPENING_H

#include "gateway/sites/sites.h"
#include "gateway/store/store.h"

/* Never NULL; `sites` NULL: everywhere UTC, open around the clock. */
const struct calendar *opening_calendar(const struct sites *sites, const char *site);

/* All machines' stays. */
struct stays {
	struct store_stay *items;
	size_t count, room;
};

/* By id, then time. 0, -ENOMEM or the store's; ended by stays_deinit either way. */
GF_MUST_CHECK int stays_read(struct store_reader *reader, struct stays *ret_stays, struct gf_diag *diag);
void stays_deinit(struct stays *stays);

/* Sorts stays as opening_ms is quick with them. */
void opening_sort(struct stays *stays);
/* The sum over `count` stays, those at one site in a row and in order of their beginning, of their opening time in [from_ms, until_ms). */
int64_t opening_ms(const struct sites *sites, const struct store_stay *stays, size_t count, int64_t from_ms,
                   int64_t until_ms);
/* How many of the stays from `stays` on, at least one of `count`, are at the site of the first. */
size_t opening_run(const struct store_stay *stays, size_t count);

#endif
