/* Events: written with the change they tell of, in its transaction. */
#include <stdarg.h>
#include <stdio.h>

#include "gateway/store/sqlite/writer.h"

int event_add(struct store *s, int64_t at_ms, enum store_event_kind kind, const char *device, uint64_t ref,
              const char *code, struct gf_diag *diag, const char *fmt, ...)
{
	char line[GF_DIAG_MAX], text[GF_TEXT_MAX * 2];
	struct query q;
	va_list args;
	int r;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	gf_strcpy_utf8(text, sizeof(text), line);
	query_begin(&q, &s->db, "INSERT INTO events (at_ms, kind, device, text, ref, code) VALUES (?, ?, ?, ?, ?, ?)");
	query_i64(&q, at_ms);
	query_i64(&q, kind);
	query_text(&q, device ? device : "");
	query_text(&q, text);
	query_u64(&q, ref);
	query_text(&q, code ? code : "");
	r = query_run(&q, diag);
	if (!r)
		s->batch_event = (uint64_t)sqlite3_last_insert_rowid(s->db.handle);
	return r;
}

int event_notify(struct store *s, struct gf_diag *diag)
{
	struct query q;

	query_begin(&q, &s->db, "UPDATE events SET notify = 1 WHERE id = ?");
	query_u64(&q, s->batch_event);
	return query_run(&q, diag);
}
