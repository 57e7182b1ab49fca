/*
 * A rollout's ways: machines in use, offline and late; what a person orders, and what is kept of it; windows; and a gateway that is killed
 * again and again.
 */
#include <pwd.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/base/rand.h"
#include "tests/integration/gym.h"

enum {
	SOON_MS = 30000,
	LATE_MS = 60000,
	KILLS = 10,
	DOZEN = 12,
	MINUTE_MS = 60000,
	DAY_MIN = 24 * 60,
	INDIA_MIN = 5 * 60 + 30
};

/* No clock change, and far from UTC. */
static const char zone[] = "sites:\n  - {site: pune, time_zone: Asia/Kolkata}\n";

static int setup(void **state)
{
	struct gym *g = gym_open(state, "ways", zone);

	gym_catalog(g, 2, 1);
	return 0;
}

/* ---- who isn't ready ---- */

static void a_machine_in_use_is_shown_as_such_and_takes_it_when_its_session_ends(void **state)
{
	struct gym *g = *state;

	gym_chairs(g, 2, "lab");
	g->chairs[0].manner = GYM_IN_USE;
	gym_do(g, "rollout", "start", "gym@2", "--waves", "100%", "--soak", "1s");
	GYM_UNTIL(g, SOON_MS, gym_row_says(g, 1, "offered", "chair-01", "in use: takes it when its session ends"));
	GYM_UNTIL(g, SOON_MS, gym_at(g, 1, "confirmed") == 1);
	assert_true(gym_state_is(g, 1, "running"));
	gym_expect(gym_run(g, "-o", "table", "rollout", "show", "1"), 0, "IN USE");
	g->chairs[0].manner = GYM_TAKES;
	GYM_UNTIL(g, SOON_MS, gym_state_is(g, 1, "completed"));
	assert_int_equal(gym_at(g, 1, "confirmed"), 2);
	assert_int_equal(g->chairs[0].offers, 1);
}

static void who_is_offline_catches_up_and_who_is_new_joins_also_after_completion(void **state)
{
	struct gym *g = *state;

	gym_chairs(g, 3, "lab");
	gym_leave(g, &g->chairs[0]);
	gym_leave(g, &g->chairs[1]);
	gym_do(g, "rollout", "start", "gym@2", "--waves", "100%", "--soak", "1s", "--deadline", "6s");
	GYM_UNTIL(g, SOON_MS, gym_at(g, 1, "absent") == 2);
	assert_true(gym_row_says(g, 1, "absent", "chair-01", "offline: is told when it comes back"));
	gym_return(g, &g->chairs[0]);
	GYM_UNTIL(g, SOON_MS, gym_at(g, 1, "confirmed") == 2);
	GYM_UNTIL(g, SOON_MS, gym_state_is(g, 1, "completed"));
	assert_true(gym_row_says(g, 1, "missed", "chair-02", "offline until its deadline"));
	/* A gateway that starts looks around at once; one that runs on does so each half minute. */
	gym_kill(g);
	gym_return(g, &g->chairs[1]);
	gym_start(g);
	gym_chairs(g, 1, "lab");
	GYM_UNTIL(g, LATE_MS, gym_at(g, 1, "confirmed") == 4);
	for (size_t i = 0; i < g->count; i++)
		assert_int_equal(g->chairs[i].offers, 1);
}

static void a_second_rollout_of_a_machine_that_one_has_is_refused(void **state)
{
	struct gym *g = *state;

	gym_catalog(g, 3, 1);
	gym_chairs(g, 2, "lab");
	g->chairs[0].manner = g->chairs[1].manner = GYM_KEEPS_SILENT;
	gym_do(g, "rollout", "start", "gym@2", "--where", "id=chair-02");
	gym_expect(gym_run(g, "rollout", "start", "gym@3"), 1, "'chair-02' is in rollout 1 of gym@2, which is running");
	assert_int_equal(gym_count(g, "SELECT count(*) FROM rollouts"), 1);
	gym_do(g, "rollout", "start", "gym@3", "--where", "id=chair-01");
}

