/*
 * Other users of the gateway's machine: who is in the group of gateway.yaml acknowledges in his own name, whatever he says he is called; who is not is
 * told what to do. Only root can become somebody else: run by anybody else the tests ask in that user's own name, and close the socket to him.
 */
#include <grp.h>
#include <pwd.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/fleet.h"
#include "tests/integration/lab.h"

#define MEMBER "nobody" /* by a second group */
#define STRANGER "daemon"
#define GROUP "users"

enum { SOON_MS = 30000 };

/* One flag; and a socket that is GROUP's where we may give it away. */
static int setup(void **state)
{
	struct it_lab *lab = it_lab_open(state, "other-user");

	it_write(it_path(lab->w, "rules.yaml"),
	         "rules:\n  - {id: often, title: used at all, subject: device, metric: sessions, window: day, warn: 1, "
	         "advice: This is a test.}\n");
	if (geteuid() == 0) {
		char *config = it_read(it_path(lab->w, "gateway.yaml"));
		assert_non_null(config);
		/* Its last section is the API's. */
		it_write(it_path(lab->w, "gateway.yaml"), "%s  group: " GROUP "\n", config);
		free(config);
	}
	it_signal(lab->gateway, SIGTERM);
	it_end_well(lab->gateway, SOON_MS);
	lab->gateway =
	    it_spawn(lab->w, "gateway-2", it_program("gymfleet-gateway"), "--config", it_path(lab->w, "gateway.yaml"));
	IT_UNTIL(SOON_MS, it_gateway_listens(lab->w));
	it_machine_birth(lab->m, NULL);
	struct gf_record session = it_session(lab->m, 1, 1, it_wall_ms() - IT_SESSION_MS);
	it_machine_report(lab->m, &session, 1);
	json_t *flag = NULL;
	IT_UNTIL(SOON_MS, (it_client_turn(lab->m->client), flag = it_ask(lab->w, "overuse", "show", "1")) != NULL);
	json_decref(flag);
	/* Where everybody reaches it: the build may lie in somebody's home. */
	assert_int_equal(chmod(it_path(lab->w, "."), 0755), 0);
	struct it_output copied =
	    it_run(lab->w, "install", "-m", "755", it_program("gymfleet"), it_path(lab->w, "gymfleet"));
	assert_int_equal(copied.status, 0);
	it_output_free(&copied);
	return 0;
}

/* `gymfleet overuse ack 1`, said by this user where we are root, else by ourselves. */
static struct it_output ack_as(struct it_lab *lab, const char *user, const char *groups)
{
	char uid[32], gid[32];
	const char *gymfleet = it_path(lab->w, "gymfleet"), *socket = it_path(lab->w, "gateway.sock");

	if (geteuid() != 0)
		return it_run(lab->w, gymfleet, "--socket", socket, "overuse", "ack", "1", "--note", "it is fine");
	(void)snprintf(uid, sizeof(uid), "--reuid=%s", user);
	(void)snprintf(gid, sizeof(gid), "--regid=%s", user[0] == 'n' ? "nogroup" : user);
	return it_run(lab->w, "env", "USER=root", "LOGNAME=root", "setpriv", uid, gid, groups, gymfleet, "--socket", socket,
	              "overuse", "ack", "1", "--note", "it is fine");
}

/* As the API names this user, or ourselves. */
static void name_of(const char *user, char *name, size_t size)
{
	const struct passwd *entry = geteuid() == 0 ? getpwnam(user) : getpwuid(geteuid());

	if (entry != NULL)
		(void)snprintf(name, size, "%.30s (uid %u)", entry->pw_name, (unsigned)entry->pw_uid);
	else
		(void)snprintf(name, size, "uid %u", (unsigned)geteuid());
}

/* "": nobody has said that he saw it. */
static void acked_by(struct it_lab *lab, char *name, size_t size)
{
	json_t *flag = it_ask(lab->w, "overuse", "show", "1");
	const char *by = json_string_value(json_object_get(flag, "acked_by"));

	assert_non_null(flag);
	(void)snprintf(name, size, "%s", by != NULL ? by : "");
	json_decref(flag);
}

/* Whom the audit log names; "": nobody. */
static void deed_by(struct it_lab *lab, char *name, size_t size)
{
	json_t *log = it_ask(lab->w, "audit", "log", "--limit", "1000");
	const char *who = json_string_value(json_object_get(it_find(log, "action", "overuse ack"), "who"));

	assert_non_null(log);
	(void)snprintf(name, size, "%s", who != NULL ? who : "");
	json_decref(log);
}

static void a_member_of_the_group_acknowledges_in_his_own_name(void **state)
{
	struct it_lab *lab = *state;
	char expected[64], name[64];

	struct it_output said = ack_as(lab, MEMBER, "--groups=" GROUP);
	if (said.status != 0)
		fail_msg("%d: %s", said.status, said.err);
	it_output_free(&said);
	name_of(MEMBER, expected, sizeof(expected));
	acked_by(lab, name, sizeof(name));
	assert_string_equal(name, expected);
	deed_by(lab, name, sizeof(name));
	assert_string_equal(name, expected);
}

/* With this exit code: 3 when the gateway is not reached, 1 when it says no. */
static void is_refused(struct it_lab *lab, int status, const char *reason)
{
	char name[64];
	struct it_output said = ack_as(lab, STRANGER, "--clear-groups");

	assert_int_equal(said.status, status);
	if (strstr(said.err, reason) == NULL || strstr(said.err, "join that group and log in again") == NULL)
		fail_msg("'%s' is not in: %s", reason, said.err);
	it_output_free(&said);
	/* By whom it is open to. */
	assert_int_equal(chmod(it_path(lab->w, "gateway.sock"), 0660), 0);
	acked_by(lab, name, sizeof(name));
	assert_string_equal(name, "");
	deed_by(lab, name, sizeof(name));
	assert_string_equal(name, "");
}

static void who_is_not_in_the_group_is_told_to_join_it(void **state)
{
	struct it_lab *lab = *state;
	const char *socket = it_path(lab->w, "gateway.sock");

	if (geteuid() == 0) {
		struct stat is;
		assert_int_equal(stat(socket, &is), 0);
		assert_int_equal(is.st_mode & 0777, 0660);
		assert_int_equal(is.st_gid, getgrnam(GROUP)->gr_gid);
	} else {
		assert_int_equal(chmod(socket, 0), 0);
	}
	is_refused(lab, 3, "no permission for the socket");
	/* Somebody opened it to all: the gateway looks for itself. */
	if (geteuid() == 0) {
		assert_int_equal(chmod(socket, 0666), 0);
		is_refused(lab, 1, "the API is for root, the gateway's user and the group in gateway.yaml (api.group)");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_member_of_the_group_acknowledges_in_his_own_name, setup, it_lab_teardown),
	    cmocka_unit_test_setup_teardown(who_is_not_in_the_group_is_told_to_join_it, setup, it_lab_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
