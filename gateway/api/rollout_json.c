#include "gateway/api/rollout_json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/api/rollout_spec.h"

#define NAME(symbol, name) name,
static const char *const state_words[] = {ROLLOUT_STATES(NAME) NULL};
static const char *const phase_words[] = {ROLLOUT_PHASES(NAME) NULL};
static const char *const step_words[] = {ROLLOUT_STEPS(NAME) NULL};
static const char *const class_words[] = {GF_CLASSES(NAME) NULL};
static const char *const refusal_words[] = {GF_REFUSALS(NAME) NULL};
#undef NAME

const struct where_field rollout_fields[] = {
    {"id", WHERE_NUMBER, NULL},          {"catalog", WHERE_TEXT, NULL},      {"version", WHERE_NUMBER, NULL},
    {"state", WHERE_TEXT, state_words},  {"phase", WHERE_TEXT, phase_words}, {"wave", WHERE_NUMBER, NULL},
    {"waves_count", WHERE_NUMBER, NULL}, {"machines", WHERE_NUMBER, NULL},   {"created", WHERE_TIME, NULL},
    {"created_by", WHERE_TEXT, NULL},    {"state_since", WHERE_TIME, NULL},  {"reason", WHERE_TEXT, NULL},
    {"ended", WHERE_NUMBER, NULL},       {"in_use", WHERE_NUMBER, NULL},     {"until", WHERE_TIME, NULL},
};
const size_t rollout_fields_count = sizeof(rollout_fields) / sizeof(rollout_fields[0]);

const struct where_field rollout_device_fields[] = {
    {"device", WHERE_TEXT, NULL},        {"class", WHERE_TEXT, class_words},
    {"wave", WHERE_NUMBER, NULL},        {"step", WHERE_TEXT, step_words},
    {"since", WHERE_TIME, NULL},         {"deadline", WHERE_TIME, NULL},
    {"told", WHERE_TIME, NULL},          {"installed", WHERE_TIME, NULL},
    {"previous", WHERE_TEXT, NULL},      {"previous_version", WHERE_NUMBER, NULL},
    {"code", WHERE_TEXT, refusal_words}, {"detail", WHERE_TEXT, NULL},
};
const size_t rollout_device_fields_count = sizeof(rollout_device_fields) / sizeof(rollout_device_fields[0]);

/* The wave's own time, or its machines' where their window opens late. */
static int64_t wave_until_ms(const struct store_rollout *s)
{
	const struct rollout *r = &s->rollout;

	if (r->wave == 0 || r->wave > ROLLOUT_WAVES_MAX || r->wave_since_ms[r->wave - 1] == 0)
		return 0;
	int64_t own_ms = r->wave_since_ms[r->wave - 1] + r->spec.deadline_ms, machines_ms = s->waves[r->wave].until_ms;
	return machines_ms > own_ms ? machines_ms : own_ms;
}

/* When what goes on now ends at the latest, as far as it depends on time alone; 0 = it doesn't. */
static int64_t until_ms(const struct store_rollout *s)
{
	const struct rollout *r = &s->rollout;

	switch (r->state) {
	case ROLLOUT_PAUSED:
		return r->state_since_ms + ROLLOUT_PAUSE_MAX_MS;
	case ROLLOUT_ROLLING_BACK:
		return r->state_since_ms + r->spec.deadline_ms;
	case ROLLOUT_RUNNING:
		if (r->phase == ROLLOUT_PHASE_SOAKING)
			return r->phase_since_ms + r->spec.soak_ms;
		return wave_until_ms(s);
	case ROLLOUT_HALTED:
	case ROLLOUT_COMPLETED:
	case ROLLOUT_ROLLED_BACK:
	case ROLLOUT_STATE_COUNT:
	default:
		return 0;
	}
}

/* {"waiting": 3, ...}: every step, so that a reader needs no default. */
static json_t *counts(const uint64_t steps[static ROLLOUT_STEP_COUNT])
{
	json_t *object = json_object();

	for (int i = 0; i < ROLLOUT_STEP_COUNT; i++)
		json_put(&object, rollout_step_name((enum rollout_step)i), json_count(steps[i]));
	return object;
}

