/*
 * Commands: each ends as done, refused or expired (I9). A command that can't be heard is never taken: it would only expire.
 *
 * Ids are the time they were given, and above all before: they grow though the database is lost, so that a machine never takes a
 * new command for one it had.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "gateway/store/sqlite/writer.h"
#include "gateway/store/wishes.h"

enum { OPEN_MAX = 8, EXPIRE_MAX = 256, CLOCK_SLACK_MS = 10 * 1000 };

struct target {
	int64_t key;
	bool online;
	int64_t open;
};

static int load_target(struct store *s, const char *device, struct target *ret_target, struct gf_diag *diag)
{
	struct target t = {0};
	struct query q;
	int rc, r;

	query_begin(&q, &s->db,
	            "SELECT device, online, (SELECT count(*) FROM commands c WHERE c.device = d.device AND c.state = ?2)"
	            " FROM devices d WHERE id = ?1");
	query_text(&q, device);
	query_i64(&q, STORE_COMMAND_SENT);
	rc = query_step(&q);
	if (rc == QUERY_ROW) {
		t.key = col_i64(&q);
		t.online = col_i64(&q);
		t.open = col_i64(&q);
	}
	r = query_end(&q, rc, diag);
	if (!r)
		*ret_target = t;
	return r;
}

/* 0, or why no command can be given. */
static int may_command(const char *device, const struct target *t, struct gf_diag *diag)
{
	if (!t->key) {
		gf_diag_set(diag, "there is no device '%s'", device);
		return -ENOENT;
	}
	if (!t->online) {
		gf_diag_set(
		    diag,
		    "%s is offline and can't hear a command, which would only expire; use its own stop button, or lock it:"
		    " that waits for it",
		    device);
		return STORE_E_NOT_ALLOWED;
	}
	if (t->open >= OPEN_MAX) {
		gf_diag_set(diag, "%s has not answered %" PRId64 " commands yet; wait until they have expired", device,
		            t->open);
		return STORE_E_NOT_ALLOWED;
	}
	return 0;
}

static int insert(struct store *s, int64_t key, enum gf_command kind, uint32_t within_ms, int64_t now_ms,
                  uint64_t *ret_id, struct gf_diag *diag)
{
	struct query q;
	int64_t id = 0;
	int r;

	query_begin(&q, &s->db,
	            "INSERT INTO commands (id, device, kind, issued_ms, deadline_ms)"
	            " SELECT max(1, ?4, 1 + coalesce(max(id), 0)), ?1, ?2, ?4, ?4 + ?3 FROM commands RETURNING id");
	query_i64(&q, key);
	query_i64(&q, kind);
	query_i64(&q, within_ms);
	query_i64(&q, now_ms);
	r = query_value(&q, 0, &id, diag);
	if (!r)
		*ret_id = (uint64_t)id;
	return r;
}

static int add(struct store *s, const char *device, enum gf_command kind, uint32_t within_ms,
               const struct store_actor *actor, int64_t now_ms, uint64_t *ret_id, struct gf_diag *diag)
{
	char action[GF_NAME_MAX], detail[STORE_REASON_MAX];
	struct target target;
	int r = load_target(s, device, &target, diag);

	if (!r)
		r = may_command(device, &target, diag);
	if (!r)
		r = insert(s, target.key, kind, within_ms, now_ms, ret_id, diag);
	if (r)
		return r;
	s->batch_wish = true;
	snprintf(action, sizeof(action), "device %s", gf_command_name(kind));
	snprintf(detail, sizeof(detail), "within %g s", within_ms / 1000.0);
	r = store_deed_add(s, actor, action, device, detail, now_ms, diag);
	if (!r)
		r = event_add(s, now_ms, STORE_EVENT_COMMAND, device, *ret_id, gf_command_name(kind), diag,
		              "told to %s by %s, within %g s", gf_command_name(kind), actor->who, within_ms / 1000.0);
	return r;
}

int store_command_add(struct store *s, const char *device, enum gf_command kind, uint32_t within_ms,
                      const struct store_actor *actor, int64_t now_ms, uint64_t *ret_id, struct gf_diag *diag)
{
	uint64_t id = 0;
	int r = store_begin(s, diag);

	if (r)
		return r;
	r = store_finish(s, add(s, device, kind, within_ms, actor, now_ms, &id, diag), diag);
	if (!r)
		*ret_id = id;
	return r;
}

/* ---- how it ends ---- */

