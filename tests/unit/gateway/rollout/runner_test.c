/*
 * The runner over the real store, in virtual time: machines read what is desired of them and report, as they would by the broker. It is killed between and
 * within its steps; nobody is skipped, nobody is told twice.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/rollout/runner.h"
#include "gateway/store/sqlite/writer.h"
#include "tests/unit/gateway/store/fixture.h"

enum { MACHINES = 20, OLD = 7, NEW = 8 };

struct machine {
	char id[GF_ID_MAX];
	uint64_t seq, revision;
	unsigned plays, told, told_new;
	bool offline, refuses, silent;
};

struct rig {
	struct fixture *f;
	struct runner *runner;
	struct zones *zones;
	struct gf_time now;
	struct machine machines[MACHINES + 2];
	size_t count;
	atomic_uint wakes;
	int commits_until_death; /* below 0 = never */
};

static const struct store_actor anna = {"anna (uid 1000)", "unix socket"};

/* ---- what the API lends: 'site=NAME', or everybody ---- */

static int compile(const char *where, int64_t now_ms, void **ret_selector, struct gf_diag *diag)
{
	(void)now_ms;
	if (where[0] != '\0' && strncmp(where, "site=", 5) != 0) {
		gf_diag_set(diag, "column 1: no such field");
		return -EINVAL;
	}
	*ret_selector = strdup(where[0] ? where + 5 : "");
	return 0;
}

static bool match(void *selector, const struct store_device *device, int64_t now_ms)
{
	(void)now_ms;
	return *(char *)selector == '\0' || strcmp(selector, device->location.site) == 0;
}

static const struct runner_select_ops select_ops = {compile, match, free};

static void wake(void *ctx)
{
	atomic_fetch_add(&((struct rig *)ctx)->wakes, 1);
}

/* ---- rig ---- */

static struct gf_digest digest(unsigned version)
{
	struct gf_digest d;

	memset(d.bytes, (int)version, sizeof(d.bytes));
	return d;
}

static void open_runner(struct rig *g)
{
	const struct runner_config config = {.store = g->f->store,
	                                     .database = g->f->path,
	                                     .zones = g->zones,
	                                     .select = &select_ops,
	                                     .wake = wake,
	                                     .wake_ctx = g};

	assert_int_equal(runner_new(&config, &g->runner, NULL), 0);
}

/* As after kill -9: what wasn't committed is gone. */
static void reborn(struct rig *g)
{
	runner_free(g->runner);
	fixture_reopen(g->f);
	open_runner(g);
}

static void publish(struct rig *g, unsigned version, uint64_t floor)
{
	struct store_catalog c = {.digest = digest(version),
	                          .name = "gym",
	                          .class = GF_CLASS_CHAIR,
	                          .version = version,
	                          .size = 3,
	                          .rollback_floor = floor};
	bool known;

	assert_int_equal(store_catalog_add(g->f->store, &c, "abc", 3, &anna, g->now.wall_ms, &known, NULL), 0);
}

static void say_hello(struct rig *g, struct machine *m, const char *site)
{
	struct gf_status st = birth(1, 1, 1);

	gf_strcpy(st.location.site, sizeof(st.location.site), site);
	gf_strcpy(st.catalog, sizeof(st.catalog), "gym");
	st.catalog_version = m->plays;
	st.catalog_digest = digest(m->plays);
	send_status(g->f, m->id, st, false, g->now.wall_ms);
}

static struct machine *add_machine(struct rig *g)
{
	struct machine *m = &g->machines[g->count];

	*m = (struct machine){.plays = OLD, .seq = 1};
	snprintf(m->id, sizeof(m->id), "chair-%02zu", g->count++);
	say_hello(g, m, "berlin");
	return m;
}

static int setup(void **state)
{
	struct rig *g = calloc(1, sizeof(*g));

	fixture_setup((void **)&g->f);
	g->now = (struct gf_time){.mono_ms = 1000, .wall_ms = NOON, .synced = true};
	g->commits_until_death = -1;
	assert_int_equal(zones_new("Europe/Berlin", &g->zones, NULL), 0);
	open_runner(g);
	publish(g, OLD, 0);
	publish(g, NEW, OLD);
	for (size_t i = 0; i < MACHINES; i++)
		add_machine(g);
	*state = g;
	return 0;
}

