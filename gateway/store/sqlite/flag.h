/* The row of a flag, as its writer and its readers share it. */
#ifndef GW_STORE_FLAG_H
#define GW_STORE_FLAG_H

#include "gateway/store/judging.h"
#include "gateway/store/sqlite/db.h"

/* Bits of flags.released: what somebody lifted isn't held again. */
enum { FLAG_RELEASED_LOCK = 1, FLAG_RELEASED_CAP = 2 };

/* What flag_episode_columns reads, from f, in their order. */
#define FLAG_EPISODE_COLUMNS \
	"f.opened_ms, f.acted_ms, f.last_ms, f.ended_ms, f.level, f.observed, f.limit_value, f.condition, f.times"
void flag_episode_columns(struct query *q, struct episode *e);
/* The facts behind it. */
GF_MUST_CHECK int flag_behind(struct db *db, uint64_t flag, struct episode *episode, struct gf_diag *diag);

#endif
