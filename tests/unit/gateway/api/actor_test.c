#include "gateway/api/actor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* A folder as /proc, with one process in it. */
static void process(char *proc, const char *comm, const char *login)
{
	char dir[128];

	strcpy(proc, "/tmp/actor_test.XXXXXX");
	assert_non_null(mkdtemp(proc));
	snprintf(dir, sizeof(dir), "%s/4711", proc);
	assert_int_equal(mkdir(dir, 0700), 0);
	write_file(dir, "comm", comm);
	write_file(dir, "loginuid", login);
}

static void forget(const char *proc)
{
	static const char *const names[] = {"4711/comm", "4711/loginuid", "4711", ""};
	char path[256];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", proc, names[i]);
		assert_int_equal(remove(path), 0);
	}
}

static void a_person_is_named_with_what_she_ran(void **state)
{
	struct store_actor actor;
	char proc[64];

	(void)state;
	process(proc, "gymfleet\n", "4294967295");
	actor_of_process(proc, 4711, 0, &actor);
	assert_string_equal(actor.who, "root (uid 0)");
	assert_string_equal(actor.from, "unix socket, pid 4711, gymfleet");
	forget(proc);
}

static void who_became_root_is_named_too(void **state)
{
	struct store_actor actor;
	char proc[64];

	(void)state;
	process(proc, "gymfleet\n", "1\n"); /* daemon, on every Debian */
	actor_of_process(proc, 4711, 0, &actor);
	assert_string_equal(actor.from, "unix socket, pid 4711, gymfleet, logged in as daemon");
	forget(proc);
}

static void a_name_that_would_steer_a_terminal_is_made_harmless(void **state)
{
	struct store_actor actor;
	char proc[64];

	(void)state;
	process(proc, "\033[2Jx\xff\n", "");
	actor_of_process(proc, 4711, 4000000000U, &actor);
	assert_string_equal(actor.who, "uid 4000000000");
	assert_string_equal(actor.from, "unix socket, pid 4711, ?[2Jx?");
	forget(proc);
}

static void a_process_that_has_ended_leaves_its_number(void **state)
{
	struct store_actor actor;

	(void)state;
	actor_of_process("/nonexistent", 7, 0, &actor);
	assert_string_equal(actor.who, "root (uid 0)");
	assert_string_equal(actor.from, "unix socket, pid 7");
}

static void the_socket_tells_who_is_at_its_other_end(void **state)
{
	struct store_actor actor;
	char expected[64];
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	actor_of_socket(pair[0], &actor);
	snprintf(expected, sizeof(expected), "pid %d, actor_test", (int)getpid());
	assert_non_null(strstr(actor.from, expected));
	close(pair[1]);
	actor_of_socket(-1, &actor);
	assert_string_equal(actor.who, "unknown");
	close(pair[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_person_is_named_with_what_she_ran),
	    cmocka_unit_test(who_became_root_is_named_too),
	    cmocka_unit_test(a_name_that_would_steer_a_terminal_is_made_harmless),
	    cmocka_unit_test(a_process_that_has_ended_leaves_its_number),
	    cmocka_unit_test(the_socket_tells_who_is_at_its_other_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