static int teardown(void **state)
{
	struct rig *g = *state;

	runner_free(g->runner);
	zones_free(g->zones);
	fixture_teardown((void **)&g->f);
	free(g);
	return 0;
}

static struct rollout_spec spec(void)
{
	struct rollout_spec s = {.catalog = "gym",
	                         .version = NEW,
	                         .waves_count = 3,
	                         .waves = {{1, false}, {25, true}, {100, true}},
	                         .soak_ms = 10 * MINUTE,
	                         .deadline_ms = 2 * HOUR,
	                         .max_failures_ppm = 100000};

	return s;
}

static uint64_t start(struct rig *g, const struct rollout_spec *s)
{
	struct gf_diag diag = {""};
	size_t machines = 0;
	uint64_t id = 0;

	if (runner_start(g->runner, s, &anna, g->now, &id, &machines, &diag))
		fail_msg("%s", diag.text);
	assert_true(machines > 0);
	return id;
}

static void report(struct rig *g, struct machine *m, const struct gf_desired *d, enum gf_desired_step step)
{
	struct gf_record rs[2] = {record(m->seq, GF_RECORD_CATALOG_CHANGED, g->now.wall_ms),
	                          record(m->seq + 1, GF_RECORD_DESIRED_APPLIED, g->now.wall_ms)};
	struct gf_catalog_changed *c = &rs[0].catalog_changed;
	struct gf_desired_applied *a = &rs[1].desired_applied;
	bool changed = step == GF_DESIRED_STEP_CONFIRMED && m->plays != d->catalog.version;

	*a = (struct gf_desired_applied){
	    .revision = d->revision, .step = step, .version = d->catalog.version, .digest = d->catalog.digest};
	gf_strcpy(a->catalog, sizeof(a->catalog), d->catalog.name);
	if (step == GF_DESIRED_STEP_REFUSED) {
		a->refusal = GF_REFUSAL_ENVELOPE;
		gf_strcpy(a->detail, sizeof(a->detail), "step 3 needs 40 Hz, this machine has 30");
	}
	*c = (struct gf_catalog_changed){.catalog = "gym",
	                                 .version = d->catalog.version,
	                                 .previous_version = m->plays,
	                                 .cause = GF_CATALOG_CAUSE_OVER_THE_AIR,
	                                 .digest = d->catalog.digest};
	if (changed) {
		m->plays = (unsigned)d->catalog.version;
		send_report(g->f, m->id, 1, rs, 2, g->now.wall_ms);
		m->seq += 2;
	} else {
		rs[1].seq = m->seq++;
		send_report(g->f, m->id, 1, &rs[1], 1, g->now.wall_ms);
	}
}

/* Each machine reads its desired state as the broker would have it, and answers once. */
static void machines_act(struct rig *g)
{
	for (size_t i = 0; i < g->count; i++) {
		struct machine *m = &g->machines[i];
		struct store_desired d;

		if (m->offline || store_read_desired_of(g->f->reader, m->id, &d, NULL) || d.desired.revision <= m->revision)
			continue;
		m->revision = d.desired.revision;
		if (!d.desired.has_catalog)
			continue;
		m->told++;
		m->told_new += d.desired.catalog.version == NEW;
		if (!m->silent)
			report(g, m, &d.desired, m->refuses ? GF_DESIRED_STEP_REFUSED : GF_DESIRED_STEP_CONFIRMED);
	}
}

static void pass(struct rig *g, int64_t ms)
{
	g->now.mono_ms += ms;
	g->now.wall_ms += ms;
}

static struct store_rollout get(struct rig *g, uint64_t id)
{
	struct store_rollout s;
	struct gf_diag diag = {""};

	if (store_read_rollout(g->f->reader, id, &s, &diag))
		fail_msg("%s", diag.text);
	return s;
}

static void run(struct rig *g, int64_t span_ms)
{
	for (int64_t until_ms = g->now.wall_ms + span_ms; g->now.wall_ms < until_ms; pass(g, 30 * 1000)) {
		runner_step(g->runner, g->now);
		machines_act(g);
	}
}

