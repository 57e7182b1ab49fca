#include "gateway/store/sqlite/row.h"

int row_areas(struct db *db, int64_t device, uint64_t session_no,
              struct gf_area_use ret_areas[static GF_SESSION_AREAS_MAX], size_t *ret_count, struct gf_diag *diag)
{
	struct query q;
	size_t count = 0;
	int rc;

	query_begin(&q, db,
	            "SELECT area, side, technique, ms, mean_pct, max_pct FROM session_areas"
	            " WHERE device = ? AND session_no = ? ORDER BY n");
	query_i64(&q, device);
	query_u64(&q, session_no);
	while ((rc = query_step(&q)) == QUERY_ROW && count < GF_SESSION_AREAS_MAX) {
		struct gf_area_use *u = &ret_areas[count++];

		u->area = (enum gf_area)col_i64(&q);
		u->side = (enum gf_side)col_i64(&q);
		u->technique = (enum gf_technique)col_i64(&q);
		u->ms = (uint32_t)col_i64(&q);
		u->mean_intensity_pct = (float)col_real(&q);
		u->max_intensity_pct = (float)col_real(&q);
	}
	*ret_count = count;
	return query_end(&q, rc, diag);
}

int row_tag(struct db *db, int64_t device, struct store_tag *ret_tag, struct gf_diag *diag)
{
	struct store_tag tag = {.since_ms = 0};
	struct query q;
	int rc, r;

	query_begin(&q, db,
	            "SELECT since_ms, reason, owner, person, back_ms, case_id FROM tags WHERE device = ? AND until_ms = 0");
	query_i64(&q, device);
	rc = query_step(&q);
	if (rc == QUERY_ROW) {
		tag.since_ms = col_i64(&q);
		col_text(&q, tag.reason, sizeof(tag.reason));
		col_text(&q, tag.owner, sizeof(tag.owner));
		col_text(&q, tag.by, sizeof(tag.by));
		tag.back_ms = col_i64(&q);
		tag.case_id = col_u64(&q);
	}
	r = query_end(&q, rc, diag);
	if (!r)
		*ret_tag = tag;
	return r;
}
