/* The scripted people, and nothing of the machine but whether it runs. */
#include "agent/sim/users.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MONDAY_MS INT64_C(1767571200000) /* 2026-01-05T00:00:00Z */

enum { TICK_MS = 100, MINUTE_MS = 60000, HOUR_MS = 3600000, DAY_MS = 24 * HOUR_MS, ROUTINES = 5 };

/* A machine of five lines: it starts what is asked for when it is willing, plays for ten minutes, and obeys stop and pause. */
struct machine {
	struct users users;
	int64_t now_ms, until_ms;
	bool unwilling;
	enum driver_command command;
	struct driver_panel panel;
	bool present;
};

static struct sim_config config_of(uint64_t seed, float busy)
{
	return (struct sim_config){.class = GF_CLASS_CHAIR,
	                           .seed = seed,
	                           .busy = busy,
	                           .tokens = 0.2F,
	                           .opens_min = 8 * 60,
	                           .closes_min = 20 * 60,
	                           .routines = ROUTINES,
	                           .mono_to_wall_ms = MONDAY_MS};
}

static struct machine machine_of(const struct sim_config *config, uint64_t lives)
{
	struct machine m = {.command = DRIVER_IDLE};
	users_init(&m.users, config, lives);
	return m;
}

static void tick(struct machine *m)
{
	const bool paused = m->panel.pause;
	m->now_ms += TICK_MS;
	m->present = users_step(&m->users, m->now_ms, m->command, &m->panel);
	if (m->command == DRIVER_IDLE && m->panel.routine > 0 && !m->unwilling) {
		m->command = DRIVER_START;
		m->until_ms = m->now_ms + 10 * MINUTE_MS;
	} else if (m->command != DRIVER_IDLE && (m->panel.stop || m->now_ms >= m->until_ms)) {
		m->command = DRIVER_IDLE;
	} else if (m->command != DRIVER_IDLE && m->panel.pause && !paused) {
		m->command = m->command == DRIVER_PAUSE ? DRIVER_START : DRIVER_PAUSE;
	}
}

static void nobody_comes_to_a_machine_that_is_not_used(void **state)
{
	(void)state;
	struct sim_config configs[] = {config_of(1, 0), config_of(1, 0.5F)};
	configs[1].routines = 0;
	for (size_t i = 0; i < 2; i++) {
		struct machine m = machine_of(&configs[i], 0);
		tick(&m);
		assert_true(users_next_ms(&m.users, m.now_ms) == INT64_MAX);
		assert_false(m.present);
		m.now_ms += 30LL * DAY_MS;
		tick(&m);
		assert_false(m.present);
	}
}

static void they_come_when_they_said_and_while_it_is_open(void **state)
{
	(void)state;
	const struct sim_config config = config_of(3, 0.4F);
	struct machine m = machine_of(&config, 0);
	int arrivals = 0;
	tick(&m);
	while (arrivals < 300) {
		int64_t next_ms = users_next_ms(&m.users, m.now_ms);
		if (m.users.state == USERS_NOBODY) {
			assert_true(next_ms > m.now_ms - TICK_MS);
			uint32_t minute = (uint32_t)(next_ms / MINUTE_MS % (24 * 60));
			assert_in_range(minute, config.opens_min, config.closes_min - 1);
			/* Nobody is there a moment before. */
			if (next_ms - TICK_MS > m.now_ms)
				m.now_ms = next_ms - TICK_MS - 1;
			tick(&m);
			assert_true(m.present == (m.now_ms >= next_ms));
			arrivals++;
		}
		tick(&m);
	}
}

/* A box without a battery for its clock wakes up in 1970, and west of Greenwich it is still 1969 there. */
static void the_week_goes_the_same_before_1970(void **state)
{
	(void)state;
	struct sim_config config = config_of(3, 0.4F);
	config.opens_min = config.closes_min = 0;
	struct machine now = machine_of(&config, 0);
	config.mono_to_wall_ms -= 3000 * 7 * (int64_t)DAY_MS;
	struct machine then = machine_of(&config, 0);
	for (int day = 0; day < 14; day++) {
		now.now_ms = then.now_ms = day * (int64_t)DAY_MS + 12345;
		now.users.begun = then.users.begun = false;
		tick(&now);
		tick(&then);
		assert_true(users_next_ms(&now.users, now.now_ms) == users_next_ms(&then.users, then.now_ms));
	}
}

static void a_routine_is_asked_for_until_it_runs(void **state)
{
	(void)state;
	const struct sim_config config = config_of(4, 1);
	bool asked[ROUTINES + 1] = {false};
	struct machine m = machine_of(&config, 0);
	for (int sessions = 0; sessions < 60;) {
		const enum driver_command before = m.command;
		tick(&m);
		assert_true(m.panel.routine <= ROUTINES);
		asked[m.panel.routine] = true;
		if (m.command == DRIVER_START && before == DRIVER_IDLE) {
			tick(&m);
			assert_int_equal(m.panel.routine, 0);
			assert_true(m.present);
			sessions++;
		}
	}
	for (int i = 1; i <= ROUTINES; i++)
		assert_true(asked[i]);
}

