#include "tests/unit/gateway/rollout/sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct gf_digest sim_digest(unsigned version)
{
	struct gf_digest d = {{0}};

	memset(d.bytes, (int)version, sizeof(d.bytes));
	return d;
}

/* ---- making ---- */

static void make_spec(struct rollout_spec *spec)
{
	static const struct rollout_wave_size waves[] = {{1, false}, {10, true}, {100, true}};
	struct gf_diag diag = {""};

	gf_strcpy(spec->catalog, sizeof(spec->catalog), "percussion");
	spec->version = NEW;
	spec->targets[GF_CLASS_CHAIR] = (struct rollout_target){true, sim_digest(NEW), 1000, OLD};
	spec->waves_count = 3;
	memcpy(spec->waves, waves, sizeof(waves));
	spec->soak_ms = 30 * MINUTE;
	spec->deadline_ms = DAY;
	spec->max_failures_ppm = 20000;
	assert_int_equal(plan_check(spec, &diag), 0);
}

struct sim *sim_new(size_t count)
{
	struct sim *s = calloc(1, sizeof(*s));

	s->now_ms = NOON;
	s->revision = 100;
	s->r.devices = calloc(SIM_MAX, sizeof(*s->r.devices));
	make_spec(&s->r.spec);
	s->r.id = 1;
	s->r.wave = 1;
	s->r.created_ms = s->r.state_since_ms = s->r.phase_since_ms = s->r.wave_since_ms[0] = NOON;
	for (size_t i = 0; i < count; i++)
		sim_join(s);
	return s;
}

void sim_free(struct sim *s)
{
	rollout_deinit(&s->r);
	free(s);
}

struct machine *sim_join(struct sim *s)
{
	struct machine *m = &s->machines[s->count];
	struct rollout_device *d = &s->r.devices[s->r.devices_count++];

	assert_true(s->count < SIM_MAX);
	*m = (struct machine){
	    .online = true, .selected = true, .joined = true, .fetch_ms = MINUTE, .trial_ms = 10 * MINUTE, .plays = OLD};
	*d = (struct rollout_device){.key = (int64_t)s->count, .class = GF_CLASS_CHAIR, .since_ms = s->now_ms};
	snprintf(d->id, sizeof(d->id), "chair-%04zu", s->count++);
	return m;
}

struct rollout_device *sim_device(struct sim *s, size_t i)
{
	return &s->r.devices[i];
}

/* ---- machines ---- */

static void answer(struct machine *m, enum gf_desired_step step, enum gf_refusal refusal, int64_t now_ms)
{
	if (m->told.answer == step && m->answer_revision == m->revision)
		return;
	m->told.answer = step;
	m->told.refusal = refusal;
	m->told.answered_ms = now_ms;
	gf_strcpy(m->told.detail, sizeof(m->told.detail), refusal ? gf_refusal_name(refusal) : "");
	m->answer_revision = m->revision;
	m->answer_about = m->desired;
}

static void act(struct machine *m, int64_t now_ms)
{
	if (m->online && m->heard_ms == 0)
		m->heard_ms = now_ms;
	if (m->heard_ms == 0 || m->desired == 0 || m->verdict == SIM_SILENT)
		return;
	if (m->plays == m->desired && !m->on_trial) {
		answer(m, GF_DESIRED_STEP_CONFIRMED, GF_REFUSAL_UNSPECIFIED, now_ms);
	} else if (m->plays == m->desired) {
		answer(m, GF_DESIRED_STEP_ACTIVE, GF_REFUSAL_UNSPECIFIED, now_ms);
		if (m->verdict == SIM_NEVER_CONFIRMS || now_ms < m->trial_since_ms + m->trial_ms)
			return;
		m->on_trial = false;
		if (m->verdict == SIM_ROLLS_BACK && m->desired == NEW) {
			m->plays = OLD;
			answer(m, GF_DESIRED_STEP_ROLLED_BACK, GF_REFUSAL_FAULTS, now_ms);
		} else
			answer(m, GF_DESIRED_STEP_CONFIRMED, GF_REFUSAL_UNSPECIFIED, now_ms);
	} else if (m->answer_revision == m->revision &&
	           (m->told.answer == GF_DESIRED_STEP_REFUSED || m->told.answer == GF_DESIRED_STEP_ROLLED_BACK)) {
		return;
	} else if (m->verdict == SIM_REFUSES && m->desired == NEW) {
		answer(m, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_ENVELOPE, now_ms);
	} else if (now_ms < m->heard_ms + m->fetch_ms) {
		answer(m, GF_DESIRED_STEP_FETCHING, GF_REFUSAL_UNSPECIFIED, now_ms);
	} else if (m->in_use) {
		answer(m, GF_DESIRED_STEP_WAITING, GF_REFUSAL_UNSPECIFIED, now_ms);
	} else {
		m->plays = m->desired;
		m->on_trial = m->desired == NEW;
		m->trial_since_ms = now_ms;
	}
}

