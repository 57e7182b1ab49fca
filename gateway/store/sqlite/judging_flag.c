/* Flags as they are found, change and end, with their events and what they hold. An event never says whom a person's flag is about. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "gateway/store/sqlite/flag.h"
#include "gateway/store/sqlite/writer.h"
#include "proto/base/clock.h"

/* ---- what is known ---- */

int flag_behind(struct db *db, uint64_t flag, struct episode *episode, struct gf_diag *diag)
{
	struct query q;
	int rc;

	episode->behind_count = 0;
	query_begin(&q, db, "SELECT kind, device, no FROM flag_facts WHERE flag = ? ORDER BY n");
	query_u64(&q, flag);
	while ((rc = query_step(&q)) == QUERY_ROW && episode->behind_count < EPISODE_BEHIND_MAX) {
		struct fact_ref *ref = &episode->behind[episode->behind_count++];

		ref->kind = (enum fact_kind)col_i64(&q);
		ref->device = col_i64(&q);
		ref->no = col_u64(&q);
	}
	return query_end(&q, rc, diag);
}

void flag_episode_columns(struct query *q, struct episode *e)
{
	e->opened_ms = col_i64(q);
	e->acted_ms = col_i64(q);
	e->last_ms = col_i64(q);
	e->ended_ms = col_i64(q);
	e->level = (enum rule_level)col_i64(q);
	e->observed = col_real(q);
	e->limit = col_real(q);
	e->condition = (size_t)col_u64(q);
	e->times = (uint32_t)col_i64(q);
}

static enum episode_end episode_end_of(enum store_flag_end end)
{
	return end == STORE_FLAG_CLEARED ? EPISODE_CLEARED : end == STORE_FLAG_EXPIRED ? EPISODE_EXPIRED : EPISODE_OPEN;
}

int store_flags_known(struct store *s, const char *rule, const struct store_subject *subject, int64_t since_ms,
                      store_known_fn row, void *ctx, struct gf_diag *diag)
{
	struct query q;
	int rc = QUERY_DONE, r = 0;

	query_begin(&q, &s->db,
	            "SELECT id, muscle, side, end_kind, " FLAG_EPISODE_COLUMNS
	            " FROM flags f WHERE kind = ? AND key = ? AND"
	            " rule = ? AND iif(ended_ms = 0, 9223372036854775807, ended_ms) >= ? AND end_kind < 3"
	            " ORDER BY opened_ms, id");
	query_i64(&q, subject->kind);
	query_i64(&q, subject->key);
	query_text(&q, rule);
	query_i64(&q, since_ms);
	while (!r && (rc = query_step(&q)) == QUERY_ROW) {
		struct flag_known known = {.id = col_u64(&q)};
		enum gf_muscle muscle = (enum gf_muscle)col_i64(&q);
		enum gf_side side = (enum gf_side)col_i64(&q);
		struct episode e = {.end = episode_end_of((enum store_flag_end)col_i64(&q))};

		flag_episode_columns(&q, &e);
		known.opened_ms = e.opened_ms;
		known.ended_ms = e.ended_ms;
		r = flag_behind(&s->db, known.id, &e, diag);
		if (!r)
			r = row(ctx, &known, &e, muscle, side);
	}
	return query_stop(&q, rc, r, diag);
}

int store_flag_whole(struct store *s, uint64_t id, bool *ret_whole, struct gf_diag *diag)
{
	struct query q;
	int64_t gone = 0;
	int r;

	query_begin(&q, &s->db,
	            "SELECT EXISTS (SELECT 1 FROM flags f JOIN flag_facts x ON x.flag = f.id LEFT JOIN sessions s ON"
	            " s.device = x.device AND s.session_no = x.no WHERE f.id = ?1 AND x.kind = ?2 AND (s.device IS NULL OR"
	            " (s.subject_token <> f.key AND s.staff_token <> f.key)))");
	query_u64(&q, id);
	query_i64(&q, FACT_SESSION);
	r = query_value(&q, 0, &gone, diag);
	if (!r)
		*ret_whole = gone == 0;
	return r;
}

/* ---- writing ---- */

/* A flag as it was, as far as events and holds need it. */
struct before {
	int64_t acted_ms, ended_ms;
	unsigned released;
	bool holds;
};

