/*
 * A slow and obvious machine (life_machine.h) against the store, through random histories: whatever it went through, each session
 * that it told is in the store once.
 *
 * LIFE_SEED=n in the environment plays the history of that seed alone and prints its steps.
 */
#include <stdlib.h>

#include "tests/unit/gateway/store/life_machine.h"

enum { SEEDS = 150, STEPS = 100 };

/* ---- what the store has ---- */

struct listing {
	struct machine *m;
	uint64_t no[TOLD]; /* by token; 0 = not there */
	uint64_t count;
};

static int list(void *ctx, const struct store_session *s)
{
	struct listing *l = ctx;

	if (s->running)
		FAIL(l->m, "session %" PRIu64 " is shown as running", s->session_no);
	if (s->subject_token == 0 || s->subject_token > l->m->tokens)
		FAIL(l->m, "session %" PRIu64 " was never played", s->session_no);
	if (l->no[s->subject_token])
		FAIL(l->m, "session %" PRIu64 " is session %" PRIu64 " too", s->session_no, l->no[s->subject_token]);
	if (s->motor_ms != l->m->motor_ms[s->subject_token])
		FAIL(l->m, "session %" PRIu64 " has another motor time: %" PRIu64 ", %" PRIu64, s->session_no, s->motor_ms,
		     l->m->motor_ms[s->subject_token]);
	l->no[s->subject_token] = s->session_no;
	l->count++;
	return 0;
}

static void check_sessions(struct machine *m, uint64_t *ret_count, uint64_t *ret_motor_ms)
{
	struct listing l = {.m = m};
	uint64_t motor_ms = 0, last = 0, count = 0;

	assert_int_equal(
	    store_read_sessions(m->f->reader, &(struct store_session_query){.device = "chair-1"}, list, &l, NULL), 0);
	for (uint64_t token = 1; token <= m->tokens; token++) {
		if (!m->motor_ms[token])
			continue;
		if (!l.no[token])
			FAIL(m, "the %" PRIu64 ". session is missing", token);
		if (!m->lost && l.no[token] <= last)
			FAIL(m, "the %" PRIu64 ". session has number %" PRIu64 ", after %" PRIu64, token, l.no[token], last);
		last = l.no[token];
		motor_ms += m->motor_ms[token];
		count++;
	}
	assert_int_equal(count, l.count);
	*ret_count = count;
	*ret_motor_ms = motor_ms;
}

static void check(struct machine *m)
{
	struct store_finding findings[64];
	uint64_t count, motor_ms;
	size_t found;
	struct store_audit audit = get_audit(m->f, findings, 64, &found);
	struct store_device device = get_device(m->f, "chair-1", m->now_ms);

	check_sessions(m, &count, &motor_ms);
	assert_int_equal(audit.sessions, count);
	assert_int_equal(audit.motor_ms, motor_ms);
	assert_int_equal(device.running_session, 0);
	for (size_t n = 0; n < found; n++)
		if (findings[n].kind == STORE_AUDIT_DUPLICATE)
			FAIL(m, "%s", findings[n].text);
	if (m->lost)
		return; /* what the lost ones leave is found, but not always as what it is */
	if (found > 0)
		FAIL(m, "%s", findings[0].text);
	if (device.odometer.motor_ms != motor_ms || device.odometer.sessions != count)
		FAIL(m, "the odometer is %" PRIu64 ", the sum %" PRIu64, device.odometer.motor_ms, motor_ms);
}

static void play(struct fixture *f, uint64_t seed, bool clocks)
{
	struct machine *m = calloc(1, sizeof(*m));

	m->f = f;
	m->seed = m->random = seed;
	m->clocks = clocks;
	m->lossy = clocks && seed % 2;
	m->now_ms = NOON - 60 * DAY;
	machine_begin(m);
	for (m->step = 0; m->step < STEPS; m->step++)
		machine_happen(m);
	machine_rest(m);
	check(m);
	free(m);
}

static void histories(uint64_t first, bool clocks)
{
	const char *only = getenv("LIFE_SEED");

	for (uint64_t seed = first; seed < first + SEEDS; seed++) {
		void *state;

		if (only && strtoull(only, NULL, 10) != seed)
			continue;
		assert_int_equal(fixture_setup(&state), 0);
		play(state, seed, clocks);
		assert_int_equal(fixture_teardown(&state), 0);
	}
}

static void i1_no_history_of_a_machine_with_a_clock_loses_or_doubles_a_session(void **state)
{
	(void)state;
	histories(1000, true);
}

static void i1_no_history_of_a_machine_without_a_clock_does(void **state)
{
	(void)state;
	histories(5000, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(i1_no_history_of_a_machine_with_a_clock_loses_or_doubles_a_session),
	    cmocka_unit_test(i1_no_history_of_a_machine_without_a_clock_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
