/* The hour meter's file: its bytes, and what it says after its process was killed. */
#include "agent/sim/journal.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { JOURNAL_BYTES = 40 };

static char dir[64], path[96];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/journal-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/hours", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static struct journal *must_open(void)
{
	struct journal *journal = NULL;
	struct gf_diag diag = {{0}};
	if (journal_open(path, &journal, &diag) != 0)
		fail_msg("%s", diag.text);
	return journal;
}

static void put_file(const void *data, size_t len)
{
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	fclose(file);
}

static void check(struct sim_journal journal, uint64_t starts, uint64_t motor_ms, uint64_t cycles)
{
	assert_int_equal(journal.starts, starts);
	assert_int_equal(journal.motor_ms, motor_ms);
	assert_int_equal(journal.cycles, cycles);
}

static void its_bytes_are_what_the_header_says(void **state)
{
	(void)state;
	static const unsigned char expected[JOURNAL_BYTES] = {'G', 'F', 'H', 'O', 'U', 'R', 'S', '1', 2, 0, 0, 0, 0,
	                                                      0,   0,   0,   0,   0,   0,   0,   1,   0, 0, 0, 3, 1};
	unsigned char bytes[JOURNAL_BYTES + 1];
	struct journal *journal = must_open();
	check(journal_get(journal), 0, 0, 0);
	journal_add(journal, 1, 0xffffffff, 0x100);
	journal_add(journal, 1, 1, 3);
	journal_close(journal);
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	assert_int_equal(fread(bytes, 1, sizeof(bytes), file), JOURNAL_BYTES);
	fclose(file);
	assert_memory_equal(bytes, expected, JOURNAL_BYTES);
}

static void it_goes_on_where_it_stood(void **state)
{
	(void)state;
	struct sim_journal read;
	for (uint64_t i = 1; i <= 3; i++) {
		struct journal *journal = must_open();
		check(journal_get(journal), i - 1, (i - 1) * 20, (i - 1) * 7);
		journal_add(journal, 1, 20, 7);
		/* Who reads the file needs not wait for its end. */
		assert_int_equal(sim_journal_read(path, &read), 0);
		check(read, i, i * 20, i * 7);
		journal_close(journal);
	}
}

static void i1_a_killed_process_leaves_what_it_counted(void **state)
{
	(void)state;
	struct sim_journal read;
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		struct journal *journal = NULL;
		if (journal_open(path, &journal, NULL) != 0)
			_exit(1);
		for (int i = 0; i < 1000; i++)
			journal_add(journal, 0, 20, 1);
		raise(SIGKILL);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(sim_journal_read(path, &read), 0);
	check(read, 0, 20000, 1000);
}

static void what_a_crash_left_before_the_first_count_is_new(void **state)
{
	(void)state;
	static const unsigned char zeros[JOURNAL_BYTES];
	struct sim_journal read;
	for (size_t len = 0; len <= JOURNAL_BYTES; len += JOURNAL_BYTES) {
		put_file(zeros, len);
		assert_int_equal(sim_journal_read(path, &read), 0);
		check(read, 0, 0, 0);
		struct journal *journal = must_open();
		journal_add(journal, 1, 2, 3);
		journal_close(journal);
		assert_int_equal(sim_journal_read(path, &read), 0);
		check(read, 1, 2, 3);
	}
}

static void what_is_no_journal_is_refused_and_left_alone(void **state)
{
	(void)state;
	static const char *const others[] = {"short", "GFHOURS2................................",
	                                     "GFHOURS1 and then more than there should be",
	                                     "not a journal, but as long as one......."};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct journal *journal = NULL;
		struct sim_journal read = {7, 7, 7};
		struct gf_diag diag = {{0}};
		char bytes[64];
		size_t len = strlen(others[i]);
		put_file(others[i], len);
		assert_int_equal(journal_open(path, &journal, &diag), -EINVAL);
		assert_non_null(strstr(diag.text, path));
		assert_null(journal);
		assert_int_equal(sim_journal_read(path, &read), -EINVAL);
		check(read, 7, 7, 7);
		FILE *file = fopen(path, "rb");
		assert_non_null(file);
		assert_int_equal(fread(bytes, 1, sizeof(bytes), file), len);
		fclose(file);
		assert_memory_equal(bytes, others[i], len);
	}
}

static void a_place_that_is_not_there_is_named(void **state)
{
	(void)state;
	struct journal *journal = NULL;
	struct sim_journal read;
	struct gf_diag diag = {{0}};
	assert_int_equal(sim_journal_read(path, &read), -ENOENT);
	assert_int_equal(journal_open("/nonexistent/hours", &journal, &diag), -ENOENT);
	assert_non_null(strstr(diag.text, "/nonexistent/hours"));
	journal_close(NULL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)
	const struct CMUnitTest tests[] = {
	    TEST(its_bytes_are_what_the_header_says),           TEST(it_goes_on_where_it_stood),
	    TEST(i1_a_killed_process_leaves_what_it_counted),   TEST(what_a_crash_left_before_the_first_count_is_new),
	    TEST(what_is_no_journal_is_refused_and_left_alone), TEST(a_place_that_is_not_there_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
