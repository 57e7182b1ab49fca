/* What people say of faults: seen, cleared, found. Each with its event and its audit entry. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gateway/store/sqlite/case.h"
#include "proto/base/clock.h"

enum { GONE_MS = 24 * 3600 * 1000 };
static const char action_clear[] = "fault clear";

/* What must be known of a case to say something of it. */
struct subject {
	int64_t id, device, code, first_ms, last_ms, open, cleared_ms, severity;
	bool reported, gone; /* its machine has been unheard for a day */
	char machine[GF_ID_MAX];
	char name[96]; /* "fault 12 (overtemp_motor)" */
};

static int load(struct store *s, uint64_t id, int64_t now_ms, struct subject *ret_subject, struct gf_diag *diag)
{
	struct subject c = {.id = 0};
	struct query q;
	int rc, r;

	query_begin(&q, &s->db,
	            "SELECT c.id, c.device, c.code, c.first_ms, c.last_ms, c.open, c.cleared_ms, c.severity, c.reported,"
	            " d.online = 0 AND d.last_seen_ms <= ?2, d.id FROM cases c JOIN devices d USING (device)"
	            " WHERE c.id = coalesce((SELECT id FROM case_aliases WHERE old = ?1), ?1)");
	query_u64(&q, id);
	query_i64(&q, now_ms - GONE_MS);
	rc = query_step(&q);
	if (rc == QUERY_ROW) {
		int64_t *const numbers[] = {&c.id,      &c.device, &c.code,       &c.first_ms,
		                            &c.last_ms, &c.open,   &c.cleared_ms, &c.severity};

		for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
			*numbers[i] = col_i64(&q);
		c.reported = col_i64(&q);
		c.gone = col_i64(&q);
		col_text(&q, c.machine, sizeof(c.machine));
	}
	r = query_end(&q, rc, diag);
	if (r)
		return r;
	if (!c.id) {
		gf_diag_set(diag, "there is no fault %" PRIu64 "; gymfleet faults shows those that are", id);
		return -ENOENT;
	}
	snprintf(c.name, sizeof(c.name), "fault %" PRId64 " (%s)", c.id,
	         c.reported ? "damage" : gf_fault_name((enum gf_fault)c.code));
	*ret_subject = c;
	return 0;
}

/* "fault 12 (stall) acknowledged by anna: belt ordered" */
static int tell(struct store *s, const struct subject *c, const char *code, const char *did, const char *note,
                const struct store_actor *actor, int64_t now_ms, struct gf_diag *diag)
{
	return event_add(s, now_ms, STORE_EVENT_FAULT, c->machine, (uint64_t)c->id, code, diag, "%s %s by %s%s%s", c->name,
	                 did, actor->who, note[0] ? ": " : "", note);
}

static int log_deed(struct store *s, const struct subject *c, const char *action, const char *note,
                    const struct store_actor *actor, int64_t now_ms, struct gf_diag *diag)
{
	char detail[STORE_REASON_MAX + 128];

	snprintf(detail, sizeof(detail), "%s%s%s", c->name, note[0] ? ": " : "", note);
	return store_deed_add(s, actor, action, c->machine, detail, now_ms, diag);
}

/* ---- seen ---- */

static int load_acked(struct store *s, int64_t id, struct store_acked *ret_acked, struct gf_diag *diag)
{
	struct store_acked acked = {.before_ms = 0};
	struct query q;
	int rc, r;

	query_begin(&q, &s->db, "SELECT acked_ms, acked_by, ack_note FROM cases WHERE id = ?");
	query_i64(&q, id);
	rc = query_step(&q);
	if (rc == QUERY_ROW) {
		acked.before_ms = col_i64(&q);
		col_text(&q, acked.before_by, sizeof(acked.before_by));
		col_text(&q, acked.before_note, sizeof(acked.before_note));
	}
	r = query_end(&q, rc, diag);
	if (!r)
		*ret_acked = acked;
	return r;
}

static int acknowledge(struct store *s, uint64_t id, const char *note, const struct store_actor *actor, int64_t now_ms,
                       struct store_acked *ret_acked, struct gf_diag *diag)
{
	struct subject c;
	struct query q;
	int r = load(s, id, now_ms, &c, diag);

