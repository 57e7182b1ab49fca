/*
 * The writer: opening, batches, and the small changes that are a transaction of their own.
 *
 * A failed commit leaves nothing: SQLite rolls back. When the disk itself failed (an fsync that returned an error must
 * not be tried again on the same pages), the file is opened anew before the next batch and everything still in the log
 * is written and synced into the database first.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/store/sqlite/place.h"
#include "gateway/store/sqlite/schema.h"
#include "gateway/store/sqlite/writer.h"
#include "gateway/store/wishes.h"
#include "proto/base/clock.h"
#include "proto/base/span.h"

enum { QUARANTINE_EVENT_MS = 60 * 1000, QUARANTINE_COMPARED = 16 };

const char *const meta_names[META_COUNT] = {
#define X(s, n) [META_##s] = n,
    META_COUNTERS(X)
#undef X
};

static const int64_t meta_count_max = INT64_MAX / 4;

static int load_last_event(struct store *s, struct gf_diag *diag)
{
	struct query q;
	int64_t last = 0;
	int r;

	query_begin(&q, &s->db, "SELECT max(id) FROM events");
	r = query_value(&q, 0, &last, diag);
	if (!r)
		atomic_store(&s->last_event, (uint64_t)last);
	return r;
}

static int open_file(struct store *s, struct gf_diag *diag)
{
	int r = db_open(&s->db, s->path, DB_WRITER, s->options.busy_timeout_ms, diag);

	if (r)
		return r;
	r = schema_migrate(&s->db, 0, diag);
	if (!r)
		r = load_last_event(s, diag);
	if (r)
		db_close(&s->db);
	return r;
}

static int64_t or_default(int64_t value, int64_t fallback)
{
	return value > 0 ? value : fallback;
}

int store_open(const struct store_options *options, struct store **ret_store, struct gf_diag *diag)
{
	struct store *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->path = strdup(options->path);
	s->options = *options;
	s->options.path = NULL;
	s->options.keep_raw_ms = or_default(options->keep_raw_ms, 14LL * GF_DAY_MS);
	s->options.keep_5min_ms = or_default(options->keep_5min_ms, 90LL * GF_DAY_MS);
	s->options.keep_hour_ms = or_default(options->keep_hour_ms, 730LL * GF_DAY_MS);
	s->options.busy_timeout_ms = or_default(options->busy_timeout_ms, 5000);
	s->forgot = true; /* by an earlier run, for all that is known */
	r = s->path ? open_file(s, diag) : -ENOMEM;
	if (r) {
		free(s->path);
		free(s);
		return r;
	}
	pthread_mutex_init(&s->lock, NULL);
	*ret_store = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	if (s->db.handle)
		sqlite3_wal_checkpoint_v2(s->db.handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	db_close(&s->db);
	pthread_mutex_destroy(&s->lock);
	free(s->path);
	free(s);
}

/* After a failure of the disk: a new connection, and the log synced into the database before anything is built on it. */
static int reopen(struct store *s, struct gf_diag *diag)
{
	int r;

	db_close(&s->db);
	r = open_file(s, diag);
	if (!r)
		r = db_error(&s->db, sqlite3_wal_checkpoint_v2(s->db.handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL),
		             diag);
	if (!r)
		s->suspect = false;
	return r;
}

int store_lock(struct store *s, struct gf_diag *diag)
{
	int r = 0;

	pthread_mutex_lock(&s->lock);
	if (s->suspect)
		r = reopen(s, diag);
	if (r)
		pthread_mutex_unlock(&s->lock);
	return r;
}

void store_unlock(struct store *s)
{
	pthread_mutex_unlock(&s->lock);
}

int store_begin(struct store *s, struct gf_diag *diag)
{
	int r = store_lock(s, diag);

	if (r)
		return r;
	r = db_exec(&s->db, "BEGIN IMMEDIATE", diag);
	if (r) {
		store_unlock(s);
		return r;
	}
	s->in_batch = true;
	rollups_forget(&s->rollups);
	s->batch_event = 0;
	s->batch_wish = false;
	s->batch_unsettled = false;
	memset(s->batch_counts, 0, sizeof(s->batch_counts));
	return 0;
}

static void end_batch(struct store *s)
{
	s->in_batch = false;
	store_unlock(s);
}

void store_rollback(struct store *s)
{
	if (!s->in_batch)
		return;
	/* SQLite may have rolled back by itself, which makes this an error that says nothing. */
	(void)sqlite3_exec(s->db.handle, "ROLLBACK", NULL, NULL, NULL);
	end_batch(s);
}

