/*
 * Retention: in small steps, so that a long list of old rows never holds ingest up. Heartbeats and the finer rollups go
 * by age; events, deeds and commands by number. Sessions, faults, daily rollups and what was lost stay.
 */
#include "gateway/store/judging.h"
#include "gateway/store/sqlite/writer.h"

enum { EMPTY_LOG_MS = 3600 * 1000 };

struct retention {
	const char *sql; /* parameters: device, older than, budget */
	int64_t keep_ms;
};

/* Runs a statement whose last parameter is what the budget leaves; *deleted counts on. */
static int delete_some(struct query *q, unsigned budget, unsigned *deleted, struct gf_diag *diag)
{
	int r;

	query_i64(q, budget - *deleted);
	r = query_run(q, diag);
	if (!r)
		*deleted += (unsigned)sqlite3_changes(q->db->handle);
	return r;
}

/* Deletes up to `budget` rows of one device; *ret_deleted counts them. */
static int prune_device(struct store *s, int64_t device, int64_t now_ms, unsigned budget, unsigned *ret_deleted,
                        struct gf_diag *diag)
{
	const struct retention rules[] = {
	    /* The newest heartbeat stays: it is the machine's present. */
	    {"DELETE FROM heartbeats WHERE (device, at_ms, stream, seq) IN (SELECT h.device, h.at_ms, h.stream, h.seq FROM"
	     " heartbeats h JOIN devices d USING (device) WHERE h.device = ? AND h.at_ms < ? AND NOT (h.seq ="
	     " d.heartbeat_seq AND h.stream = d.heartbeat_stream) LIMIT ?)",
	     s->options.keep_raw_ms},
	    {"DELETE FROM rollups WHERE (device, span_s, start_ms) IN (SELECT device, span_s, start_ms FROM rollups WHERE"
	     " device = ? AND span_s = 300 AND start_ms < ? LIMIT ?)",
	     s->options.keep_5min_ms},
	    {"DELETE FROM rollups WHERE (device, span_s, start_ms) IN (SELECT device, span_s, start_ms FROM rollups WHERE"
	     " device = ? AND span_s = 3600 AND start_ms < ? LIMIT ?)",
	     s->options.keep_hour_ms},
	    {"DELETE FROM boots WHERE (device, stream, boot) IN (SELECT device, stream, boot FROM boots WHERE device = ?"
	     " AND epoch_ms < ? LIMIT ?)",
	     s->options.keep_hour_ms},
	};
	unsigned deleted = 0;

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]) && deleted < budget; i++) {
		struct query q;
		int r;

		query_begin(&q, &s->db, rules[i].sql);
		query_i64(&q, device);
		query_i64(&q, now_ms - rules[i].keep_ms);
		r = delete_some(&q, budget, &deleted, diag);
		if (r)
			return r;
	}
	*ret_deleted = deleted;
	return 0;
}

/* What goes by number: the newest are kept. The ids of commands have holes. */
static int prune_lists(struct store *s, unsigned budget, unsigned *ret_deleted, struct gf_diag *diag)
{
	static const struct {
		const char *sql;
		int64_t kept;
	} lists[] = {
	    {"DELETE FROM events WHERE id IN (SELECT id FROM events WHERE id <= (SELECT max(id) FROM events) - ?"
	     " ORDER BY id LIMIT ?)",
	     STORE_EVENTS_KEPT},
	    {"DELETE FROM deeds WHERE id IN (SELECT id FROM deeds WHERE id <= (SELECT max(id) FROM deeds) - ?"
	     " ORDER BY id LIMIT ?)",
	     STORE_DEEDS_KEPT},
	    {"DELETE FROM commands WHERE id IN (SELECT id FROM commands WHERE state <> 0 AND id <="
	     " (SELECT id FROM commands ORDER BY id DESC LIMIT 1 OFFSET ?) ORDER BY id LIMIT ?)",
	     STORE_COMMANDS_KEPT},
	    /* Open ones of people too, when there are that many: they end within days, and what made them is known. */
	    {"DELETE FROM flags WHERE id IN (SELECT id FROM flags WHERE id <= (SELECT max(id) FROM flags) - ?1"
	     " AND (ended_ms <> 0 OR (device = 0 AND kind <> 4 AND id <= (SELECT max(id) FROM flags) - 2 * ?1)) ORDER BY "
	     "id LIMIT ?2)",
	     STORE_FLAGS_KEPT},
	};
	unsigned deleted = 0;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]) && deleted < budget; i++) {
		struct query q;
		int r;

		query_begin(&q, &s->db, lists[i].sql);
		query_i64(&q, lists[i].kept);
		r = delete_some(&q, budget, &deleted, diag);
		if (r)
			return r;
	}
	*ret_deleted = deleted;
	return 0;
}