	if (!r)
		r = load_acked(s, c.id, ret_acked, diag);
	if (r)
		return r;
	query_begin(&q, &s->db, "UPDATE cases SET acked_ms = ?, acked_by = ?, ack_note = ? WHERE id = ?");
	query_i64(&q, now_ms);
	query_text(&q, actor->who);
	query_text(&q, note);
	query_i64(&q, c.id);
	r = query_run(&q, diag);
	if (!r)
		r = log_deed(s, &c, "fault ack", note, actor, now_ms, diag);
	return r ? r : tell(s, &c, "acknowledged", "acknowledged", note, actor, now_ms, diag);
}

int store_case_ack(struct store *s, uint64_t id, const char *note, const struct store_actor *actor, int64_t now_ms,
                   struct store_acked *ret_acked, struct gf_diag *diag)
{
	struct store_acked acked;
	int r = store_begin(s, diag);

	if (r)
		return r;
	r = store_finish(s, acknowledge(s, id, note ? note : "", actor, now_ms, &acked, diag), diag);
	if (!r && ret_acked)
		*ret_acked = acked;
	return r;
}

/* ---- cleared ---- */

/* Faults that the machine has in hand itself: not of an earlier life, and none of what it dropped since may be the clearing. */
static int count_in_hand(struct store *s, const struct subject *c, int64_t *ret_count, struct gf_diag *diag)
{
	struct query q;

	query_begin(&q, &s->db,
	            "SELECT count(*) FROM faults f JOIN devices d USING (device) WHERE f.device = ?1 AND f.code = ?2"
	            " AND f.raised_ms BETWEEN ?3 AND ?4 AND f.cleared_ms IS NULL AND f.stream >= d.stream"
	            " AND NOT EXISTS (SELECT 1 FROM lost l WHERE l.device = f.device AND l.stream = f.stream"
	            " AND l.faults > 0 AND l.recv_ms >= f.raised_ms)");
	query_i64(&q, c->device);
	query_i64(&q, c->code);
	query_i64(&q, c->first_ms);
	query_i64(&q, c->last_ms);
	return query_value(&q, 0, ret_count, diag);
}

/* Somebody was faster, or the machine was. */
static int fail_cleared(struct store *s, const struct subject *c, struct gf_diag *diag)
{
	char when[GF_RFC3339_MAX];
	struct store_deed last;
	int r = deed_last(s, action_clear, c->machine, c->name, &last, diag);

	if (r)
		return r;
	/* The machine may have cleared it since. */
	if (last.at_ms == c->cleared_ms)
		gf_diag_set(diag, "%s of '%s' was cleared at %s already, by %s%s", c->name, c->machine,
		            gf_time_format(c->cleared_ms, when), last.actor.who, last.detail + strlen(c->name));
	else
		gf_diag_set(diag, "%s of '%s' was cleared at %s already", c->name, c->machine,
		            gf_time_format(c->cleared_ms, when));
	return STORE_E_NOT_ALLOWED;
}

static int may_clear(struct store *s, const struct subject *c, struct gf_diag *diag)
{
	int64_t in_hand = 0;
	int r = 0;

	if (!c->open)
		return fail_cleared(s, c, diag);
	if (!c->reported && !c->gone)
		r = count_in_hand(s, c, &in_hand, diag);
	if (r || !in_hand)
		return r;
	if (c->severity == GF_SEVERITY_LATCH)
		gf_diag_set(diag,
		            "%s of '%s' is latched: only staff at the machine may clear it: hold the staff key 3 s once its "
		            "cause is gone",
		            c->name, c->machine);
	else
		gf_diag_set(
		    diag,
		    "%s of '%s' is still there, and clears by itself once its cause is gone; what stays is for staff at "
		    "the machine only: hold the staff key 3 s once its cause is gone",
		    c->name, c->machine);
	return STORE_E_NOT_ALLOWED;
}

static int clear_reported(struct store *s, const struct subject *c, int64_t now_ms, struct gf_diag *diag)
{
	struct query q;

	query_begin(&q, &s->db,
	            "UPDATE cases SET open = 0, cleared_ms = max(?2, first_ms), cleared_by = ?3,"
	            " lasted_ms = max(?2 - first_ms, 0) WHERE id = ?1");
	query_i64(&q, c->id);
	query_i64(&q, now_ms);
	query_i64(&q, GF_CLEARED_BY_STAFF);
	return query_run(&q, diag);
}

