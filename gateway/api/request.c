#include "gateway/api/request.h"
#include "gateway/api/unknown.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/clock.h"
#include "proto/base/span.h"
#include "proto/base/text.h"

void request_answer(struct request *r, json_t *json)
{
	if (r->status != 0) {
		json_decref(json);
		return;
	}
	if (json == NULL) {
		request_fail(r, 500, "no_memory", "the gateway is out of memory");
		return;
	}
	r->status = 200;
	r->answer = json;
}

void request_answer_as(struct request *r, unsigned status, json_t *json)
{
	bool first = r->status == 0;

	request_answer(r, json);
	if (first && r->status == 200)
		r->status = status;
}

void request_answer_list(struct request *r, json_t *items, const char *next)
{
	request_answer(r, json_pack("{s:o, s:s?}", "items", items, "next", next));
}

/* A message that quotes a part of a text may have cut a character in two: what isn't UTF-8 becomes '?', since JSON holds nothing else. */
static void mend(char *text)
{
	for (unsigned char *c = (unsigned char *)text; *c != '\0';) {
		size_t len = *c < 0x80 ? 1 : *c >= 0xF0 ? 4 : *c >= 0xE0 ? 3 : 2;
		if (strnlen((const char *)c, len) < len || !gf_utf8_valid(c, len)) {
			*c = '?';
			len = 1;
		}
		c += len;
	}
}

void request_fail(struct request *r, unsigned status, const char *code, const char *fmt, ...)
{
	char message[GF_DIAG_MAX];
	va_list args;

	if (r->status != 0)
		return;
	va_start(args, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	mend(message);
	r->status = status;
	r->answer = json_pack("{s:{s:s, s:s}}", "error", "code", code, "message", message);
}

void request_fail_store(struct request *r, int error, const struct gf_diag *diag)
{
	const char *message = diag != NULL && diag->text[0] != '\0' ? diag->text : strerror(error < 0 ? -error : EIO);

	switch (error) {
	case -ENOENT:
		request_fail(r, 404, "not_found", "%s", message);
		break;
	case -EINVAL:
		request_fail(r, 400, "bad_value", "%s", message);
		break;
	case STORE_E_TAKEN:
		request_fail(r, 409, "taken", "%s", message);
		break;
	case STORE_E_NOT_ALLOWED:
		request_fail(r, 409, "not_allowed", "%s", message);
		break;
	case -EBUSY:
	case -ENOSPC:
		request_fail(r, 503, "store_unavailable", "%s", message);
		break;
	default:
		request_fail(r, 500, "store_failed", "%s", message);
		break;
	}
}

const char *request_param(const struct request *r, const char *name)
{
	for (size_t i = 0; i < r->params_count; i++)
		if (strcmp(r->params[i].name, name) == 0)
			return r->params[i].value;
	return NULL;
}

bool request_time(struct request *r, const char *name, int64_t *ret_ms)
{
	const char *text = request_param(r, name);
	int64_t ms;

	if (text == NULL)
		return true;
	if (gf_duration_parse(text, &ms) == 0) {
		*ret_ms = ms < r->now_ms ? r->now_ms - ms : 0;
		return true;
	}
	if (gf_time_parse(text, &ms) == 0) {
		*ret_ms = ms;
		return true;
	}
	request_fail(r, 400, "bad_parameter", "%s is '%s'; expected how long ago (90m, 24h, 7d) or 2026-11-20T17:42:00Z",
	             name, text);
	return false;
}

bool request_number(struct request *r, const char *name, uint64_t min, uint64_t max, uint64_t *ret_number)
{
	const char *text = request_param(r, name);
	char *end;

	if (text == NULL)
		return true;
	errno = 0;
	uint64_t number = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || number < min || number > max) {
		request_fail(r, 400, "bad_parameter", "%s is '%s'; it may be %llu to %llu", name, text, (unsigned long long)min,
		             (unsigned long long)max);
		return false;
	}
	*ret_number = number;
	return true;
}

