/* Any bytes as the state of a catalog shelf: refused and untouched, or the very bytes after another trip. A right sum is put in, so that
 * what is behind it is reached. */
#include "agent/catalog/shelf_state.h"
#include "proto/base/crc32c.h"
#include "tests/fuzz/codec_fuzz.h"

enum { SUMMED = 12, HEAD = 16 };

static void try_state(const uint8_t *data, size_t size)
{
	unsigned char again[SHELF_STATE_MAX];
	struct shelf_state state = {.revision = 77};
	struct gf_diag diag = {{0}};
	if (shelf_state_decode(data, size, &state, &diag) != 0) {
		must(state.revision == 77 && diag.text[0] != '\0');
		return;
	}
	must(state.active < SHELF_SLOTS && state.previous < SHELF_SLOTS && state.keys.count <= GF_KEYS_MAX);
	must(memchr(state.desired.name, '\0', sizeof(state.desired.name)) != NULL);
	must(shelf_state_encode(&state, again) == size && memcmp(again, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_state(data, size);
	if (size < HEAD || size > SHELF_STATE_MAX)
		return 0;
	unsigned char *summed = malloc(size);
	must(summed != NULL);
	memcpy(summed, data, size);
	const uint32_t body = (uint32_t)(size - HEAD);
	for (int i = 0; i < 4; i++)
		summed[SUMMED - 4 + i] = (unsigned char)(body >> 8 * i);
	const uint32_t sum = gf_crc32c(gf_crc32c(0, summed, SUMMED), summed + HEAD, size - HEAD);
	for (int i = 0; i < 4; i++)
		summed[SUMMED + i] = (unsigned char)(sum >> 8 * i);
	try_state(summed, size);
	free(summed);
	return 0;
}
