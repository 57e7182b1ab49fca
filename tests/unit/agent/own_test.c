/* One agent drives a machine, and nobody looks at its hardware meanwhile. */
#include "agent/own.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64], state_dir[96], lock[128];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/own-test-XXXXXX");
	snprintf(state_dir, sizeof(state_dir), "%s/state", mkdtemp(dir) != NULL ? dir : "");
	snprintf(lock, sizeof(lock), "%s/lock", state_dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)unlink(lock);
	(void)rmdir(state_dir);
	return rmdir(dir);
}

static void a_machine_has_one_owner(void **state)
{
	struct gf_diag diag = {{0}};
	int first = -1, second = -1;
	(void)state;
	assert_int_equal(own_machine(state_dir, &first, &diag), 0);
	assert_int_equal(own_machine(state_dir, &second, &diag), -EBUSY);
	assert_non_null(strstr(diag.text, "another process holds it"));
	assert_int_equal(own_for_a_look(state_dir, &second), -EBUSY);
	assert_int_equal(second, -1);
	close(first);
	assert_int_equal(own_machine(state_dir, &second, &diag), 0);
	close(second);
}

static void a_look_keeps_an_agent_from_starting(void **state)
{
	struct gf_diag diag = {{0}};
	int agent = -1, look = -1;
	(void)state;
	assert_int_equal(own_machine(state_dir, &agent, &diag), 0);
	close(agent);
	agent = -1;
	assert_int_equal(own_for_a_look(state_dir, &look), 0);
	assert_true(look >= 0);
	assert_int_equal(own_machine(state_dir, &agent, &diag), -EBUSY);
	close(look);
}

static void a_look_makes_nothing(void **state)
{
	int look = 0;
	(void)state;
	assert_int_equal(own_for_a_look(state_dir, &look), 0);
	assert_int_equal(look, -1);
	assert_int_equal(access(state_dir, F_OK), -1);
	assert_int_equal(mkdir(state_dir, 0700), 0);
	look = 0;
	assert_int_equal(own_for_a_look(state_dir, &look), 0);
	assert_int_equal(look, -1);
	assert_int_equal(access(lock, F_OK), -1);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
	static char path[5000];
	struct gf_diag diag = {{0}};
	int fd = -1;
	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	assert_int_equal(own_machine(path, &fd, &diag), -ENAMETOOLONG);
	assert_int_equal(own_for_a_look(path, &fd), -ENAMETOOLONG);
	assert_int_equal(fd, -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_machine_has_one_owner),
	    TEST(a_look_keeps_an_agent_from_starting),
	    TEST(a_look_makes_nothing),
	    TEST(a_path_that_is_too_long_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