/* The faults are cleared as their machine would have. */
static int clear_faults(struct store *s, const struct subject *c, const char *who, int64_t now_ms, struct gf_diag *diag)
{
	struct query q;
	int64_t id;
	int rc = QUERY_DONE, r = 0;

	query_begin(
	    &q, &s->db,
	    "UPDATE faults SET cleared_ms = max(?5, raised_ms), cleared_by = ?6, lasted_ms = max(?5 - raised_ms, 0),"
	    " forced = 1 WHERE device = ?1 AND code = ?2 AND raised_ms BETWEEN ?3 AND ?4 AND cleared_ms IS NULL"
	    " RETURNING raised_ms, cleared_ms, lasted_ms");
	query_i64(&q, c->device);
	query_i64(&q, c->code);
	query_i64(&q, c->first_ms);
	query_i64(&q, c->last_ms);
	query_i64(&q, now_ms);
	query_i64(&q, GF_CLEARED_BY_STAFF);
	while (!r && (rc = query_step(&q)) == QUERY_ROW) {
		struct case_cleared cleared = {.device = c->device, .code = c->code, .by = GF_CLEARED_BY_STAFF, .person = who};

		cleared.raised_ms = col_i64(&q);
		cleared.cleared_ms = col_i64(&q);
		cleared.lasted_ms = col_i64(&q);
		r = case_clear(s, &cleared, &id, diag);
	}
	return query_stop(&q, rc, r, diag);
}

static int clear(struct store *s, uint64_t id, const char *note, const struct store_actor *actor, int64_t now_ms,
                 struct gf_diag *diag)
{
	struct subject c;
	int r = load(s, id, now_ms, &c, diag);

	if (!r)
		r = may_clear(s, &c, diag);
	if (!r && c.reported)
		r = clear_reported(s, &c, now_ms, diag);
	else if (!r)
		r = clear_faults(s, &c, actor->who, now_ms, diag);
	if (!r)
		r = log_deed(s, &c, action_clear, note, actor, now_ms, diag);
	return r ? r : tell(s, &c, "cleared", "cleared", note, actor, now_ms, diag);
}

int store_case_clear(struct store *s, uint64_t id, const char *note, const struct store_actor *actor, int64_t now_ms,
                     struct gf_diag *diag)
{
	int r = store_begin(s, diag);

	return r ? r : store_finish(s, clear(s, id, note ? note : "", actor, now_ms, diag), diag);
}

/* ---- found ---- */

static int report(struct store *s, const char *device, const char *text, const struct store_actor *actor,
                  int64_t now_ms, uint64_t *ret_id, struct gf_diag *diag)
{
	struct case_row row = {
	    .severity = GF_SEVERITY_DERATE,
	    .times = 1,
	    .open = 1,
	    .first_ms = now_ms,
	    .last_ms = now_ms,
	    .observed = (double)NAN,
	    .limit = (double)NAN,
	};
	struct subject c = {.reported = true};
	int r = device_find(s, device, &row.device, diag);

	if (r)
		return r;
	gf_strcpy_utf8(row.detail, sizeof(row.detail), text);
	gf_strcpy(row.person, sizeof(row.person), actor->who);
	r = case_insert(s, &row, diag);
	c.id = row.id;
	gf_strcpy(c.machine, sizeof(c.machine), device);
	snprintf(c.name, sizeof(c.name), "fault %" PRId64 " (damage)", row.id);
	if (!r)
		r = log_deed(s, &c, "fault report", row.detail, actor, now_ms, diag);
	if (!r)
		r = tell(s, &c, "damage", "reported", row.detail, actor, now_ms, diag);
	if (!r)
		*ret_id = (uint64_t)row.id;
	return r;
}

int store_case_report(struct store *s, const char *device, const char *text, const struct store_actor *actor,
                      int64_t now_ms, uint64_t *ret_id, struct gf_diag *diag)
{
	uint64_t id = 0;
	int r = store_begin(s, diag);

	if (r)
		return r;
	r = store_finish(s, report(s, device, text, actor, now_ms, &id, diag), diag);
	if (!r)
		*ret_id = id;
	return r;
}