static void run_to_end(struct rig *g, uint64_t id, int64_t most_ms)
{
	int64_t until_ms = g->now.wall_ms + most_ms;

	while (!rollout_state_ends(get(g, id).rollout.state)) {
		assert_true(g->now.wall_ms < until_ms);
		run(g, MINUTE);
	}
}

static struct rollout_device find_device;
static const char *wanted;
static int take_device(void *ctx, const struct rollout_device *d)
{
	(void)ctx;
	if (strcmp(d->id, wanted) == 0)
		find_device = *d;
	return 0;
}

static struct rollout_device device_of(struct rig *g, uint64_t id, const struct machine *m)
{
	wanted = m->id;
	find_device = (struct rollout_device){.key = 0};
	assert_int_equal(store_read_rollout_devices(g->f->reader, id, 0, NULL, 0, take_device, NULL, NULL), 0);
	assert_string_equal(find_device.id, m->id);
	return find_device;
}

/* ---- the way ---- */

static void a_rollout_reaches_everybody_once(void **state)
{
	struct rig *g = *state;
	const struct rollout_spec s = spec();
	uint64_t id = start(g, &s);
	struct store_rollout r;

	run(g, MINUTE);
	assert_int_equal(get(g, id).waves[1].machines, 1);
	run_to_end(g, id, 2 * HOUR);
	r = get(g, id);
	assert_int_equal(r.rollout.state, ROLLOUT_COMPLETED);
	assert_int_equal(r.machines, MACHINES);
	assert_int_equal(r.steps[ROLLOUT_STEP_CONFIRMED], MACHINES);
	assert_int_equal(r.waves[1].machines, 1);
	assert_int_equal(r.waves[2].machines, 4);
	assert_int_equal(r.waves[3].machines, 15);
	assert_true(r.waves[2].began_ms > r.waves[1].began_ms);
	assert_true(r.waves[3].done_ms >= r.waves[3].began_ms);
	for (size_t i = 0; i < MACHINES; i++) {
		assert_int_equal(g->machines[i].told, 1);
		assert_int_equal(g->machines[i].plays, NEW);
	}
	assert_true(g->wakes >= 3);
}

static void a_refusal_reaches_its_sentence(void **state)
{
	struct rig *g = *state;
	const struct rollout_spec s = spec();
	uint64_t id = start(g, &s);
	struct rollout_device d;

	for (size_t i = 0; i < MACHINES; i++)
		g->machines[i].refuses = true;
	run(g, 5 * MINUTE);
	assert_int_equal(get(g, id).rollout.state, ROLLOUT_HALTED);
	assert_int_equal(get(g, id).steps[ROLLOUT_STEP_FAILED], 1);
	for (size_t i = 0; i < MACHINES; i++) {
		d = device_of(g, id, &g->machines[i]);
		if (d.step == ROLLOUT_STEP_FAILED) {
			assert_string_equal(d.detail, "step 3 needs 40 Hz, this machine has 30");
			assert_int_equal(d.refusal, GF_REFUSAL_ENVELOPE);
		}
	}
}

static void limits_set_meanwhile_lose_no_answer(void **state)
{
	struct rig *g = *state;
	struct rollout_spec s = spec();
	struct gf_desired_limits limits = {.intensity_max_pct = 50};
	uint64_t id;

	s.waves_count = 1;
	s.waves[0] = (struct rollout_wave_size){100, true};
	id = start(g, &s);
	runner_step(g->runner, g->now);
	for (size_t i = 0; i < MACHINES; i += 2)
		assert_int_equal(
		    store_desired_set(g->f->store, g->machines[i].id, &limits, NULL, NULL, &anna, g->now.wall_ms, NULL), 0);
	run_to_end(g, id, HOUR);
	assert_int_equal(get(g, id).steps[ROLLOUT_STEP_CONFIRMED], MACHINES);
}

