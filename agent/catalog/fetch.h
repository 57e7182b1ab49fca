/*
 * Puts a catalog of known digest and size together from what the network brings: the whole of it, or parts in any order
 * (proto/topic.h, gf_catalog_parts). Pure. Whoever sends may lie: a part that isn't of this catalog's shape is counted and dropped, a
 * second one of a place is ignored, and never more than the announced size is held.
 */
#ifndef AGENT_CATALOG_FETCH_H
#define AGENT_CATALOG_FETCH_H

#include "proto/catalog_sign.h"
#include "proto/topic.h"

enum { FETCH_PARTS_MAX = (GF_CATALOG_MAX + GF_CATALOG_PART_MAX - 1) / GF_CATALOG_PART_MAX };

enum fetch_result {
	FETCH_MORE,   /* taken, or one that was there already; more are missing */
	FETCH_BAD,    /* no part of this catalog: dropped */
	FETCH_DONE,   /* all there, and they are what was announced */
	FETCH_NOT_IT, /* all there, and they are not; fetch_again */
};

struct fetch {
	struct gf_digest digest;
	size_t size, parts; /* parts: 1 where it comes as a whole */
	size_t missing;
	bool whole;
	bool there[FETCH_PARTS_MAX];
	unsigned char *data; /* of `size` bytes; NULL: nothing is being fetched */
};

/* `size` is 1..GF_CATALOG_MAX. 0, -EMSGSIZE, -ENOMEM. */
GF_MUST_CHECK int fetch_init(struct fetch *fetch, const struct gf_digest *digest, size_t size);
/* Also of one that is all zeros. */
void fetch_deinit(struct fetch *fetch);
/* Forgets what came so far. */
void fetch_again(struct fetch *fetch);

/* `part` as in gf_topic_parse_catalog. An empty payload is a withdrawal: FETCH_MORE, nothing happens. */
enum fetch_result fetch_part(struct fetch *fetch, int part, const void *data, size_t len);

#endif
