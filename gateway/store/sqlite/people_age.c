/* Tokens are kept for so many days, then what they are in stays as history of nobody. In small steps, like the rest of retention. */
#include "gateway/store/cases.h"
#include "gateway/store/sqlite/writer.h"

_Static_assert(RULE_SUBJECT_PERSON == 1 && RULE_SUBJECT_AREA == 2 && RULE_SUBJECT_STAFF == 3,
               "these texts and the index flags_person_age name them by number");
_Static_assert(STORE_FLAG_EXPIRED == 2, "so does the second text");

/* ?1 older than, ?2 at most so many, ?3 now; each has all three */
static const char *const texts[] = {
    "UPDATE sessions SET subject_token = 0, staff_token = 0 WHERE (device, session_no) IN (SELECT device, session_no"
    " FROM sessions WHERE (subject_token <> 0 OR staff_token <> 0) AND started_ms < min(?1, ?3) LIMIT ?2)",
    /* One that is still open has nothing any more that could end it. */
    "UPDATE flags SET key = 0, end_kind = iif(ended_ms = 0, 2, end_kind), ended_ms = iif(ended_ms = 0, ?3, ended_ms)"
    " WHERE id IN (SELECT id FROM flags WHERE kind IN (1, 2, 3) AND key <> 0 AND last_ms < ?1 LIMIT ?2)",
    "DELETE FROM judge WHERE (kind, key) IN (SELECT kind, key FROM judge WHERE kind IN (1, 3) AND settled_ms < min(?1, "
    "?3)"
    " LIMIT ?2)",
    "UPDATE quarantine SET bytes = x'' WHERE id IN (SELECT id FROM quarantine WHERE recv_ms < min(?1, ?3) AND bytes <> "
    "x''"
    " LIMIT ?2)",
    "DELETE FROM erased WHERE digest IN (SELECT digest FROM erased WHERE until_ms <= ?3 LIMIT ?2)",
};

int people_age(struct store *s, int64_t now_ms, unsigned budget, unsigned *used, struct gf_diag *diag)
{
	const int64_t before_ms = now_ms - STORE_TOKEN_DAYS * INT64_C(24) * 3600 * 1000;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && *used < budget; i++) {
		struct query q;
		int r;

		query_begin(&q, &s->db, texts[i]);
		query_i64(&q, before_ms);
		query_i64(&q, budget - *used);
		query_i64(&q, now_ms);
		r = query_run(&q, diag);
		if (r)
			return r;
		*used += (unsigned)sqlite3_changes(s->db.handle);
	}
	return 0;
}
