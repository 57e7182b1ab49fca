/* Reading catalogs: what they are, who wants and who has them, their bytes. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "gateway/store/sqlite/reader.h"
#include "gateway/store/wishes.h"

#define CATALOG_SELECT                                                                                              \
	"SELECT c.digest, c.name, c.class, c.version, c.size, c.created_ms, c.expires_ms, c.rollback_floor,"            \
	" c.published_ms, c.published_by, (SELECT count(*) FROM desired w WHERE w.digest = c.digest),"                  \
	" coalesce(h.machines, 0), c.signatures FROM catalogs c LEFT JOIN (SELECT catalog_digest, count(*) AS machines" \
	" FROM devices GROUP BY catalog_digest) h ON h.catalog_digest = c.digest"

static void read_row(struct query *q, struct store_catalog *ret_catalog)
{
	unsigned char ids[GF_SIGNATURES_MAX * GF_KEY_ID_LEN];
	struct store_catalog *c = ret_catalog;
	int signatures;

	col_digest(q, &c->digest);
	col_text(q, c->name, sizeof(c->name));
	c->class = (enum gf_class)col_i64(q);
	c->version = col_u64(q);
	c->size = (uint32_t)col_i64(q);
	c->created_ms = col_i64(q);
	c->expires_ms = col_i64(q);
	c->rollback_floor = col_u64(q);
	c->published_ms = col_i64(q);
	col_text(q, c->published_by, sizeof(c->published_by));
	c->wanted_by = col_u64(q);
	c->on_machines = col_u64(q);
	signatures = sqlite3_column_bytes(q->stmt, q->col);
	if (signatures < 0 || (size_t)signatures > sizeof(ids) || !col_blob(q, ids, (size_t)signatures))
		return;
	c->signatures_count = (size_t)signatures / GF_KEY_ID_LEN;
	for (size_t i = 0; i < c->signatures_count; i++)
		memcpy(c->signatures[i].bytes, ids + i * GF_KEY_ID_LEN, GF_KEY_ID_LEN);
}

int store_read_catalogs(struct store_reader *reader, store_catalog_fn row, void *ctx, struct gf_diag *diag)
{
	struct query q;
	int rc = QUERY_DONE, stopped = 0;

	query_begin(&q, &reader->db, CATALOG_SELECT " ORDER BY c.class, c.version DESC, c.name");
	while (!stopped && (rc = query_step(&q)) == QUERY_ROW) {
		struct store_catalog c = {.version = 0};

		read_row(&q, &c);
		stopped = row(ctx, &c);
	}
	return query_stop(&q, rc, stopped, diag);
}

int store_read_catalog(struct store_reader *reader, const char *name, uint64_t version, enum gf_class class,
                       struct store_catalog *ret_catalog, struct gf_diag *diag)
{
	struct store_catalog c = {.version = 0};
	struct query q;
	int rc, r;

	query_begin(&q, &reader->db, CATALOG_SELECT " WHERE c.name = ? AND c.class = ? AND c.version = ?");
	query_text(&q, name);
	query_i64(&q, class);
	query_u64(&q, version);
	rc = query_step(&q);
	if (rc == QUERY_ROW)
		read_row(&q, &c);
	r = query_end(&q, rc, diag);
	if (r)
		return r;
	if (!c.version) {
		gf_diag_set(
		    diag, "there is no catalog %s@%" PRIu64 " for %s machines; publish it first, or see: gymfleet catalog list",
		    name, version, gf_class_name(class));
		return -ENOENT;
	}
	*ret_catalog = c;
	return 0;
}

static int take_bytes(struct query *q, unsigned char **ret_data, size_t *ret_len)
{
	const void *blob = sqlite3_column_blob(q->stmt, 0);
	int len = sqlite3_column_bytes(q->stmt, 0);
	unsigned char *data = len > 0 ? malloc((size_t)len) : NULL;

	if (!blob || !data) {
		free(data);
		return -ENOMEM;
	}
	memcpy(data, blob, (size_t)len);
	*ret_data = data;
	*ret_len = (size_t)len;
	return 0;
}

int store_read_catalog_bytes(struct store_reader *reader, const struct gf_digest *digest, unsigned char **ret_data,
                             size_t *ret_len, struct gf_diag *diag)
{
	unsigned char *data = NULL;
	size_t len = 0;
	struct query q;
	int rc, r, taken = -ENOENT;

	query_begin(&q, &reader->db, "SELECT bytes FROM catalogs WHERE digest = ?");
	query_digest(&q, digest);
	rc = query_step(&q);
	if (rc == QUERY_ROW)
		taken = take_bytes(&q, &data, &len);
	r = query_end(&q, rc, diag);
	if (!r)
		r = taken;
	if (r) {
		free(data);
		if (taken == -ENOENT)
			gf_diag_set(diag, "there is no such catalog");
		return r;
	}
	*ret_data = data;
	*ret_len = len;
	return 0;
}

int store_read_catalogs_known(struct store_reader *reader, bool *ret_all, struct gf_diag *diag)
{
	struct query q;
	bool all = false;
	int rc, r;

	query_begin(&q, &reader->db,
	            "SELECT EXISTS (SELECT 1 FROM catalogs) AND NOT EXISTS (SELECT 1 FROM devices WHERE catalog <> ''"
	            " AND (catalog_digest IS NULL OR catalog_digest NOT IN (SELECT digest FROM catalogs)))");
	rc = query_step(&q);
	if (rc == QUERY_ROW)
		all = col_i64(&q) != 0;
	r = query_end(&q, rc, diag);
	if (r == 0)
		*ret_all = all;
	return r;
}

int store_read_played(struct store_reader *reader, int (*row)(void *ctx, const char *routine), void *ctx,
                      struct gf_diag *diag)
{
	struct query q;
	int rc = QUERY_DONE, stopped = 0;

	query_begin(&q, &reader->db, "SELECT DISTINCT routine FROM sessions WHERE routine <> ''");
	while (!stopped && (rc = query_step(&q)) == QUERY_ROW) {
		char routine[GF_NAME_MAX];

		col_text(&q, routine, sizeof(routine));
		stopped = row(ctx, routine);
	}
	return query_stop(&q, rc, stopped, diag);
}

int store_read_retained(struct store_reader *reader, store_retained_fn row, void *ctx, struct gf_diag *diag)
{
	struct query q;
	int rc = QUERY_DONE, stopped = 0;

	query_begin(&q, &reader->db,
	            "SELECT * FROM (SELECT c.digest, c.size, EXISTS (SELECT 1 FROM desired w WHERE w.digest = c.digest)"
	            " AS wanted, c.on_broker FROM catalogs c) WHERE wanted OR on_broker ORDER BY digest");
	while (!stopped && (rc = query_step(&q)) == QUERY_ROW) {
		struct store_retained t = {.size = 0};

		col_digest(&q, &t.digest);
		t.size = (uint32_t)col_i64(&q);
		t.wanted = col_i64(&q);
		t.on_broker = col_i64(&q);
		stopped = row(ctx, &t);
	}
	return query_stop(&q, rc, stopped, diag);
}
