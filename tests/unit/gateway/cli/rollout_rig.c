#include "tests/unit/gateway/cli/rollout_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/api/rollout_json.h"
#include "gateway/api/rollout_spec.h"

static struct store_rollout percussion(void)
{
	struct store_rollout s = {
	    .rollout = {.id = 12,
	                .spec = {.catalog = "percussion",
	                         .version = 8,
	                         .where = "site=berlin",
	                         .soak_ms = HOUR / 2,
	                         .deadline_ms = 24 * HOUR,
	                         .max_failures_ppm = 20000,
	                         .gates_count = 1,
	                         .gates = {{ROLLOUT_GATE_FAULTS, 1.5, true}}},
	                .state = ROLLOUT_RUNNING,
	                .wave = 2,
	                .created_ms = NOON,
	                .state_since_ms = NOON,
	                .phase_since_ms = NOON + HOUR,
	                .wave_since_ms = {NOON, NOON + HOUR},
	                .wave_done_ms = {NOON + HOUR},
	                .created_by = "anna (uid 1000)",
	                .updated = {.machines = 3, .motor_hours = 4, .faults = 1, .sessions = 20, .user_stops = 3},
	                .others = {.machines = 7, .motor_hours = 0}},
	    .machines = 10,
	};
	struct rollout_target *target = &s.rollout.spec.targets[GF_CLASS_PERCUSSION];

	target->there = true;
	target->size = 900;
	target->rollback_floor = 7;
	assert_int_equal(rollout_spec_waves("1,40%,100%", &s.rollout.spec, NULL), 0);
	s.waves[0].machines = 6;
	s.waves[0].steps[ROLLOUT_STEP_WAITING] = 6;
	s.waves[1].machines = 1;
	s.waves[1].steps[ROLLOUT_STEP_CONFIRMED] = 1;
	s.waves[2].machines = 3;
	s.waves[2].steps[ROLLOUT_STEP_INSTALLED] = 1;
	s.waves[2].steps[ROLLOUT_STEP_OFFERED] = 1;
	s.waves[2].steps[ROLLOUT_STEP_FAILED] = 1;
	s.waves[2].in_use = 1;
	for (size_t w = 0; w <= 2; w++)
		for (size_t i = 0; i < ROLLOUT_STEP_COUNT; i++)
			s.steps[i] += s.waves[w].steps[i];
	return s;
}

static json_t *machine(const char *id, enum rollout_step step, enum gf_refusal refusal, const char *detail)
{
	struct rollout_device d = {.class = GF_CLASS_PERCUSSION,
	                           .wave = 2,
	                           .step = step,
	                           .since_ms = NOON + HOUR,
	                           .deadline_ms = NOON + 25 * HOUR,
	                           .told_ms = NOON + HOUR,
	                           .previous_catalog = "percussion",
	                           .previous_version = 7,
	                           .refusal = refusal};

	gf_strcpy(d.id, sizeof(d.id), id);
	gf_strcpy(d.detail, sizeof(d.detail), detail);
	return rollout_json_device(&d);
}

static void see(struct gateway *g, const struct canned_request *request)
{
	if (g->seen_count < SEEN_MAX)
		snprintf(g->seen[g->seen_count++], sizeof(g->seen[0]), "%s %s?%s", request->method, request->path,
		         request->query);
	if (request->body != NULL && g->body == NULL)
		g->body = json_incref(request->body);
}

json_t *answer(void *ctx, const struct canned_request *request, int *ret_status)
{
	struct gateway *g = ctx;
	size_t stage = atomic_load(&g->looks);

	see(g, request);
	if (strcmp(request->method, "POST") == 0 && g->status != 0) {
		*ret_status = g->status;
		return json_pack("{s:{s:s, s:s}}", "error", "code", "x", "message", g->message);
	}
	if (strcmp(request->method, "POST") == 0 && strcmp(request->path, "/v1/rollouts") == 0) {
		*ret_status = 201;
		return json_pack("{s:i, s:i}", "id", 12, "machines", 10);
	}
	if (strcmp(request->path, "/v1/status") == 0)
		return json_pack("{s:{}, s:[o]}", "fleet", "rollouts", rollout_json_row(&g->stages[0]));
	if (strstr(request->path, "/devices") != NULL)
		return json_pack("{s:O, s:n}", "items", g->devices, "next");
	if (strcmp(request->path, "/v1/rollouts") == 0)
		return json_pack("{s:[o], s:n}", "items", rollout_json_row(&g->stages[0]), "next");
	if (stage > 0 && g->silent-- > 0)
		return NULL;
	if (stage + 1 < g->stages_count)
		atomic_fetch_add(&g->looks, 1);
	return rollout_json_detail(&g->stages[stage]);
}

struct gateway *gateway(void)
{
	struct gateway *g = calloc(1, sizeof(*g));

	assert_non_null(g);
	g->stages[0] = percussion();
	g->stages_count = 1;
	g->devices =
	    json_pack("[o, o]", machine("gun-1", ROLLOUT_STEP_FAILED, GF_REFUSAL_ENVELOPE, "80 % is above its 60 %"),
	              machine("gun-2", ROLLOUT_STEP_INSTALLED, GF_REFUSAL_UNSPECIFIED, ""));
	return g;
}

void drop(struct gateway *g)
{
	json_decref(g->devices);
	json_decref(g->body);
	free(g);
}

/* Runs the words against this gateway; it stays for what was asked. */
struct result ask(struct gateway *g, const char *words)
{
	struct canned server;

	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	canned_start(&server, answer, g);
	struct result r = run(server.socket, words);
	canned_stop(&server);
	return r;
}

void says(const struct result *r, int code, const char *const *texts)
{
	if (r->code != code)
		fail_msg("exit %d\n%s\n%s", r->code, r->out, r->err);
	for (; *texts != NULL; texts++)
		if (strstr(r->out, *texts) == NULL && strstr(r->err, *texts) == NULL)
			fail_msg("'%s' is not in\n%s\n%s", *texts, r->out, r->err);
}

void check(struct gateway *g, const char *words, int code, const char *const *texts)
{
	struct result r = ask(g, words);

	says(&r, code, texts);
	forget(&r);
}
