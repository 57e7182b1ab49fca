/* Where the receivers of events are. */
#include "gateway/store/telling.h"
#include "gateway/store/sqlite/reader.h"
#include "gateway/store/sqlite/writer.h"

static int read_row(struct store *s, struct store_told *row, struct gf_diag *diag)
{
	struct store_told found = *row;
	struct query q;
	int rc, r;

	query_begin(&q, &s->db, "SELECT cursor, told, summed, missed, passed_over, passed_ms FROM told WHERE receiver = ?");
	query_text(&q, row->receiver);
	rc = query_step(&q);
	if (rc == QUERY_ROW) {
		found.cursor = col_u64(&q);
		found.told = col_u64(&q);
		found.summed = col_u64(&q);
		found.missed = col_u64(&q);
		found.passed_over = col_u64(&q);
		found.passed_ms = col_i64(&q);
	}
	r = query_end(&q, rc, diag);
	if (!r)
		*row = found;
	return r;
}

static int begin_row(struct store *s, struct store_told *row, struct gf_diag *diag)
{
	struct query q;
	int r;

	query_begin(&q, &s->db,
	            "INSERT INTO told (receiver, cursor) VALUES (?, (SELECT ifnull(max(id), 0) FROM events))"
	            " ON CONFLICT (receiver) DO NOTHING");
	query_text(&q, row->receiver);
	r = query_run(&q, diag);
	return r ? r : read_row(s, row, diag);
}

static bool is_among(const struct store_told *rows, size_t count, const char *receiver)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(rows[i].receiver, receiver) == 0)
			return true;
	return false;
}

static int forget(struct store *s, const char *receiver, struct gf_diag *diag)
{
	struct query q;

	query_begin(&q, &s->db, "DELETE FROM told WHERE receiver = ?");
	query_text(&q, receiver);
	return query_run(&q, diag);
}

/* The first receiver after `after` that isn't among the rows; "" = none. */
static int next_stranger(struct store *s, const struct store_told *rows, size_t count, char name[static GF_NAME_MAX],
                         struct gf_diag *diag)
{
	char after[GF_NAME_MAX];
	struct query q;
	int rc;

	memcpy(after, name, sizeof(after));
	query_begin(&q, &s->db, "SELECT receiver FROM told WHERE receiver > ? ORDER BY receiver");
	query_text(&q, after);
	do {
		name[0] = '\0';
		rc = query_step(&q);
		if (rc == QUERY_ROW)
			col_text(&q, name, GF_NAME_MAX);
	} while (rc == QUERY_ROW && is_among(rows, count, name));
	return query_end(&q, rc, diag);
}

static int begin_all(struct store *s, struct store_told *rows, size_t count, struct gf_diag *diag)
{
	char stranger[GF_NAME_MAX] = "";
	int r = 0;

	for (size_t i = 0; i < count && !r; i++)
		r = begin_row(s, &rows[i], diag);
	while (!r) {
		r = next_stranger(s, rows, count, stranger, diag);
		if (r || stranger[0] == '\0')
			break;
		r = forget(s, stranger, diag);
	}
	return r;
}

int store_tell_begin(struct store *s, struct store_told *rows, size_t count, struct gf_diag *diag)
{
	int r = store_begin(s, diag);

	return r ? r : store_finish(s, begin_all(s, rows, count, diag), diag);
}

static int save_row(struct store *s, const struct store_told *row, struct gf_diag *diag)
{
	struct query q;

	query_begin(&q, &s->db,
	            "UPDATE told SET cursor = max(cursor, ?2), told = ?3, summed = ?4, missed = ?5, passed_over = ?6,"
	            " passed_ms = ?7 WHERE receiver = ?1");
	query_text(&q, row->receiver);
	query_u64(&q, row->cursor);
	query_u64(&q, row->told);
	query_u64(&q, row->summed);
	query_u64(&q, row->missed);
	query_u64(&q, row->passed_over);
	query_i64(&q, row->passed_ms);
	return query_run(&q, diag);
}

int store_tell_save(struct store *s, const struct store_told *rows, size_t count, struct gf_diag *diag)
{
	int r = store_begin(s, diag);

	if (r)
		return r;
	for (size_t i = 0; i < count && !r; i++)
		r = save_row(s, &rows[i], diag);
	return store_finish(s, r, diag);
}

int store_tell_note(struct store *s, const char *receiver, const char *text, int64_t now_ms, struct gf_diag *diag)
{
	int r = store_begin(s, diag);

	if (r)
		return r;
	return store_finish(s, event_add(s, now_ms, STORE_EVENT_WEBHOOK, NULL, 0, receiver, diag, "%s", text), diag);
}

int store_read_event_oldest(struct store_reader *reader, uint64_t *ret_id, struct gf_diag *diag)
{
	struct query q;
	int64_t id = 0;
	int r;

	query_begin(&q, &reader->db, "SELECT min(id) FROM events");
	r = query_value(&q, 0, &id, diag);
	if (!r)
		*ret_id = (uint64_t)id;
	return r;
}