static uint64_t ended(const uint64_t steps[static ROLLOUT_STEP_COUNT])
{
	uint64_t sum = 0;

	for (int i = 0; i < ROLLOUT_STEP_COUNT; i++)
		sum += rollout_step_ends((enum rollout_step)i) ? steps[i] : 0;
	return sum;
}

static uint64_t in_use(const struct store_rollout *s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i <= ROLLOUT_WAVES_MAX; i++)
		sum += s->waves[i].in_use;
	return sum;
}

json_t *rollout_json_row(const struct store_rollout *rollout)
{
	const struct rollout *r = &rollout->rollout;
	bool phased = r->state == ROLLOUT_RUNNING || r->state == ROLLOUT_PAUSED;
	json_t *row = json_object();

	json_put(&row, "id", json_count(r->id));
	json_put(&row, "catalog", json_string(r->spec.catalog));
	json_put(&row, "version", json_count(r->spec.version));
	json_put(&row, "state", json_string(rollout_state_name(r->state)));
	json_put(&row, "phase", phased ? json_string(rollout_phase_name(r->phase)) : json_null());
	json_put(&row, "reason", json_text(r->reason));
	json_put(&row, "wave", json_count(r->wave));
	json_put(&row, "waves_count", json_count(r->spec.waves_count));
	json_put(&row, "machines", json_count(rollout->machines));
	json_put(&row, "ended", json_count(ended(rollout->steps)));
	json_put(&row, "in_use", json_count(in_use(rollout)));
	json_put(&row, "counts", counts(rollout->steps));
	json_put(&row, "created", json_time(r->created_ms));
	json_put(&row, "created_by", json_text(r->created_by));
	json_put(&row, "state_since", json_time(r->state_since_ms));
	json_put(&row, "until", json_time(until_ms(rollout)));
	return row;
}

/* ---- one rollout ---- */

static json_t *targets(const struct rollout_spec *spec)
{
	json_t *list = json_array();

	for (int c = 0; c < GF_CLASS_COUNT; c++) {
		const struct rollout_target *target = &spec->targets[c];
		char digest[2 * GF_DIGEST_LEN + 1];
		if (!target->there)
			continue;
		json_t *entry = json_object();
		gf_hex(target->digest.bytes, GF_DIGEST_LEN, digest);
		json_put(&entry, "class", json_string(gf_class_name((enum gf_class)c)));
		json_put(&entry, "digest", json_string(digest));
		json_put(&entry, "size", json_count(target->size));
		json_put(&entry, "rollback_to", target->rollback_floor > 0 ? json_count(target->rollback_floor) : json_null());
		json_push(&list, entry);
	}
	return list;
}

static json_t *spec_json(const struct rollout_spec *spec)
{
	json_t *object = json_object(), *gates = json_array();
	char text[ROLLOUT_SPEC_TEXT_MAX];

	for (size_t i = 0; i < spec->gates_count && i < ROLLOUT_GATES_MAX; i++) {
		rollout_spec_gate_text(&spec->gates[i], text);
		json_push(&gates, json_string(text));
	}
	json_put(&object, "where", json_text(spec->where));
	rollout_spec_waves_text(spec, text);
	json_put(&object, "waves", json_string(text));
	json_put(&object, "soak_s", json_seconds((uint64_t)spec->soak_ms));
	json_put(&object, "deadline_s", json_seconds((uint64_t)spec->deadline_ms));
	json_put(&object, "max_failures_pct", json_measure((double)spec->max_failures_ppm / 10000));
	rollout_spec_window_text(spec, text);
	json_put(&object, "window", json_text(text));
	json_put(&object, "gates", gates);
	return object;
}

/* How many machines the waves up to this one reach, of those that take part now. */
static uint64_t reach(const struct store_rollout *s, size_t number)
{
	const struct rollout_wave_size *size = &s->rollout.spec.waves[number - 1];
	uint64_t n = size->percent ? (s->machines * size->value + 99) / 100 : size->value;

	return n < s->machines ? n : s->machines;
}