static int add_counts(struct store *s, struct gf_diag *diag)
{
	int r = 0;

	for (size_t i = 0; i < META_COUNT && !r; i++) {
		struct query q;

		if (!s->batch_counts[i])
			continue;
		/* An overflow would be no integer any more, and the batch would fail for ever: stay at the most. */
		query_begin(&q, &s->db,
		            "INSERT INTO meta (key, value) VALUES (?1, min(?2, ?3))"
		            " ON CONFLICT (key) DO UPDATE SET value = min(value + excluded.value, ?3)");
		query_text(&q, meta_names[i]);
		query_u64(&q, s->batch_counts[i]);
		query_i64(&q, meta_count_max);
		r = query_run(&q, diag);
	}
	return r;
}

int store_commit(struct store *s, struct gf_diag *diag)
{
	int r = rollups_write(&s->rollups, &s->db, diag);

	if (!r)
		r = add_counts(s, diag);

	if (!r)
		r = db_exec(&s->db, "COMMIT", diag);
	if (r) {
		s->suspect = s->suspect || r == -EIO;
		store_rollback(s);
		return r;
	}
	if (s->batch_event)
		atomic_store(&s->last_event, s->batch_event);
	if (s->batch_wish)
		atomic_fetch_add(&s->wishes, 1);
	if (s->batch_unsettled)
		atomic_fetch_add(&s->unsettled, 1);
	end_batch(s);
	return 0;
}

int store_finish(struct store *s, int r, struct gf_diag *diag)
{
	if (!r)
		return store_commit(s, diag);
	store_rollback(s);
	return r;
}

uint64_t store_last_event(const struct store *s)
{
	return atomic_load(&s->last_event);
}

uint64_t store_wishes(const struct store *s)
{
	return atomic_load(&s->wishes);
}

int store_next_epoch(struct store *s, uint64_t *ret_epoch, struct gf_diag *diag)
{
	struct query q;
	int64_t epoch = 0;
	int r = store_begin(s, diag);

	if (r)
		return r;
	query_begin(&q, &s->db,
	            "INSERT INTO meta (key, value) VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET value = value + 1"
	            " RETURNING value");
	query_text(&q, meta_names[META_EPOCH]);
	r = store_finish(s, query_value(&q, 0, &epoch, diag), diag);
	if (!r)
		*ret_epoch = (uint64_t)epoch;
	return r;
}

/* ---- quarantine ---- */

static size_t kept_len(size_t len)
{
	return len < GF_REPORT_MAX ? len : GF_REPORT_MAX;
}

/* A machine that gets no ack sends the same bytes for ever: kept once, they don't push out what others sent. */
static int quarantine_again(struct store *s, const char *device, const char *leaf, const char *reason, const void *data,
                            size_t len, int64_t recv_ms, bool *ret_known, struct gf_diag *diag)
{
	struct query q;
	int r;

	query_begin(&q, &s->db,
	            "UPDATE quarantine SET recv_ms = ?1, reason = ?4"
	            " WHERE id IN (SELECT id FROM quarantine WHERE device = ?2 ORDER BY recv_ms DESC LIMIT ?7)"
	            " AND leaf = ?3 AND size = ?5 AND bytes = ?6");
	query_i64(&q, recv_ms);
	query_text(&q, device);
	query_text(&q, leaf);
	query_text(&q, reason);
	query_u64(&q, len);
	query_blob(&q, data ? data : "", kept_len(len));
	query_i64(&q, QUARANTINE_COMPARED);
	r = query_run(&q, diag);
	if (!r)
		*ret_known = sqlite3_changes(s->db.handle) > 0;
	return r;
}

static int quarantine_insert(struct store *s, const char *device, const char *leaf, const char *reason,
                             const void *data, size_t len, int64_t recv_ms, struct gf_diag *diag)
{
	struct query q;
	int r;

	query_begin(&q, &s->db,
	            "INSERT INTO quarantine (recv_ms, device, leaf, reason, size, bytes) VALUES (?, ?, ?, ?, ?, ?)");
	query_i64(&q, recv_ms);
	query_text(&q, device);
	query_text(&q, leaf);
	query_text(&q, reason);
	query_u64(&q, len);
	query_blob(&q, data ? data : "", kept_len(len));
	r = query_run(&q, diag);
	if (r)
		return r;
	query_begin(&q, &s->db, "DELETE FROM quarantine WHERE id <= ?");
	query_i64(&q, sqlite3_last_insert_rowid(s->db.handle) - STORE_QUARANTINE_KEPT);
	return query_run(&q, diag);
}