static void latecomers_join_and_others_do_not(void **state)
{
	struct rig *g = *state;
	struct rollout_spec s = spec();
	struct store_rollout r;
	uint64_t id;

	gf_strcpy(s.where, sizeof(s.where), "site=berlin");
	id = start(g, &s);
	run(g, 5 * MINUTE);
	add_machine(g);
	say_hello(g, &g->machines[3], "munich"); /* the same connection: only a restart tells another place */
	g->machines[MACHINES + 1] = (struct machine){.id = "chair-munich", .plays = OLD, .seq = 1};
	g->count++;
	say_hello(g, &g->machines[MACHINES + 1], "munich");
	run_to_end(g, id, 3 * HOUR);
	r = get(g, id);
	assert_int_equal(r.machines, MACHINES + 1);
	assert_int_equal(g->machines[MACHINES].plays, NEW);
	assert_int_equal(g->machines[MACHINES + 1].told, 0);
	/* It is over, and still serves who comes. */
	g->machines[MACHINES + 1].told = 0;
	say_hello(g, &g->machines[MACHINES + 1], "munich");
	assert_int_equal(store_device_set(g->f->store, "chair-munich", &(struct store_device_change){.site = "berlin"},
	                                  &anna, NOON, NULL),
	                 0);
	run(g, 3 * MINUTE);
	assert_int_equal(g->machines[MACHINES + 1].told, 1);
	assert_int_equal(get(g, id).steps[ROLLOUT_STEP_CONFIRMED], MACHINES + 2 - (r.steps[ROLLOUT_STEP_LEFT]));
}

static void orders_are_carried_out_and_told(void **state)
{
	struct rig *g = *state;
	const struct rollout_spec s = spec();
	struct gf_diag diag = {""};
	uint64_t id = start(g, &s);

	run(g, MINUTE);
	assert_int_equal(runner_order(g->runner, id, ROLLOUT_ORDER_PAUSE, &anna, g->now, &diag), 0);
	run(g, HOUR);
	assert_int_equal(get(g, id).rollout.state, ROLLOUT_PAUSED);
	assert_string_equal(get(g, id).rollout.reason, "paused by anna (uid 1000)");
	assert_int_equal(runner_order(g->runner, id, ROLLOUT_ORDER_PAUSE, &anna, g->now, &diag), -EINVAL);
	assert_non_null(strstr(diag.text, "is paused"));
	assert_int_equal(runner_order(g->runner, id, ROLLOUT_ORDER_RESUME, &anna, g->now, &diag), 0);
	run_to_end(g, id, 2 * HOUR);
	assert_int_equal(runner_order(g->runner, id, ROLLOUT_ORDER_ROLLBACK, &anna, g->now, &diag), 0);
	run_to_end(g, id, HOUR);
	assert_int_equal(get(g, id).rollout.state, ROLLOUT_ROLLED_BACK);
	assert_int_equal(get(g, id).steps[ROLLOUT_STEP_REVERTED], MACHINES);
	for (size_t i = 0; i < MACHINES; i++)
		assert_int_equal(g->machines[i].plays, OLD);
	assert_int_equal(runner_order(g->runner, 99, ROLLOUT_ORDER_HALT, &anna, g->now, &diag), -ENOENT);
	assert_non_null(strstr(diag.text, "no rollout 99"));
}

static int count_deed(void *ctx, const struct store_deed *deed)
{
	*(unsigned *)ctx += strncmp(deed->action, "rollout ", 8) == 0 && strcmp(deed->subject, "gym@8") == 0;
	return 0;
}

static int count_event(void *ctx, const struct store_event *event)
{
	(void)event;
	++*(unsigned *)ctx;
	return 0;
}

static void who_did_what_is_kept(void **state)
{
	struct rig *g = *state;
	const struct rollout_spec s = spec();
	const struct store_event_query query = {.kinds = 1u << STORE_EVENT_ROLLOUT};
	unsigned deeds = 0, events = 0;
	uint64_t id = start(g, &s);

	assert_int_equal(runner_order(g->runner, id, ROLLOUT_ORDER_HALT, &anna, g->now, NULL), 0);
	assert_int_equal(store_read_deeds(g->f->reader, 0, 0, count_deed, &deeds, NULL), 0);
	assert_int_equal(deeds, 2);
	assert_int_equal(store_read_events(g->f->reader, &query, count_event, &events, NULL), 0);
	assert_int_equal(events, 2);
}

