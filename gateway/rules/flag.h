/*
 * What becomes of the flags that are stored when a subject was judged anew: episodes are matched with them in time, so that a flag keeps its
 * number, its acknowledgement and its notes though late data moves its beginning. Pure.
 */
#ifndef GW_RULES_FLAG_H
#define GW_RULES_FLAG_H

#include "gateway/rules/judge.h"

/* A stored flag, as much of it as matching needs. */
struct flag_known {
	uint64_t id;
	int64_t opened_ms, ended_ms; /* 0 = open */
};

enum flag_change {
	FLAG_NEW,       /* an episode that no flag knows */
	FLAG_KEPT,      /* the flag goes on as this episode */
	FLAG_WITHDRAWN, /* what came late shows that there was nothing */
};

struct flag_match {
	enum flag_change change;
	const struct episode *episode; /* NULL when withdrawn */
	uint64_t id;                   /* 0 when new */
};

/*
 * `known` and `episodes` in order of their beginning. Each episode goes with the first flag that overlaps it and isn't taken. ret_matches has room for
 * known_count + episodes_count; returns how many there are.
 */
size_t flags_match(const struct flag_known *known, size_t known_count, const struct episode *episodes,
                   size_t episodes_count, struct flag_match *ret_matches);

#endif
