#include "proto/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/base/clock.h"

enum { LINES_MAX = 64 * 1024 };

/* What is logged goes to a file instead of stderr. */
struct capture {
	int file, stderr_before;
	char text[LINES_MAX];
};

static struct capture capture;

static int setup(void **state)
{
	char name[] = "/tmp/gymfleet-log-XXXXXX";

	(void)state;
	unsetenv("JOURNAL_STREAM");
	gf_log_set_level(GF_LOG_INFO);
	capture.stderr_before = dup(STDERR_FILENO);
	capture.file = mkstemp(name);
	if (capture.stderr_before < 0 || capture.file < 0 || unlink(name) != 0)
		return -1;
	return dup2(capture.file, STDERR_FILENO) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	dup2(capture.stderr_before, STDERR_FILENO);
	close(capture.stderr_before);
	close(capture.file);
	return 0;
}

/* All that was logged since the last call. */
static const char *logged(void)
{
	ssize_t len = pread(capture.file, capture.text, sizeof(capture.text) - 1, 0);
	assert_true(len >= 0);
	capture.text[len] = '\0';
	assert_int_equal(ftruncate(capture.file, 0), 0);
	assert_int_equal(lseek(capture.file, 0, SEEK_SET), 0);
	return capture.text;
}

/* The line without its time; the time must be one. */
static const char *after_time(const char *line)
{
	char time[GF_RFC3339_MAX];
	int64_t wall_ms;
	const char *blank = strchr(line, ' ');

	assert_non_null(blank);
	assert_true((size_t)(blank - line) < sizeof(time));
	memcpy(time, line, (size_t)(blank - line));
	time[blank - line] = '\0';
	assert_int_equal(gf_time_parse(time, &wall_ms), 0);
	return blank + 1;
}

static void a_line_has_time_level_module_and_sentence(void **state)
{
	(void)state;
	gf_log(GF_LOG_WARNING, "spool", "%d of %s", 3, "five");
	assert_string_equal(after_time(logged()), "warning spool: 3 of five\n");
}

static void under_the_journal_a_line_has_its_priority_and_no_time(void **state)
{
	static const char *const want[GF_LOG_LEVEL_COUNT] = {"<3>m: x\n", "<4>m: x\n", "<5>m: x\n", "<6>m: x\n",
	                                                     "<7>m: x\n"};
	(void)state;
	assert_int_equal(setenv("JOURNAL_STREAM", "8:1", 1), 0);
	gf_log_set_level(GF_LOG_DEBUG);
	for (int level = 0; level < GF_LOG_LEVEL_COUNT; level++) {
		gf_log((enum gf_log_level)level, "m", "x");
		assert_string_equal(logged(), want[level]);
	}
}

static void less_important_levels_are_silent(void **state)
{
	(void)state;
	for (int threshold = 0; threshold < GF_LOG_LEVEL_COUNT; threshold++) {
		gf_log_set_level((enum gf_log_level)threshold);
		for (int level = 0; level < GF_LOG_LEVEL_COUNT; level++) {
			gf_log((enum gf_log_level)level, "m", "x");
			assert_int_equal(logged()[0] != '\0', level <= threshold);
		}
	}
}

static void what_the_network_said_cannot_forge_a_line(void **state)
{
	(void)state;
	gf_log(GF_LOG_ERROR, "m", "%s", "a\nb\r\x1b[31mc\td\x7f e\xc3\xa4");
	assert_string_equal(after_time(logged()), "error m: a?b??[31mc?d? e\xc3\xa4\n");
}

static void a_long_line_is_cut_and_still_one_line(void **state)
{
	char text[4096];
	const char *line;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	gf_log(GF_LOG_ERROR, "m", "%s", text);
	line = logged();
	assert_true(strlen(line) > 900);
	assert_true(strlen(line) < 1024);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void a_flood_is_held_back_and_counted(void **state)
{
	struct gf_log_limit limit = {.interval_ms = 1000, .burst = 2};

	(void)state;
	assert_int_equal(setenv("JOURNAL_STREAM", "8:1", 1), 0);
	for (int i = 0; i < 5; i++)
		gf_log_limited(&limit, 5000 + i, GF_LOG_ERROR, "m", "line %d", i);
	assert_string_equal(logged(), "<3>m: line 0\n<3>m: line 1\n");
	gf_log_limited(&limit, 5999, GF_LOG_ERROR, "m", "still held");
	assert_string_equal(logged(), "");
	gf_log_limited(&limit, 6000, GF_LOG_ERROR, "m", "passes");
	assert_string_equal(logged(), "<3>m: (4 lines like the next were held back)\n<3>m: passes\n");
	gf_log_limited(&limit, 6001, GF_LOG_ERROR, "m", "and one more");
	assert_string_equal(logged(), "<3>m: and one more\n");
}

static void a_silent_level_does_not_use_up_the_limit(void **state)
{
	struct gf_log_limit limit = {.interval_ms = 1000, .burst = 1};

	(void)state;
	gf_log_limited(&limit, 1, GF_LOG_DEBUG, "m", "silent");
	assert_string_equal(logged(), "");
	gf_log_limited(&limit, 2, GF_LOG_INFO, "m", "loud");
	assert_string_equal(after_time(logged()), "info m: loud\n");
}

/* --- several threads --- */

enum { THREADS = 4, LINES = 200 };

static void *log_lines(void *arg)
{
	for (int i = 0; i < LINES; i++)
		gf_log(GF_LOG_ERROR, arg, "0123456789 0123456789 0123456789 %03d", i);
	return NULL;
}

static void lines_of_several_threads_do_not_mix(void **state)
{
	static char names[THREADS][2] = {"a", "b", "c", "d"};
	pthread_t threads[THREADS];
	int next[THREADS] = {0};

	(void)state;
	assert_int_equal(setenv("JOURNAL_STREAM", "8:1", 1), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, log_lines, names[i]), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	const char *line = logged();
	for (int i = 0; i < THREADS * LINES; i++) {
		char want[64];
		int thread = line[3] - 'a';
		assert_in_range(thread, 0, THREADS - 1);
		int len =
		    snprintf(want, sizeof(want), "<3>%c: 0123456789 0123456789 0123456789 %03d\n", line[3], next[thread]++);
		assert_memory_equal(line, want, len);
		line += len;
	}
	assert_string_equal(line, "");
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LOG_TEST(a_line_has_time_level_module_and_sentence),
	    LOG_TEST(under_the_journal_a_line_has_its_priority_and_no_time),
	    LOG_TEST(less_important_levels_are_silent),
	    LOG_TEST(what_the_network_said_cannot_forge_a_line),
	    LOG_TEST(a_long_line_is_cut_and_still_one_line),
	    LOG_TEST(a_flood_is_held_back_and_counted),
	    LOG_TEST(a_silent_level_does_not_use_up_the_limit),
	    LOG_TEST(lines_of_several_threads_do_not_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