/* ---- orders ---- */

/* The audit log's newest entry of this action says who did it, to what, and from where. */
static void expect_deed(struct gym *g, const char *action)
{
	json_t *deeds = it_ask(g->w, "audit", "log");
	const json_t *deed = it_find(it_items(deeds), "action", action);
	const struct passwd *me = getpwuid(getuid());

	if (!deed)
		fail_msg("no '%s' in the audit log", action);
	assert_non_null(me);
	assert_non_null(strstr(json_string_value(json_object_get(deed, "who")), me->pw_name));
	assert_string_equal(json_string_value(json_object_get(deed, "subject")), "gym@2");
	assert_non_null(strstr(json_string_value(json_object_get(deed, "from")), "gymfleet"));
	json_decref(deeds);
}

static void orders_are_carried_out_and_kept_with_who_and_from_where(void **state)
{
	struct gym *g = *state;

	gym_chairs(g, 4, "lab");
	gym_do(g, "rollout", "start", "gym@2", "--waves", "2,100%", "--soak", "30m");
	GYM_UNTIL(g, SOON_MS, gym_at(g, 1, "confirmed") == 2);
	gym_expect(gym_run(g, "-o", "table", "rollout", "pause", "1"), 0, "paused");
	assert_true(gym_state_is(g, 1, "paused"));
	gym_do(g, "rollout", "resume", "gym@2");
	assert_true(gym_state_is(g, 1, "running"));
	gym_do(g, "rollout", "halt", "1");
	assert_true(gym_state_is(g, 1, "halted"));
	gym_expect(gym_run(g, "rollout", "pause", "1"), 1, "is halted: pause is not possible");
	gym_do(g, "rollout", "rollback", "1");
	GYM_UNTIL(g, SOON_MS, gym_state_is(g, 1, "rolled_back"));
	assert_int_equal(gym_at(g, 1, "reverted"), 2);
	assert_int_equal(gym_at(g, 1, "withdrawn"), 2);
	for (size_t i = 0; i < g->count; i++)
		assert_int_equal(g->chairs[i].plays, 1);
	expect_deed(g, "rollout start");
	expect_deed(g, "rollout pause");
	expect_deed(g, "rollout resume");
	expect_deed(g, "rollout halt");
	expect_deed(g, "rollout rollback");
	/* What was refused is no deed. */
	assert_int_equal(gym_count(g, "SELECT count(*) FROM deeds WHERE action LIKE 'rollout %'"), 5);
}

static void a_catalog_that_allows_no_way_back_is_not_rolled_back(void **state)
{
	struct gym *g = *state;

	gym_catalog(g, 3, 0);
	gym_chairs(g, 2, "lab");
	gym_do(g, "rollout", "start", "gym@3", "--waves", "100%", "--soak", "1s");
	GYM_UNTIL(g, SOON_MS, gym_state_is(g, 1, "completed"));
	gym_expect(gym_run(g, "rollout", "rollback", "1"), 1,
	           "gym@3 allows no way back: sign the old routines as a newer version");
	assert_true(gym_state_is(g, 1, "completed"));
	for (size_t i = 0; i < g->count; i++)
		assert_int_equal(g->chairs[i].plays, 3);
}

/* ---- windows ---- */

/* "HH:MM-HH:MM", two hours around now, at a clock that is so far ahead of UTC. */
static const char *window_at(int ahead_min, char buf[static 16])
{
	int now_min = (int)(it_wall_ms() / MINUTE_MS % DAY_MIN) + ahead_min + DAY_MIN, from = (now_min - 60) % DAY_MIN,
	    to = (now_min + 60) % DAY_MIN;

	snprintf(buf, 16, "%02d:%02d-%02d:%02d", from / 60, from % 60, to / 60, to % 60);
	return buf;
}

