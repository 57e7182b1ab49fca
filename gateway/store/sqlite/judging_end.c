/* Flags that end without a fact: withdrawn ones, and those of rules that are gone; what people say to them; and which rules were in force. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/store/sqlite/flag.h"
#include "gateway/store/sqlite/writer.h"

struct ending {
	uint64_t id;
	int64_t device;
	char rule[GF_NAME_MAX], device_id[GF_ID_MAX], text[RULE_TEXT_MAX], metric[GF_NAME_MAX];
	bool open;
	enum rule_subject kind;
	size_t condition;
};

#define ENDING_SELECT                                                                              \
	"SELECT f.id, f.device, f.rule, coalesce(d.id, ''), f.text, f.ended_ms = 0, f.metric, f.kind," \
	" f.condition FROM flags f LEFT JOIN devices d USING (device) WHERE "

static void read_ending(struct query *q, struct ending *e)
{
	e->id = col_u64(q);
	e->device = col_i64(q);
	col_text(q, e->rule, sizeof(e->rule));
	col_text(q, e->device_id, sizeof(e->device_id));
	col_text(q, e->text, sizeof(e->text));
	e->open = col_i64(q);
	col_text(q, e->metric, sizeof(e->metric));
	e->kind = (enum rule_subject)col_i64(q);
	e->condition = (size_t)col_u64(q);
}

static int release(struct store *s, const struct ending *e, int64_t now_ms, struct gf_diag *diag)
{
	char source[GF_NAME_MAX];

	if (e->device == 0)
		return 0;
	snprintf(source, sizeof(source), "flag %" PRIu64, e->id);
	return hold_set(s, e->device, source, false, "", 0, now_ms, diag);
}

static int tell(struct store *s, const struct ending *e, const char *code, const char *why, int64_t now_ms,
                struct gf_diag *diag)
{
	return event_add(s, now_ms, STORE_EVENT_FLAG, e->device_id[0] ? e->device_id : NULL, e->id, code, diag,
	                 "flag %" PRIu64 " %s: %s: %s (%s)", e->id, code, e->rule, e->text, why);
}

static int end_with(struct store *s, const struct ending *e, enum store_flag_end end, const char *why, int64_t now_ms,
                    struct gf_diag *diag)
{
	struct query q;
	int r;

	query_begin(&q, &s->db,
	            "UPDATE flags SET end_kind = ?2, ended_ms = iif(ended_ms = 0, max(?3, opened_ms), ended_ms), due_ms = 0"
	            " WHERE id = ?1");
	query_u64(&q, e->id);
	query_i64(&q, end);
	query_i64(&q, now_ms);
	r = query_run(&q, diag);
	if (!r)
		r = tell(s, e, store_flag_end_name(end), why, now_ms, diag);
	return r ? r : release(s, e, now_ms, diag);
}

static int find(struct store *s, uint64_t id, struct ending *ret_ending, struct gf_diag *diag)
{
	struct ending e = {0};
	struct query q;
	int rc, r;

	query_begin(&q, &s->db, ENDING_SELECT "f.id = ?");
	query_u64(&q, id);
	rc = query_step(&q);
	if (rc == QUERY_ROW)
		read_ending(&q, &e);
	r = query_end(&q, rc, diag);
	if (!r && e.id == 0) {
		gf_diag_set(diag, "there is no flag %" PRIu64 "; `gymfleet overuse` lists them", id);
		r = -ENOENT;
	}
	if (!r)
		*ret_ending = e;
	return r;
}

int store_flag_withdraw(struct store *s, uint64_t id, int64_t now_ms, struct gf_diag *diag)
{
	struct ending e;
	int r = find(s, id, &e, diag);

	return r ? r
	         : end_with(s, &e, STORE_FLAG_WITHDRAWN, "what is known by now shows that there was nothing", now_ms, diag);
}

/* ---- rules ---- */

