#include "gateway/store/sqlite/place.h"

#include "gateway/store/sqlite/writer.h"

enum { PLACES_KEPT = 256 };

/* How far back a change of the past is judged anew: as far as the rules' longest window, and as people are known. */
static const int64_t again_ms = RULE_WINDOW_MAX_D * INT64_C(24) * 3600 * 1000;

/* A machine's place at a moment, and where its row says that it is. */
struct place {
	int64_t from_ms, until_ms;
	bool unknown, same;
	bool silent; /* it has told nothing yet */
};

static int load(struct store *s, int64_t device, int64_t at_ms, struct place *ret_place, struct gf_diag *diag)
{
	struct query q;
	struct place p = {.same = true};
	int rc, r;

	query_begin(&q, &s->db,
	            "SELECT p.from_ms, p.until_ms, p.site = '', p.site = coalesce(d.site_set, d.site), NOT EXISTS"
	            " (SELECT 1 FROM streams s WHERE s.device = d.device AND s.acked_seq > 0) FROM devices d JOIN"
	            " places p USING (device) WHERE d.device = ?1 AND p.from_ms <= ?2 ORDER BY p.from_ms DESC LIMIT 1");
	query_i64(&q, device);
	query_i64(&q, at_ms);
	rc = query_step(&q);
	if (rc == QUERY_ROW) {
		p.from_ms = col_i64(&q);
		p.until_ms = col_i64(&q);
		p.unknown = col_i64(&q);
		p.same = col_i64(&q);
		p.silent = col_i64(&q);
	}
	r = query_end(&q, rc, diag);
	if (!r)
		*ret_place = p;
	return r;
}

/* One place of no known site has always been the one known now. */
static int learn(struct store *s, int64_t device, struct gf_diag *diag)
{
	struct query q;

	query_begin(&q, &s->db,
	            "UPDATE places SET site = (SELECT coalesce(d.site_set, d.site) FROM devices d WHERE d.device = ?1)"
	            " WHERE device = ?1");
	query_i64(&q, device);
	return query_run(&q, diag);
}

/* What was said of the time after is gone; the place before goes on, if it is the same. */
static int cut(struct store *s, int64_t device, int64_t from_ms, struct gf_diag *diag)
{
	struct query q;
	int r;

	query_begin(&q, &s->db, "DELETE FROM places WHERE device = ? AND from_ms >= ?");
	query_i64(&q, device);
	query_i64(&q, from_ms);
	r = query_run(&q, diag);
	if (r)
		return r;
	query_begin(&q, &s->db,
	            "UPDATE places SET until_ms = iif(site = (SELECT coalesce(d.site_set, d.site) FROM devices d WHERE"
	            " d.device = ?1), ?3, ?2) WHERE device = ?1 AND until_ms >= ?2");
	query_i64(&q, device);
	query_i64(&q, from_ms);
	query_i64(&q, INT64_MAX);
	return query_run(&q, diag);
}

static int begin(struct store *s, int64_t device, int64_t from_ms, struct gf_diag *diag)
{
	struct query q;

	query_begin(&q, &s->db,
	            "INSERT INTO places (device, from_ms, until_ms, site) SELECT device, ?2, ?3, coalesce(site_set, site)"
	            " FROM devices d WHERE device = ?1 AND NOT EXISTS"
	            " (SELECT 1 FROM places p WHERE p.device = d.device AND p.until_ms = ?3)");
	query_i64(&q, device);
	query_i64(&q, from_ms);
	query_i64(&q, INT64_MAX);
	return query_run(&q, diag);
}

/* I8: a machine that says another site whenever it starts doesn't fill the disk. What it did before its oldest place is of that one. */
static int forget(struct store *s, int64_t device, struct gf_diag *diag)
{
	struct query q;
	int64_t count = 0;
	int r;

	query_begin(&q, &s->db, "SELECT count(*) FROM places WHERE device = ?");
	query_i64(&q, device);
	r = query_value(&q, 0, &count, diag);
	if (r || count <= PLACES_KEPT)
		return r;
	query_begin(&q, &s->db, "DELETE FROM places WHERE device = ? AND from_ms = ?");
	query_i64(&q, device);
	query_i64(&q, INT64_MIN);
	r = query_run(&q, diag);
	if (r)
		return r;
	query_begin(&q, &s->db,
	            "UPDATE places SET from_ms = ?2 WHERE device = ?1 AND from_ms = (SELECT min(p.from_ms) FROM places p"
	            " WHERE p.device = ?1)");
	query_i64(&q, device);
	query_i64(&q, INT64_MIN);
	return query_run(&q, diag);
}

static bool is_first_word(const struct place *p)
{
	return p->unknown && p->from_ms == INT64_MIN && p->until_ms == INT64_MAX;
}

static int change(struct store *s, int64_t device, int64_t from_ms, const struct place *p, struct gf_diag *diag)
{
	int r;

	if (is_first_word(p))
		return learn(s, device, diag);
	r = cut(s, device, from_ms, diag);
	if (!r)
		r = begin(s, device, from_ms, diag);
	return r ? r : forget(s, device, diag);
}

int place_moved(struct store *s, int64_t device, int64_t from_ms, int64_t now_ms, struct gf_diag *diag)
{
	struct place p;
	int64_t since_ms;
	int r = load(s, device, from_ms, &p, diag);

	if (r || (p.same && p.until_ms == INT64_MAX))
		return r;
	/* A new machine's first word unsettles nobody. */
	if (is_first_word(&p) && p.silent)
		return change(s, device, from_ms, &p, diag);
	since_ms = is_first_word(&p) ? INT64_MIN : from_ms;
	since_ms = since_ms > now_ms - again_ms ? since_ms : now_ms - again_ms;
	r = judge_mark_moved(s, device, since_ms, diag);
	if (!r)
		r = change(s, device, from_ms, &p, diag);
	return r ? r : judge_mark_moved(s, device, since_ms, diag);
}

int place_told(struct store *s, int64_t device, int64_t from_ms, int64_t now_ms, struct gf_diag *diag)
{
	struct place last;
	int r = load(s, device, INT64_MAX, &last, diag);

	if (r)
		return r;
	if (from_ms < last.from_ms && last.from_ms <= now_ms)
		from_ms = last.from_ms;
	return place_moved(s, device, from_ms, now_ms, diag);
}

int store_judge_left(struct store *s, int64_t device, int64_t since_ms, store_left_fn row, void *ctx,
                     struct gf_diag *diag)
{
	struct query q;
	int rc = QUERY_DONE, r = 0;

	query_begin(&q, &s->db,
	            "SELECT site, until_ms FROM places WHERE device = ?1 AND until_ms > ?2 AND until_ms < ?3 ORDER BY"
	            " from_ms");
	query_i64(&q, device);
	query_i64(&q, since_ms);
	query_i64(&q, INT64_MAX);
	while (!r && (rc = query_step(&q)) == QUERY_ROW) {
		char site[GF_NAME_MAX];

		col_text(&q, site, sizeof(site));
		r = row(ctx, site, col_i64(&q));
	}
	return query_stop(&q, rc, r, diag);
}
