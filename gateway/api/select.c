#include "gateway/api/select.h"

#include <errno.h>
#include <stdlib.h>

#include "gateway/api/device_row.h"

enum { HELD_MAX = WHERE_TERMS_MAX };

struct selector {
	struct where *where; /* NULL: every machine */
	struct device_view view;
	/* Of the machine that is looked at: */
	const struct store_device *device;
	bool judged;
	struct device_health health;
	/* Values that a text of the comparison points into; let go when the machine is done. */
	json_t *held[HELD_MAX];
	size_t held_count;
};

static void forget(void *selector)
{
	struct selector *s = selector;

	if (s == NULL)
		return;
	where_free(s->where);
	device_view_deinit(&s->view);
	free(s);
}

static int compile(const void *ctx, const char *where, int64_t now_ms, void **ret_selector, struct gf_diag *diag)
{
	const struct select_view *of = ctx;
	struct selector *s = calloc(1, sizeof(*s));
	int r = s != NULL ? 0 : -ENOMEM;

	if (r == 0 && *where != '\0')
		r = where_compile(where, device_fields, device_fields_count, now_ms, &s->where, diag);
	if (r == 0 && of != NULL)
		r = device_view_read(of->ops, of->sites, now_ms, &s->view);
	if (r != 0) {
		forget(s);
		return r;
	}
	*ret_selector = s;
	return 0;
}

/* where_match may ask for a value and keep its text until it is done. */
static struct where_value lookup(const void *row, const struct where_field *field)
{
	struct selector *s = (struct selector *)row;
	const struct where_value none = {.type = WHERE_NULL};

	if (device_field_judged(field) && !s->judged) {
		device_judge(s->device, &s->view, &s->health);
		s->judged = true;
	}
	json_t *value = device_field_value(field, s->device, &s->health);
	if (value == NULL || s->held_count == HELD_MAX) {
		json_decref(value);
		return none;
	}
	s->held[s->held_count++] = value;
	return json_value(value, field->type);
}

static bool match(void *selector, const struct store_device *device, int64_t now_ms)
{
	struct selector *s = selector;

	s->device = device;
	s->view.now_ms = now_ms;
	s->judged = false;
	bool chosen = where_match(s->where, lookup, s);
	for (size_t i = 0; i < s->held_count; i++)
		json_decref(s->held[i]);
	s->held_count = 0;
	return chosen;
}

const struct runner_select_ops select_ops = {.compile = compile, .match = match, .free = forget};
