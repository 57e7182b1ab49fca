/* Out of service: a tag hangs on a machine, and locks it. Those taken off are kept: they were downtime. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "gateway/store/cases.h"
#include "gateway/store/sqlite/row.h"
#include "gateway/store/sqlite/writer.h"
#include "proto/base/clock.h"

static const char hold_source[] = "tag";

/* The case that it is about: known, and of this machine. Damage that takes a machine out of service stops it. */
static int use_case(struct store *s, int64_t device, const char *id, uint64_t number, int64_t *ret_case,
                    struct gf_diag *diag)
{
	int64_t found = 0;
	struct query q;
	int r;

	*ret_case = 0;
	if (!number)
		return 0;
	query_begin(&q, &s->db,
	            "SELECT id FROM cases WHERE device = ?1 AND id = coalesce((SELECT id FROM case_aliases WHERE old = ?2),"
	            " ?2)");
	query_i64(&q, device);
	query_u64(&q, number);
	r = query_value(&q, 0, &found, diag);
	if (!r && !found) {
		gf_diag_set(diag, "fault %" PRIu64 " is none of '%s'; gymfleet faults %s shows those", number, id, id);
		return STORE_E_NOT_ALLOWED;
	}
	if (r)
		return r;
	query_begin(&q, &s->db, "UPDATE cases SET severity = max(severity, ?2) WHERE id = ?1 AND reported = 1");
	query_i64(&q, found);
	query_i64(&q, GF_SEVERITY_STOP);
	*ret_case = found;
	return query_run(&q, diag);
}

static int write_tag(struct store *s, int64_t device, const struct store_tag *tag, int64_t case_id, const char *who,
                     int64_t now_ms, struct gf_diag *diag)
{
	struct query q;

	query_begin(&q, &s->db,
	            "INSERT INTO tags (device, since_ms, reason, owner, person, back_ms, case_id) VALUES (?, ?, ?, ?, ?, ?,"
	            " ?) ON CONFLICT (device) WHERE until_ms = 0 DO UPDATE SET (reason, owner, person, back_ms, case_id) ="
	            " (excluded.reason, excluded.owner, excluded.person, excluded.back_ms,"
	            " iif(excluded.case_id <> 0, excluded.case_id, case_id))");
	query_i64(&q, device);
	query_i64(&q, now_ms);
	query_text(&q, tag->reason);
	query_text(&q, tag->owner);
	query_text(&q, who);
	query_i64(&q, tag->back_ms);
	query_i64(&q, case_id);
	return query_run(&q, diag);
}

/* "torn cover (owner: anna, back 2026-12-01T08:00:00Z)" */
static void describe(const struct store_tag *tag, char buf[static STORE_REASON_MAX])
{
	char when[GF_RFC3339_MAX], line[2 * STORE_REASON_MAX];
	bool owner = tag->owner[0] != '\0', back = tag->back_ms > 0;

	snprintf(line, sizeof(line), "%s%s%s%s%s%s%s%s", tag->reason, owner || back ? " (" : "", owner ? "owner: " : "",
	         tag->owner, owner && back ? ", " : "", back ? "back " : "", back ? gf_time_format(tag->back_ms, when) : "",
	         owner || back ? ")" : "");
	gf_strcpy_utf8(buf, STORE_REASON_MAX, line);
}

/* The case it is about becomes one of severity stop. */
static int hang(struct store *s, const char *device, const struct store_tag *tag, const struct store_actor *actor,
                int64_t now_ms, struct store_tag *ret_before, struct gf_diag *diag)
{
	char text[STORE_REASON_MAX], reason[GF_TEXT_MAX + STORE_NOTE_MAX], locked[GF_TEXT_MAX];
	struct store_tag before;
	int64_t key, case_id;
	int r = device_find(s, device, &key, diag);

	if (!r)
		r = row_tag(&s->db, key, &before, diag);
	if (!r)
		r = use_case(s, key, device, tag->case_id, &case_id, diag);
	if (!r)
		r = write_tag(s, key, tag, case_id, actor->who, now_ms, diag);
	if (r)
		return r;
	describe(tag, text);
	snprintf(reason, sizeof(reason), "out of service: %s", tag->reason);
	r = hold_set_quietly(s, key, hold_source, true, reason, now_ms, locked, diag);
	if (!r)
		r = store_deed_add(s, actor, "device tag", device, text, now_ms, diag);
	if (!r)
		r = event_add(s, now_ms, STORE_EVENT_DEVICE, device, (uint64_t)case_id, "tagged", diag,
		              "out of service, by %s: %s; no session starts", actor->who, text);
	if (!r)
		*ret_before = before;
	return r;
}

/* "no tag hangs on 'chair-1': anna took it off at 2026-12-01T08:00:00Z" */
static int fail_untagged(struct store *s, const char *device, struct gf_diag *diag)
{
	char when[GF_RFC3339_MAX];
	struct store_deed last;
	int r = deed_last(s, "device untag", device, "", &last, diag);

	if (r)
		return r;
	if (last.at_ms)
		gf_diag_set(diag, "no tag hangs on '%s': %s took it off at %s", device, last.actor.who,
		            gf_time_format(last.at_ms, when));
	else
		gf_diag_set(diag, "no tag hangs on '%s'", device);
	return STORE_E_NOT_ALLOWED;
}

static int take_off(struct store *s, const char *device, const struct store_actor *actor, int64_t now_ms,
                    struct gf_diag *diag)
{
	int64_t key, since_ms = 0;
	char lasted[GF_DURATION_MAX], locked[GF_TEXT_MAX];
	struct query q;
	int r = device_find(s, device, &key, diag);

	if (r)
		return r;
	query_begin(
	    &q, &s->db,
	    "UPDATE tags SET until_ms = max(?2, since_ms, 1) WHERE device = ?1 AND until_ms = 0 RETURNING since_ms");
	query_i64(&q, key);
	query_i64(&q, now_ms);
	r = query_value(&q, 0, &since_ms, diag);
	if (!r && !since_ms)
		return fail_untagged(s, device, diag);
	if (!r)
		r = hold_set_quietly(s, key, hold_source, false, "", now_ms, locked, diag);
	if (!r)
		r = store_deed_add(s, actor, "device untag", device, "", now_ms, diag);
	return r ? r
	         : event_add(s, now_ms, STORE_EVENT_DEVICE, device, 0, "untagged", diag,
	                     "back in service, by %s, after %s%s%s", actor->who,
	                     gf_duration_format(now_ms > since_ms ? now_ms - since_ms : 0, lasted),
	                     locked[0] ? "; still locked: " : "", locked);
}

int store_tag_set(struct store *s, const char *device, const struct store_tag *tag, const struct store_actor *actor,
                  int64_t now_ms, struct store_tag *ret_before, struct gf_diag *diag)
{
	struct store_tag before = {.since_ms = 0};
	int r = store_begin(s, diag);

	if (r)
		return r;
	r = tag ? hang(s, device, tag, actor, now_ms, &before, diag) : take_off(s, device, actor, now_ms, diag);
	r = store_finish(s, r, diag);
	if (!r && ret_before)
		*ret_before = before;
	return r;
}
