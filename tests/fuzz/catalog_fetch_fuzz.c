/*
 * Any run of messages on a catalog's topics: never more than was announced, and done only with the right bytes. The first three bytes are the
 * announced size; then messages: a byte for the part, two for the length, a byte for where in the truth they are from.
 */
#include "agent/catalog/fetch.h"
#include "tests/fuzz/codec_fuzz.h"

enum { MESSAGE = 4 };

static unsigned char truth[GF_CATALOG_MAX + 65536];

/* Mostly the part that a number stands for, also some that are none. */
static int part_of(uint8_t byte)
{
	return byte == 255 ? GF_TOPIC_CATALOG_WHOLE : byte == 254 ? INT32_MIN : byte == 253 ? INT32_MAX : byte;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gf_digest digest;
	struct fetch fetch;
	if (size < 3)
		return 0;
	if (truth[1] == 0) {
		for (size_t i = 0; i < sizeof(truth); i++)
			truth[i] = (unsigned char)(i * 31 + i / GF_CATALOG_PART_MAX + 1);
	}
	const size_t announced = data[0] | (size_t)data[1] << 8 | (size_t)(data[2] & 3) << 16;
	gf_digest_of(truth, announced < GF_CATALOG_MAX ? announced : GF_CATALOG_MAX, &digest);
	if (fetch_init(&fetch, &digest, announced) != 0) {
		must(announced == 0 || announced > GF_CATALOG_MAX);
		return 0;
	}
	for (size_t at = 3; at + MESSAGE <= size; at += MESSAGE) {
		const size_t len = data[at + 1] | (size_t)data[at + 2] << 8;
		const size_t from = (size_t)data[at + 3] * GF_CATALOG_PART_MAX % GF_CATALOG_MAX;
		const enum fetch_result result = fetch_part(&fetch, part_of(data[at]), truth + from, len);
		must(fetch.missing <= fetch.parts && fetch.parts <= FETCH_PARTS_MAX);
		if (result == FETCH_DONE)
			must(fetch.missing == 0 && memcmp(fetch.data, truth, fetch.size) == 0);
		if (result == FETCH_NOT_IT)
			fetch_again(&fetch);
	}
	fetch_deinit(&fetch);
	return 0;
}