/* What the wave will bring, for a person who wants to know before it has begun. */
static uint64_t planned(const struct store_rollout *s, size_t number)
{
	uint64_t before = number > 1 ? reach(s, number - 1) : 0, with = reach(s, number);

	return with > before ? with - before : 0;
}

static json_t *wave_json(const struct store_rollout *s, size_t number)
{
	const struct rollout *r = &s->rollout;
	const struct store_rollout_wave *wave = &s->waves[number];
	const struct rollout_wave_size *size = &r->spec.waves[number - 1];
	json_t *object = json_object();
	char text[16];

	(void)snprintf(text, sizeof(text), "%u%s", size->value, size->percent ? "%" : "");
	json_put(&object, "wave", json_count(number));
	json_put(&object, "size", json_string(text));
	json_put(&object, "machines", json_count(wave->machines));
	json_put(&object, "planned", json_count(planned(s, number)));
	json_put(&object, "ended", json_count(ended(wave->steps)));
	json_put(&object, "in_use", json_count(wave->in_use));
	json_put(&object, "counts", counts(wave->steps));
	json_put(&object, "began", json_time(r->wave_since_ms[number - 1]));
	json_put(&object, "done", json_time(r->wave_done_ms[number - 1]));
	return object;
}

/* A rate of nothing says nothing: null. */
static json_t *rate(uint64_t events, double of)
{
	return json_measure(of > 0 ? 100 * (double)events / of : NAN);
}

static json_t *outcome_json(const struct rollout_outcome *o)
{
	json_t *object = json_object();

	json_put(&object, "machines", json_count(o->machines));
	json_put(&object, "motor_hours", json_measure(o->motor_hours));
	json_put(&object, "faults", json_count(o->faults));
	json_put(&object, "faults_per_100h", rate(o->faults, o->motor_hours));
	json_put(&object, "sessions", json_count(o->sessions));
	json_put(&object, "user_stops", json_count(o->user_stops));
	json_put(&object, "user_stops_per_100", rate(o->user_stops, (double)o->sessions));
	return object;
}

json_t *rollout_json_detail(const struct store_rollout *rollout)
{
	const struct rollout *r = &rollout->rollout;
	json_t *row = rollout_json_row(rollout), *waves = json_array(), *outcomes = json_object();

	for (size_t i = 1; i <= r->spec.waves_count && i <= ROLLOUT_WAVES_MAX; i++)
		json_push(&waves, wave_json(rollout, i));
	json_put(&outcomes, "updated", outcome_json(&r->updated));
	json_put(&outcomes, "others", outcome_json(&r->others));
	json_put(&row, "spec", spec_json(&r->spec));
	json_put(&row, "targets", targets(&r->spec));
	json_put(&row, "phase_since", json_time(r->phase_since_ms));
	json_put(&row, "not_chosen", json_count(rollout->waves[0].machines));
	json_put(&row, "waves", waves);
	json_put(&row, "outcomes", outcomes);
	return row;
}

json_t *rollout_json_device(const struct rollout_device *d)
{
	bool refused = d->refusal != GF_REFUSAL_UNSPECIFIED;
	json_t *row = json_object();

	json_put(&row, "device", json_string(d->id));
	json_put(&row, "class", json_text(d->class != GF_CLASS_UNSPECIFIED ? gf_class_name(d->class) : ""));
	json_put(&row, "wave", d->wave > 0 ? json_count(d->wave) : json_null());
	json_put(&row, "step", json_string(rollout_step_name(d->step)));
	json_put(&row, "since", json_time(d->since_ms));
	json_put(&row, "deadline", json_time(rollout_step_ends(d->step) ? 0 : d->deadline_ms));
	json_put(&row, "told", json_time(d->told_ms));
	json_put(&row, "installed", json_time(d->installed_ms));
	json_put(&row, "previous", json_text(d->previous_catalog));
	json_put(&row, "previous_version", d->previous_version > 0 ? json_count(d->previous_version) : json_null());
	json_put(&row, "code", json_text(refused ? gf_refusal_name(d->refusal) : ""));
	json_put(&row, "detail", json_text(d->detail));
	return row;
}
