/* Webhooks against real HTTP servers that take, fail, refuse, hang, are gone, and show certificates of all sorts. */
#include <arpa/inet.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/tell/tell.h"
#include "proto/base/file.h"
#include "tests/unit/gateway/store/fixture.h"
#include "tests/unit/gateway/tell/receiver.h"

#define SECRET "0123456789abcdef"

struct rig {
	struct fixture *f;
	struct receiver receivers[2];
	struct tell_webhook webhooks[2];
	size_t count;
	struct tell *tell;
	char pki[96], *cert, *key;
};

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	void *f = NULL;

	assert_int_equal(fixture_setup(&f), 0);
	r->f = f;
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

static int teardown(void **state)
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

static struct gf_time now(void)
{
	return gf_clock_now(gf_clock_system(GF_CLOCK_TRUST_SYSTEM));
}

/* Tells to the first `count` receivers that were started. */
static void begin(struct rig *r, size_t count)
{
	struct gf_diag diag = {{0}};
	const struct tell_config config = {.store = r->f->store,
	                                   .database = r->f->path,
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
static void happens(struct rig *r, unsigned events)
{
	for (unsigned i = 0; i < events; i++)
		assert_int_equal(store_tell_note(r->f->store, "maker", "something", NOON, NULL), 0);
	(void)tell_step(r->tell, now());
}

static struct tell_state state_of(struct rig *r, size_t receiver)
{
	struct tell_state states[3];

	assert_true(tell_states(r->tell, states, 3) > receiver);
	return states[receiver];
}

/* Looks again and again until the receiver's state is so, for thirty seconds at most: what hook.c's thread has done tells nobody. */
static void until(struct rig *r, size_t receiver, bool (*is_so)(const struct tell_state *state, uint64_t number),
                  uint64_t number)
{
	int64_t end_ms = now().mono_ms + 30000;
	struct tell_state state = state_of(r, receiver);

	while (!is_so(&state, number) && now().mono_ms < end_ms) {
		usleep(2000);
		state = state_of(r, receiver);
	}
	assert_true(is_so(&state, number));
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

static bool is_done_with(const struct tell_state *state, uint64_t number)
{
	return state->told.told + state->told.summed + state->told.passed_over == number;
}

static void until_failing(struct rig *r, size_t receiver)
{
	until(r, receiver, is_failing, 0);
}

/* The receiver has it before the gateway knows that. */
static void until_told(struct rig *r, size_t receiver, uint64_t told)
{
	until(r, receiver, has_been_told, told);
}

/* What it has is every event from 1 on, each sound, in order; the same one again is allowed. */
static void has_all(struct rig *r, size_t receiver, uint64_t last)
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

static void events_arrive_signed_and_in_order(void **state)
{
	struct rig *r = *state;

	receiver_start(&r->receivers[0]);
	begin(r, 1);
	happens(r, 50);
	receiver_wait(&r->receivers[0], 50);
	tell_free(r->tell);
	r->tell = NULL;
	has_all(r, 0, 50);
	assert_int_equal(r->receivers[0].taken_count, 50);
	assert_string_equal(r->receivers[0].taken[0].kind, "webhook");
}

static void what_fails_comes_again_in_its_place(void **state)
{
	struct rig *r = *state;

	r->receivers[0].fails = 3;
	r->receivers[0].fail_status = 500;
	receiver_start(&r->receivers[0]);
	begin(r, 1);
	happens(r, 5);
	receiver_wait(&r->receivers[0], 5);
	has_all(r, 0, 5);
	assert_int_equal(r->receivers[0].asked, 8);
	tell_free(r->tell);
	r->tell = NULL;
}

static void what_is_refused_for_good_is_passed_over_and_that_is_told_to_others(void **state)
{
	struct rig *r = *state;
	const struct taken *told;

	r->receivers[0].refuses = 2;
	receiver_start(&r->receivers[0]);
	receiver_start(&r->receivers[1]);
	begin(r, 2);
	happens(r, 4);
	receiver_wait(&r->receivers[0], 4);
	assert_int_equal(r->receivers[0].taken[0].id, 1);
	assert_int_equal(r->receivers[0].taken[1].id, 3);
	assert_int_equal(r->receivers[0].taken[2].id, 4);
	assert_int_equal(r->receivers[0].asked, 3 + 3);
	/* Its passing over, and that it takes events again; neither goes to itself. */
	receiver_wait(&r->receivers[1], 6);
	told = &r->receivers[1].taken[4];
	assert_int_equal(told->id, 5);
	until_told(r, 1, 3);
	struct tell_state first = state_of(r, 1);
	assert_int_equal(first.told.passed_over, 1);
	assert_int_equal(first.told.told, 3);
	assert_int_equal(first.failures, 3);
	assert_true(first.failing_since_ms == 0);
	assert_true(first.told.passed_ms > 0);
}

static void a_receiver_that_is_gone_gets_all_when_it_is_back(void **state)
{
	struct rig *r = *state;

	receiver_start(&r->receivers[0]);
	begin(r, 1);
	happens(r, 3);
	receiver_wait(&r->receivers[0], 3);
	receiver_stop(&r->receivers[0]);
	happens(r, 3);
	until_failing(r, 1);
	assert_non_null(strstr(state_of(r, 1).error, "onnect"));
	assert_true(state_of(r, 1).next_ms > 0);
	receiver_start(&r->receivers[0]);
	receiver_wait(&r->receivers[0], 6);
	has_all(r, 0, 6);
}

/* Connections are accepted by the kernel, and nobody ever answers. */
static int hanging(char *url, size_t size)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	(void)snprintf(url, size, "http://127.0.0.1:%u/", ntohs(address.sin_port));
	return fd;
}

static void one_that_hangs_delays_neither_another_one_nor_the_end(void **state)
{
	struct rig *r = *state;
	char url[64];
	int fd = hanging(url, sizeof(url));

	receiver_start(&r->receivers[1]);
	r->webhooks[0].url = url;
	begin(r, 2);
	happens(r, 20);
	receiver_wait(&r->receivers[1], 20);
	has_all(r, 1, 20);
	assert_int_equal(state_of(r, 1).told.told, 0);
	int64_t begun_ms = now().mono_ms;
	tell_free(r->tell);
	r->tell = NULL;
	assert_true(now().mono_ms - begun_ms < 1000);
	close(fd);
}

static void after_a_restart_it_goes_on_at_the_cursor(void **state)
{
	struct rig *r = *state;

	receiver_start(&r->receivers[0]);
	begin(r, 1);
	happens(r, 10);
	receiver_wait(&r->receivers[0], 10);
	tell_free(r->tell);
	/* While nobody tells. */
	for (int i = 0; i < 5; i++)
		assert_int_equal(store_tell_note(r->f->store, "maker", "something", NOON, NULL), 0);
	begin(r, 1);
	receiver_wait(&r->receivers[0], 15);
	has_all(r, 0, 15);
	/* The last answer may not have been taken in before the end. */
	assert_in_range(r->receivers[0].taken_count, 15, 16);
}

static void a_flood_is_summed_up(void **state)
{
	struct rig *r = *state;
	uint64_t events = 0, messages;

	receiver_start(&r->receivers[0]);
	begin(r, 1);
	tell_free(r->tell);
	r->webhooks[0].rate_per_min = 5;
	for (int i = 0; i < 200; i++)
		assert_int_equal(store_tell_note(r->f->store, "maker", "something", NOON, NULL), 0);
	begin(r, 1);
	receiver_wait(&r->receivers[0], 200);
	messages = r->receivers[0].taken_count;
	assert_int_equal(messages, 5);
	for (size_t i = 0; i < messages; i++) {
		const struct taken *t = &r->receivers[0].taken[i];
		assert_true(t->sound);
		events += strcmp(t->kind, "summary") == 0 ? t->count : 1;
	}
	assert_int_equal(events, 200);
	assert_string_equal(r->receivers[0].taken[4].kind, "summary");
	assert_int_equal(r->receivers[0].taken[4].from, 5);
	assert_int_equal(r->receivers[0].taken[4].to, 200);
	assert_int_equal(r->receivers[0].taken[4].id, 200);
}

static void sql(struct rig *r, const char *text)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(r->f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_busy_timeout(db, 10000), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void what_was_pruned_before_it_was_told_is_said_to_be_missed(void **state)
{
	struct rig *r = *state;

	receiver_start(&r->receivers[0]);
	begin(r, 1);
	tell_free(r->tell);
	for (int i = 0; i < 20; i++)
		assert_int_equal(store_tell_note(r->f->store, "maker", "something", NOON, NULL), 0);
	sql(r, "DELETE FROM events WHERE id <= 12");
	begin(r, 1);
	receiver_wait(&r->receivers[0], 20);
	assert_int_equal(r->receivers[0].taken[0].missed, 12);
	assert_int_equal(r->receivers[0].taken[0].from, 1);
	assert_int_equal(r->receivers[0].taken[0].to, 12);
	assert_string_equal(r->receivers[0].taken[0].kind, "summary");
	assert_int_equal(r->receivers[0].taken[1].id, 13);
	assert_int_equal(r->receivers[0].taken[8].id, 20);
	until_told(r, 1, 8);
	tell_free(r->tell);
	begin(r, 1);
	assert_int_equal(state_of(r, 1).told.missed, 12);
}

static void of_flags_only_those_are_told_whose_rule_says_so(void **state)
{
	struct rig *r = *state;
	char text[512];

	r->webhooks[0].notify_only = true;
	r->webhooks[0].kinds |= UINT32_C(1) << STORE_EVENT_FLAG;
	receiver_start(&r->receivers[0]);
	begin(r, 1);
	tell_free(r->tell);
	(void)snprintf(
	    text, sizeof(text),
	    "INSERT INTO events (at_ms, kind, device, text, ref, code, notify) VALUES (1, %d, '', 'a', 1, '', 0),"
	    " (1, %d, '', 'b', 2, '', 1), (1, %d, '', 'no flag, not wanted', 2, '', 1)",
	    STORE_EVENT_FLAG, STORE_EVENT_FLAG, STORE_EVENT_SESSION);
	sql(r, text);
	begin(r, 1);
	happens(r, 1);
	receiver_wait(&r->receivers[0], 4);
	assert_int_equal(r->receivers[0].taken[0].id, 2);
	assert_string_equal(r->receivers[0].taken[0].kind, "flag");
	assert_int_equal(r->receivers[0].taken[1].id, 4);
}

static void a_redirect_is_not_followed(void **state)
{
	struct rig *r = *state;
	char other[64];

	receiver_start(&r->receivers[1]);
	(void)snprintf(other, sizeof(other), "http://127.0.0.1:%u/", r->receivers[1].port);
	r->receivers[0].location = other;
	r->receivers[0].fails = UINT32_MAX;
	r->receivers[0].fail_status = 307;
	receiver_start(&r->receivers[0]);
	begin(r, 1);
	happens(r, 1);
	receiver_wait_asked(&r->receivers[0], 2);
	assert_non_null(strstr(state_of(r, 1).error, "redirect (HTTP 307)"));
	assert_int_equal(r->receivers[1].asked, 0);
	tell_free(r->tell);
	r->tell = NULL;
}

static void one_that_fails_for_too_long_is_given_up_and_told_the_rest_as_a_sum(void **state)
{
	struct rig *r = *state;

	r->webhooks[0].give_up_ms = 300;
	r->receivers[0].fails = UINT32_MAX;
	r->receivers[0].fail_status = 503;
	receiver_start(&r->receivers[0]);
	receiver_start(&r->receivers[1]);
	begin(r, 2);
	happens(r, 10);
	receiver_wait(&r->receivers[1], 11); /* and that the first passes over */
	pthread_mutex_lock(&r->receivers[0].lock);
	r->receivers[0].fails = 0;
	pthread_mutex_unlock(&r->receivers[0].lock);
	happens(r, 3);
	receiver_wait(&r->receivers[0], 1);
	until(r, 1, is_done_with, 13);
	struct store_told told = state_of(r, 1).told;
	/* Event 1 alone, then the nine others at once: taken or passed over. */
	assert_true(told.passed_over == 1 || told.passed_over >= 10);
}

/* ---- https ---- */

static void make_certificates(struct rig *r)
{
	char command[512], path[128];
	size_t len;

	(void)snprintf(r->pki, sizeof(r->pki), "%s/pki", r->f->dir);
	(void)snprintf(command, sizeof(command),
	               "'%s/deploy/pki' init '%s' && '%s/deploy/pki' broker '%s' localhost >/dev/null", GF_SOURCE_DIR,
	               r->pki, GF_SOURCE_DIR, r->pki);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a fixed command */
	(void)snprintf(path, sizeof(path), "%s/broker.pem", r->pki);
	assert_int_equal(gf_file_read(path, 65536, &r->cert, &len, NULL), 0);
	(void)snprintf(path, sizeof(path), "%s/broker.key", r->pki);
	assert_int_equal(gf_file_read(path, 65536, &r->key, &len, NULL), 0);
	r->receivers[0].cert = r->cert;
	r->receivers[0].key = r->key;
}

static void https_with_a_ca_of_ones_own(void **state)
{
	struct rig *r = *state;
	char ca[128];

	make_certificates(r);
	(void)snprintf(ca, sizeof(ca), "%s/ca.pem", r->pki);
	r->webhooks[0].ca_file = ca;
	receiver_start(&r->receivers[0]);
	begin(r, 1);
	happens(r, 5);
	receiver_wait(&r->receivers[0], 5);
	has_all(r, 0, 5);
	tell_free(r->tell);
	r->tell = NULL;
}

static void a_certificate_that_is_not_trusted_gets_nothing_and_that_is_said(void **state)
{
	struct rig *r = *state;

	make_certificates(r);
	receiver_start(&r->receivers[0]);
	begin(r, 1); /* the system's CAs don't know it */
	happens(r, 1);
	until_failing(r, 1);
	assert_non_null(strstr(state_of(r, 1).error, "its certificate is not trusted"));
	assert_int_equal(r->receivers[0].asked, 0);
}

static void a_certificate_for_another_name_gets_nothing(void **state)
{
	struct rig *r = *state;
	char ca[128], url[64];

	make_certificates(r);
	(void)snprintf(ca, sizeof(ca), "%s/ca.pem", r->pki);
	r->webhooks[0].ca_file = ca;
	receiver_start(&r->receivers[0]);
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", r->receivers[0].port);
	r->webhooks[0].url = url;
	begin(r, 1);
	happens(r, 1);
	until_failing(r, 1);
	assert_non_null(strstr(state_of(r, 1).error, "its certificate is not trusted"));
	assert_int_equal(r->receivers[0].asked, 0);
	tell_free(r->tell);
	r->tell = NULL;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(events_arrive_signed_and_in_order),
	    TEST(what_fails_comes_again_in_its_place),
	    TEST(what_is_refused_for_good_is_passed_over_and_that_is_told_to_others),
	    TEST(a_receiver_that_is_gone_gets_all_when_it_is_back),
	    TEST(one_that_hangs_delays_neither_another_one_nor_the_end),
	    TEST(after_a_restart_it_goes_on_at_the_cursor),
	    TEST(a_flood_is_summed_up),
	    TEST(what_was_pruned_before_it_was_told_is_said_to_be_missed),
	    TEST(of_flags_only_those_are_told_whose_rule_says_so),
	    TEST(a_redirect_is_not_followed),
	    TEST(one_that_fails_for_too_long_is_given_up_and_told_the_rest_as_a_sum),
	    TEST(https_with_a_ca_of_ones_own),
	    TEST(a_certificate_that_is_not_trusted_gets_nothing_and_that_is_said),
	    TEST(a_certificate_for_another_name_gets_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
