/*
 * Any bytes as the body of a request that changes something: read, or refused with a sentence and a status that says whose fault it was. What
 * was read is what the table allows.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/api/body.h"

enum { KEYS = 4, NOTE = 32 };

static const struct body_key keys[KEYS] = {{"note", BODY_TEXT, NOTE, true},
                                           {"back", BODY_TEXT, NOTE, false},
                                           {"release", BODY_FLAG, 0, false},
                                           {"out_of_service", BODY_OBJECT, 0, false}};

static void insist(bool holds)
{
	if (!holds)
		abort();
}

static void check_values(const json_t *const values[static KEYS])
{
	const char *note = body_text(values[0]);

	insist(values[0] != NULL && strlen(note) < NOTE && note[strspn(note, " ")] != '\0');
	insist(!gf_has_controls(note, strlen(note)) && gf_utf8_valid(note, strlen(note)));
	insist(values[2] == NULL || json_is_boolean(values[2]));
	insist(values[3] == NULL || json_is_object(values[3]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request r = {.now_ms = INT64_C(1795176000000), .body_len = size};
	const json_t *values[KEYS] = {NULL}, *inside[KEYS] = {NULL};
	int64_t back_ms = -1;

	r.body = calloc(1, size + 1);
	if (r.body == NULL)
		return 0;
	if (size > 0)
		memcpy(r.body, data, size);
	json_t *body = body_take(&r, keys, KEYS, values);
	if (body != NULL) {
		check_values(values);
		if (body_moment(&r, "back", values[1], &back_ms))
			insist(back_ms == 0 || back_ms > r.now_ms);
		if (r.status == 0 && values[3] != NULL && body_check(&r, "out_of_service", values[3], keys, KEYS, inside))
			check_values(inside);
	}
	insist(r.status == 0 ? body != NULL : r.status == 400 && r.answer != NULL);
	json_decref(body);
	json_decref(r.answer);
	free(r.body);
	return 0;
}