/* ---- starting ---- */

static void what_can_not_be_started_is_said(void **state)
{
	struct rig *g = *state;
	struct rollout_spec s = spec();
	struct gf_diag diag = {""};
	size_t machines = 0;
	uint64_t id = 0;

	s.version = 77;
	assert_int_equal(runner_start(g->runner, &s, &anna, g->now, &id, &machines, &diag), -ENOENT);
	assert_non_null(strstr(diag.text, "no catalog gym@77"));
	s = spec();
	gf_strcpy(s.where, sizeof(s.where), "colour=red");
	assert_int_equal(runner_start(g->runner, &s, &anna, g->now, &id, &machines, &diag), -EINVAL);
	assert_non_null(strstr(diag.text, "column 1"));
	gf_strcpy(s.where, sizeof(s.where), "site=nowhere");
	assert_int_equal(runner_start(g->runner, &s, &anna, g->now, &id, &machines, &diag), STORE_E_NOT_ALLOWED);
	assert_non_null(strstr(diag.text, "0 machines are selected"));
	s = spec();
	s.waves_count = 0;
	assert_int_equal(runner_start(g->runner, &s, &anna, g->now, &id, &machines, &diag), -EINVAL);
	assert_int_equal(id, 0);
}

static void two_that_touch_one_machine_are_refused(void **state)
{
	struct rig *g = *state;
	const struct rollout_spec s = spec();
	struct gf_diag diag = {""};
	size_t machines = 0;
	uint64_t first = start(g, &s), second = 0;

	assert_int_equal(runner_start(g->runner, &s, &anna, g->now, &second, &machines, &diag), STORE_E_NOT_ALLOWED);
	assert_non_null(strstr(diag.text, "'chair-00' is in rollout 1 of gym@8, which is running"));
	assert_int_equal(runner_order(g->runner, first, ROLLOUT_ORDER_HALT, &anna, g->now, &diag), 0);
	second = start(g, &s);
	assert_int_equal(runner_order(g->runner, first, ROLLOUT_ORDER_RESUME, &anna, g->now, &diag), -EINVAL);
	assert_non_null(strstr(diag.text, "is in rollout 2 of gym@8"));
	run_to_end(g, second, 2 * HOUR);
	assert_int_equal(get(g, second).steps[ROLLOUT_STEP_CONFIRMED], MACHINES);
	/* The first one, resumed, finds its machines gone. */
	assert_int_equal(runner_order(g->runner, first, ROLLOUT_ORDER_RESUME, &anna, g->now, &diag), 0);
	run(g, MINUTE);
	assert_int_equal(get(g, first).rollout.state, ROLLOUT_COMPLETED);
	for (size_t i = 0; i < MACHINES; i++)
		assert_true(g->machines[i].told <= 2);
}

static void a_later_one_that_was_halted_takes_nobody(void **state)
{
	struct rig *g = *state;
	const struct rollout_spec s = spec();
	uint64_t first = start(g, &s), second;

	assert_int_equal(runner_order(g->runner, first, ROLLOUT_ORDER_HALT, &anna, g->now, NULL), 0);
	second = start(g, &s);
	assert_int_equal(runner_order(g->runner, second, ROLLOUT_ORDER_HALT, &anna, g->now, NULL), 0);
	pass(g, MINUTE);
	assert_int_equal(runner_order(g->runner, first, ROLLOUT_ORDER_RESUME, &anna, g->now, NULL), 0);
	run_to_end(g, first, 2 * HOUR);
	assert_int_equal(get(g, first).steps[ROLLOUT_STEP_CONFIRMED], MACHINES);
}

static void nothing_moves_by_a_clock_that_is_not_set(void **state)
{
	struct rig *g = *state;
	const struct rollout_spec s = spec();
	struct gf_time unset = {.mono_ms = 2000, .wall_ms = 1000};
	struct gf_diag diag = {""};
	uint64_t id = start(g, &s);
	size_t machines;

	assert_int_equal(runner_step(g->runner, unset), unset.mono_ms + RUNNER_STEP_MS);
	assert_int_equal(get(g, id).steps[ROLLOUT_STEP_WAITING], MACHINES);
	assert_int_equal(runner_start(g->runner, &s, &anna, unset, &id, &machines, &diag), -EINVAL);
	assert_non_null(strstr(diag.text, "clock is not set"));
	assert_int_equal(runner_order(g->runner, id, ROLLOUT_ORDER_HALT, &anna, unset, &diag), -EINVAL);
}