/* What the gateway sees: of an offline machine, what it saw last. */
static void take_facts(struct sim *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct machine *m = &s->machines[i];
		struct rollout_device *d = &s->r.devices[i];
		struct rollout_facts *f = &d->facts;
		unsigned about = d->step == ROLLOUT_STEP_REVERTING ? OLD : NEW;

		act(m, s->now_ms);
		f->there = m->selected;
		f->taken = m->taken;
		f->online = m->online;
		f->utc_offset_s = m->utc_offset_s;
		if (!m->online && m->joined)
			continue;
		m->joined = true;
		f->in_use = m->in_use;
		f->version = m->plays;
		f->digest = sim_digest(m->plays);
		f->on_trial = m->on_trial;
		gf_strcpy(f->catalog, sizeof(f->catalog), "percussion");
		f->answer = GF_DESIRED_STEP_UNSPECIFIED;
		if (d->revision > 0 && m->answer_revision >= d->revision && m->answer_about == about) {
			f->answer = m->told.answer;
			f->refusal = m->told.refusal;
			f->answered_ms = m->told.answered_ms;
			memcpy(f->detail, m->told.detail, sizeof(f->detail));
		}
	}
}

static void store_wishes(struct sim *s)
{
	for (size_t i = 0; i < s->last.wishes_count; i++) {
		struct machine *m = &s->machines[s->last.wishes[i].device];
		struct rollout_device *d = &s->r.devices[s->last.wishes[i].device];

		m->revision = ++s->revision;
		m->heard_ms = 0;
		m->offers += s->last.wishes[i].kind == PLAN_OFFER;
		m->withdrawals += s->last.wishes[i].kind == PLAN_WITHDRAW;
		m->reverts += s->last.wishes[i].kind == PLAN_REVERT;
		m->desired = (const unsigned[]){NEW, 0, OLD}[s->last.wishes[i].kind];
		if (s->last.wishes[i].kind != PLAN_WITHDRAW)
			d->revision = m->revision;
	}
}

/* ---- what must always hold ---- */

static void check_device(const struct sim *s, size_t i)
{
	const struct rollout *r = &s->r;
	const struct rollout_device *d = &r->devices[i];
	bool waits = d->step == ROLLOUT_STEP_WAITING;

	/* Nobody of a later wave is touched before its wave. */
	assert_true(d->wave <= r->wave);
	if (d->wave == 0)
		assert_int_equal(d->told_ms, 0);
	/* No step without a deadline or a state that bounds it. */
	if (!rollout_step_ends(d->step) && !(waits && (d->wave == 0 || r->state == ROLLOUT_PAUSED)))
		assert_true(d->deadline_ms > 0);
	if (waits && d->wave == 0)
		assert_true(r->state == ROLLOUT_RUNNING || r->state == ROLLOUT_PAUSED);
	if (r->state == ROLLOUT_HALTED || r->state == ROLLOUT_ROLLED_BACK || r->state == ROLLOUT_ROLLING_BACK)
		assert_true(rollout_step_ends(d->step) || d->step == ROLLOUT_STEP_INSTALLED ||
		            d->step == ROLLOUT_STEP_REVERTING);
	if (r->state == ROLLOUT_ROLLED_BACK)
		assert_true(rollout_step_ends(d->step));
	if (d->step == ROLLOUT_STEP_FAILED || d->step == ROLLOUT_STEP_STUCK || d->step == ROLLOUT_STEP_EXPIRED ||
	    d->step == ROLLOUT_STEP_LEFT || d->step == ROLLOUT_STEP_MISSED)
		assert_true(d->detail[0] != '\0');
}

static void check_wishes(const struct sim *s)
{
	const struct rollout *r = &s->r;
	bool wished[SIM_MAX] = {false}, changed[SIM_MAX] = {false};

	for (size_t i = 0; i < s->last.devices_count; i++) {
		assert_false(changed[s->last.devices[i]]);
		changed[s->last.devices[i]] = true;
	}
	for (size_t i = 0; i < s->last.wishes_count; i++) {
		size_t n = s->last.wishes[i].device;
		const struct machine *m = &s->machines[n];

		assert_false(wished[n]);
		assert_true(changed[n]);
		wished[n] = true;
		if (s->last.wishes[i].kind != PLAN_OFFER)
			continue;
		/* Told once, unless it was taken back; only who can hear it, in its window. */
		assert_true(m->offers == 0 || m->withdrawals == m->offers);
		assert_true(r->devices[n].wave > 0);
		assert_true(m->online && m->selected && !m->taken);
		assert_true(r->state == ROLLOUT_RUNNING || r->state == ROLLOUT_COMPLETED);
		assert_true(plan_window_open(&r->spec, s->now_ms, m->utc_offset_s));
	}
}

