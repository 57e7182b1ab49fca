/* Reading flags, newest opening first. */
#include "gateway/store/judging.h"
#include "gateway/store/sqlite/flag.h"
#include "gateway/store/sqlite/place.h"
#include "gateway/store/sqlite/reader.h"

/* Of a machine's: where it is while it is open, so that somebody goes there; then, where it was. */
#define FLAG_SITE \
	"iif(f.device = 0, f.site, " PLACE_SITE("f.device", "iif(f.ended_ms = 0, 9223372036854775807, f.opened_ms)") ")"
#define FLAG_SELECT                                                                                                    \
	"SELECT f.id, f.rule, f.kind, f.key, f.muscle, f.side, coalesce(d.id, ''), " FLAG_SITE ", f.end_kind, f.severity," \
	" f.title, f.text, f.advice, f.metric, f.window_ms, f.found_ms, f.late_ms, f.due_ms, f.acked_ms, f.acked_by,"      \
	" f.ack_note, EXISTS (SELECT 1 FROM holds h WHERE h.device = f.device AND h.source = 'flag ' || f.id),"            \
	" " FLAG_EPISODE_COLUMNS " FROM flags f LEFT JOIN devices d USING (device) WHERE "
#define FLAG_PAGE                                                                                                      \
	" AND (?2 <> 0 OR f.end_kind <> 3) AND (f.opened_ms >= ?3 OR f.ended_ms >= ?3) AND (f.opened_ms, f.id) < (?4, ?5)" \
	" AND (?6 = '' OR f.rule = ?6)"                                                                                    \
	" ORDER BY f.opened_ms DESC, f.id DESC"

static void read_flag(struct query *q, struct store_flag *f)
{
	f->id = col_u64(q);
	col_text(q, f->rule, sizeof(f->rule));
	f->subject.kind = (enum rule_subject)col_i64(q);
	f->subject.key = col_i64(q);
	f->muscle = (enum gf_muscle)col_i64(q);
	f->side = (enum gf_side)col_i64(q);
	col_text(q, f->device, sizeof(f->device));
	col_text(q, f->site, sizeof(f->site));
	f->end = (enum store_flag_end)col_i64(q);
	f->severity = (enum rule_severity)col_i64(q);
	col_text(q, f->title, sizeof(f->title));
	col_text(q, f->text, sizeof(f->text));
	col_text(q, f->advice, sizeof(f->advice));
	col_text(q, f->metric, sizeof(f->metric));
	f->window_ms = col_i64(q);
	f->found_ms = col_i64(q);
	f->late_ms = col_i64(q);
	f->due_ms = col_i64(q);
	f->acked_ms = col_i64(q);
	col_text(q, f->acked_by, sizeof(f->acked_by));
	col_text(q, f->ack_note, sizeof(f->ack_note));
	f->holds = col_i64(q);
	flag_episode_columns(q, &f->episode);
	f->episode.end = f->end == STORE_FLAG_CLEARED   ? EPISODE_CLEARED
	                 : f->end == STORE_FLAG_EXPIRED ? EPISODE_EXPIRED
	                                                : EPISODE_OPEN;
}

/* ?1 = the flag, the device, or nothing. */
static const char *text_for(const struct store_flag_query *query)
{
	if (query->id)
		return FLAG_SELECT "f.id = ?1" FLAG_PAGE;
	if (query->open_only)
		return query->device ? FLAG_SELECT "f.ended_ms = 0 AND f.device = ?1" FLAG_PAGE
		                     : FLAG_SELECT "f.ended_ms = 0 AND ?1 = 0" FLAG_PAGE;
	return query->device ? FLAG_SELECT "f.device = ?1 AND f.device <> 0" FLAG_PAGE : FLAG_SELECT "?1 = 0" FLAG_PAGE;
}

static int read_all(struct store_reader *reader, const struct store_flag_query *query, store_flag_fn row, void *ctx,
                    struct gf_diag *diag)
{
	int64_t key = 0;
	struct query q;
	int rc = QUERY_DONE, r = read_device_key(reader, query->device, &key, diag);

	if (r || (query->device && !key))
		return r;
	query_begin(&q, &reader->db, text_for(query));
	query_i64(&q, query->id ? (int64_t)query->id : key);
	query_i64(&q, query->id || query->with_withdrawn);
	query_i64(&q, query->id ? INT64_MIN : query->since_ms);
	query_i64(&q, query->after_id ? query->after_opened_ms : INT64_MAX);
	query_u64(&q, query->after_id);
	query_text(&q, query->rule ? query->rule : "");
	while (!r && (rc = query_step(&q)) == QUERY_ROW) {
		struct store_flag f = {.id = 0};

		read_flag(&q, &f);
		r = flag_behind(&reader->db, f.id, &f.episode, diag);
		if (!r)
			r = row(ctx, &f);
	}
	return query_stop(&q, rc, r, diag);
}

int store_read_flags(struct store_reader *reader, const struct store_flag_query *query, store_flag_fn row, void *ctx,
                     struct gf_diag *diag)
{
	int r = read_begin(reader, diag);

	return r ? r : read_end(reader, read_all(reader, query, row, ctx, diag));
}
