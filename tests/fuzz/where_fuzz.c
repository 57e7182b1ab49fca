/* Any text as a --where expression: compiles or is refused with a sentence, and evaluates on an empty and on a full row. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/api/where.h"

static const char *const words[] = {"ok", "critical", NULL};
static const struct where_field fields[] = {
    {"site", WHERE_TEXT, NULL},       {"health", WHERE_TEXT, words},   {"motor_hours", WHERE_NUMBER, NULL},
    {"in_session", WHERE_BOOL, NULL}, {"last_seen", WHERE_TIME, NULL},
};

static struct where_value lookup(const void *row, const struct where_field *field)
{
	if (row == NULL)
		return (struct where_value){.type = WHERE_NULL};
	return (struct where_value){.type = field->type, .text = "berlin", .number = 3, .boolean = true};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 1);
	struct where *where = NULL;
	struct gf_diag diag = {{0}};

	if (text == NULL)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	if (where_compile(text, fields, sizeof(fields) / sizeof(fields[0]), 0, &where, &diag) == 0) {
		(void)where_match(where, lookup, NULL);
		(void)where_match(where, lookup, text);
	} else if (diag.text[0] == '\0') {
		abort();
	}
	where_free(where);
	free(text);
	return 0;
}