static const enum store_command_state outcomes[GF_COMMAND_OUTCOME_COUNT] = {
    [GF_COMMAND_OUTCOME_DONE] = STORE_COMMAND_DONE,
    [GF_COMMAND_OUTCOME_REFUSED] = STORE_COMMAND_REFUSED,
    [GF_COMMAND_OUTCOME_EXPIRED] = STORE_COMMAND_EXPIRED,
};

int store_command_reply(struct store *s, const char *device, const struct gf_reply *reply, int64_t now_ms,
                        struct gf_diag *diag)
{
	enum store_command_state state = outcomes[reply->outcome];
	struct query q;
	int64_t kind = 0;
	int r;

	/* What was done in time and told too late was done all the same. */
	query_begin(&q, &s->db,
	            "UPDATE commands SET state = ?3, detail = ?4, ended_ms = ?5 WHERE id = ?1"
	            " AND device = (SELECT device FROM devices WHERE id = ?2) AND (state = 0 OR (state = ?6 AND ?3 <> ?6))"
	            " RETURNING kind");
	query_u64(&q, reply->id);
	query_text(&q, device);
	query_i64(&q, state);
	query_text(&q, reply->detail);
	query_i64(&q, now_ms);
	query_i64(&q, STORE_COMMAND_EXPIRED);
	r = query_value(&q, 0, &kind, diag);
	if (r || !kind)
		return r;
	return event_add(s, now_ms, STORE_EVENT_COMMAND, device, reply->id, store_command_state_name(state), diag,
	                 "%s: %s%s%s", gf_command_name((enum gf_command)kind), store_command_state_name(state),
	                 reply->detail[0] ? ", " : "", reply->detail);
}

struct overdue {
	uint64_t id;
	char device[GF_ID_MAX];
	enum gf_command kind;
};

/* A clock that was set back must not keep one open: given in the future, it is over too. */
static int find_overdue(struct store *s, int64_t now_ms, struct overdue *ret_rows, size_t *ret_count,
                        struct gf_diag *diag)
{
	struct query q;
	size_t n = 0;
	int rc, r;

	query_begin(&q, &s->db,
	            "SELECT c.id, d.id, c.kind FROM commands c JOIN devices d USING (device)"
	            " WHERE c.state = 0 AND (c.deadline_ms <= ?1 OR c.issued_ms > ?2) LIMIT ?3");
	query_i64(&q, now_ms);
	query_i64(&q, now_ms + CLOCK_SLACK_MS);
	query_i64(&q, EXPIRE_MAX);
	while ((rc = query_step(&q)) == QUERY_ROW && n < EXPIRE_MAX) {
		ret_rows[n].id = col_u64(&q);
		col_text(&q, ret_rows[n].device, GF_ID_MAX);
		ret_rows[n++].kind = (enum gf_command)col_i64(&q);
	}
	r = query_end(&q, rc, diag);
	if (!r)
		*ret_count = n;
	return r;
}

static int expire_one(struct store *s, const struct overdue *row, int64_t now_ms, struct gf_diag *diag)
{
	struct query q;
	int r;

	query_begin(&q, &s->db, "UPDATE commands SET state = ?2, ended_ms = ?3, detail = ?4 WHERE id = ?1");
	query_u64(&q, row->id);
	query_i64(&q, STORE_COMMAND_EXPIRED);
	query_i64(&q, now_ms);
	query_text(&q, "no answer in time");
	r = query_run(&q, diag);
	if (r)
		return r;
	return event_add(s, now_ms, STORE_EVENT_COMMAND, row->device, row->id,
	                 store_command_state_name(STORE_COMMAND_EXPIRED), diag, "%s: no answer in time",
	                 gf_command_name(row->kind));
}

int store_command_expire(struct store *s, int64_t now_ms, struct gf_diag *diag)
{
	struct overdue rows[EXPIRE_MAX];
	size_t count;

	do {
		int r = store_begin(s, diag);

		count = 0;
		if (r)
			return r;
		r = find_overdue(s, now_ms, rows, &count, diag);
		/* Nothing to write is the rule: no commit for it. */
		if (!r && count == 0) {
			store_rollback(s);
			return 0;
		}
		for (size_t i = 0; i < count && !r; i++)
			r = expire_one(s, &rows[i], now_ms, diag);
		r = store_finish(s, r, diag);
		if (r)
			return r;
	} while (count == EXPIRE_MAX);
	return 0;
}

int store_command_published(struct store *s, uint64_t id, struct gf_diag *diag)
{
	struct query q;
	int r = store_begin(s, diag);

	if (r)
		return r;
	query_begin(&q, &s->db, "UPDATE commands SET published = 1 WHERE id = ?");
	query_u64(&q, id);
	return store_finish(s, query_run(&q, diag), diag);
}