/* ---- threads ---- */

static void *order_about(void *ctx)
{
	struct rig *g = ctx;
	static const struct gf_time then = {.mono_ms = 1000, .wall_ms = NOON, .synced = true};
	struct gf_diag diag = {""};

	for (int i = 0; i < 200; i++)
		(void)!runner_order(g->runner, 1, i % 2 ? ROLLOUT_ORDER_RESUME : ROLLOUT_ORDER_PAUSE, &anna, then, &diag);
	return NULL;
}

static void orders_come_from_other_threads(void **state)
{
	struct rig *g = *state;
	const struct rollout_spec s = spec();
	uint64_t id = start(g, &s);
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, order_about, g), 0);
	for (int i = 0; i < 200; i++) {
		pass(g, RUNNER_STEP_MS);
		runner_step(g->runner, g->now);
	}
	pthread_join(thread, NULL);
	assert_int_equal(get(g, id).steps[ROLLOUT_STEP_OFFERED], 1);
}

/* ---- outcomes ---- */

static void faults_after_the_installation_are_compared(void **state)
{
	struct rig *g = *state;
	struct rollout_spec s = spec();
	struct store_rollout r;
	uint64_t id;

	s.waves[0].value = 5;
	s.gates_count = 1;
	s.gates[0] = (struct rollout_gate){ROLLOUT_GATE_FAULTS, 1.5, true};
	s.soak_ms = HOUR;
	id = start(g, &s);
	run(g, 5 * MINUTE);
	for (size_t i = 0; i < MACHINES; i++) {
		struct machine *m = &g->machines[i];
		bool new = m->plays == NEW;
		struct gf_record rs[] = {session(m->seq, 1, g->now.wall_ms + 10 * MINUTE),
		                         fault(m->seq + 1, 1, GF_FAULT_STALL, new ? GF_SEVERITY_STOP : GF_SEVERITY_INFO,
		                               g->now.wall_ms + 10 * MINUTE)};

		rs[0].session_ended.motor_ms = HOUR;
		send_report(g->f, m->id, 1, rs, 2, g->now.wall_ms + 10 * MINUTE);
		m->seq += 2;
	}
	r = get(g, id);
	assert_int_equal(r.rollout.updated.machines, 5);
	assert_int_equal(r.rollout.updated.faults, 5);
	assert_int_equal(r.rollout.updated.sessions, 5);
	assert_int_equal(r.rollout.others.faults, 0);
	assert_int_equal(r.rollout.others.sessions, 15);
	assert_true(r.rollout.others.motor_hours > 14.9 && r.rollout.others.motor_hours < 15.1);
	run(g, MINUTE);
	r = get(g, id);
	assert_int_equal(r.rollout.state, ROLLOUT_HALTED);
	assert_non_null(strstr(r.rollout.reason, "5 faults in 5 h (100 per 100 h) against 0 in 15 h"));
	assert_int_equal(r.waves[2].machines + r.waves[3].machines, 0);
	/* Resumed: what was is forgiven. */
	pass(g, HOUR);
	assert_int_equal(runner_order(g->runner, id, ROLLOUT_ORDER_RESUME, &anna, g->now, NULL), 0);
	run_to_end(g, id, 6 * HOUR);
	assert_int_equal(get(g, id).rollout.state, ROLLOUT_COMPLETED);
}

/* ---- deaths ---- */

static int on_commit(void *ctx)
{
	struct rig *g = ctx;

	return g->commits_until_death >= 0 && g->commits_until_death-- == 0;
}

