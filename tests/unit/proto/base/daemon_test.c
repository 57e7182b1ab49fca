/* The daemon's frame: its command line, its steps, its end. */
#include "proto/base/daemon.h"

#include <getopt.h>
#include <pthread.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* ---- the command line ---- */

static struct gf_daemon_flag *flags;

static const char *args(int *ret_status, int count, ...)
{
	static char words[6][32];
	char *argv[7] = {0};
	va_list list;

	va_start(list, count);
	for (int i = 0; i < count; i++) {
		snprintf(words[i], sizeof(words[i]), "%s", va_arg(list, const char *));
		argv[i] = words[i];
	}
	va_end(list);
	optind = 0; /* getopt begins anew */
	return gf_daemon_args(count, argv, "gymfleet-test", "what it reads", flags, ret_status);
}

static void the_file_is_found(void **state)
{
	int status = -1;
	(void)state;
	assert_string_equal(args(&status, 3, "test", "--config", "a.yaml"), "a.yaml");
	assert_string_equal(args(&status, 3, "test", "-c", "b.yaml"), "b.yaml");
	assert_int_equal(status, -1);
}

static void what_is_asked_for_is_printed(void **state)
{
	int status = -1;
	(void)state;
	assert_null(args(&status, 2, "test", "--help"));
	assert_int_equal(status, 0);
	status = -1;
	assert_null(args(&status, 2, "test", "--version"));
	assert_int_equal(status, 0);
}

static void a_wrong_command_line_ends_with_2(void **state)
{
	int status = 0;
	(void)state;
	assert_null(args(&status, 1, "test"));
	assert_int_equal(status, GF_EXIT_CONFIG);
	status = 0;
	assert_null(args(&status, 2, "test", "--nonsense"));
	assert_int_equal(status, GF_EXIT_CONFIG);
	status = 0;
	assert_null(args(&status, 4, "test", "-c", "a.yaml", "more"));
	assert_int_equal(status, GF_EXIT_CONFIG);
}

static void a_program_has_words_of_its_own(void **state)
{
	struct gf_daemon_flag own[] = {{.name = "check", .about = "looks"}, {.name = "safe", .about = "stops"}, {0}};
	int status = -1;
	(void)state;
	flags = own;
	assert_string_equal(args(&status, 4, "test", "--check", "-c", "a.yaml"), "a.yaml");
	assert_true(own[0].given);
	assert_false(own[1].given);
	assert_string_equal(args(&status, 5, "test", "--check", "-c", "a.yaml", "--check"), "a.yaml");
	assert_null(args(&status, 2, "test", "--help"));
	assert_int_equal(status, 0);
	own[0].given = false;
	assert_null(args(&status, 5, "test", "--check", "--safe", "-c", "a.yaml"));
	assert_int_equal(status, GF_EXIT_CONFIG);
	status = 0;
	assert_null(args(&status, 2, "test", "--check"));
	assert_int_equal(status, GF_EXIT_CONFIG);
	flags = NULL;
	status = 0;
	assert_null(args(&status, 4, "test", "--check", "-c", "a.yaml"));
	assert_int_equal(status, GF_EXIT_CONFIG);
}

/* ---- the loop ---- */

struct counted {
	struct gf_daemon daemon;
	pthread_t other;
	bool has_other;
	int steps, stops, steps_to_stop;
	int64_t clock_ms;
};

static int64_t step(void *ctx)
{
	struct counted *c = ctx;
	c->steps++;
	if (c->stops > 0)
		return INT64_MAX;
	/* The first is followed by one that is due, the second by one that is woken; the third is told to end. */
	if (c->steps == 1)
		return 0;
	if (c->steps == 2) {
		gf_daemon_wake(&c->daemon);
		return INT64_MAX;
	}
	raise(SIGTERM);
	return INT64_MAX;
}

static void stop(void *ctx)
{
	struct counted *c = ctx;
	c->stops++;
	raise(SIGINT); /* an impatient second one changes nothing */
}

static bool stopped(const void *ctx)
{
	const struct counted *c = ctx;
	return c->stops > 0 && c->steps_to_stop >= 0;
}

static const struct gf_daemon_ops ops = {.step = step, .stop = stop, .stopped = stopped};

static void steps_when_due_and_when_woken_until_told_to_end(void **state)
{
	struct counted c = {0};
	(void)state;
	assert_int_equal(gf_daemon_init(&c.daemon, "test", gf_clock_system(GF_CLOCK_TRUST_SYSTEM), &ops, &c), 0);
	gf_daemon_run(&c.daemon);
	gf_daemon_deinit(&c.daemon);
	assert_int_equal(c.stops, 1);
	assert_int_equal(c.steps, 4);
}

/* A clock that leaps: each look at it is a second later. */
static struct gf_time leap(void *ctx)
{
	struct counted *c = ctx;
	c->clock_ms += 1000;
	return (struct gf_time){.mono_ms = c->clock_ms};
}

static void an_end_that_never_comes_is_cut_off(void **state)
{
	struct counted c = {.steps_to_stop = -1};
	const struct gf_clock clock = {.now = leap, .ctx = &c};
	(void)state;
	assert_int_equal(gf_daemon_init(&c.daemon, "test", &clock, &ops, &c), 0);
	gf_daemon_run(&c.daemon);
	gf_daemon_deinit(&c.daemon);
	assert_int_equal(c.stops, 1);
}

static void *wake_and_end(void *ctx)
{
	struct counted *c = ctx;
	for (int i = 0; i < 1000; i++)
		gf_daemon_wake(&c->daemon);
	return NULL;
}

static int64_t step_woken(void *ctx)
{
	struct counted *c = ctx;
	if (!c->has_other && pthread_create(&c->other, NULL, wake_and_end, c) == 0)
		c->has_other = true;
	else if (c->stops == 0 && ++c->steps == 1)
		raise(SIGTERM);
	return INT64_MAX;
}

static void another_thread_may_wake_it(void **state)
{
	static const struct gf_daemon_ops woken = {.step = step_woken, .stop = stop, .stopped = stopped};
	struct counted c = {0};
	(void)state;
	assert_int_equal(gf_daemon_init(&c.daemon, "test", gf_clock_system(GF_CLOCK_TRUST_SYSTEM), &woken, &c), 0);
	gf_daemon_run(&c.daemon);
	assert_true(c.has_other);
	assert_int_equal(pthread_join(c.other, NULL), 0);
	gf_daemon_deinit(&c.daemon);
	assert_int_equal(c.stops, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_file_is_found),
	    cmocka_unit_test(what_is_asked_for_is_printed),
	    cmocka_unit_test(a_wrong_command_line_ends_with_2),
	    cmocka_unit_test(a_program_has_words_of_its_own),
	    cmocka_unit_test(steps_when_due_and_when_woken_until_told_to_end),
	    cmocka_unit_test(an_end_that_never_comes_is_cut_off),
	    cmocka_unit_test(another_thread_may_wake_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
