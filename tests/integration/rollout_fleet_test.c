/*
 * A thousand machines in one process, with their own connections, certificates, spools and shelves, get a new catalog in three waves while
 * the gateway is killed five times, wherever it is. Each machine is told exactly once, and each is accounted for.
 */
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/rollout/rollout.h"
#include "proto/base/file.h"
#include "tests/integration/fleet.h"
#include "tests/integration/many_certs.h"
#include "tests/integration/store_number.h"

enum { MACHINES = 1000, SOON_MS = 60000, LATE_MS = 500000, KILLS = 5 };

/* Nobody uses them: a machine in use takes its catalog when the session ends, minutes later, which is rollout_test's to show. */
static const char scenario[] = "seed: 7\nsites:\n  - name: hall\n    utc_offset_min: 60\n    opens: \"00:00\"\n    "
                               "closes: \"00:00\"\n    machines:\n"
                               "      - {class: chair, count: 1000, prefix: chair, model: test, zone: hall, busy: 0, "
                               "wear_h: 0, rated_motor_h: 2000}\n";

static int setup(void **state)
{
	struct it_world *w = it_open("thousand");
	*state = w;
	if (many_certs_make(it_path(w, "pki"), "chair-hall", MACHINES) != 0)
		fail_msg("no certificates");
	it_broker_start(w);
	return 0;
}

static int teardown(void **state)
{
	it_close(*state);
	return 0;
}

/* Runs the command, which must do what it is told. */
#define run(w, ...)                                                                     \
	do {                                                                                \
		struct it_output run_output = it_run((w), it_program("gymfleet"), __VA_ARGS__); \
		if (run_output.status != 0)                                                     \
			fail_msg("%s", run_output.err);                                             \
		it_output_free(&run_output);                                                    \
	} while (0)

static void make_catalogs(struct it_world *w)
{
	static const char *const classes[] = {"percussion", "roller", "compression", "chair", "water_bed"};
	struct gf_diag diag = {{0}};
	assert_int_equal(gf_dir_make(it_path(w, "old"), &diag), 0);
	run(w, "catalog", "keygen", it_path(w, "key"));
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		const char *old = it_path(w, "old/%s.catalog", classes[i]);
		run(w, "catalog", "build", "--class", classes[i], "--name", "gym", "--version", "1", "-o", old,
		    it_source("config/routines"));
		run(w, "catalog", "sign", old, "--key", it_path(w, "key"));
	}
	run(w, "catalog", "build", "--class", "chair", "--name", "gym", "--version", "2", "-o", it_path(w, "new.catalog"),
	    it_source("config/routines"));
	run(w, "catalog", "sign", it_path(w, "new.catalog"), "--key", it_path(w, "key"));
}

/* On a disk that all share, they would do little else than wait for it, one for the others. */
static struct it_proc *start_machines(struct it_world *w)
{
	const char *asan = getenv("ASAN_OPTIONS");
	char broker[32], options[512];

	/* The sanitizer wants to be the first library; here it is the second. */
	snprintf(options, sizeof(options), "ASAN_OPTIONS=%s%sverify_asan_link_order=0", asan != NULL ? asan : "",
	         asan != NULL ? ":" : "");
	snprintf(broker, sizeof(broker), "localhost:%u", it_device_port(w));
	it_write(it_path(w, "scenario.yaml"), "%s", scenario);
	return it_spawn(w, "sim", "env", options, "LD_PRELOAD=" GF_BINARY_DIR "/tests/libquick_disk.so",
	                it_program("gymfleet-sim"), "--scenario", it_path(w, "scenario.yaml"), "--state",
	                it_path(w, "machines"), "--catalogs", it_path(w, "old"), "--broker", broker, "--pki",
	                it_path(w, "pki"), "--catalog-keys", it_path(w, "key.pub"), "--trial", "10s");
}

/* Asked of the store: a thousand rows from the command, every few milliseconds, would be most of the work. */
static const char online[] = "SELECT count(*) FROM devices WHERE online = 1";
static const char told[] = "SELECT count(*) FROM desired WHERE revision > 0";

/* Seldom: whoever asks opens the store anew, and for as long as a thousand machines connect that is time they need. */
static void wait_a_while(void)
{
	for (int i = 0; i < 20; i++)
		it_pause();
}

static bool all_online(struct it_world *w)
{
	wait_a_while();
	return it_store_number(w, online) == MACHINES;
}

static bool ended(struct it_world *w)
{
	wait_a_while();
	return it_store_number(w, "SELECT state FROM rollouts") != ROLLOUT_RUNNING;
}

static void expect_completed(struct it_world *w)
{
	json_t *rollout = it_ask(w, "rollout", "show", "gym@2");
	assert_non_null(rollout);
	if (strcmp(json_string_value(json_object_get(rollout, "state")), "completed") != 0)
		fail_msg("%s", json_string_value(json_object_get(rollout, "reason")));
	json_decref(rollout);
}

/* Kills it when so many machines have been told: in the first wave, between waves, in the midst of the crowd. */
static void kill_gateway_when(struct it_world *w, struct it_proc **gateway, long long machines)
{
	IT_UNTIL(LATE_MS, it_store_number(w, told) >= machines);
	it_signal(*gateway, SIGKILL);
	*gateway = it_gateway_start(w);
}

static void i6_i9_every_machine_is_told_once_and_accounted_for(void **state)
{
	static const long long moments[KILLS] = {1, 2, 100, 101, MACHINES};
	struct it_world *w = *state;
	make_catalogs(w);
	struct it_proc *gateway = it_gateway_start(w), *machines = start_machines(w);
	IT_UNTIL(LATE_MS, all_online(w));
	run(w, "--socket", it_path(w, "gateway.sock"), "catalog", "publish", it_path(w, "new.catalog"));
	run(w, "--socket", it_path(w, "gateway.sock"), "rollout", "start", "gym@2", "--waves", "1,10%,100%", "--soak", "1s",
	    "--deadline", "20m");
	for (size_t i = 0; i < KILLS; i++)
		kill_gateway_when(w, &gateway, moments[i]);
	IT_UNTIL(LATE_MS, ended(w));
	expect_completed(w);

	assert_int_equal(it_store_number(w, "SELECT count(*) FROM rollout_devices"), MACHINES);
	assert_int_equal(it_store_number(w, told), MACHINES);
	assert_int_equal(it_store_number(w, "SELECT max(revision) FROM desired"), 1);
	assert_int_equal(it_store_number(w, "SELECT count(*) FROM devices WHERE catalog_version = 2"), MACHINES);
	/* Each machine says itself that it changed once, and to that. */
	assert_int_equal(it_store_number(w, "SELECT count(*) FROM catalog_changes WHERE version = 2"), MACHINES);
	assert_int_equal(it_store_number(w, "SELECT count(DISTINCT device) FROM catalog_changes WHERE version = 2"),
	                 MACHINES);
	assert_true(it_alive(machines));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(i6_i9_every_machine_is_told_once_and_accounted_for, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