/* The device after the one where the last call stopped; 0 = all were visited. */
static int next_device(struct store *s, int64_t after, int64_t *ret_device, struct gf_diag *diag)
{
	struct query q;

	query_begin(&q, &s->db, "SELECT min(device) FROM devices WHERE device > ?");
	query_i64(&q, after);
	return query_value(&q, 0, ret_device, diag);
}

static int forget_people(struct store *s, int64_t now_ms, unsigned budget, unsigned *used, struct gf_diag *diag)
{
	const unsigned before = *used;
	int r = people_age(s, now_ms, budget, used, diag);

	s->forgot = s->forgot || *used != before;
	return r;
}

static int prune(struct store *s, int64_t now_ms, unsigned budget, bool *ret_more, struct gf_diag *diag)
{
	unsigned used = 0;
	int r = prune_lists(s, budget, &used, diag);

	*ret_more = true;
	if (!r && used < budget)
		r = forget_people(s, now_ms, budget, &used, diag);
	while (!r && used < budget) {
		unsigned deleted = 0;
		int64_t device = 0;

		r = next_device(s, s->maintain_device, &device, diag);
		if (!r && !device) {
			s->maintain_device = 0;
			*ret_more = false;
			return 0;
		}
		if (!r)
			r = prune_device(s, device, now_ms, budget - used, &deleted, diag);
		if (r)
			return r;
		/* A device that filled the budget is visited again. A visit costs something too. */
		if (deleted < budget - used)
			s->maintain_device = device;
		used += deleted + 1;
	}
	return r;
}

/*
 * Takes what no reader still needs, never waits. The log is written from its beginning again and again, so what is far behind in it may stay there for
 * months: after tokens were forgotten it is emptied, when nobody reads just then; seldom, since writing it anew costs a little more.
 */
static int checkpoint(struct store *s, int64_t now_ms, bool all_done, struct gf_diag *diag)
{
	const bool early = now_ms >= s->log_emptied_ms && now_ms - s->log_emptied_ms < EMPTY_LOG_MS;
	const bool empty = s->forgot && all_done && !early;
	int rc, r = store_lock(s, diag);

	if (r)
		return r;
	sqlite3_busy_timeout(s->db.handle, 0);
	rc = sqlite3_wal_checkpoint_v2(s->db.handle, NULL, empty ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE,
	                               NULL, NULL);
	sqlite3_busy_timeout(s->db.handle, (int)s->options.busy_timeout_ms);
	if (empty && rc == SQLITE_OK) {
		s->forgot = false;
		s->log_emptied_ms = now_ms;
	}
	store_unlock(s);
	return 0;
}

int store_maintain(struct store *s, int64_t now_ms, unsigned budget, bool *ret_more, struct gf_diag *diag)
{
	bool more = false;
	int r = store_begin(s, diag);

	if (r)
		return r;
	r = store_finish(s, prune(s, now_ms, budget, &more, diag), diag);
	if (!r)
		r = checkpoint(s, now_ms, !more, diag);
	if (!r)
		*ret_more = more;
	return r;
}
