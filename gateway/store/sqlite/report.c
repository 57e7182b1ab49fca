/*
 * Reports: the one place where a machine's stream becomes the fleet's history.
 *
 * Happy path: the report's stream is known and its first record is acked_seq + 1; each record is applied under a
 * savepoint by the function its kind has in the table; acked_seq moves past it. Duplicates and overlaps are skipped by
 * seq. A hole applies nothing and yields the ack as it was, which makes the machine send from there again.
 *
 * A record the database refuses, or with numbers no machine can reach, is rolled back alone, counted as rejected and
 * acked: one poison record never wedges a device, and never the batch it came with.
 */
#include <errno.h>

#include "gateway/store/sqlite/writer.h"

/* No counter of a machine comes near it (139 years in milliseconds), and sums of many stay within 64 bits. */
static const uint64_t counter_max = 1ULL << 42;

/* ---- lost ---- */

struct lost_counts {
	uint64_t heartbeats, sessions, faults, others, total;
};

/* What the record counts, cut to the `room` of records that are really missing here: some of the dropped ones may have
 * been stored before. Heartbeats are cut first; they are what a spool drops first. */
static struct lost_counts lost_count(const struct gf_lost *lost, uint64_t room)
{
	struct lost_counts c = {
	    .heartbeats = lost->counts[GF_RECORD_HEARTBEAT],
	    .sessions = lost->counts[GF_RECORD_SESSION_ENDED],
	    .faults = lost->counts[GF_RECORD_FAULT_RAISED] + lost->counts[GF_RECORD_FAULT_CLEARED],
	    .total = room,
	};
	uint64_t *const keep[] = {&c.sessions, &c.faults, &c.heartbeats};

	for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++) {
		if (*keep[i] > room)
			*keep[i] = room;
		room -= *keep[i];
	}
	c.others = room;
	return c;
}

