/* The audit trail: who did what, from where, written with the deed itself in its transaction. */
#include "gateway/store/sqlite/writer.h"
#include "gateway/store/wishes.h"

int store_deed_add(struct store *s, const struct store_actor *actor, const char *action, const char *subject,
                   const char *detail, int64_t now_ms, struct gf_diag *diag)
{
	struct query q;

	query_begin(&q, &s->db,
	            "INSERT INTO deeds (at_ms, who, origin, action, subject, detail) VALUES (?, ?, ?, ?, ?, ?)");
	query_i64(&q, now_ms);
	query_text(&q, actor->who);
	query_text(&q, actor->from);
	query_text(&q, action);
	query_text(&q, subject);
	query_text(&q, detail);
	return query_run(&q, diag);
}

int deed_last(struct store *s, const char *action, const char *subject, const char *detail, struct store_deed *ret_deed,
              struct gf_diag *diag)
{
	struct store_deed deed = {.at_ms = 0};
	struct query q;
	int rc, r;

	query_begin(&q, &s->db,
	            "SELECT at_ms, who, detail FROM deeds WHERE action = ?1 AND subject = ?2"
	            " AND substr(detail, 1, length(?3)) = ?3 ORDER BY id DESC LIMIT 1");
	query_text(&q, action);
	query_text(&q, subject);
	query_text(&q, detail);
	rc = query_step(&q);
	if (rc == QUERY_ROW) {
		deed.at_ms = col_i64(&q);
		col_text(&q, deed.actor.who, sizeof(deed.actor.who));
		col_text(&q, deed.detail, sizeof(deed.detail));
	}
	r = query_end(&q, rc, diag);
	if (!r)
		*ret_deed = deed;
	return r;
}