static void who_is_not_served_goes_after_some_tries(void **state)
{
	(void)state;
	const struct sim_config config = config_of(5, 1);
	struct machine m = machine_of(&config, 0);
	m.unwilling = true;
	unsigned asks = 0;
	do {
		const uint16_t before = m.panel.routine;
		tick(&m);
		asks += m.panel.routine > 0 && before == 0 ? 1 : 0;
	} while ((m.users.state != USERS_NOBODY && m.users.state != USERS_STAFF) || asks == 0);
	assert_int_equal(asks, 5);
	assert_false(m.present);
	assert_true(m.now_ms < 2 * MINUTE_MS);
}

static void staff_comes_to_a_machine_that_serves_nobody(void **state)
{
	(void)state;
	const struct sim_config config = config_of(5, 1);
	struct machine m = machine_of(&config, 0);
	m.unwilling = true;
	int64_t held_since_ms = -1, held_ms = 0;
	while (held_ms < 3000 && m.now_ms < 24 * 60 * MINUTE_MS) {
		tick(&m);
		const bool visit = m.panel.staff_key && m.panel.routine == 0;
		held_since_ms = !visit ? -1 : held_since_ms < 0 ? m.now_ms : held_since_ms;
		held_ms = visit ? m.now_ms - held_since_ms : 0;
		assert_false(visit && m.present);
	}
	assert_true(held_ms >= 3000);
}

static void buttons_are_pressed_one_at_a_time_and_let_go(void **state)
{
	(void)state;
	const struct sim_config config = config_of(6, 1);
	struct machine m = machine_of(&config, 0);
	int presses = 0, held = 0, stops = 0, pains = 0, pauses = 0;
	while (m.now_ms < 15LL * DAY_MS) {
		tick(&m);
		const struct driver_panel *p = &m.panel;
		const int down = p->stop + p->pause + p->pain + p->intensity_up + p->intensity_down;
		assert_true(down <= 1);
		assert_true(down == 0 || p->routine == 0);
		if (down == 1 && held == 0) {
			presses++;
			stops += p->stop ? 1 : 0;
			pains += p->pain ? 1 : 0;
			pauses += p->pause ? 1 : 0;
		}
		held = down == 1 ? held + 1 : 0;
		assert_true(held <= 2);
	}
	assert_true(stops > 10 && pains > 0 && pauses > 10);
	assert_true(presses > stops + pains + pauses);
}

static void a_token_belongs_to_the_whole_visit(void **state)
{
	(void)state;
	const struct sim_config config = config_of(7, 1);
	struct machine m = machine_of(&config, 0);
	uint64_t token = 0;
	int visits = 0, with_token = 0;
	enum users_state before = USERS_NOBODY;
	while (visits < 300) {
		tick(&m);
		if (before == USERS_NOBODY && m.users.state == USERS_ASKING) {
			visits++;
			token = m.panel.subject_token;
			with_token += token != 0 ? 1 : 0;
		}
		before = m.users.state;
		assert_true(m.panel.subject_token == (before == USERS_NOBODY ? 0 : token));
	}
	assert_in_range(with_token, 30, 90);
}

/* --- regulars and staff ------------------------------------------------------------------------------------------ */

enum { PEOPLE_MAX = 1000 };

/* How often each token came. */
struct visits {
	size_t count, of[PEOPLE_MAX];
	uint64_t tokens[PEOPLE_MAX];
};

static size_t visit_of(struct visits *v, uint64_t token)
{
	size_t i = 0;
	while (i < v->count && v->tokens[i] != token)
		i++;
	assert_true(i < PEOPLE_MAX);
	v->count += i == v->count ? 1 : 0;
	v->tokens[i] = token;
	v->of[i]++;
	return i;
}

static void a_few_regulars_come_far_more_often_than_the_others(void **state)
{
	(void)state;
	static struct visits visits;
	struct sim_config config = config_of(11, 1);
	config.tokens = 1;
	struct machine m = machine_of(&config, 0);
	visits = (struct visits){0};
	int again = 0;
	uint64_t last = 0;
	for (int sessions = 0; sessions < 2000;) {
		const enum driver_command before = m.command;
		tick(&m);
		if (m.command != DRIVER_START || before != DRIVER_IDLE)
			continue;
		sessions++;
		assert_true(m.users.token != 0);
		(void)visit_of(&visits, m.users.token);
		again += m.users.token == last ? 1 : 0;
		last = m.users.token;
	}
	size_t most = 0;
	for (size_t i = 0; i < visits.count; i++)
		most = visits.of[i] > most ? visits.of[i] : most;
	assert_in_range(most, 60, 300);
	assert_in_range(visits.count, 300, 400);
	assert_in_range(again, 40, 200); /* who can't have enough goes on */
}

