/*
 * What is wanted of one machine: /v1/devices/{id}/lock, unlock, limits stay until they are changed; stop is a command, which ends within
 * seconds: /v1/commands/{n} tells how.
 */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/api/body.h"
#include "gateway/api/resources.h"
#include "gateway/api/unknown.h"
#include "proto/base/text.h"

enum { STOP_WITHIN_MS = 10 * 1000, SESSION_MAX_S = 24 * 3600 };
#define LIMIT_LEAST 0.001 /* below it a limit would be stored as 0, which is none */

/* The machine as it is wanted now, or what went wrong. */
static void answer_device(struct request *r, int result, const struct gf_diag *diag)
{
	if (result == 0)
		resource_device(r);
	else if (result == -ENOENT)
		unknown_machine(r, r->id);
	else
		request_fail_store(r, result, diag);
}

static void set_lock(struct request *r, bool locked, const char *reason)
{
	const struct api_ops *ops = api_ops_of(r->api);
	struct gf_diag diag = {{0}};

	answer_device(r, ops->desired_set(ops->ctx, r->id, NULL, &locked, reason, &r->actor, &diag), &diag);
}

/* Without a reason a machine that is locked already keeps the one that it has. */
void resource_device_lock(struct request *r)
{
	json_t *body = request_body(r);
	const json_t *reason = json_object_get(body, "reason");

	if (body == NULL)
		return;
	if (json_object_size(body) > (reason != NULL) ||
	    (reason != NULL && !json_is_null(reason) &&
	     (!json_is_string(reason) || json_string_length(reason) >= GF_TEXT_MAX ||
	      gf_has_controls(json_string_value(reason), json_string_length(reason)))))
		request_fail(r, 400, "bad_value", "expected {\"reason\": a text of one line and at most %d bytes}, or nothing",
		             GF_TEXT_MAX - 1);
	else
		set_lock(r, true, json_is_null(reason) ? "" : json_string_value(reason));
	json_decref(body);
}

void resource_device_unlock(struct request *r)
{
	json_t *body = body_take(r, NULL, 0, NULL);

	if (body != NULL)
		set_lock(r, false, "");
	json_decref(body);
}

/* ---- limits ---- */

static const struct {
	const char *name;
	double most; /* beyond what any machine does */
} limit_fields[] = {
    {"intensity_max_pct", 100}, {"frequency_max_hz", 100},        {"pressure_max_mmhg", 1000},
    {"heat_max_c", 100},        {"session_max_s", SESSION_MAX_S},
};
#define LIMITS_COUNT (sizeof(limit_fields) / sizeof(limit_fields[0]))

/* A number sets a limit, null takes it away; one that isn't named stays as it is. */
static bool take_limit(struct request *r, const char *key, const json_t *value, double values[static LIMITS_COUNT])
{
	const char *names[LIMITS_COUNT];

	for (size_t i = 0; i < LIMITS_COUNT; i++) {
		names[i] = limit_fields[i].name;
		if (strcmp(names[i], key) != 0)
			continue;
		double number = json_number_value(value);
		if (!json_is_null(value) &&
		    !(json_is_number(value) && number >= LIMIT_LEAST && number <= limit_fields[i].most)) {
			request_fail(r, 400, "bad_value", "%s must be from %g to %g; without a number there is no limit", key,
			             LIMIT_LEAST, limit_fields[i].most);
			return false;
		}
		values[i] = json_is_null(value) ? 0 : number;
		return true;
	}
	const char *near = gf_nearest(key, names, LIMITS_COUNT);
	request_fail(
	    r, 400, "bad_value",
	    "unknown key '%.64s'%s%s%s; it may be intensity_max_pct, frequency_max_hz, pressure_max_mmhg, heat_max_c "
	    "or session_max_s",
	    key, near != NULL ? "; did you mean '" : "", near != NULL ? near : "", near != NULL ? "'?" : "");
	return false;
}

