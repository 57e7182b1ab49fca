/*
 * `events --follow` through a real API: each event once and in order, though the gateway restarts, its clock jumps, and nobody reads for a while.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gateway/api/api.h"
#include "tests/unit/gateway/api/server.h"
#include "tests/unit/gateway/cli/words.h"

enum { WAIT_MS = 30000, MANY = 2500 };

/* ---- the command's pauses last until the test says so ---- */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool open;
	unsigned pauses;
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

int __wrap_nanosleep(const struct timespec *pause, struct timespec *left);

int __wrap_nanosleep(const struct timespec *pause, struct timespec *left)
{
	(void)pause;
	(void)left;
	(void)pthread_mutex_lock(&gate.lock);
	gate.pauses++;
	(void)pthread_cond_broadcast(&gate.changed);
	while (!gate.open)
		(void)pthread_cond_wait(&gate.changed, &gate.lock);
	(void)pthread_mutex_unlock(&gate.lock);
	return 0;
}

static void set_gate(bool open)
{
	(void)pthread_mutex_lock(&gate.lock);
	gate.open = open;
	gate.pauses = 0;
	(void)pthread_cond_broadcast(&gate.changed);
	(void)pthread_mutex_unlock(&gate.lock);
}

static unsigned pauses(void)
{
	(void)pthread_mutex_lock(&gate.lock);
	unsigned number = gate.pauses;
	(void)pthread_mutex_unlock(&gate.lock);
	return number;
}

static void wait_for_pause(void)
{
	struct timespec end;
	int error = 0;

	(void)clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += WAIT_MS / 1000;
	(void)pthread_mutex_lock(&gate.lock);
	while (gate.pauses == 0 && error == 0)
		error = pthread_cond_timedwait(&gate.changed, &gate.lock, &end);
	(void)pthread_mutex_unlock(&gate.lock);
	assert_int_equal(error, 0);
}

/* ---- the command, its output in a small pipe ---- */

struct follower {
	struct server *server;
	pthread_t thread;
	int pipe[2];
	FILE *in; /* what it printed */
	int code;
	char *err;
	uint64_t seen; /* the newest event */
};

static void *follow_main(void *ctx)
{
	static char program[] = "gymfleet", socket[] = "--socket", command[] = "events", follow[] = "--follow",
	            kind[] = "--kind", webhook[] = "webhook", limit[] = "--limit", one[] = "1", output[] = "-o",
	            json[] = "json";
	struct follower *f = ctx;
	char *argv[] = {program, socket, f->server->socket, command, follow, kind, webhook, limit, one, output, json, NULL};
	size_t size;
	FILE *out = fdopen(f->pipe[1], "w"), *err = open_memstream(&f->err, &size);

	f->code = (int)cli_main((int)(sizeof(argv) / sizeof(argv[0])) - 1, argv, out, err);
	(void)fclose(out);
	(void)fclose(err);
	return NULL;
}

/* Nothing for so long that it never comes. */
static bool next_line(struct follower *f, char *line, int size)
{
	struct pollfd some = {.fd = f->pipe[0], .events = POLLIN};

	assert_int_equal(poll(&some, 1, WAIT_MS), 1);
	return fgets(line, size, f->in) != NULL;
}

/* The next `count` events, none left out, none twice. */
static void sees(struct follower *f, unsigned count)
{
	char line[1024];

	for (unsigned i = 0; i < count; i++) {
		assert_true(next_line(f, line, sizeof(line)));
		json_t *event = json_loads(line, 0, NULL);
		assert_int_equal(whole(event, "id"), f->seen + 1);
		json_decref(event);
		f->seen++;
	}
}

static void happens_at(struct server *s, int64_t at_ms)
{
	assert_int_equal(store_tell_note(s->store->store, "maker", "something", at_ms, NULL), 0);
}

static void begin(struct follower *f, struct server *s)
{
	*f = (struct follower){.server = s, .seen = store_last_event(s->store->store)};
	set_gate(false);
	happens_at(s, NOON);
	assert_int_equal(pipe(f->pipe), 0);
	assert_true(fcntl(f->pipe[1], F_SETPIPE_SZ, 4096) >= 4096);
	f->in = fdopen(f->pipe[0], "r");
	/* Else what poll knows and what was read differ. */
	assert_int_equal(setvbuf(f->in, NULL, _IONBF, 0), 0);
	assert_int_equal(pthread_create(&f->thread, NULL, follow_main, f), 0);
	sees(f, 1);
}