static void regulars_of_one_place_are_the_same_on_all_its_machines(void **state)
{
	(void)state;
	static struct visits visits;
	visits = (struct visits){0};
	size_t alone = 0;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct sim_config config = config_of(seed, 1);
		config.tokens = 1;
		config.people = seed < 4 ? 99 : 0;
		alone = visits.count;
		struct machine m = machine_of(&config, 0);
		for (int i = 0; i < 400;) {
			const enum users_state before = m.users.state;
			tick(&m);
			if (before == USERS_NOBODY && m.users.state == USERS_ASKING) {
				(void)visit_of(&visits, m.users.token);
				i++;
			}
		}
		assert_true(seed == 4 || visits.count <= 400);
	}
	/* The last one is another place: nobody from there is known. */
	assert_true(visits.count > alone + 100);
}

/* Token and key, then the member; at the end the key alone. */
static void staff_says_who_holds_a_gun_and_when_it_is_put_down(void **state)
{
	(void)state;
	static struct visits staff;
	struct sim_config config = config_of(12, 1);
	config.class = GF_CLASS_PERCUSSION;
	config.tokens = 0.5F;
	config.staffed = 0.5F;
	struct machine m = machine_of(&config, 0);
	staff = (struct visits){0};
	uint64_t holder = 0;
	bool key = false;
	int sessions = 0, held = 0;
	while (sessions < 400) {
		const enum driver_command before = m.command;
		tick(&m);
		if (m.panel.staff_key && !key && !m.panel.stop)
			holder = m.panel.subject_token;
		key = m.panel.staff_key;
		assert_true(!key || m.panel.routine == 0); /* the member's token is never beside the key */
		if (m.command != DRIVER_START || before != DRIVER_IDLE)
			continue;
		sessions++;
		held += holder != 0 ? 1 : 0;
		assert_true(holder == m.users.therapist);
		assert_true(holder == 0 || holder != m.panel.subject_token);
		if (holder != 0)
			(void)visit_of(&staff, holder);
	}
	assert_in_range(held, 140, 260);
	assert_int_equal(staff.count, 3);
	size_t most = 0;
	for (size_t i = 0; i < staff.count; i++)
		most = staff.of[i] > most ? staff.of[i] : most;
	assert_in_range(most, held / 2, held * 4 / 5);
}

/* One number over everything they did in a day. */
static uint64_t a_day(const struct sim_config *config, uint64_t lives)
{
	struct machine m = machine_of(config, lives);
	uint64_t sum = 0;
	while (m.now_ms < DAY_MS) {
		tick(&m);
		const struct driver_panel *p = &m.panel;
		sum = sum * 31 + p->routine + 8U * p->stop + 16U * p->pause + 32U * p->pain + p->subject_token;
	}
	return sum;
}

static void the_same_seed_and_life_make_the_same_people(void **state)
{
	(void)state;
	const struct sim_config config = config_of(8, 0.6F), other = config_of(9, 0.6F);
	assert_true(a_day(&config, 2) == a_day(&config, 2));
	assert_true(a_day(&config, 2) != a_day(&config, 3));
	assert_true(a_day(&config, 2) != a_day(&other, 2));
}

static void a_queue_never_ends(void **state)
{
	(void)state;
	const struct sim_config config = config_of(10, 1);
	struct machine m = machine_of(&config, 0);
	int64_t empty_since_ms = 0, longest_ms = 0;
	/* Day and night, whatever the hours say. */
	while (m.now_ms < DAY_MS) {
		tick(&m);
		if (m.users.state != USERS_NOBODY)
			empty_since_ms = m.now_ms;
		else if (m.now_ms - empty_since_ms > longest_ms)
			longest_ms = m.now_ms - empty_since_ms;
	}
	assert_true(longest_ms <= 1000 + TICK_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nobody_comes_to_a_machine_that_is_not_used),
	    cmocka_unit_test(they_come_when_they_said_and_while_it_is_open),
	    cmocka_unit_test(the_week_goes_the_same_before_1970),
	    cmocka_unit_test(a_routine_is_asked_for_until_it_runs),
	    cmocka_unit_test(who_is_not_served_goes_after_some_tries),
	    cmocka_unit_test(staff_comes_to_a_machine_that_serves_nobody),
	    cmocka_unit_test(buttons_are_pressed_one_at_a_time_and_let_go),
	    cmocka_unit_test(a_token_belongs_to_the_whole_visit),
	    cmocka_unit_test(a_few_regulars_come_far_more_often_than_the_others),
	    cmocka_unit_test(regulars_of_one_place_are_the_same_on_all_its_machines),
	    cmocka_unit_test(staff_says_who_holds_a_gun_and_when_it_is_put_down),
	    cmocka_unit_test(the_same_seed_and_life_make_the_same_people),
	    cmocka_unit_test(a_queue_never_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