/* `first` is the first seq of it that isn't stored yet. */
static int lost_apply(struct apply *a, uint64_t first)
{
	const struct gf_lost *lost = &a->rec->lost;
	struct lost_counts c = lost_count(lost, lost->through_seq - first + 1);
	struct query q;
	int r;

	query_begin(&q, a->db,
	            "INSERT OR REPLACE INTO lost (device, stream, seq, through_seq, heartbeats, sessions, faults, others,"
	            " first_ms, last_ms, recv_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	query_i64(&q, a->dev->key);
	query_i64(&q, a->stream);
	query_u64(&q, first);
	query_u64(&q, lost->through_seq);
	query_u64(&q, c.heartbeats);
	query_u64(&q, c.sessions);
	query_u64(&q, c.faults);
	query_u64(&q, c.others);
	query_u64(&q, lost->first_wall_ms);
	query_u64(&q, lost->last_wall_ms);
	query_i64(&q, a->recv_ms);
	r = query_run(&q, a->diag);
	if (r)
		return r;
	a->store->batch_counts[META_LOST] += c.total;
	return event_add(a->store, a->at_ms, STORE_EVENT_LOST, a->dev->id, c.total, "spool_full", a->diag,
	                 "its spool was full: %llu records dropped, among them %llu heartbeats, %llu sessions, %llu faults",
	                 (unsigned long long)c.total, (unsigned long long)c.heartbeats, (unsigned long long)c.sessions,
	                 (unsigned long long)c.faults);
}

/* ---- records ---- */

/* A kind without a function is acked and not kept: unknown to this build, or without meaning for the history. */
static int (*const appliers[GF_RECORD_COUNT])(struct apply *) = {
    [GF_RECORD_HEARTBEAT] = heartbeat_apply,
    [GF_RECORD_SESSION_STARTED] = session_started_apply,
    [GF_RECORD_SESSION_ENDED] = session_ended_apply,
    [GF_RECORD_FAULT_RAISED] = fault_raised_apply,
    [GF_RECORD_FAULT_CLEARED] = fault_cleared_apply,
    [GF_RECORD_LIMIT_HIT] = limit_hit_apply,
    [GF_RECORD_CATALOG_CHANGED] = catalog_changed_apply,
    [GF_RECORD_DESIRED_APPLIED] = desired_applied_apply,
};

static bool odometer_sane(const struct gf_odometer *o)
{
	return o->motor_ms <= counter_max && o->sessions <= counter_max && o->cycles <= counter_max;
}

static bool record_sane(const struct gf_record *rec)
{
	if (rec->boot > counter_max || rec->uptime_ms > counter_max || rec->wall_ms > INT64_MAX)
		return false;
	switch (rec->kind) {
	case GF_RECORD_HEARTBEAT:
		return odometer_sane(&rec->heartbeat.odometer);
	case GF_RECORD_SESSION_STARTED:
		return rec->session_started.session_no > 0 && rec->session_started.session_no <= counter_max;
	case GF_RECORD_SESSION_ENDED:
		return rec->session_ended.start.session_no > 0 && rec->session_ended.start.session_no <= counter_max &&
		       rec->session_ended.motor_ms <= counter_max && odometer_sane(&rec->session_ended.odometer);
	case GF_RECORD_FAULT_RAISED:
		return rec->fault_raised.fault_no <= counter_max;
	case GF_RECORD_FAULT_CLEARED:
		return rec->fault_cleared.fault_no <= counter_max && rec->fault_cleared.lasted_ms <= counter_max;
	default:
		return true;
	}
}

static int apply_kind(struct apply *a, uint64_t first)
{
	const struct gf_record *rec = a->rec;
	int r = device_place(a, rec->boot, rec->uptime_ms, rec->wall_ms, rec->clock_synced, &a->at_ms, &a->source);

	if (r)
		return r;
	a->dev->last_record_ms = a->at_ms;
	if (rec->kind == GF_RECORD_LOST)
		return lost_apply(a, first);
	if ((unsigned)rec->kind >= GF_RECORD_COUNT || !appliers[rec->kind])
		return 0;
	return appliers[rec->kind](a);
}

static int run(struct apply *a, const char *sql)
{
	struct query q;

	query_begin(&q, a->db, sql);
	return query_run(&q, a->diag);
}

/* One record, alone: 0, -EINVAL when it was refused and left no trace, or a failure of the store. */
static int apply_record(struct apply *a, const struct gf_record *rec, uint64_t first)
{
	struct device before = *a->dev;
	struct life_base base = a->base;
	int r, end = 0;

	if (!record_sane(rec))
		return -EINVAL;
	r = people_told(a, rec, &rec);
	if (r)
		return r;
	life_take(a, rec);
	r = run(a, "SAVEPOINT record");
	if (!r)
		r = apply_kind(a, first);
	if (r && r != -EINVAL)
		return r;
	if (r) {
		*a->dev = before;
		a->base = base;
		end = run(a, "ROLLBACK TO record");
	}
	if (!end)
		end = run(a, "RELEASE record");
	return end ? end : r;
}

static int apply_records(struct apply *a, const struct gf_report *report, const bool *bad, struct stream *stream,
                         uint32_t *ret_rejected)
{
	uint64_t seq = report->first_seq;
	uint32_t rejected = 0;

	for (size_t i = 0; i < report->records_count; i++) {
		const struct gf_record *rec = &report->records[i];
		bool is_bad = bad && bad[i];
		uint64_t through = is_bad ? seq : gf_record_through(rec);

		seq = through + 1;
		if (through > stream->acked_seq) {
			int r = is_bad ? -EINVAL : apply_record(a, rec, stream->acked_seq + 1);

			if (r && r != -EINVAL)
				return r;
			rejected += r == -EINVAL;
			stream->acked_seq = through;
		}
	}
	*ret_rejected = rejected;
	return 0;
}

/* Whether it has something of the stream that isn't stored yet. */
static bool goes_on(const struct gf_report *report, const struct stream *stream)
{
	uint64_t last = report->first_seq + report->records_count - 1;

	return report->first_seq <= stream->acked_seq + 1 && last > stream->acked_seq;
}

int store_apply_report(struct store *s, const char *device, const struct gf_report *report, const bool *bad,
                       int64_t recv_ms, struct gf_ack *ret_ack, struct gf_diag *diag)
{
	struct device dev = {0};
	struct apply a = {.store = s, .db = &s->db, .dev = &dev, .recv_ms = recv_ms, .diag = diag};
	struct stream stream = {0};
	uint32_t rejected = 0;
	bool made;
	int r = rollups_reserve(&s->rollups, &s->db, diag);

	if (!r)
		r = device_load(s, device, recv_ms, &dev, diag);
	if (!r)
		r = device_stream(&a, &report->stream, 0, &made, &stream);
	/* An old disk is back when the machine said so at its birth; else it is a report that comes late. */
	if (!r && stream.number < dev.stream && stream.number == dev.last_stream && goes_on(report, &stream))
		r = device_stream_return(&a, &report->stream, &stream);
	if (!r) {
		uint64_t before = stream.acked_seq;

		a.stream = stream.number;
		if (stream.number == dev.stream)
			dev.last_stream = stream.number;
		a.base = stream.base;
		a.seen = stream.seen;
		r = presence_heard(&a);
		if (!r && report->first_seq <= before + 1)
			r = apply_records(&a, report, bad, &stream, &rejected);
		if (!r && stream.acked_seq != before)
			r = device_stream_ack(&a, stream.number, stream.acked_seq);
	}
	if (!r)
		r = device_save(s, &dev, diag);
	if (!r)
		*ret_ack = (struct gf_ack){report->stream, stream.acked_seq, rejected};
	return r;
}
