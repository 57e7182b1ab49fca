/* Webhooks against real HTTP servers that take, fail, refuse, hang and are gone. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/gateway/tell/hook_rig.h"

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

#define TEST(f) cmocka_unit_test_setup_teardown(f, hook_setup, hook_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(events_arrive_signed_and_in_order),
	    TEST(what_fails_comes_again_in_its_place),
	    TEST(what_is_refused_for_good_is_passed_over_and_that_is_told_to_others),
	    TEST(a_receiver_that_is_gone_gets_all_when_it_is_back),
	    TEST(one_that_hangs_delays_neither_another_one_nor_the_end),
	    TEST(after_a_restart_it_goes_on_at_the_cursor),
	    TEST(a_redirect_is_not_followed),
	    TEST(one_that_fails_for_too_long_is_given_up_and_told_the_rest_as_a_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