bool request_day(struct request *r)
{
	/* UTC-12 to UTC+14 is what there is. */
	const long least = -12L * 60, most = 14L * 60;
	const char *text = request_param(r, "utc_offset_min");
	char *end;

	r->utc_offset_ms = 0;
	if (text != NULL) {
		long minutes = strtol(text, &end, 10);
		if (text[*text == '-'] < '0' || text[*text == '-'] > '9' || *end != '\0' || minutes < least || minutes > most) {
			request_fail(r, 400, "bad_parameter", "utc_offset_min is '%s'; it may be %ld to %ld", text, least, most);
			return false;
		}
		r->utc_offset_ms = (int64_t)minutes * 60 * 1000;
	}
	r->today_ms = r->now_ms - (r->now_ms + r->utc_offset_ms) % GF_DAY_MS;
	return true;
}

bool request_flag(struct request *r, const char *name, bool *ret_flag)
{
	const char *text = request_param(r, name);

	if (text == NULL)
		return true;
	bool yes = strcmp(text, "1") == 0 || strcmp(text, "true") == 0;
	if (!yes && strcmp(text, "0") != 0 && strcmp(text, "false") != 0) {
		request_fail(r, 400, "bad_parameter", "%s is '%s'; it may be 1, true, 0 or false", name, text);
		return false;
	}
	*ret_flag = yes;
	return true;
}

bool request_where(struct request *r, const struct where_field *fields, size_t count, struct where **ret_where)
{
	const char *text = request_param(r, "where");
	struct gf_diag diag = {{0}};

	if (text == NULL)
		return true;
	int result = where_compile(text, fields, count, r->now_ms, ret_where, &diag);
	if (result == 0)
		return true;
	if (result == -EINVAL)
		request_fail(r, 400, "bad_where", "%s", diag.text);
	else
		request_answer(r, NULL);
	return false;
}

json_t *request_body(struct request *r)
{
	json_error_t error = {0};
	bool empty = r->body_len == 0;
	json_t *body = empty ? json_object() : json_loadb(r->body, r->body_len, JSON_REJECT_DUPLICATES, &error);

	if (json_is_object(body))
		return body;
	if (body != NULL)
		request_fail(r, 400, "bad_body", "expected a JSON object as the body");
	else if (empty)
		request_answer(r, NULL);
	else
		request_fail(r, 400, "bad_body", "the body is no JSON: line %d, column %d: %s", error.line, error.column,
		             error.text);
	json_decref(body);
	return NULL;
}

static bool known(struct request *r, const char *id)
{
	struct store_device_query query = {.device = id, .now_ms = r->now_ms, .today_ms = r->today_ms};
	struct gf_diag diag = {{0}};
	struct store_device *device = calloc(1, sizeof(*device));
	int result = device != NULL ? store_read_device(r->reader, &query, device, &diag) : -ENOMEM;
	free(device);
	if (result == -ENOENT)
		unknown_machine(r, id);
	else if (result != 0)
		request_fail_store(r, result, &diag);
	return result == 0;
}

bool request_device(struct request *r, const char **ret_device)
{
	const char *id = request_param(r, "device");

	if (id == NULL)
		return true;
	if (!gf_id_valid(id, strlen(id))) {
		request_fail(r, 400, "bad_parameter", "device is '%s'; an id has small letters, digits and '-', at most 63",
		             id);
		return false;
	}
	if (!known(r, id))
		return false;
	*ret_device = id;
	return true;
}

bool request_path_device(struct request *r)
{
	return known(r, r->id);
}

void request_names(const char *const *names, size_t count, char buf[static REQUEST_NAMES_MAX])
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < count && len < REQUEST_NAMES_MAX; i++)
		len += (size_t)snprintf(buf + len, REQUEST_NAMES_MAX - len, "%s%s",
		                        i == 0           ? ""
		                        : i + 1 == count ? " or "
		                                         : ", ",
		                        names[i]);
}

bool request_cursor(struct request *r, int64_t *ret_ms, uint64_t *ret_no, const char **ret_device)
{
	const char *text = request_param(r, "after");
	char *ms_end = NULL, *no_end = NULL;

	if (text == NULL)
		return true;
	errno = 0;
	int64_t ms = strtoll(text, &ms_end, 10);
	uint64_t no = *ms_end == ':' ? strtoull(ms_end + 1, &no_end, 10) : 0;
	if (errno != 0 || no_end == NULL || *no_end != ':' || !gf_id_valid(no_end + 1, strlen(no_end + 1))) {
		request_fail(r, 400, "bad_parameter", "after is not a 'next' of an earlier answer");
		return false;
	}
	*ret_ms = ms;
	*ret_no = no;
	*ret_device = no_end + 1;
	return true;
}

