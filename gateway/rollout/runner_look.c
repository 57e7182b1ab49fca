/* Whom a rollout selects: every machine is read, so it is done seldom, and the result, a look, is kept. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/rollout/runner_impl.h"
#include "proto/base/log.h"

enum { LOOK_REST_MS = 10 /* for each machine looked at: a look at many must not fill the loop */ };
static const int64_t day_ms = INT64_C(24) * 3600 * 1000;

struct selecting {
	const struct runner_select_ops *ops;
	const struct rollout_spec *spec;
	void *selector;
	int64_t now_ms;
	size_t seen;
	struct look *look;
};

static int select_row(void *ctx, const struct store_device *device)
{
	struct selecting *s = ctx;
	struct look *look = s->look;

	s->seen++;
	if ((unsigned)device->class >= GF_CLASS_COUNT || !s->spec->targets[device->class].there ||
	    !s->ops->match(s->selector, device, s->now_ms))
		return 0;
	if (look->count == look->room) {
		size_t room = look->room ? look->room * 2 : 64;
		char(*ids)[GF_ID_MAX] = realloc(look->ids, room * sizeof(*ids));

		if (ids == NULL)
			return -ENOMEM;
		look->ids = ids;
		look->room = room;
	}
	gf_strcpy(look->ids[look->count++], GF_ID_MAX, device->id);
	return 0;
}

int runner_select(const struct runner *r, struct store_reader *reader, const struct rollout_spec *spec,
                  struct gf_time now, struct look *ret_look, struct gf_diag *diag)
{
	const struct store_device_query query = {.now_ms = now.wall_ms, .today_ms = now.wall_ms - now.wall_ms % day_ms};
	struct look look = {.fresh = true, .busy = true};
	struct selecting s = {.ops = r->config.select, .spec = spec, .now_ms = now.wall_ms, .look = &look};
	int err = s.ops->compile(r->config.select_ctx, spec->where, now.wall_ms, &s.selector, diag);

	if (err)
		return err;
	err = store_read_devices(reader, &query, select_row, &s, diag);
	s.ops->free(s.selector);
	if (err) {
		free(look.ids);
		return err;
	}
	look.again_ms = now.mono_ms + RUNNER_SELECT_MS + (int64_t)s.seen * LOOK_REST_MS;
	*ret_look = look;
	return 0;
}

struct look *runner_find_look(const struct runner *r, uint64_t id)
{
	for (size_t i = 0; i < r->looks_count; i++)
		if (r->looks[i].rollout == id)
			return &r->looks[i];
	return NULL;
}

int runner_keep_look(struct runner *r, uint64_t id, struct look look, struct look **ret_look)
{
	struct look *kept = runner_find_look(r, id);

	look.rollout = id;
	if (kept == NULL) {
		struct look *looks = realloc(r->looks, (r->looks_count + 1) * sizeof(*looks));

		if (looks == NULL) {
			free(look.ids);
			return -ENOMEM;
		}
		r->looks = looks;
		kept = &looks[r->looks_count++];
	} else
		free(kept->ids);
	*kept = look;
	*ret_look = kept;
	return 0;
}

void runner_drop_looks(struct runner *r, const uint64_t *open, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->looks_count; i++) {
		bool is_open = false;

		for (size_t n = 0; n < count && !is_open; n++)
			is_open = open[n] == r->looks[i].rollout;
		if (is_open)
			r->looks[kept++] = r->looks[i];
		else
			free(r->looks[i].ids);
	}
	r->looks_count = kept;
}

int runner_look_again(struct runner *r, uint64_t id, struct gf_time now, struct look **ret_look, struct gf_diag *diag)
{
	struct store_rollout stored;
	struct gf_diag why = {""};
	struct look look;
	int err = store_read_rollout(r->reader, id, &stored, diag);

	if (err)
		return err;
	err = runner_select(r, r->reader, &stored.rollout.spec, now, &look, &why);
	if (err == -EINVAL) {
		gf_log(GF_LOG_WARNING, "rollout", "%" PRIu64 ": whom it selects can't be told any more, who is in it stays: %s",
		       id, why.text);
		look = (struct look){.again_ms = now.mono_ms + RUNNER_SELECT_MS, .busy = true, .everybody = true};
	} else if (err) {
		gf_diag_set(diag, "%s", why.text);
		return err;
	}
	return runner_keep_look(r, id, look, ret_look);
}