static void set_limits(struct request *r, const json_t *body, const struct gf_desired_limits *now)
{
	const struct api_ops *ops = api_ops_of(r->api);
	double values[LIMITS_COUNT] = {(double)now->intensity_max_pct, (double)now->frequency_max_hz,
	                               (double)now->pressure_max_mmhg, (double)now->heat_max_c,
	                               (double)now->session_max_ms / 1000};
	struct gf_diag diag = {{0}};
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)body, key, value)
	{
		if (r->status != 0 || !take_limit(r, key, value, values))
			return;
	}
	struct gf_desired_limits limits = {.intensity_max_pct = (float)values[0],
	                                   .frequency_max_hz = (float)values[1],
	                                   .pressure_max_mmhg = (float)values[2],
	                                   .heat_max_c = (float)values[3],
	                                   .session_max_ms = (uint32_t)llround(values[4] * 1000)};
	answer_device(r, ops->desired_set(ops->ctx, r->id, &limits, NULL, NULL, &r->actor, &diag), &diag);
}

/* What isn't named stays as it is: two who set different limits at once must not take each other's away. */
static pthread_mutex_t limits_lock = PTHREAD_MUTEX_INITIALIZER;

void resource_device_limits(struct request *r)
{
	json_t *body = request_body(r);
	struct store_desired *now = calloc(1, sizeof(*now));
	struct gf_diag diag = {{0}};
	int result = now != NULL ? 0 : -ENOMEM;

	if (body != NULL && json_object_size(body) == 0)
		request_fail(r, 400, "bad_body", "expected a JSON object with at least one limit, such as intensity_max_pct");
	pthread_mutex_lock(&limits_lock);
	if (r->status == 0 && result == 0)
		result = store_read_desired_of(r->reader, r->id, now, &diag);
	if (result != 0)
		answer_device(r, result, &diag);
	else if (r->status == 0)
		set_limits(r, body, &now->own_limits);
	pthread_mutex_unlock(&limits_lock);
	free(now);
	json_decref(body);
}

/* ---- commands ---- */

static json_t *command_row(const struct store_command *c)
{
	json_t *row = json_object();

	json_put(&row, "id", json_count(c->id));
	json_put(&row, "device", json_string(c->device));
	json_put(&row, "command", json_string(gf_command_name(c->kind)));
	json_put(&row, "state", json_string(store_command_state_name(c->state)));
	json_put(&row, "issued", json_time(c->issued_ms));
	json_put(&row, "deadline", json_time(c->deadline_ms));
	json_put(&row, "ended", json_time(c->ended_ms));
	json_put(&row, "detail", json_text(c->detail));
	return row;
}

void resource_device_stop(struct request *r)
{
	const struct api_ops *ops = api_ops_of(r->api);
	struct gf_diag diag = {{0}};
	uint64_t id = 0;
	int result = ops->command_add(ops->ctx, r->id, GF_COMMAND_STOP, STOP_WITHIN_MS, &r->actor, &id, &diag);

	if (result != 0) {
		answer_device(r, result, &diag);
		return;
	}
	json_t *answer = json_object();
	json_put(&answer, "id", json_count(id));
	json_put(&answer, "device", json_string(r->id));
	json_put(&answer, "command", json_string(gf_command_name(GF_COMMAND_STOP)));
	json_put(&answer, "state", json_string(store_command_state_name(STORE_COMMAND_SENT)));
	json_put(&answer, "deadline", json_time(r->now_ms + STOP_WITHIN_MS));
	json_put(&answer, "within_s", json_count(STOP_WITHIN_MS / 1000));
	request_answer_as(r, 202, answer);
}

void resource_command(struct request *r)
{
	struct store_command command = {0};
	struct gf_diag diag = {{0}};

	if (strchr(r->ref, '@') != NULL) {
		request_fail(r, 400, "bad_id", "a command has a number");
		return;
	}
	int result = store_read_command(r->reader, strtoull(r->ref, NULL, 10), &command, &diag);
	if (result == -ENOENT)
		request_fail(r, 404, "not_found", "there is no command %s; old ones are forgotten", r->ref);
	else if (result != 0)
		request_fail_store(r, result, &diag);
	else
		request_answer(r, command_row(&command));
}
