/* The reader itself, and what doctor wants to know of the database. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "gateway/store/sqlite/reader.h"
#include "gateway/store/sqlite/schema.h"

enum { READER_BUSY_MS = 5000 };

int store_reader_open(const char *path, struct store_reader **ret_reader, struct gf_diag *diag)
{
	struct store_reader *reader = calloc(1, sizeof(*reader));
	unsigned version = 0;
	int r;

	if (!reader)
		return -ENOMEM;
	r = db_open(&reader->db, path, DB_READER, READER_BUSY_MS, diag);
	if (r) {
		free(reader);
		return r;
	}
	r = schema_read_version(&reader->db, &version, diag);
	if (!r)
		r = schema_check(&reader->db, version, diag);
	if (r) {
		store_reader_close(reader);
		return r;
	}
	*ret_reader = reader;
	return 0;
}

void store_reader_close(struct store_reader *reader)
{
	if (!reader)
		return;
	db_close(&reader->db);
	free(reader);
}

int read_begin(struct store_reader *r, struct gf_diag *diag)
{
	return db_exec(&r->db, "BEGIN", diag);
}

int read_end(struct store_reader *r, int result)
{
	/* Ending a transaction that only read can't lose anything. */
	(void)sqlite3_exec(r->db.handle, "COMMIT", NULL, NULL, NULL);
	return result;
}

/* ---- stats ---- */

static uint64_t file_bytes(const char *path, const char *suffix)
{
	char name[4096];
	struct stat st;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	return stat(name, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static int read_numbers(struct store_reader *reader, struct store_stats *s, struct gf_diag *diag)
{
	const struct {
		const char *sql;
		uint64_t *dst;
	} numbers[] = {
	    {"SELECT count(*) FROM devices", &s->devices},
	    {"SELECT sum(sessions) FROM devices", &s->sessions},
	    {"SELECT max(id) FROM events", &s->events_last},
	    {"SELECT count(*) FROM quarantine", &s->quarantine_kept},
	    {"SELECT value FROM meta WHERE key = 'epoch'", &s->epoch},
	    {"SELECT value FROM meta WHERE key = 'quarantined'", &s->quarantined},
	    {"SELECT value FROM meta WHERE key = 'records_lost'", &s->records_lost},
	    {"SELECT value FROM meta WHERE key = 'stray_answers'", &s->stray_answers},
	    {"SELECT value FROM meta WHERE key = 'heartbeats'", &s->heartbeats_applied},
	    {"SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size", &s->free_bytes},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct query q;
		int64_t value = 0;
		int r;

		query_begin(&q, &reader->db, numbers[i].sql);
		r = query_value(&q, 0, &value, diag);
		if (r)
			return r;
		*numbers[i].dst = (uint64_t)value;
	}
	return 0;
}

static int read_last_quarantine(struct store_reader *reader, struct store_stats *s, struct gf_diag *diag)
{
	struct query q;
	int rc;

	query_begin(&q, &reader->db,
	            "SELECT recv_ms, device, reason FROM quarantine ORDER BY recv_ms DESC, id DESC LIMIT 1");
	rc = query_step(&q);
	if (rc == QUERY_ROW) {
		s->quarantine_last_ms = col_i64(&q);
		col_text(&q, s->quarantine_last_device, sizeof(s->quarantine_last_device));
		col_text(&q, s->quarantine_last_reason, sizeof(s->quarantine_last_reason));
	}
	return query_end(&q, rc, diag);
}

int store_read_stats(struct store_reader *reader, struct store_stats *ret_stats, struct gf_diag *diag)
{
	struct store_stats s = {
	    .db_bytes = file_bytes(reader->db.path, ""),
	    .wal_bytes = file_bytes(reader->db.path, "-wal"),
	};
	int r = read_begin(reader, diag);

	if (r)
		return r;
	r = schema_read_version(&reader->db, &s.schema_version, diag);
	if (!r)
		r = read_numbers(reader, &s, diag);
	if (!r)
		r = read_last_quarantine(reader, &s, diag);
	r = read_end(reader, r);
	if (!r)
		*ret_stats = s;
	return r;
}

int store_read_integrity(struct store_reader *reader, struct gf_diag *diag)
{
	char text[256] = "";
	struct query q;
	int rc, r;

	query_begin(&q, &reader->db, "PRAGMA quick_check(1)");
	rc = query_step(&q);
	if (rc == QUERY_ROW)
		col_text(&q, text, sizeof(text));
	r = query_end(&q, rc, diag);
	if (r || strcmp(text, "ok") == 0)
		return r;
	gf_diag_set(diag, "the database '%s' is damaged (%s); stop the gateway and restore the file from a backup",
	            reader->db.path, text);
	return STORE_E_CORRUPT;
}
