#include "gateway/api/body.h"

#include <string.h>

#include "proto/base/clock.h"
#include "proto/base/text.h"

#define MOMENT_MAX_MS (INT64_C(10) * 366 * 24 * 3600 * 1000)

static void fail_unknown(struct request *r, const char *in, const char *key, const struct body_key *keys, size_t count)
{
	const char *names[BODY_KEYS_MAX];
	char all[REQUEST_NAMES_MAX];

	if (count == 0) {
		request_fail(r, 400, "bad_value", "unknown key '%.64s'; nothing is to be said here", key);
		return;
	}
	for (size_t i = 0; i < count; i++)
		names[i] = keys[i].name;
	request_names(names, count, all);
	const char *near = gf_nearest(key, names, count);
	request_fail(r, 400, "bad_value", "unknown key '%.64s'%s%s%s%s%s; it may be %s", key, *in != '\0' ? " in " : "", in,
	             near != NULL ? "; did you mean '" : "", near != NULL ? near : "", near != NULL ? "'?" : "", all);
}

static bool says_something(const char *text)
{
	return text[strspn(text, " ")] != '\0';
}

static bool check_value(struct request *r, const struct body_key *key, const json_t *value)
{
	switch (key->type) {
	case BODY_TEXT:
		if (json_is_string(value) && json_string_length(value) < key->size &&
		    !gf_has_controls(json_string_value(value), json_string_length(value)) &&
		    (!key->must || says_something(json_string_value(value))))
			return true;
		request_fail(r, 400, "bad_value", "%s must be a text of one line and at most %zu bytes%s", key->name,
		             key->size - 1, key->must ? ", and say something" : "");
		return false;
	case BODY_FLAG:
		if (json_is_boolean(value))
			return true;
		request_fail(r, 400, "bad_value", "%s must be true or false", key->name);
		return false;
	case BODY_OBJECT:
	default:
		if (json_is_object(value))
			return true;
		request_fail(r, 400, "bad_value", "%s must be an object, or null", key->name);
		return false;
	}
}

static bool take(struct request *r, const char *in, const char *name, const json_t *value, const struct body_key *keys,
                 size_t count, const json_t **values)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(keys[i].name, name) != 0)
			continue;
		if (json_is_null(value))
			return true;
		values[i] = value;
		return check_value(r, &keys[i], value);
	}
	fail_unknown(r, in, name, keys, count);
	return false;
}

bool body_check(struct request *r, const char *in, const json_t *object, const struct body_key *keys, size_t count,
                const json_t **ret_values)
{
	const json_t *values[BODY_KEYS_MAX] = {0};
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)object, name, value)
	{
		if (!take(r, in, name, value, keys, count, values))
			return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (keys[i].must && values[i] == NULL) {
			request_fail(r, 400, "bad_value", "%s is missing%s%s: a text of one line and at most %zu bytes",
			             keys[i].name, *in != '\0' ? " in " : "", in, keys[i].size - 1);
			return false;
		}
		ret_values[i] = values[i];
	}
	return true;
}

json_t *body_take(struct request *r, const struct body_key *keys, size_t count, const json_t **ret_values)
{
	json_t *body = request_body(r);

	if (body != NULL && !body_check(r, "", body, keys, count, ret_values)) {
		json_decref(body);
		return NULL;
	}
	return body;
}

const char *body_text(const json_t *value)
{
	const char *text = json_string_value(value);
	return text != NULL ? text : "";
}

bool body_moment(struct request *r, const char *name, const json_t *value, int64_t *ret_ms)
{
	const char *text = body_text(value);
	int64_t ms;

	if (value == NULL) {
		*ret_ms = 0;
		return true;
	}
	if (gf_duration_parse(text, &ms) == 0 && ms <= MOMENT_MAX_MS)
		ms += r->now_ms;
	else if (gf_time_parse(text, &ms) != 0)
		ms = 0;
	if (ms > r->now_ms && ms - r->now_ms <= MOMENT_MAX_MS) {
		*ret_ms = ms;
		return true;
	}
	request_fail(r, 400, "bad_value",
	             "%s is '%.40s'; expected when, in the next ten years: 3d (from now) or 2026-11-23T08:00:00Z", name,
	             text);
	return false;
}
