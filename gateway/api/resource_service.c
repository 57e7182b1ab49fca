/*
 * What staff does to a machine, and says of it: /v1/devices/{id}/report (damage that no sensor sees), tag and untag (out of service: it is
 * locked while the tag hangs on it), service (a part was renewed).
 */
#include <errno.h>
#include <string.h>

#include "gateway/api/body.h"
#include "gateway/api/resources.h"
#include "gateway/api/unknown.h"
#include "proto/base/text.h"

static void fail(struct request *r, int result, const struct gf_diag *diag)
{
	if (result == -ENOENT)
		unknown_machine(r, r->id);
	else
		request_fail_store(r, result, diag);
}

/* ---- out of service ---- */

static const struct body_key tag_keys[] = {{"reason", BODY_TEXT, STORE_NOTE_MAX, true},
                                           {"owner", BODY_TEXT, GF_NAME_MAX, false},
                                           {"back", BODY_TEXT, GF_RFC3339_MAX + 16, false}};
enum { TAG_KEYS = sizeof(tag_keys) / sizeof(tag_keys[0]) };

static bool read_tag(struct request *r, const json_t *values[static TAG_KEYS], struct store_tag *ret_tag)
{
	struct store_tag tag = {.since_ms = r->now_ms};

	if (!body_moment(r, "back", values[2], &tag.back_ms))
		return false;
	(void)gf_strcpy(tag.reason, sizeof(tag.reason), body_text(values[0]));
	(void)gf_strcpy(tag.owner, sizeof(tag.owner), body_text(values[1]));
	(void)gf_strcpy(tag.by, sizeof(tag.by), r->actor.who);
	*ret_tag = tag;
	return true;
}

static int set_tag(struct request *r, const struct store_tag *tag, struct store_tag *ret_before, struct gf_diag *diag)
{
	const struct api_ops *ops = api_ops_of(r->api);
	return ops->tag_set(ops->ctx, r->id, tag, &r->actor, ret_before, diag);
}

static void change_tag(struct request *r, const struct store_tag *tag)
{
	struct store_tag before;
	struct gf_diag diag = {{0}};
	int result = set_tag(r, tag, &before, &diag);

	if (result == 0)
		resource_device_tagged(r, tag != NULL ? &before : NULL);
	else
		fail(r, result, &diag);
}

void resource_device_tag(struct request *r)
{
	const json_t *values[TAG_KEYS];
	struct store_tag tag;
	json_t *body = body_take(r, tag_keys, TAG_KEYS, values);

	if (body != NULL && read_tag(r, values, &tag))
		change_tag(r, &tag);
	json_decref(body);
}

void resource_device_untag(struct request *r)
{
	json_t *body = body_take(r, NULL, 0, NULL);

	if (body != NULL)
		change_tag(r, NULL);
	json_decref(body);
}

/* ---- damage ---- */

static void report(struct request *r, const char *text, struct store_tag *tag)
{
	const struct api_ops *ops = api_ops_of(r->api);
	struct gf_diag diag = {{0}};
	uint64_t id = 0;
	int result = ops->case_report(ops->ctx, r->id, text, &r->actor, &id, &diag);

	if (result == 0 && tag->since_ms != 0) {
		tag->case_id = id;
		result = set_tag(r, tag, NULL, &diag);
		if (result != 0)
			gf_diag_prefix(&diag, "reported as fault %llu, but not taken out of service", (unsigned long long)id);
	}
	if (result == 0)
		request_answer_as(r, 201, json_pack("{s:I}", "id", (json_int_t)id));
	else
		fail(r, result, &diag);
}

void resource_device_report(struct request *r)
{
	static const struct body_key keys[] = {{"text", BODY_TEXT, STORE_NOTE_MAX, true},
	                                       {"out_of_service", BODY_OBJECT, 0, false}};
	const json_t *values[2], *tag_values[TAG_KEYS];
	struct store_tag tag = {0};
	json_t *body = body_take(r, keys, 2, values);
	bool good = body != NULL;

	if (good && values[1] != NULL)
		good =
		    body_check(r, "out_of_service", values[1], tag_keys, TAG_KEYS, tag_values) && read_tag(r, tag_values, &tag);
	if (good)
		report(r, body_text(values[0]), &tag);
	json_decref(body);
}

/* ---- service ---- */

static bool read_part(struct request *r, const json_t *value, enum fact_part *ret_part)
{
	static const char *const names[] = {
#define X(s, n) n,
	    FACT_PARTS(X)
#undef X
	};
	const char *name = body_text(value);
	char all[REQUEST_NAMES_MAX];

	if (fact_part_parse(name, ret_part) == 0)
		return true;
	request_names(names, FACT_PART_COUNT, all);
	const char *near = gf_nearest(name, names, FACT_PART_COUNT);
	request_fail(r, 400, "bad_value", "part is '%s'%s%s%s; it may be motor, head, roller, filter, cover or service",
	             name, near != NULL ? "; did you mean '" : "", near != NULL ? near : "", near != NULL ? "'?" : "");
	return false;
}

void resource_device_service(struct request *r)
{
	static const struct body_key keys[] = {{"part", BODY_TEXT, GF_NAME_MAX, true},
	                                       {"note", BODY_TEXT, STORE_NOTE_MAX, false}};
	const struct api_ops *ops = api_ops_of(r->api);
	const json_t *values[2];
	enum fact_part part;
	struct gf_diag diag = {{0}};
	json_t *body = body_take(r, keys, 2, values);

	if (body != NULL && read_part(r, values[0], &part)) {
		int result = ops->service_add(ops->ctx, r->id, part, body_text(values[1]), &r->actor, &diag);
		if (result == 0)
			resource_device_wear(r);
		else
			fail(r, result, &diag);
	}
	json_decref(body);
}
