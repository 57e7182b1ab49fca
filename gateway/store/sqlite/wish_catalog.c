/* Signed catalogs: kept as they came, by their digest; a name and version stands for one content in each class, for ever. */
#include <inttypes.h>
#include <stdio.h>

#include "gateway/store/sqlite/writer.h"
#include "gateway/store/wishes.h"

static void key_ids(const struct store_catalog *c, unsigned char buf[GF_SIGNATURES_MAX * GF_KEY_ID_LEN])
{
	for (size_t i = 0; i < c->signatures_count; i++)
		memcpy(buf + i * GF_KEY_ID_LEN, c->signatures[i].bytes, GF_KEY_ID_LEN);
}

/* The digest under which this name and version is known in its class; zeros: it isn't. */
static int find_version(struct store *s, const struct store_catalog *c, struct gf_digest *ret_digest,
                        struct gf_diag *diag)
{
	struct gf_digest found = {{0}};
	struct query q;
	int rc, r;

	query_begin(&q, &s->db, "SELECT digest FROM catalogs WHERE name = ? AND class = ? AND version = ?");
	query_text(&q, c->name);
	query_i64(&q, c->class);
	query_u64(&q, c->version);
	rc = query_step(&q);
	if (rc == QUERY_ROW)
		col_digest(&q, &found);
	r = query_end(&q, rc, diag);
	if (!r)
		*ret_digest = found;
	return r;
}

static int insert(struct store *s, const struct store_catalog *c, const void *data, size_t len, const char *who,
                  int64_t now_ms, struct gf_diag *diag)
{
	unsigned char signatures[GF_SIGNATURES_MAX * GF_KEY_ID_LEN] = {0};
	struct query q;

	key_ids(c, signatures);
	query_begin(&q, &s->db,
	            "INSERT INTO catalogs (digest, name, class, version, size, created_ms, expires_ms, rollback_floor,"
	            " signatures, published_ms, published_by, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	query_digest(&q, &c->digest);
	query_text(&q, c->name);
	query_i64(&q, c->class);
	query_u64(&q, c->version);
	query_u64(&q, len);
	query_i64(&q, c->created_ms);
	query_i64(&q, c->expires_ms);
	query_u64(&q, c->rollback_floor);
	query_blob(&q, signatures, c->signatures_count * GF_KEY_ID_LEN);
	query_i64(&q, now_ms);
	query_text(&q, who);
	query_blob(&q, data, len);
	return query_run(&q, diag);
}

static int tell(struct store *s, const struct store_catalog *c, size_t len, const struct store_actor *actor,
                int64_t now_ms, struct gf_diag *diag)
{
	char subject[GF_NAME_MAX * 2], detail[STORE_REASON_MAX];
	int r;

	snprintf(subject, sizeof(subject), "%s@%" PRIu64, c->name, c->version);
	snprintf(detail, sizeof(detail), "for %s machines, %zu bytes, signed by %zu, digest %02x%02x%02x%02x…",
	         gf_class_name(c->class), len, c->signatures_count, c->digest.bytes[0], c->digest.bytes[1],
	         c->digest.bytes[2], c->digest.bytes[3]);
	r = store_deed_add(s, actor, "catalog publish", subject, detail, now_ms, diag);
	if (!r)
		r = event_add(s, now_ms, STORE_EVENT_CATALOG, NULL, c->version, c->name, diag,
		              "%s for %s machines was published by %s", subject, gf_class_name(c->class), actor->who);
	return r;
}

static int add(struct store *s, const struct store_catalog *c, const void *data, size_t len,
               const struct store_actor *actor, int64_t now_ms, bool *ret_known, struct gf_diag *diag)
{
	struct gf_digest found;
	int r = find_version(s, c, &found, diag);

	if (r)
		return r;
	*ret_known = gf_digest_equal(&found, &c->digest);
	if (*ret_known)
		return 0;
	if (!gf_digest_none(&found)) {
		gf_diag_set(diag,
		            "%s@%" PRIu64
		            " for %s machines was published with another content (%02x%02x%02x%02x…), and machines"
		            " may have it: build this one as a higher version",
		            c->name, c->version, gf_class_name(c->class), found.bytes[0], found.bytes[1], found.bytes[2],
		            found.bytes[3]);
		return STORE_E_TAKEN;
	}
	r = insert(s, c, data, len, actor->who, now_ms, diag);
	return r ? r : tell(s, c, len, actor, now_ms, diag);
}

int store_catalog_add(struct store *s, const struct store_catalog *catalog, const void *data, size_t len,
                      const struct store_actor *actor, int64_t now_ms, bool *ret_known, struct gf_diag *diag)
{
	bool known = false;
	int r = store_begin(s, diag);

	if (r)
		return r;
	r = store_finish(s, add(s, catalog, data, len, actor, now_ms, &known, diag), diag);
	if (!r)
		*ret_known = known;
	return r;
}

int store_catalog_on_broker(struct store *s, const struct gf_digest *digest, bool on_broker, struct gf_diag *diag)
{
	struct query q;
	int r = store_begin(s, diag);

	if (r)
		return r;
	query_begin(&q, &s->db, "UPDATE catalogs SET on_broker = ? WHERE digest = ?");
	query_i64(&q, on_broker);
	query_digest(&q, digest);
	return store_finish(s, query_run(&q, diag), diag);
}