void request_cursor_text(char buf[static REQUEST_CURSOR_MAX], int64_t ms, uint64_t no, const char *device)
{
	(void)snprintf(buf, REQUEST_CURSOR_MAX, "%" PRId64 ":%" PRIu64 ":%s", ms, no, device);
}

bool request_cursor_row(struct request *r, int64_t *ret_ms, uint64_t *ret_id)
{
	const char *text = request_param(r, "after");
	char *ms_end = NULL, *id_end = NULL;

	if (text == NULL)
		return true;
	errno = 0;
	int64_t ms = strtoll(text, &ms_end, 10);
	uint64_t id = *ms_end == ':' && ms_end[1] >= '0' && ms_end[1] <= '9' ? strtoull(ms_end + 1, &id_end, 10) : 0;
	if (errno != 0 || ms_end == text || id_end == NULL || *id_end != '\0' || id == 0 || id > INT64_MAX) {
		request_fail(r, 400, "bad_parameter", "after is not a 'next' of an earlier answer");
		return false;
	}
	*ret_ms = ms;
	*ret_id = id;
	return true;
}

void request_cursor_row_text(char buf[static REQUEST_CURSOR_MAX], int64_t ms, uint64_t id)
{
	(void)snprintf(buf, REQUEST_CURSOR_MAX, "%" PRId64 ":%" PRIu64, ms, id);
}

bool request_number_of(struct request *r, const char *what, uint64_t *ret_id)
{
	errno = 0;
	uint64_t id = strtoull(r->ref, NULL, 10);
	if (strchr(r->ref, '@') == NULL && errno == 0 && id <= INT64_MAX) {
		*ret_id = id;
		return true;
	}
	request_fail(r, 400, "bad_id", "a %s has a number", what);
	return false;
}

json_t *json_time(int64_t wall_ms)
{
	char buf[GF_RFC3339_MAX];
	return json_text(wall_ms > 0 ? gf_time_format(wall_ms, buf) : "");
}

json_t *json_text(const char *text)
{
	return *text != '\0' ? json_string(text) : json_null();
}

json_t *json_measure(double value)
{
	return isfinite(value) ? json_real(round(value * 1000) / 1000) : json_null();
}

json_t *json_count(uint64_t number)
{
	return json_integer((json_int_t)number);
}

json_t *json_seconds(uint64_t ms)
{
	return json_real((double)ms / 1000);
}

void json_put(json_t **object, const char *key, json_t *value)
{
	if (json_object_set_new(*object, key, value) != 0) {
		json_decref(*object);
		*object = NULL;
	}
}

void json_push(json_t **array, json_t *value)
{
	if (json_array_append_new(*array, value) != 0) {
		json_decref(*array);
		*array = NULL;
	}
}

struct where_value json_lookup(const void *row, const struct where_field *field)
{
	return json_value(json_object_get(row, field->name), field->type);
}

struct where_value json_value(const json_t *value, enum where_type type)
{
	struct where_value v = {.type = type};
	int64_t ms;

	switch (type) {
	case WHERE_TEXT:
		v.text = json_string_value(value);
		return v.text != NULL ? v : (struct where_value){.type = WHERE_NULL};
	case WHERE_NUMBER:
		v.number = json_number_value(value);
		return json_is_number(value) ? v : (struct where_value){.type = WHERE_NULL};
	case WHERE_BOOL:
		v.boolean = json_is_true(value);
		return json_is_boolean(value) ? v : (struct where_value){.type = WHERE_NULL};
	case WHERE_TIME:
		if (!json_is_string(value) || gf_time_parse(json_string_value(value), &ms) != 0)
			return (struct where_value){.type = WHERE_NULL};
		v.number = (double)ms;
		return v;
	case WHERE_NULL:
	default:
		return (struct where_value){.type = WHERE_NULL};
	}
}
