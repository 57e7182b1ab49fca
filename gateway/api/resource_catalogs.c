/* /v1/catalogs: signed catalogs come in and are listed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/api/page.h"
#include "gateway/api/resources.h"
#include "proto/base/text.h"

#define NAME(symbol, name) name,
static const char *const class_words[] = {GF_CLASSES(NAME) NULL};
#undef NAME

static const struct where_field fields[] = {
    {"digest", WHERE_TEXT, NULL},       {"name", WHERE_TEXT, NULL},          {"class", WHERE_TEXT, class_words},
    {"version", WHERE_NUMBER, NULL},    {"size", WHERE_NUMBER, NULL},        {"created", WHERE_TIME, NULL},
    {"expires", WHERE_TIME, NULL},      {"rollback_to", WHERE_NUMBER, NULL}, {"published", WHERE_TIME, NULL},
    {"published_by", WHERE_TEXT, NULL}, {"wanted_by", WHERE_NUMBER, NULL},   {"on_machines", WHERE_NUMBER, NULL},
};

static json_t *key_ids(const struct store_catalog *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->signatures_count; i++) {
		char hex[2 * GF_KEY_ID_LEN + 1];
		gf_hex(c->signatures[i].bytes, GF_KEY_ID_LEN, hex);
		json_push(&list, json_string(hex));
	}
	return list;
}

static json_t *catalog_row(const struct store_catalog *c)
{
	json_t *row = json_object();
	char digest[2 * GF_DIGEST_LEN + 1];

	gf_hex(c->digest.bytes, GF_DIGEST_LEN, digest);
	json_put(&row, "digest", json_string(digest));
	json_put(&row, "name", json_string(c->name));
	json_put(&row, "class", json_string(gf_class_name(c->class)));
	json_put(&row, "version", json_count(c->version));
	json_put(&row, "size", json_count(c->size));
	json_put(&row, "signatures", key_ids(c));
	json_put(&row, "created", json_time(c->created_ms));
	json_put(&row, "expires", json_time(c->expires_ms));
	json_put(&row, "rollback_to", c->rollback_floor > 0 ? json_count(c->rollback_floor) : json_null());
	return row;
}

/* ---- the list ---- */

/* Rows come newest version first by class; a page goes on after as many of them as were looked at. */
struct walk {
	struct page page;
	uint64_t skip, seen;
};

static int keep(void *ctx, const struct store_catalog *c)
{
	struct walk *w = ctx;

	if (w->seen++ < w->skip)
		return 0;
	if (page_full(&w->page))
		return PAGE_STOP;
	json_t *row = catalog_row(c);
	json_put(&row, "published", json_time(c->published_ms));
	json_put(&row, "published_by", json_text(c->published_by));
	json_put(&row, "wanted_by", json_count(c->wanted_by));
	json_put(&row, "on_machines", json_count(c->on_machines));
	int result = page_add(&w->page, row);
	if (result == 0)
		(void)snprintf(w->page.cursor, sizeof(w->page.cursor), "%llu", (unsigned long long)w->seen);
	return result;
}

void resource_catalogs(struct request *r)
{
	struct walk w = {0};
	struct gf_diag diag = {{0}};

	if (request_number(r, "after", 0, INT64_MAX, &w.skip) &&
	    page_begin(r, fields, sizeof(fields) / sizeof(fields[0]), &w.page))
		page_end(&w.page, store_read_catalogs(r->reader, keep, &w, &diag), &diag);
}

/* ---- publishing ---- */

/* Do the gateway's own keys, where it has some, vouch for it; a machine would refuse one without signatures for sure. */
static bool trusted(struct request *r, const struct gf_sealed *sealed)
{
	const struct gf_keyset *keys = api_catalog_keys(r->api);
	struct gf_diag diag = {{0}};

	if (sealed->signatures_count == 0) {
		request_fail(r, 403, "no_signatures",
		             "the catalog has no signature, so no machine would take it; sign it first: gymfleet catalog sign");
		return false;
	}
	int result = keys != NULL && keys->threshold > 0 ? gf_verify(keys, sealed, &diag) : 0;
	if (result > 0)
		request_fail(r, 403, gf_refusal_name((enum gf_refusal)result), "%s", diag.text);
	else if (result < 0)
		request_fail_store(r, result, &diag);
	return result == 0;
}

static bool still_good(struct request *r, const struct gf_catalog *catalog)
{
	char at[GF_RFC3339_MAX];

	if (catalog->expires_ms == 0 || (int64_t)catalog->expires_ms > r->now_ms)
		return true;
	request_fail(r, 409, "expired",
	             "the catalog expired on %s, so no machine would take it; build and sign it again as a higher version",
	             gf_time_format((int64_t)catalog->expires_ms, at));
	return false;
}

static void describe(const struct request *r, const struct gf_sealed *sealed, const struct gf_catalog *catalog,
                     struct store_catalog *ret_row)
{
	struct store_catalog row = {.class = catalog->class,
	                            .version = catalog->version,
	                            .size = (uint32_t)r->body_len,
	                            .created_ms = (int64_t)catalog->created_ms,
	                            .expires_ms = (int64_t)catalog->expires_ms,
	                            .rollback_floor = catalog->rollback_floor,
	                            .signatures_count = sealed->signatures_count};

	gf_digest_of(r->body, r->body_len, &row.digest);
	(void)gf_strcpy(row.name, sizeof(row.name), catalog->name);
	for (size_t i = 0; i < sealed->signatures_count; i++)
		row.signatures[i] = sealed->signatures[i].key_id;
	*ret_row = row;
}

static void add(struct request *r, const struct gf_sealed *sealed, const struct gf_catalog *catalog)
{
	const struct api_ops *ops = api_ops_of(r->api);
	struct store_catalog row;
	struct gf_diag diag = {{0}};
	bool known = false;

	describe(r, sealed, catalog, &row);
	int result = gf_digest_none(&row.digest)
	                 ? -ENOMEM
	                 : ops->catalog_add(ops->ctx, &row, r->body, r->body_len, &r->actor, &known, &diag);
	if (result != 0) {
		request_fail_store(r, result, &diag);
		return;
	}
	json_t *answer = catalog_row(&row);
	json_put(&answer, "replaced", json_boolean(known)); /* the same bytes were there already */
	request_answer_as(r, known ? 200 : 201, answer);
}

/* What the codec says of bytes that are no catalog. */
static void fail_codec(struct request *r, int error, const struct gf_diag *diag)
{
	if (error < 0)
		request_fail_store(r, error, diag);
	else
		request_fail(r, 422, "bad_catalog", "this is no catalog that a machine would take: %s", diag->text);
}

/* Verify before parse: nothing looks into the manifest before its signatures were. */
void resource_catalog_publish(struct request *r)
{
	struct gf_sealed sealed = {0};
	struct gf_catalog catalog = {0};
	struct gf_diag diag = {{0}};

	if (r->body_len == 0) {
		request_fail(r, 422, "bad_catalog", "the body is empty; send the bytes of a signed catalog");
		return;
	}
	int result = gf_unseal(r->body, r->body_len, &sealed, &diag);
	if (result != 0) {
		fail_codec(r, result, &diag);
		return;
	}
	if (trusted(r, &sealed)) {
		result = gf_manifest_decode(sealed.manifest, sealed.manifest_len, &catalog, &diag);
		if (result != 0)
			fail_codec(r, result, &diag);
		else if (still_good(r, &catalog))
			add(r, &sealed, &catalog);
	}
	gf_catalog_deinit(&catalog);
	gf_sealed_deinit(&sealed);
}
