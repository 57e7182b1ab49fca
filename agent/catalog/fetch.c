#include "agent/catalog/fetch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int fetch_init(struct fetch *fetch, const struct gf_digest *digest, size_t size)
{
	if (size == 0 || size > GF_CATALOG_MAX)
		return -EMSGSIZE;
	unsigned char *data = malloc(size);
	if (data == NULL)
		return -ENOMEM;
	const size_t parts = gf_catalog_parts(size);
	*fetch = (struct fetch){
	    .digest = *digest, .size = size, .parts = parts > 0 ? parts : 1, .whole = parts == 0, .data = data};
	fetch_again(fetch);
	return 0;
}

void fetch_deinit(struct fetch *fetch)
{
	free(fetch->data);
	*fetch = (struct fetch){0};
}

void fetch_again(struct fetch *fetch)
{
	memset(fetch->there, 0, sizeof(fetch->there));
	fetch->missing = fetch->parts;
}

/* The place of a part, or -1 for one that this catalog hasn't. */
static int place_of(const struct fetch *fetch, int part)
{
	if (fetch->whole)
		return part == GF_TOPIC_CATALOG_WHOLE ? 0 : -1;
	return part >= 0 && (size_t)part < fetch->parts ? part : -1;
}

enum fetch_result fetch_part(struct fetch *fetch, int part, const void *data, size_t len)
{
	if (len == 0)
		return FETCH_MORE;
	const int place = place_of(fetch, part);
	if (fetch->data == NULL || place < 0)
		return FETCH_BAD;
	const size_t at = (size_t)place * GF_CATALOG_PART_MAX, left = fetch->size - at;
	if (len != (left < GF_CATALOG_PART_MAX ? left : GF_CATALOG_PART_MAX))
		return FETCH_BAD;
	if (fetch->there[place])
		return fetch->missing > 0 ? FETCH_MORE : FETCH_BAD;
	memcpy(fetch->data + at, data, len);
	fetch->there[place] = true;
	if (--fetch->missing > 0)
		return FETCH_MORE;
	struct gf_digest digest;
	gf_digest_of(fetch->data, fetch->size, &digest);
	return gf_digest_equal(&digest, &fetch->digest) ? FETCH_DONE : FETCH_NOT_IT;
}