static int load_before(struct store *s, uint64_t id, struct before *ret_before, struct gf_diag *diag)
{
	struct before b = {0};
	struct query q;
	int rc, r;

	query_begin(&q, &s->db,
	            "SELECT acted_ms, ended_ms, released, EXISTS (SELECT 1 FROM holds h WHERE h.device = f.device AND"
	            " h.source = 'flag ' || f.id) FROM flags f WHERE id = ?");
	query_u64(&q, id);
	rc = query_step(&q);
	if (rc == QUERY_ROW) {
		b.acted_ms = col_i64(&q);
		b.ended_ms = col_i64(&q);
		b.released = (unsigned)col_i64(&q);
		b.holds = col_i64(&q);
	}
	r = query_end(&q, rc, diag);
	if (!r && rc != QUERY_ROW)
		r = -ENOENT;
	if (!r)
		*ret_before = b;
	return r;
}

static void give_state(struct query *q, const struct store_flag *f, bool notify)
{
	const struct episode *e = &f->episode;

	query_i64(q, e->opened_ms);
	query_i64(q, e->acted_ms);
	query_i64(q, e->last_ms);
	query_i64(q, e->ended_ms);
	query_i64(q, f->end);
	query_i64(q, e->level);
	query_real(q, e->observed);
	query_real(q, e->limit);
	query_u64(q, e->condition);
	query_i64(q, e->times);
	query_i64(q, f->severity);
	query_text(q, f->title);
	query_text(q, f->text);
	query_text(q, f->advice);
	query_text(q, f->metric);
	query_i64(q, f->window_ms);
	query_i64(q, f->due_ms);
	query_i64(q, notify);
	query_text(q, f->site);
}

#define STATE_COLUMNS                                                                                             \
	"opened_ms, acted_ms, last_ms, ended_ms, end_kind, level, observed, limit_value, condition, times, severity," \
	" title, text, advice, metric, window_ms, due_ms, notify, site"

/* Found so long after it opened; what is found at once isn't late. */
static int64_t late_ms(int64_t found_ms, int64_t opened_ms)
{
	return found_ms - opened_ms > STORE_LATE_MS ? found_ms - opened_ms : 0;
}

static int insert(struct store *s, const struct store_flag *f, bool notify, int64_t now_ms, uint64_t *ret_id,
                  struct gf_diag *diag)
{
	struct query q;
	int r;

