/* Ten thousand machines in one rollout: what its steps cost. Figures, no limits: a loaded machine proves nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/rollout/runner.h"
#include "gateway/store/sqlite/writer.h"
#include "tests/unit/gateway/store/fixture.h"

enum { MACHINES = 10000 };

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int compile(const void *ctx, const char *where, int64_t now_ms, void **ret_selector, struct gf_diag *diag)
{
	(void)ctx;
	(void)where;
	(void)now_ms;
	(void)diag;
	*ret_selector = NULL;
	return 0;
}

static bool match(void *selector, const struct store_device *device, int64_t now_ms)
{
	(void)selector;
	(void)device;
	(void)now_ms;
	return true;
}

static const struct runner_select_ops everybody = {compile, match, free};

static void add_machines(struct fixture *f)
{
	assert_int_equal(store_begin(f->store, NULL), 0);
	for (int i = 0; i < MACHINES; i++) {
		struct gf_status st = birth(1, 1, 1);
		char id[GF_ID_MAX];

		snprintf(id, sizeof(id), "chair-%05d", i);
		gf_strcpy(st.catalog, sizeof(st.catalog), "gym");
		st.catalog_version = 7;
		memset(st.catalog_digest.bytes, 7, GF_DIGEST_LEN);
		assert_int_equal(store_apply_status(f->store, id, &st, false, NOON, NULL), 0);
	}
	assert_int_equal(store_commit(f->store, NULL), 0);
}

static void sql(struct fixture *f, const char *text)
{
	assert_int_equal(db_exec(&f->store->db, text, NULL), 0);
}

static struct gf_time now = {.mono_ms = 1000, .wall_ms = NOON, .synced = true};

static void step(struct runner *runner, const char *what)
{
	double began = seconds();

	runner_step(runner, now);
	print_message("%-42s %7.0f ms\n", what, (seconds() - began) * 1000);
	now.mono_ms += 2000;
	now.wall_ms += 2000;
}

static void publish(struct fixture *f, const struct store_actor *actor)
{
	struct store_catalog c = {.name = "gym", .class = GF_CLASS_CHAIR, .version = 8, .size = 3, .rollback_floor = 7};
	bool known;

	memset(c.digest.bytes, 8, GF_DIGEST_LEN);
	assert_int_equal(store_catalog_add(f->store, &c, "abc", 3, actor, NOON, &known, NULL), 0);
}

static void ten_thousand_machines_are_moved_in_a_step(void **state)
{
	struct fixture *f = *state;
	const struct store_actor actor = {"anna", "here"};
	struct rollout_spec spec = {.catalog = "gym",
	                            .version = 8,
	                            .waves_count = 2,
	                            .waves = {{1, true}, {100, true}},
	                            .soak_ms = 1000,
	                            .deadline_ms = HOUR,
	                            .gates_count = 1,
	                            .gates = {{ROLLOUT_GATE_FAULTS, 1.5, true}}};
	const struct runner_config config = {.store = f->store, .database = f->path, .select = &everybody};
	struct store_rollout r;
	struct runner *runner;
	size_t machines;
	uint64_t id;
	double began;

	publish(f, &actor);
	add_machines(f);
	assert_int_equal(runner_new(&config, &runner, NULL), 0);
	began = seconds();
	assert_int_equal(runner_start(runner, &spec, &actor, now, &id, &machines, NULL), 0);
	print_message("%-42s %7.0f ms\n", "start, with a look at all", (seconds() - began) * 1000);
	assert_int_equal(machines, MACHINES);
	step(runner, "the first wave, 100 are told");
	step(runner, "nothing happened");
	sql(f, "UPDATE devices SET catalog_digest = (SELECT digest FROM desired w WHERE w.device = devices.device),"
	       " catalog_version = 8 WHERE device IN (SELECT device FROM desired)");
	step(runner, "100 have it, soak begins");
	step(runner, "the second wave, 9900 are told");
	step(runner, "nothing happened");
	sql(f, "UPDATE devices SET catalog_digest = (SELECT digest FROM desired w WHERE w.device = devices.device),"
	       " catalog_version = 8");
	step(runner, "9900 have it");
	step(runner, "soaked");
	assert_int_equal(store_read_rollout(f->reader, id, &r, NULL), 0);
	assert_int_equal(r.rollout.state, ROLLOUT_COMPLETED);
	assert_int_equal(r.steps[ROLLOUT_STEP_CONFIRMED], MACHINES);
	began = seconds();
	assert_int_equal(runner_order(runner, id, ROLLOUT_ORDER_ROLLBACK, &actor, now, NULL), 0);
	print_message("%-42s %7.0f ms\n", "rolling back, 10000 are told", (seconds() - began) * 1000);
	assert_int_equal(store_read_rollout(f->reader, id, &r, NULL), 0);
	assert_int_equal(r.steps[ROLLOUT_STEP_REVERTING], MACHINES);
	runner_free(runner);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(ten_thousand_machines_are_moved_in_a_step, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