int store_quarantine(struct store *s, const char *device, const char *leaf, const char *reason, const void *data,
                     size_t len, int64_t recv_ms, struct gf_diag *diag)
{
	unsigned char *scrubbed = NULL;
	struct query q;
	int64_t before = 0;
	bool known = false;
	int r;

	query_begin(&q, &s->db, "SELECT max(recv_ms) FROM quarantine WHERE device = ?");
	query_text(&q, device);
	r = query_value(&q, 0, &before, diag);
	if (!r)
		r = people_scrub(s, data, kept_len(len), &scrubbed, diag);
	if (scrubbed)
		data = scrubbed;
	if (!r)
		r = quarantine_again(s, device, leaf, reason, data, len, recv_ms, &known, diag);
	if (!r && !known)
		r = quarantine_insert(s, device, leaf, reason, data, len, recv_ms, diag);
	free(scrubbed);
	if (r)
		return r;
	s->batch_counts[META_QUARANTINED]++;
	/* A device that sends garbage without end must not push everybody's events out. */
	if (before && recv_ms - before < QUARANTINE_EVENT_MS)
		return 0;
	return event_add(s, recv_ms, STORE_EVENT_QUARANTINE, device, 0, leaf, diag,
	                 "%zu bytes of %s were not understood and are kept: %.160s", len, leaf, reason);
}

/* ---- what the operator says ---- */

static int override_set(struct store *s, const char *device, const struct store_device_change *change, int64_t *ret_key,
                        struct gf_diag *diag)
{
	const char *values[] = {change->name, change->site, change->zone, change->bay};
	struct query q;
	int64_t key = 0;
	int r;

	query_begin(&q, &s->db,
	            "UPDATE devices SET name_set = CASE WHEN ?2 IS NULL THEN name_set ELSE nullif(?2, '') END,"
	            " site_set = CASE WHEN ?3 IS NULL THEN site_set ELSE nullif(?3, '') END,"
	            " zone_set = CASE WHEN ?4 IS NULL THEN zone_set ELSE nullif(?4, '') END,"
	            " bay_set = CASE WHEN ?5 IS NULL THEN bay_set ELSE nullif(?5, '') END WHERE id = ?1 RETURNING device");
	query_text(&q, device);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		query_text(&q, values[i]);
	r = query_value(&q, 0, &key, diag);
	if (!r && !key) {
		gf_diag_set(diag, "there is no device '%s'", device);
		return -ENOENT;
	}
	if (!r)
		*ret_key = key;
	return r;
}

/* "name='Window chair', zone taken back" */
static void change_text(const struct store_device_change *change, char buf[static STORE_REASON_MAX])
{
	char since[GF_RFC3339_MAX];
	const char *values[] = {change->name, change->site, change->zone, change->bay},
	           *names[] = {"name", "site", "zone", "bay"};
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]) && len < STORE_REASON_MAX; i++)
		if (values[i] && values[i][0])
			len +=
			    (size_t)snprintf(buf + len, STORE_REASON_MAX - len, "%s%s='%s'", len ? ", " : "", names[i], values[i]);
		else if (values[i])
			len += (size_t)snprintf(buf + len, STORE_REASON_MAX - len, "%s%s taken back", len ? ", " : "", names[i]);
	if (change->site && change->site_since_ms && len < STORE_REASON_MAX)
		(void)snprintf(buf + len, STORE_REASON_MAX - len, ", there since %s",
		               gf_time_format(change->site_since_ms, since));
}

int store_device_set(struct store *s, const char *device, const struct store_device_change *change,
                     const struct store_actor *actor, int64_t now_ms, struct gf_diag *diag)
{
	const int64_t since_ms = change->site_since_ms ? change->site_since_ms : now_ms;
	char text[STORE_REASON_MAX];
	int64_t key = 0;
	int r = store_begin(s, diag);

	if (r)
		return r;
	r = override_set(s, device, change, &key, diag);
	if (!r && change->site)
		r = place_moved(s, key, since_ms < now_ms ? since_ms : now_ms, now_ms, diag);
	change_text(change, text);
	if (!r)
		r = store_deed_add(s, actor, "device set", device, text, now_ms, diag);
	if (!r)
		r = event_add(s, now_ms, STORE_EVENT_DEVICE, device, 0, "set", diag, "name or place set by the operator");
	return store_finish(s, r, diag);
}