	query_begin(&q, &s->db,
	            "INSERT INTO flags (" STATE_COLUMNS ", rule, kind, key, muscle, side, device, found_ms, late_ms)"
	            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	give_state(&q, f, notify);
	query_text(&q, f->rule);
	query_i64(&q, f->subject.kind);
	query_i64(&q, f->subject.key);
	query_i64(&q, f->muscle);
	query_i64(&q, f->side);
	query_i64(&q, f->subject.kind == RULE_SUBJECT_DEVICE ? f->subject.key : 0);
	query_i64(&q, now_ms);
	query_i64(&q, late_ms(now_ms, f->episode.opened_ms));
	r = query_run(&q, diag);
	if (!r)
		*ret_id = (uint64_t)sqlite3_last_insert_rowid(s->db.handle);
	return r;
}

static int update(struct store *s, const struct store_flag *f, bool notify, struct gf_diag *diag)
{
	struct query q;

	query_begin(&q, &s->db,
	            "UPDATE flags SET (" STATE_COLUMNS
	            ", late_ms) = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
	            " iif(found_ms - ?1 > ?20, found_ms - ?1, 0)) WHERE id = ?21");
	give_state(&q, f, notify);
	query_i64(&q, STORE_LATE_MS);
	query_u64(&q, f->id);
	return query_run(&q, diag);
}

static int write_behind(struct store *s, uint64_t id, const struct episode *e, struct gf_diag *diag)
{
	struct query q;
	int r;

	query_begin(&q, &s->db, "DELETE FROM flag_facts WHERE flag = ? AND n >= ?");
	query_u64(&q, id);
	query_u64(&q, e->behind_count);
	r = query_run(&q, diag);
	for (size_t i = 0; i < e->behind_count && !r; i++) {
		query_begin(&q, &s->db,
		            "INSERT INTO flag_facts (flag, n, kind, device, no) VALUES (?, ?, ?, ?, ?) ON CONFLICT (flag, n) DO"
		            " UPDATE SET (kind, device, no) = (excluded.kind, excluded.device, excluded.no) WHERE kind <>"
		            " excluded.kind OR device <> excluded.device OR no <> excluded.no");
		query_u64(&q, id);
		query_u64(&q, i);
		query_i64(&q, e->behind[i].kind);
		query_i64(&q, e->behind[i].device);
		query_u64(&q, e->behind[i].no);
		r = query_run(&q, diag);
	}
	return r;
}

/* ---- events ---- */

enum { WHOM_MAX = 2 * GF_NAME_MAX };

static const char *of_whom(const struct store_flag *f, char buf[static WHOM_MAX])
{
	switch (f->subject.kind) {
	case RULE_SUBJECT_AREA:
		snprintf(buf, WHOM_MAX, "a person's %s %s", gf_muscle_name(f->muscle), gf_side_name(f->side));
		break;
	case RULE_SUBJECT_PERSON:
		snprintf(buf, WHOM_MAX, "a person");
		break;
	case RULE_SUBJECT_STAFF:
		snprintf(buf, WHOM_MAX, "one of the staff");
		break;
	case RULE_SUBJECT_SITE:
		snprintf(buf, WHOM_MAX, "site %s", f->site);
		break;
	default:
		gf_strcpy(buf, WHOM_MAX, f->device);
	}
	return buf;
}

static int tell(struct store *s, const struct store_flag *f, uint64_t id, const char *code, int64_t at_ms,
                int64_t found_late_ms, struct gf_diag *diag)
{
	char whom[WHOM_MAX], duration[GF_DURATION_MAX], late[GF_DURATION_MAX + 32] = "";

	if (found_late_ms > 0)
		snprintf(late, sizeof(late), " (found %s late)", gf_duration_format(found_late_ms, duration));
	return event_add(s, at_ms, STORE_EVENT_FLAG, f->subject.kind == RULE_SUBJECT_DEVICE ? f->device : NULL, id, code,
	                 diag, "flag %" PRIu64 " %s: %s, %s: %s%s", id, code, f->rule, of_whom(f, whom), f->text, late);
}

static int tell_changes(struct store *s, const struct store_flag *f, uint64_t id, const struct before *b,
                        int64_t now_ms, struct gf_diag *diag)
{
	const struct episode *e = &f->episode;
	bool made = f->id == 0;
	int r = 0;

	if (made || (b->ended_ms != 0 && e->ended_ms == 0))
		r = tell(s, f, id, "opened", e->opened_ms, late_ms(now_ms, e->opened_ms), diag);
	if (!r && !made && b->acted_ms == 0 && e->acted_ms != 0)
		r = tell(s, f, id, "act", e->acted_ms, late_ms(now_ms, e->acted_ms), diag);
	if (!r && e->ended_ms != 0 && (made || b->ended_ms == 0))
		r = tell(s, f, id, store_flag_end_name(f->end), e->ended_ms, late_ms(now_ms, e->ended_ms), diag);
	return r;
}

/* ---- holds ---- */

static int hold(struct store *s, const struct store_flag *f, uint64_t id, const struct before *b, bool lock,
                float cap_pct, int64_t now_ms, struct gf_diag *diag)
{
	char source[GF_NAME_MAX], reason[GF_TEXT_MAX + RULE_TEXT_MAX];
	bool open = f->episode.ended_ms == 0 && f->end == STORE_FLAG_OPEN;

	lock = lock && open && !(b->released & FLAG_RELEASED_LOCK);
	cap_pct = open && !(b->released & FLAG_RELEASED_CAP) ? cap_pct : 0;
	if (f->subject.kind != RULE_SUBJECT_DEVICE || (!lock && !(cap_pct > 0) && !b->holds))
		return 0;
	snprintf(source, sizeof(source), "flag %" PRIu64, id);
	snprintf(reason, sizeof(reason), "%s (%s): %s", source, f->rule, f->text);
	return hold_set(s, f->subject.key, source, lock, reason, cap_pct, now_ms, diag);
}

int store_flag_save(struct store *s, const struct store_flag *flag, bool lock, float cap_pct, bool notify,
                    int64_t now_ms, uint64_t *ret_id, struct gf_diag *diag)
{
	struct before b = {0};
	uint64_t id = flag->id;
	int r;

	if (id != 0) {
		r = load_before(s, id, &b, diag);
		if (!r)
			r = update(s, flag, notify, diag);
	} else {
		r = insert(s, flag, notify, now_ms, &id, diag);
	}
	if (!r)
		r = write_behind(s, id, &flag->episode, diag);
	if (!r)
		r = tell_changes(s, flag, id, &b, now_ms, diag);
	if (!r)
		r = hold(s, flag, id, &b, lock, cap_pct, now_ms, diag);
	if (!r)
		*ret_id = id;
	return r;
}
