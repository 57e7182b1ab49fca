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
	/* Whoever tells of a flag: it is of interest as its rule says. */
	query_begin(&q, &s->db,
	            "INSERT INTO events (at_ms, kind, device, text, ref, code, notify) VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
	            " CASE WHEN ?2 = ?7 THEN ifnull((SELECT notify FROM flags WHERE id = ?5), 0) ELSE 0 END)");
	query_i64(&q, at_ms);
	query_i64(&q, kind);
	query_text(&q, device ? device : "");
	query_text(&q, text);
	query_u64(&q, ref);
	query_text(&q, code ? code : "");
	query_i64(&q, STORE_EVENT_FLAG);
	r = query_run(&q, diag);
	if (!r)
		s->batch_event = (uint64_t)sqlite3_last_insert_rowid(s->db.handle);
	return r;
}
