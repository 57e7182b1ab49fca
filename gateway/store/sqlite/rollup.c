#include "gateway/store/sqlite/rollup.h"

#include <math.h>

#include "gateway/store/sqlite/schema.h"

#define ROLLUP_NAMES(s) ", " #s "_min, " #s "_max, " #s "_sum, " #s "_ms"
#define ROLLUP_PARAMS(s) ", ?, ?, ?, ?"
/* min() and max() of two values are NULL when one is: coalesce each with the other. */
#define ROLLUP_MERGE(s)                                                                                             \
	", " #s "_min = min(coalesce(" #s "_min, excluded." #s "_min), coalesce(excluded." #s "_min, " #s "_min)), " #s \
	"_max = max(coalesce(" #s "_max, excluded." #s "_max), coalesce(excluded." #s "_max, " #s "_max)), " #s         \
	"_sum = coalesce(" #s "_sum, 0) + coalesce(excluded." #s "_sum, 0), " #s "_ms = " #s "_ms + excluded." #s "_ms"

#define SENSOR_NAMES SCHEMA_SENSORS(ROLLUP_NAMES)
#define SENSOR_PARAMS SCHEMA_SENSORS(ROLLUP_PARAMS)
#define SENSOR_MERGES SCHEMA_SENSORS(ROLLUP_MERGE)

static const unsigned spans_s[ROLLUP_SPANS] = {300, 3600, 86400};

static size_t slot_of(int64_t device, unsigned span_s, int64_t start_ms)
{
	uint64_t mixed = ((uint64_t)device * 31 + span_s) * 0x9E3779B97F4A7C15U ^ (uint64_t)start_ms;
	return (size_t)(mixed * 0x9E3779B97F4A7C15U >> 40) % ROLLUP_INDEX;
}

static struct rollup_bucket *bucket_of(struct rollups *r, int64_t device, unsigned span_s, int64_t start_ms)
{
	size_t slot = slot_of(device, span_s, start_ms);

	for (; r->index[slot] != 0; slot = (slot + 1) % ROLLUP_INDEX) {
		struct rollup_bucket *b = &r->buckets[r->index[slot] - 1];
		if (b->device == device && b->span_s == span_s && b->start_ms == start_ms)
			return b;
	}
	struct rollup_bucket *b = &r->buckets[r->count++];
	*b = (struct rollup_bucket){.device = device, .span_s = span_s, .start_ms = start_ms};
	for (size_t i = 0; i < GF_SENSOR_COUNT; i++)
		b->sensors[i] = (struct rollup_sensor){.min = (double)NAN, .max = (double)NAN};
	r->index[slot] = (uint16_t)r->count;
	return b;
}

static void add(struct rollup_bucket *b, const struct gf_heartbeat *h)
{
	/* One without an interval still says something: it counts as a millisecond. */
	int64_t weight = h->interval_ms ? h->interval_ms : 1;

	b->covered_ms += h->interval_ms;
	b->motor_ms += h->motor_ms;
	for (size_t i = 1; i < GF_SENSOR_COUNT; i++) {
		const struct gf_stat *s = &h->sensors[i];
		struct rollup_sensor *to = &b->sensors[i];

		if (!s->present)
			continue;
		to->min = fmin(to->min, (double)s->min);
		to->max = fmax(to->max, (double)s->max);
		to->sum += (double)s->mean * (double)weight;
		to->ms += weight;
	}
}

void rollups_add(struct rollups *rollups, int64_t device, int64_t at_ms, const struct gf_heartbeat *heartbeat)
{
	for (size_t i = 0; i < ROLLUP_SPANS; i++) {
		int64_t span_ms = spans_s[i] * 1000LL;
		add(bucket_of(rollups, device, spans_s[i], at_ms - at_ms % span_ms), heartbeat);
	}
}

static int write_bucket(struct db *db, const struct rollup_bucket *b, struct gf_diag *diag)
{
	struct query q;

	query_begin(
	    &q, db,
	    "INSERT INTO rollups (device, span_s, start_ms, covered_ms, motor_ms" SENSOR_NAMES
	    ") VALUES (?, ?, ?, ?, ?" SENSOR_PARAMS ") ON CONFLICT (device, span_s, start_ms) DO UPDATE SET"
	    " covered_ms = covered_ms + excluded.covered_ms, motor_ms = motor_ms + excluded.motor_ms" SENSOR_MERGES);
	query_i64(&q, b->device);
	query_i64(&q, b->span_s);
	query_i64(&q, b->start_ms);
	query_i64(&q, b->covered_ms);
	query_i64(&q, b->motor_ms);
	for (size_t i = 1; i < GF_SENSOR_COUNT; i++) {
		const struct rollup_sensor *s = &b->sensors[i];

		query_real(&q, s->min);
		query_real(&q, s->max);
		query_real(&q, s->ms > 0 ? s->sum : (double)NAN);
		query_i64(&q, s->ms);
	}
	return query_run(&q, diag);
}

int rollups_write(struct rollups *rollups, struct db *db, struct gf_diag *diag)
{
	for (size_t i = 0; i < rollups->count; i++) {
		int r = write_bucket(db, &rollups->buckets[i], diag);
		if (r)
			return r;
	}
	rollups_forget(rollups);
	return 0;
}

int rollups_reserve(struct rollups *rollups, struct db *db, struct gf_diag *diag)
{
	return rollups->count + ROLLUP_ROOM > ROLLUP_BUCKETS_MAX ? rollups_write(rollups, db, diag) : 0;
}

void rollups_forget(struct rollups *rollups)
{
	if (rollups->count == 0)
		return;
	rollups->count = 0;
	memset(rollups->index, 0, sizeof(rollups->index));
}
