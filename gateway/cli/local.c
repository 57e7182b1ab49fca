#include "gateway/cli/local.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cli/writer.h"
#include "proto/base/clock.h"

static const char shape[] = "0000-00-00T00:00:00Z";
enum { SHAPE_LEN = sizeof(shape) - 1 };

/* Digits stand where 0 does; a NUL is nowhere in it, so that nothing behind the text's end is looked at. */
static bool is_time(const char *text, int64_t *ret_wall_ms)
{
	char copy[SHAPE_LEN + 1];

	for (size_t i = 0; i < SHAPE_LEN; i++)
		if (shape[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
			return false;
	(void)snprintf(copy, sizeof(copy), "%s", text);
	return gf_time_parse(copy, ret_wall_ms) == 0;
}

char *local_text(const char *text)
{
	char *copy = strdup(text), *to = copy, time[WRITER_TIME_MAX];
	int64_t wall_ms;

	if (copy == NULL)
		return NULL;
	while (*text != '\0') {
		if (is_time(text, &wall_ms)) {
			/* Never longer than before: 16 characters for 20. */
			const size_t len = strnlen(writer_local_time(wall_ms, time), SHAPE_LEN);
			memcpy(to, time, len);
			to += len;
			text += SHAPE_LEN;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
	return copy;
}

static int local_string(json_t *value)
{
	const char *text = json_string_value(value);
	char *local;
	int r;

	if (strlen(text) <= SHAPE_LEN)
		return 0;
	local = local_text(text);
	r = local == NULL ? -ENOMEM : strcmp(local, text) == 0 || json_string_set(value, local) == 0 ? 0 : -ENOMEM;
	free(local);
	return r;
}

int local_answer(json_t *answer)
{
	const char *key;
	json_t *value;
	size_t i;
	int r = 0;

	if (json_is_string(answer))
		return local_string(answer);
	json_object_foreach(answer, key, value) r = r != 0 ? r : local_answer(value);
	json_array_foreach(answer, i, value) r = r != 0 ? r : local_answer(value);
	return r;
}
