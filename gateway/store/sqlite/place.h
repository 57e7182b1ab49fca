/*
 * Where each machine was when. What happened belongs to the site at which the machine was then, whenever it is told: a machine that moves leaves its past
 * where it was.
 *
 * The places of a machine follow one another without a gap, from the beginning of time to its end; a trigger makes the first one with the machine's row.
 * A machine of which no site was known is taken to have been all the time where it is first known to be.
 */
#ifndef GW_STORE_PLACE_H
#define GW_STORE_PLACE_H

#include "gateway/store/sqlite/db.h"

/* The site of a machine at a moment, both expressions: one seek in its few places. */
#define PLACE_SITE(device, at)                                                                     \
	"(SELECT p.site FROM places p WHERE p.device = " device " AND p.from_ms <= " at " ORDER BY p." \
	"from_ms DESC LIMIT 1)"

struct store;

/*
 * The machine's row may name another site than before: from from_ms on, it is and was there, whatever was said of the time after. Everybody who is
 * judged by what it did since then is judged again, as far back as rules look at all.
 */
GF_MUST_CHECK int place_moved(struct store *s, int64_t device, int64_t from_ms, int64_t now_ms, struct gf_diag *diag);
/* The same by the machine's own word, which is as old as its configuration; what a person has said since then stays. */
GF_MUST_CHECK int place_told(struct store *s, int64_t device, int64_t from_ms, int64_t now_ms, struct gf_diag *diag);

#endif
