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