static void stop_gateway(struct server *s)
{
	api_free(s->api);
	s->api = NULL;
}

static void start_gateway(struct server *s)
{
	struct gf_diag diag = {""};

	assert_int_equal(api_new(&s->config, &s->ops, &s->api, &diag), 0);
}

/* The gateway is gone for good: the command has no more to say, and ends. */
static void end(struct follower *f)
{
	char line[1024];

	stop_gateway(f->server);
	set_gate(true);
	assert_false(next_line(f, line, sizeof(line)));
	assert_int_equal(pthread_join(f->thread, NULL), 0);
	assert_int_equal(f->code, CLI_UNREACHABLE);
	assert_non_null(strstr(f->err, "the gateway doesn't answer; waiting for it\n"));
	assert_non_null(strstr(f->err, "gymfleet: there is no socket at "));
	(void)fclose(f->in);
	free(f->err);
}

/* ---- */

static void following_prints_events_until_the_gateway_ends(void **state)
{
	struct server *s = *state;
	struct follower f;

	send_status(s->store, "gun-paris-01", birth(2, 2, 2), false, NOON + HOUR);
	/* Before the follower: options are read with what the C library has once for all threads. */
	expect(s->socket, "events|--kind|presence", CLI_OK, "gun-paris-01", "");
	begin(&f, s);
	happens_at(s, NOON);
	sees(&f, 1);
	end(&f); /* who waits is answered, then nobody listens any more */
}

static void a_clock_that_jumps_loses_nothing_and_repeats_nothing(void **state)
{
	static const int64_t jumps_ms[] = {0, DAY, -DAY, 400 * DAY, -400 * DAY, -20000 * DAY, 1, -1};
	struct follower f;

	begin(&f, *state);
	for (size_t i = 0; i < sizeof(jumps_ms) / sizeof(jumps_ms[0]); i++) {
		happens_at(*state, NOON + jumps_ms[i]);
		happens_at(*state, NOON - jumps_ms[i]);
		sees(&f, 2);
	}
	end(&f);
}

static void a_restart_is_waited_for_and_what_happened_meanwhile_is_shown(void **state)
{
	struct follower f;

	begin(&f, *state);
	for (int i = 0; i < 3; i++) {
		happens_at(*state, NOON + i * DAY);
		stop_gateway(*state);
		happens_at(*state, NOON - i * DAY);
		wait_for_pause();
		happens_at(*state, NOON);
		start_gateway(*state);
		set_gate(true);
		happens_at(*state, NOON);
		sees(&f, 4);
		set_gate(false);
	}
	end(&f);
}

/* More than fits into an answer; the log has it before the gateway's counter, as after a restart. */
static void flood(struct server *s)
{
	char sql[400];
	sqlite3 *db = NULL;

	(void)snprintf(sql, sizeof(sql),
	               "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO "
	               "events(at_ms, kind, device, text, ref, code) SELECT at_ms, kind, device, text, ref, code FROM "
	               "n, (SELECT * FROM events ORDER BY id DESC LIMIT 1)",
	               MANY);
	assert_int_equal(sqlite3_open(s->store->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_busy_timeout(db, 10000), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

static void one_who_does_not_read_for_a_while_gets_all(void **state)
{
	struct server *s = *state;
	struct follower f;

	begin(&f, s);
	flood(s);
	happens_at(s, NOON);
	sees(&f, 1);
	/* It stands in the middle of an answer. */
	stop_gateway(s);
	happens_at(s, NOON);
	start_gateway(s);
	happens_at(s, NOON);
	assert_int_equal(pauses(), 0);
	sees(&f, MANY + 2);
	end(&f);
}

static void a_gateway_that_was_never_there_is_not_waited_for(void **state)
{
	(void)state;
	set_gate(false);
	expect("/nonexistent", "events|--follow", CLI_UNREACHABLE, "", "there is no socket at /nonexistent");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, server_setup, server_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(following_prints_events_until_the_gateway_ends),
	    TEST(a_clock_that_jumps_loses_nothing_and_repeats_nothing),
	    TEST(a_restart_is_waited_for_and_what_happened_meanwhile_is_shown),
	    TEST(one_who_does_not_read_for_a_while_gets_all),
	    cmocka_unit_test(a_gateway_that_was_never_there_is_not_waited_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
