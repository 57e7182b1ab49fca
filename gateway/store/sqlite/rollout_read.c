/* Reading rollouts, for the API. */
#include <inttypes.h>
#include <stdlib.h>

#include "gateway/store/sqlite/reader.h"
#include "gateway/store/sqlite/rollout_row.h"

static void add_until(struct store_rollout_wave *wave, enum rollout_step step, int64_t deadline_ms, int64_t told_ms)
{
	if (rollout_step_ends(step) || deadline_ms == 0)
		return;
	deadline_ms += step == ROLLOUT_STEP_WAITING ? told_ms : 0;
	wave->until_ms = deadline_ms > wave->until_ms ? deadline_ms : wave->until_ms;
}

static int read_counts(struct store_reader *reader, struct store_rollout *s, struct gf_diag *diag)
{
	struct query q;
	int rc;

	query_begin(&q, &reader->db,
	            "SELECT r.wave, r.step, count(*), sum(r.step = 2 AND d.running_session <> 0), max(r.deadline_ms)"
	            " FROM rollout_devices r"
	            " CROSS JOIN devices d ON d.device = r.device WHERE r.rollout = ? GROUP BY r.wave, r.step");
	query_u64(&q, s->rollout.id);
	while ((rc = query_step(&q)) == QUERY_ROW) {
		uint64_t wave = col_u64(&q), step = col_u64(&q), count = col_u64(&q);
		struct store_rollout_wave *w;

		if (wave > ROLLOUT_WAVES_MAX || step >= ROLLOUT_STEP_COUNT)
			continue;
		w = &s->waves[wave];
		w->machines += count;
		w->steps[step] += count;
		w->in_use += col_u64(&q);
		add_until(w, (enum rollout_step)step, col_i64(&q), s->rollout.spec.deadline_ms);
		s->machines += count;
		s->steps[step] += count;
	}
	for (size_t i = 0; i < s->rollout.spec.waves_count; i++) {
		s->waves[i + 1].began_ms = s->rollout.wave_since_ms[i];
		s->waves[i + 1].done_ms = s->rollout.wave_done_ms[i];
	}
	return query_end(&q, rc, diag);
}

static int read_one(struct store_reader *reader, uint64_t id, struct store_rollout *ret_rollout, struct gf_diag *diag)
{
	struct store_rollout *s = ret_rollout;
	int r = rollout_row(&reader->db, id, &s->rollout, diag);

	if (!r)
		r = rollout_outcomes(&reader->db, &s->rollout, diag);
	return r ? r : read_counts(reader, s, diag);
}

int store_read_rollout(struct store_reader *reader, uint64_t id, struct store_rollout *ret_rollout,
                       struct gf_diag *diag)
{
	struct store_rollout s = {.machines = 0};
	int r = read_begin(reader, diag);

	if (!r)
		r = read_end(reader, read_one(reader, id, &s, diag));
	if (!r)
		*ret_rollout = s;
	return r;
}

static int next_id(struct store_reader *reader, uint64_t before, int64_t *ret_id, struct gf_diag *diag)
{
	struct query q;

	query_begin(&q, &reader->db, "SELECT max(id) FROM rollouts WHERE id < ?");
	query_u64(&q, before);
	return query_value(&q, 0, ret_id, diag);
}

static int read_all(struct store_reader *reader, uint64_t before, store_rollout_fn row, void *ctx, struct gf_diag *diag)
{
	int64_t id = 0;
	int r = next_id(reader, before ? before : INT64_MAX, &id, diag);

	while (!r && id > 0) {
		struct store_rollout s = {.machines = 0};

		r = read_one(reader, (uint64_t)id, &s, diag);
		if (!r)
			r = row(ctx, &s);
		if (!r)
			r = next_id(reader, (uint64_t)id, &id, diag);
	}
	return r;
}

int store_read_rollouts(struct store_reader *reader, uint64_t before, store_rollout_fn row, void *ctx,
                        struct gf_diag *diag)
{
	int r = read_begin(reader, diag);

	return r ? r : read_end(reader, read_all(reader, before, row, ctx, diag));
}

static int read_devices(struct store_reader *reader, uint64_t id, uint32_t after_wave, const char *after_id,
                        uint32_t steps, store_rollout_device_fn row, void *ctx, struct gf_diag *diag)
{
	struct rollout rollout;
	struct query q;
	int rc = QUERY_DONE, r = rollout_row(&reader->db, id, &rollout, diag), stopped = 0;

	if (r)
		return r;
	query_begin(&q, &reader->db,
	            ROLLOUT_DEVICE_SELECT " AND (r.wave, d.id) > (?2, ?3) AND (?4 = 0 OR (?4 >> r.step) & 1)"
	                                  " ORDER BY r.wave, d.id");
	query_u64(&q, id);
	query_i64(&q, after_wave);
	query_text(&q, after_id ? after_id : "");
	query_i64(&q, steps);
	while (!stopped && (rc = query_step(&q)) == QUERY_ROW) {
		struct rollout_device d;

		rollout_device_columns(&q, &rollout.spec, &d);
		stopped = row(ctx, &d);
	}
	return query_stop(&q, rc, stopped, diag);
}

int store_read_rollout_devices(struct store_reader *reader, uint64_t id, uint32_t after_wave, const char *after_id,
                               uint32_t steps, store_rollout_device_fn row, void *ctx, struct gf_diag *diag)
{
	int r = read_begin(reader, diag);

	return r ? r : read_end(reader, read_devices(reader, id, after_wave, after_id, steps, row, ctx, diag));
}