/* The same inputs, the same outputs. */
static int64_t step_twice(struct sim *s)
{
	struct rollout copy = s->r;
	size_t changed[SIM_MAX];
	struct plan_wish wishes[SIM_MAX];
	struct plan_changes other = {.devices = changed, .wishes = wishes};
	int64_t due_ms, other_ms;

	copy.devices = malloc(SIM_MAX * sizeof(*copy.devices));
	memcpy(copy.devices, s->r.devices, s->r.devices_count * sizeof(*copy.devices));
	s->last = (struct plan_changes){.devices = s->changed, .wishes = s->wishes};
	due_ms = plan_step(&s->r, s->now_ms, &s->last);
	other_ms = plan_step(&copy, s->now_ms, &other);
	assert_int_equal(due_ms, other_ms);
	assert_int_equal(s->last.devices_count, other.devices_count);
	assert_int_equal(s->last.wishes_count, other.wishes_count);
	assert_memory_equal(s->r.devices, copy.devices, s->r.devices_count * sizeof(*copy.devices));
	assert_int_equal(copy.state, s->r.state);
	/* Nothing is left to do at that time. */
	other_ms = plan_step(&copy, s->now_ms, &other);
	assert_int_equal(other.devices_count + other.wishes_count + other.rollout, 0);
	assert_int_equal(due_ms, other_ms);
	free(copy.devices);
	return due_ms;
}

static void step(struct sim *s)
{
	s->due_ms = step_twice(s);
	s->steps++;
	assert_true(s->due_ms > s->now_ms);
	for (size_t i = 0; i < s->r.devices_count; i++)
		check_device(s, i);
	check_wishes(s);
}

/* ---- running ---- */

void sim_step(struct sim *s)
{
	take_facts(s);
	step(s);
	store_wishes(s);
}

void sim_step_lost(struct sim *s)
{
	struct rollout saved = s->r;

	take_facts(s);
	saved.devices = malloc(SIM_MAX * sizeof(*saved.devices));
	memcpy(saved.devices, s->r.devices, s->r.devices_count * sizeof(*saved.devices));
	step(s);
	free(s->r.devices);
	s->r = saved;
}

void sim_run(struct sim *s, int64_t span_ms, int64_t each_ms)
{
	int64_t until_ms = s->now_ms + span_ms;

	sim_step(s);
	while (s->now_ms < until_ms) {
		s->now_ms += each_ms;
		sim_step(s);
	}
}

void sim_run_to_end(struct sim *s, int64_t most_ms)
{
	int64_t until_ms = s->now_ms + most_ms;

	sim_step(s);
	while (!rollout_state_ends(s->r.state)) {
		assert_true(s->now_ms < until_ms);
		s->now_ms += MINUTE;
		sim_step(s);
	}
}

int sim_order(struct sim *s, enum rollout_order order)
{
	struct gf_diag diag = {""};
	int r;

	take_facts(s);
	s->last = (struct plan_changes){.devices = s->changed, .wishes = s->wishes};
	r = plan_order(&s->r, order, "anna", s->now_ms, &s->last, &diag);
	if (r) {
		assert_true(diag.text[0] != '\0');
		return r;
	}
	check_wishes(s);
	store_wishes(s);
	sim_step(s);
	return 0;
}

/* ---- counting ---- */

size_t sim_count(const struct sim *s, enum rollout_step step)
{
	size_t n = 0;

	for (size_t i = 0; i < s->r.devices_count; i++)
		n += s->r.devices[i].step == step;
	return n;
}

size_t sim_in_wave(const struct sim *s, uint32_t wave)
{
	size_t n = 0;

	for (size_t i = 0; i < s->r.devices_count; i++)
		n += s->r.devices[i].wave == wave;
	return n;
}

size_t sim_told(const struct sim *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->count; i++)
		n += s->machines[i].offers > 0;
	return n;
}

struct machine *sim_machine_of_wave(struct sim *s, uint32_t wave)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->r.devices[i].wave == wave)
			return &s->machines[i];
	fail();
	return NULL;
}

struct rollout_device *sim_device_of(struct sim *s, const struct machine *m)
{
	return &s->r.devices[m - s->machines];
}