/* Each commit of the runner fails at first, and the gateway is started anew. */
static void i9_a_death_at_any_commit_skips_and_repeats_nobody(void **state)
{
	struct rig *g = *state;
	struct rollout_spec s = spec();
	uint64_t id;
	unsigned deaths = 0;

	s.waves_count = 10;
	for (uint32_t i = 0; i < 10; i++)
		s.waves[i] = (struct rollout_wave_size){10 * (i + 1), true};
	s.soak_ms = MINUTE;
	id = start(g, &s);

	for (unsigned i = 0; !rollout_state_ends(get(g, id).rollout.state); i++) {
		assert_true(i < 1000);
		sqlite3_commit_hook(g->f->store->db.handle, on_commit, g);
		g->commits_until_death = i % 2 ? -1 : 0;
		runner_step(g->runner, g->now);
		if (i % 2 == 0 && g->commits_until_death < 0) {
			deaths++;
			reborn(g);
		}
		machines_act(g);
		pass(g, 10 * 1000);
	}
	assert_true(deaths >= 10);
	assert_int_equal(get(g, id).steps[ROLLOUT_STEP_CONFIRMED], MACHINES);
	for (size_t i = 0; i < MACHINES; i++)
		assert_int_equal(g->machines[i].told, 1);
}

static void a_full_disk_holds_it_up_and_no_more(void **state)
{
	struct rig *g = *state;
	struct rollout_spec s = spec();
	char pragma[64];
	struct query q;
	int64_t pages;
	uint64_t id;

	s.waves_count = 1;
	s.waves[0] = (struct rollout_wave_size){100, true};
	id = start(g, &s);
	query_begin(&q, &g->f->store->db, "PRAGMA page_count");
	assert_int_equal(query_value(&q, 0, &pages, NULL), 0);
	snprintf(pragma, sizeof(pragma), "PRAGMA max_page_count = %d", (int)pages);
	assert_int_equal(db_exec(&g->f->store->db, pragma, NULL), 0);
	while (db_exec(&g->f->store->db, "INSERT INTO events VALUES (NULL, 0, 0, '', '', 0, '')", NULL) == 0)
		;
	for (int i = 0; i < 5; i++) {
		runner_step(g->runner, g->now);
		pass(g, 1000);
	}
	assert_int_equal(get(g, id).steps[ROLLOUT_STEP_WAITING], MACHINES);
	assert_int_equal(db_exec(&g->f->store->db, "PRAGMA max_page_count = 1000000", NULL), 0);
	run_to_end(g, id, HOUR);
	assert_int_equal(get(g, id).steps[ROLLOUT_STEP_CONFIRMED], MACHINES);
	for (size_t i = 0; i < MACHINES; i++)
		assert_int_equal(g->machines[i].told, 1);
}

static void i9_machines_that_never_answer_end_the_rollout(void **state)
{
	struct rig *g = *state;
	const struct rollout_spec s = spec();
	uint64_t id = start(g, &s);

	for (size_t i = 0; i < MACHINES; i++)
		g->machines[i].silent = true;
	run_to_end(g, id, 3 * HOUR);
	assert_int_equal(get(g, id).rollout.state, ROLLOUT_HALTED);
	assert_int_equal(get(g, id).steps[ROLLOUT_STEP_EXPIRED], 1);
	for (size_t i = 0; i < MACHINES; i++) {
		struct store_desired d = {.key = 0};

		if (store_read_desired_of(g->f->reader, g->machines[i].id, &d, NULL) == 0)
			assert_false(d.desired.has_catalog);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_rollout_reaches_everybody_once),
	    TEST(a_refusal_reaches_its_sentence),
	    TEST(limits_set_meanwhile_lose_no_answer),
	    TEST(latecomers_join_and_others_do_not),
	    TEST(orders_are_carried_out_and_told),
	    TEST(who_did_what_is_kept),
	    TEST(what_can_not_be_started_is_said),
	    TEST(two_that_touch_one_machine_are_refused),
	    TEST(a_later_one_that_was_halted_takes_nobody),
	    TEST(nothing_moves_by_a_clock_that_is_not_set),
	    TEST(orders_come_from_other_threads),
	    TEST(faults_after_the_installation_are_compared),
	    TEST(i9_a_death_at_any_commit_skips_and_repeats_nobody),
	    TEST(a_full_disk_holds_it_up_and_no_more),
	    TEST(i9_machines_that_never_answer_end_the_rollout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
