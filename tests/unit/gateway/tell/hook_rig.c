#include "tests/unit/gateway/tell/hook_rig.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/tell/board.h"

enum { WAIT_S = 30 };

/* ---- what becomes of messages is heard from the board, which hook.c's thread writes ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void tell_waiting(void)
{
	pthread_mutex_lock(&lock);
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

bool __real_board_took(struct board *board, size_t receiver, const struct outbox_message *message);
void __real_board_passed(struct board *board, size_t receiver, const struct outbox_message *message, int64_t wall_ms);
bool __real_board_failed(struct board *board, size_t receiver, const char *reason, int64_t wall_ms, int64_t next_ms);
bool __wrap_board_took(struct board *board, size_t receiver, const struct outbox_message *message);
void __wrap_board_passed(struct board *board, size_t receiver, const struct outbox_message *message, int64_t wall_ms);
bool __wrap_board_failed(struct board *board, size_t receiver, const char *reason, int64_t wall_ms, int64_t next_ms);

bool __wrap_board_took(struct board *board, size_t receiver, const struct outbox_message *message)
{
	bool failed = __real_board_took(board, receiver, message);

	tell_waiting();
	return failed;
}

void __wrap_board_passed(struct board *board, size_t receiver, const struct outbox_message *message, int64_t wall_ms)
{
	__real_board_passed(board, receiver, message, wall_ms);
	tell_waiting();
}

bool __wrap_board_failed(struct board *board, size_t receiver, const char *reason, int64_t wall_ms, int64_t next_ms)
{
	bool first = __real_board_failed(board, receiver, reason, wall_ms, next_ms);

	tell_waiting();
	return first;
}

void until(struct rig *r, size_t receiver, bool (*is_so)(const struct tell_state *state, uint64_t number),
           uint64_t number)
{
	struct tell_state state;
	struct timespec end;
	int error = 0;

	(void)clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += WAIT_S;
	pthread_mutex_lock(&lock);
	state = state_of(r, receiver);
	while (!is_so(&state, number) && error == 0) {
		error = pthread_cond_timedwait(&changed, &lock, &end);
		state = state_of(r, receiver);
	}
	pthread_mutex_unlock(&lock);
	assert_true(is_so(&state, number));
}

/* ---- the rig ---- */

int hook_setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	void *f = NULL;

	assert_int_equal(fixture_setup(&f), 0);
	r->f = f;
	r->clock = gf_clock_system(GF_CLOCK_TRUST_SYSTEM);
	for (size_t i = 0; i < 2; i++) {
		static char names[2][8] = {"first", "second"};
		r->receivers[i].secret = SECRET;
		r->webhooks[i] = (struct tell_webhook){.name = names[i],
		                                       .secret = SECRET,
		                                       .secret_len = strlen(SECRET),
		                                       .kinds = UINT32_C(1) << STORE_EVENT_WEBHOOK,
		                                       .rate_per_min = 6000,
		                                       .give_up_ms = HOUR};
	}
	*state = r;
	return 0;
}

int hook_teardown(void **state)
{
	struct rig *r = *state;
	void *f = r->f;

	tell_free(r->tell);
	for (size_t i = 0; i < 2; i++)
		receiver_stop(&r->receivers[i]);
	if (r->pki[0] != '\0') {
		char command[128];
		(void)snprintf(command, sizeof(command), "rm -r '%s'", r->pki);
		assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a fixed command */
	}
	assert_int_equal(fixture_teardown(&f), 0);
	free(r->cert);
	free(r->key);
	free(r);
	return 0;
}

static int no_publish(void *ctx, const char *topic, const void *payload, size_t len, uint64_t cookie)
{
	(void)ctx;
	(void)topic;
	(void)payload;
	(void)len;
	(void)cookie;
	return -ENOTCONN;
}

static unsigned no_window(void *ctx)
{
	(void)ctx;
	return 0;
}

struct gf_time now(void)
{
	return gf_clock_now(gf_clock_system(GF_CLOCK_TRUST_SYSTEM));
}

/* Tells to the first `count` receivers that were started. */
void begin(struct rig *r, size_t count)
{
	struct gf_diag diag = {{0}};
	const struct tell_config config = {.store = r->f->store,
	                                   .database = r->f->path,
	                                   .clock = r->clock,
	                                   .webhooks = r->webhooks,
	                                   .webhooks_count = count,
	                                   .publish = no_publish,
	                                   .window = no_window};

	for (size_t i = 0; i < count; i++)
		if (r->webhooks[i].url == NULL)
			r->webhooks[i].url = r->receivers[i].url;
	if (tell_new(&config, &r->tell, &diag) != 0)
		fail_msg("%s", diag.text);
}

/* Events, each with the next id. */
void happens(struct rig *r, unsigned events)
{
	for (unsigned i = 0; i < events; i++)
		assert_int_equal(store_tell_note(r->f->store, "maker", "something", NOON, NULL), 0);
	(void)tell_step(r->tell, gf_clock_now(r->clock));
}

struct tell_state state_of(struct rig *r, size_t receiver)
{
	struct tell_state states[3];

	assert_true(tell_states(r->tell, states, 3) > receiver);
	return states[receiver];
}

static bool is_failing(const struct tell_state *state, uint64_t number)
{
	(void)number;
	return state->failing_since_ms > 0;
}

static bool has_been_told(const struct tell_state *state, uint64_t number)
{
	return state->told.told == number;
}

bool is_done_with(const struct tell_state *state, uint64_t number)
{
	return state->told.told + state->told.summed + state->told.passed_over == number;
}

void until_failing(struct rig *r, size_t receiver)
{
	until(r, receiver, is_failing, 0);
}

/* The receiver has it before the gateway knows that. */
void until_told(struct rig *r, size_t receiver, uint64_t told)
{
	until(r, receiver, has_been_told, told);
}

/* What it has is every event from 1 on, each sound, in order; the same one again is allowed. */
void has_all(struct rig *r, size_t receiver, uint64_t last)
{
	const struct receiver *from = &r->receivers[receiver];
	uint64_t seen = 0;

	for (size_t i = 0; i < from->taken_count; i++) {
		assert_true(from->taken[i].sound);
		assert_true(from->taken[i].id <= seen + 1);
		seen = from->taken[i].id > seen ? from->taken[i].id : seen;
	}
	assert_int_equal(seen, last);
}

void sql(struct rig *r, const char *text)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(r->f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_busy_timeout(db, 10000), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}