static void a_window_is_by_the_clock_of_the_site(void **state)
{
	struct gym *g = *state;
	char window[16], opens[16];
	json_t *row = NULL;

	gym_chairs(g, 2, "pune");
	/* Open where the gateway counts, closed in Pune. */
	gym_do(g, "rollout", "start", "gym@2", "--waves", "100%", "--soak", "1s", "--window", window_at(0, window));
	GYM_UNTIL(g, SOON_MS, gym_row_says(g, 1, "waiting", "chair-01", "waits for its window"));
	row = gym_row(g, 1, "waiting", "chair-01");
	/* It opens when it is so late in Pune; rows are in UTC. */
	int from_min = (window[0] - '0') * 600 + (window[1] - '0') * 60 + (window[3] - '0') * 10 + window[4] - '0';
	int utc_min = (from_min + DAY_MIN - INDIA_MIN) % DAY_MIN;
	snprintf(opens, sizeof opens, "T%02d:%02d:00", utc_min / 60, utc_min % 60);
	assert_non_null(json_string_value(json_object_get(row, "deadline")));
	if (!strstr(json_string_value(json_object_get(row, "deadline")), opens))
		fail_msg("%s is not in %s", opens, json_string_value(json_object_get(row, "deadline")));
	json_decref(row);
	assert_int_equal(gym_count(g, "SELECT count(*) FROM desired"), 0);
	gym_do(g, "rollout", "halt", "1");
	/* Closed where the gateway counts, open in Pune. */
	gym_do(g, "rollout", "start", "gym@2", "--waves", "100%", "--soak", "1s", "--window", window_at(INDIA_MIN, window));
	GYM_UNTIL(g, SOON_MS, gym_state_is(g, 2, "completed"));
	assert_int_equal(gym_at(g, 2, "confirmed"), 2);
}

/* ---- kill -9 ---- */

static void i9_a_gateway_that_is_killed_at_any_moment_tells_everybody_once(void **state)
{
	struct gym *g = *state;
	unsigned char moments[KILLS];

	gf_rand_bytes(moments, sizeof moments);
	gym_chairs(g, DOZEN, "lab");
	gym_do(g, "rollout", "start", "gym@2", "--waves", "2,50%,100%", "--soak", "1s");
	for (size_t i = 0; i < KILLS; i++) {
		int64_t at_ms = it_now_ms() + (int64_t)moments[i] * 4;

		print_message("killed %d ms after its start\n", moments[i] * 4);
		GYM_UNTIL(g, SOON_MS, it_now_ms() >= at_ms);
		gym_kill(g);
		gym_start(g);
	}
	GYM_UNTIL(g, LATE_MS, gym_state_is(g, 1, "completed"));
	GYM_UNTIL(g, SOON_MS, gym_all_acked(g));
	assert_int_equal(gym_at(g, 1, "confirmed"), DOZEN);
	for (size_t i = 0; i < g->count; i++) {
		assert_int_equal(g->chairs[i].offers, 1);
		assert_int_equal(g->chairs[i].desired.revision, 1);
		assert_int_equal(g->chairs[i].plays, 2);
	}
	assert_int_equal(gym_count(g, "SELECT max(revision) FROM desired"), 1);
	assert_int_equal(gym_count(g, "SELECT count(*) FROM catalog_changes WHERE version = 2"), DOZEN);
	assert_int_equal(gym_count(g, "SELECT count(*) FROM rollout_devices WHERE wave = 1"), 2);
	assert_int_equal(gym_count(g, "SELECT count(*) FROM rollout_devices WHERE wave = 2"), 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, gym_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_machine_in_use_is_shown_as_such_and_takes_it_when_its_session_ends),
	    TEST(who_is_offline_catches_up_and_who_is_new_joins_also_after_completion),
	    TEST(a_second_rollout_of_a_machine_that_one_has_is_refused),
	    TEST(orders_are_carried_out_and_kept_with_who_and_from_where),
	    TEST(a_catalog_that_allows_no_way_back_is_not_rolled_back),
	    TEST(a_window_is_by_the_clock_of_the_site),
	    TEST(i9_a_gateway_that_is_killed_at_any_moment_tells_everybody_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
