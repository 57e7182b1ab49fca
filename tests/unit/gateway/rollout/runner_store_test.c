/* What the runner has stored: what is desired, what is read, what is compared; and what is there after it was killed at any commit. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/gateway/rollout/runner_rig.h"

/* ---- what is desired ---- */

static struct store_desired desired_of(struct rig *g, const struct machine *m)
{
	struct store_desired d = {.key = 0};

	assert_int_equal(store_read_desired_of(g->f->reader, m->id, &d, NULL), 0);
	return d;
}

static struct machine *told_first(struct rig *g, uint64_t id)
{
	for (size_t i = 0; i < MACHINES; i++)
		if (device_of(g, id, &g->machines[i]).wave == 1)
			return &g->machines[i];
	fail();
	return NULL;
}

static void an_offer_names_the_catalog_and_the_time_that_is_left(void **state)
{
	struct rig *g = *state;
	const struct rollout_spec s = spec();
	uint64_t id = start(g, &s);
	struct gf_desired_catalog wanted_catalog;
	struct rollout_device d;

	runner_step(g->runner, g->now);
	wanted_catalog = desired_of(g, told_first(g, id)).desired.catalog;
	d = device_of(g, id, told_first(g, id));
	assert_string_equal(wanted_catalog.name, "gym");
	assert_int_equal(wanted_catalog.version, NEW);
	assert_int_equal(wanted_catalog.size, 3);
	assert_memory_equal(&wanted_catalog.digest, (struct gf_digest[]){digest(NEW)}, GF_DIGEST_LEN);
	/* The machine's own end comes first, so that its reason is heard. */
	assert_int_equal(wanted_catalog.within_ms, 2 * HOUR - MINUTE);
	assert_int_equal(d.revision, desired_of(g, told_first(g, id)).desired.revision);
	assert_int_equal(d.deadline_ms, g->now.wall_ms + 2 * HOUR);
	assert_int_equal(d.previous_version, OLD);
	assert_string_equal(d.previous_catalog, "gym");
}

static void a_rollback_names_what_the_machine_had(void **state)
{
	struct rig *g = *state;
	const struct rollout_spec s = spec();
	uint64_t id = start(g, &s);
	struct gf_desired_catalog c;

	run(g, 2 * MINUTE);
	assert_int_equal(runner_order(g->runner, id, ROLLOUT_ORDER_ROLLBACK, &anna, g->now, NULL), 0);
	c = desired_of(g, told_first(g, id)).desired.catalog;
	assert_int_equal(c.version, OLD);
	assert_memory_equal(&c.digest, (struct gf_digest[]){digest(OLD)}, GF_DIGEST_LEN);
}

/* Somebody else's wish for the machine came in between: taking back one's own leaves it. */
static void only_its_own_wish_is_taken_back(void **state)
{
	struct rig *g = *state;
	const struct rollout_spec s = spec();
	const struct gf_desired_catalog other = {.name = "other", .version = 3, .digest = digest(3), .size = 9};
	uint64_t id = start(g, &s), revision;
	struct machine *m;

	runner_step(g->runner, g->now);
	m = told_first(g, id);
	assert_int_equal(store_begin(g->f->store, NULL), 0);
	assert_int_equal(
	    store_desired_catalog(g->f->store, device_of(g, id, m).key, &other, g->now.wall_ms, &revision, NULL), 0);
	assert_int_equal(store_commit(g->f->store, NULL), 0);
	assert_int_equal(runner_order(g->runner, id, ROLLOUT_ORDER_HALT, &anna, g->now, NULL), 0);
	assert_int_equal(device_of(g, id, m).step, ROLLOUT_STEP_WITHDRAWN);
	assert_int_equal(desired_of(g, m).desired.revision, revision);
	assert_int_equal(desired_of(g, m).desired.catalog.version, 3);
}

/* ---- reading ---- */

static int take_id(void *ctx, const struct store_rollout *r)
{
	uint64_t **next = ctx;

	*(*next)++ = r->rollout.id;
	return 0;
}

static int take_order(void *ctx, const struct rollout_device *d)
{
	struct rollout_device *before = ctx;

	assert_true(d->wave > before->wave || (d->wave == before->wave && strcmp(d->id, before->id) > 0));
	*before = *d;
	return 0;
}

static void rollouts_are_read_newest_first_and_machines_by_wave(void **state)
{
	struct rig *g = *state;
	const struct rollout_spec s = spec();
	uint64_t first = start(g, &s), second, ids[4] = {0}, *next = ids;
	struct rollout_device last = {.key = 0};
	struct store_rollout r;

	run_to_end(g, first, 2 * HOUR);
	second = start(g, &s);
	assert_int_equal(store_read_rollouts(g->f->reader, 0, take_id, &next, NULL), 0);
	assert_int_equal(ids[0], second);
	assert_int_equal(ids[1], first);
	assert_int_equal(ids[2], 0);
	next = ids;
	assert_int_equal(store_read_rollouts(g->f->reader, second, take_id, &next, NULL), 0);
	assert_int_equal(ids[0], first);
	assert_int_equal(store_read_rollout_devices(g->f->reader, first, 0, NULL, 0, take_order, &last, NULL), 0);
	assert_int_equal(last.wave, 3);
	/* From a cursor on, and of one step only. */
	last = (struct rollout_device){.wave = 2, .id = "chair-99"};
	assert_int_equal(store_read_rollout_devices(g->f->reader, first, 2, "chair-99", 1u << ROLLOUT_STEP_FAILED,
	                                            take_order, &last, NULL),
	                 0);
	assert_string_equal(last.id, "chair-99");
	r = get(g, first);
	assert_string_equal(r.rollout.created_by, anna.who);
	assert_int_equal(r.rollout.spec.waves_count, 3);
	assert_true(r.rollout.spec.waves[1].percent);
	assert_int_equal(r.rollout.spec.targets[GF_CLASS_CHAIR].rollback_floor, OLD);
	assert_false(r.rollout.spec.targets[GF_CLASS_ROLLER].there);
	assert_false(r.rollout.spec.has_window);
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
		pass(g, 10000);
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
	while (db_exec(&g->f->store->db,
	               "INSERT INTO events (at_ms, kind, device, text, ref, code) VALUES (0, 0, '', '', 0, '')", NULL) == 0)
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_offer_names_the_catalog_and_the_time_that_is_left),
	    TEST(a_rollback_names_what_the_machine_had),
	    TEST(only_its_own_wish_is_taken_back),
	    TEST(rollouts_are_read_newest_first_and_machines_by_wave),
	    TEST(orders_come_from_other_threads),
	    TEST(faults_after_the_installation_are_compared),
	    TEST(i9_a_death_at_any_commit_skips_and_repeats_nobody),
	    TEST(a_full_disk_holds_it_up_and_no_more),
	    TEST(i9_machines_that_never_answer_end_the_rollout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