static const struct store_rule_kept *kept(const char *rule, const struct store_rule_kept *rules, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(rule, rules[i].id) == 0)
			return &rules[i];
	return NULL;
}

/* What it tells about would be judged by nobody any more, or go on as something else. */
static bool means_the_same(const struct ending *e, const struct store_rule_kept *rule)
{
	return e->kind == rule->subject && e->condition < rule->conditions_count &&
	       strcmp(e->metric, rule->metrics[e->condition]) == 0;
}

/* The first open flag after `after` whose rule is gone, or is another one by now; id 0: there is none. */
static int next_gone(struct store *s, uint64_t after, const struct store_rule_kept *rules, size_t count,
                     struct ending *ret_ending, struct gf_diag *diag)
{
	struct ending e = {0};
	struct query q;
	int rc;

	query_begin(&q, &s->db, ENDING_SELECT "f.ended_ms = 0 AND f.id > ? AND f.rule <> ? ORDER BY f.id");
	query_u64(&q, after);
	query_text(&q, STORE_RULE_JUDGING);
	while ((rc = query_step(&q)) == QUERY_ROW) {
		const struct store_rule_kept *rule;

		read_ending(&q, &e);
		rule = kept(e.rule, rules, count);
		if (rule == NULL || !means_the_same(&e, rule))
			break;
		e.id = 0;
	}
	*ret_ending = e;
	return query_end(&q, rc, diag);
}

static int forget_digests(struct store *s, const struct store_rule_kept *rules, size_t count, struct gf_diag *diag)
{
	char gone[GF_NAME_MAX];
	struct query q;
	int rc, r;

	do {
		gone[0] = '\0';
		query_begin(&q, &s->db, "SELECT rule FROM rule_digests");
		while ((rc = query_step(&q)) == QUERY_ROW && !gone[0]) {
			char rule[GF_NAME_MAX];

			col_text(&q, rule, sizeof(rule));
			if (kept(rule, rules, count) == NULL)
				gf_strcpy(gone, sizeof(gone), rule);
		}
		r = query_end(&q, rc, diag);
		if (r || !gone[0])
			return r;
		query_begin(&q, &s->db, "DELETE FROM rule_digests WHERE rule = ?");
		query_text(&q, gone);
		r = query_run(&q, diag);
	} while (!r);
	return r;
}

int store_flags_keep_rules(struct store *s, const struct store_rule_kept *rules, size_t count, int64_t now_ms,
                           struct gf_diag *diag)
{
	struct ending e = {0};
	int r = next_gone(s, 0, rules, count, &e, diag);

	while (!r && e.id != 0) {
		const char *why = kept(e.rule, rules, count) == NULL ? "rules.yaml has no such rule any more"
		                                                     : "rules.yaml has another rule under this id now";

		r = end_with(s, &e, STORE_FLAG_RULE_GONE, why, now_ms, diag);
		if (!r)
			r = next_gone(s, e.id, rules, count, &e, diag);
	}
	return r ? r : forget_digests(s, rules, count, diag);
}

int store_rules_known(struct store *s, bool *ret_known, struct gf_diag *diag)
{
	struct query q;
	int64_t known = 0;
	int r = store_begin(s, diag);

	if (r)
		return r;
	query_begin(&q, &s->db, "SELECT EXISTS (SELECT 1 FROM rule_digests)");
	r = store_finish(s, query_value(&q, 0, &known, diag), diag);
	if (!r)
		*ret_known = known != 0;
	return r;
}

int store_rule_digest(struct store *s, const char *rule, uint64_t *ret_digest, struct gf_diag *diag)
{
	struct query q;
	int64_t digest = 0;
	int r;

	query_begin(&q, &s->db, "SELECT digest FROM rule_digests WHERE rule = ?");
	query_text(&q, rule);
	r = query_value(&q, 0, &digest, diag);
	if (!r)
		*ret_digest = (uint64_t)digest;
	return r;
}

int store_rule_digest_set(struct store *s, const char *rule, uint64_t digest, struct gf_diag *diag)
{
	struct query q;

	query_begin(&q, &s->db,
	            "INSERT INTO rule_digests (rule, digest) VALUES (?, ?) ON CONFLICT (rule) DO UPDATE SET digest ="
	            " excluded.digest");
	query_text(&q, rule);
	query_i64(&q, (int64_t)digest);
	return query_run(&q, diag);
}

/* ---- people ---- */

/* What was said of it before, and whether it holds its machine. */
static int load_acked(struct store *s, uint64_t id, struct store_acked *ret_acked, struct gf_diag *diag)
{
	struct store_acked acked = {.before_ms = 0};
	struct query q;
	int rc, r;

	query_begin(&q, &s->db,
	            "SELECT acked_ms, acked_by, ack_note, EXISTS (SELECT 1 FROM holds h WHERE h.device = f.device AND"
	            " h.source = 'flag ' || f.id) FROM flags f WHERE id = ?");
	query_u64(&q, id);
	rc = query_step(&q);
	if (rc == QUERY_ROW) {
		acked.before_ms = col_i64(&q);
		col_text(&q, acked.before_by, sizeof(acked.before_by));
		col_text(&q, acked.before_note, sizeof(acked.before_note));
		acked.lifted = col_i64(&q);
	}
	r = query_end(&q, rc, diag);
	if (!r)
		*ret_acked = acked;
	return r;
}

static int ack(struct store *s, uint64_t id, const char *note, bool lift, const struct store_actor *actor,
               int64_t now_ms, struct store_acked *ret_acked, struct gf_diag *diag)
{
	char subject[GF_NAME_MAX * 2], line[STORE_NOTE_MAX];
	struct ending e;
	struct query q;
	int r = find(s, id, &e, diag);

	if (!r)
		r = load_acked(s, id, ret_acked, diag);
	if (r)
		return r;
	lift = ret_acked->lifted = lift && ret_acked->lifted;
	gf_strcpy_utf8(line, sizeof(line), note ? note : "");
	query_begin(
	    &q, &s->db,
	    "UPDATE flags SET acked_ms = ?2, acked_by = ?3, ack_note = ?4, released = released | (?5 & coalesce((SELECT"
	    " iif(h.locks <> 0, 1, 0) | iif(h.cap_pct > 0, 2, 0) FROM holds h WHERE h.device = flags.device AND"
	    " h.source = 'flag ' || flags.id), 0)) WHERE id = ?1");
	query_u64(&q, id);
	query_i64(&q, now_ms);
	query_text(&q, actor->who);
	query_text(&q, line);
	query_i64(&q, lift ? FLAG_RELEASED_LOCK | FLAG_RELEASED_CAP : 0);
	r = query_run(&q, diag);
	snprintf(subject, sizeof(subject), "flag %" PRIu64 " (%s)", id, e.rule);
	if (!r)
		r = store_deed_add(s, actor, lift ? "overuse release" : "overuse ack", subject, line, now_ms, diag);
	if (!r)
		r = event_add(s, now_ms, STORE_EVENT_FLAG, e.device_id[0] ? e.device_id : NULL, id, "acked", diag,
		              "flag %" PRIu64 " acknowledged by %s%s%s%s", id, actor->who, lift ? ", its hold is lifted" : "",
		              line[0] ? ": " : "", line);
	return r || !lift ? r : release(s, &e, now_ms, diag);
}

int store_flag_ack(struct store *s, uint64_t id, const char *note, bool lift, const struct store_actor *actor,
                   int64_t now_ms, struct store_acked *ret_acked, struct gf_diag *diag)
{
	struct store_acked acked;
	int r = store_begin(s, diag);

	if (r)
		return r;
	r = store_finish(s, ack(s, id, note, lift, actor, now_ms, &acked, diag), diag);
	if (!r && ret_acked)
		*ret_acked = acked;
	return r;
}
