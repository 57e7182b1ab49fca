/* The API as a socket: requests that are none, long polls, who may ask, and whose socket it is. */
#include "gateway/api/api.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/gateway/api/server.h"

static void wrong_requests_are_refused_with_the_remedy(void **state)
{
	char large[API_BODY_MAX + 64];

	refuses(*state, "GET", "/v1/nothing", NULL, 404, "nothing at this path");
	refuses(*state, "GET", "/v1/devices/", NULL, 404, "nothing at this path");
	refuses(*state, "GET", "/v1/devices/a/b/c", NULL, 404, "nothing at this path");
	refuses(*state, "DELETE", "/v1/devices/chair-berlin-01", NULL, 405, "GET, PATCH is");
	refuses(*state, "POST", "/v1/status", "{}", 405, "POST is not possible here; GET is");
	refuses(*state, "GET", "/v1/sessions?sinse=7d", NULL, 400, "did you mean 'since'?");
	refuses(*state, "GET", "/v1/doctor?x=1", NULL, 400, "none is possible here");
	refuses(*state, "GET", "/v1/sessions?since=soon", NULL, 400, "since is 'soon'");
	refuses(*state, "GET", "/v1/sessions?limit=0", NULL, 400, "limit is '0'; it may be 1 to 10000");
	refuses(*state, "GET", "/v1/sessions?limit=99999999999999999999", NULL, 400, "it may be 1 to 10000");
	refuses(*state, "GET", "/v1/sessions?limit=1&limit=2", NULL, 400, "limit is given twice");
	refuses(*state, "GET", "/v1/sessions?after=x", NULL, 400, "after is not a 'next'");
	refuses(*state, "GET", "/v1/sessions?device=nobody", NULL, 404, "there is no machine");
	refuses(*state, "GET", "/v1/sessions?where=%ff", NULL, 400, "not UTF-8");
	refuses(*state, "GET", "/v1/sessions?where=a%00b", NULL, 400, "NUL");
	refuses(*state, "GET", "/v1/faults?open=maybe", NULL, 400, "1, true, 0 or false");
	refuses(*state, "GET", "/v1/events?kind=fautl", NULL, 400, "did you mean 'fault'?");
	refuses(*state, "GET", "/v1/events?wait_s=26", NULL, 400, "it may be 0 to 25");
	refuses(*state, "GET", "/v1/events?tail=3&after=1", NULL, 400, "can't be combined");
	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	refuses(*state, "PATCH", "/v1/devices/chair-berlin-01", large, 413, "at most 16384 bytes");
}

static void i10_bytes_that_are_no_http_end_the_connection_only(void **state)
{
	static const char *const junk[] = {
	    "\r\n\r\n\r\n",
	    "GET\r\n\r\n",
	    "GET /v1/status HTTP/9.9\r\nConnection: close\r\n\r\n",
	    "PATCH /v1/devices/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: -5\r\n\r\n",
	    "PATCH /v1/devices/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
	};
	size_t size = 3 * API_BODY_MAX;
	char *chunked = malloc(size);
	int head =
	    snprintf(chunked, size, "PATCH /v1/devices/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n",
	             2 * API_BODY_MAX);

	for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
		struct server *s = *state;
		struct sockaddr_un address = {.sun_family = AF_UNIX};
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		strcpy(address.sun_path, s->socket);
		assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
		(void)!send(fd, junk[i], strlen(junk[i]), MSG_NOSIGNAL);
		close(fd); /* half a request: the other side just goes */
	}
	/* A body without a stated length is not read beyond the limit. */
	memset(chunked + head, 'x', size - (size_t)head);
	free(server_send(*state, chunked, size));
	free(chunked);
	assert_int_equal(rows(*state, "/v1/devices"), 2);
}

struct poll {
	struct server *server;
	json_t *json;
	int status;
	char path[96];
};

static void *poll_main(void *ctx)
{
	struct poll *p = ctx;
	p->status = server_ask(p->server, "GET", p->path, NULL, &p->json);
	return NULL;
}

static void a_long_poll_ends_with_the_next_event(void **state)
{
	struct server *s = *state;
	struct poll polls[6] = {{0}}; /* more than the API has threads */
	pthread_t threads[6];
	json_t *json = get(s, "/v1/events?tail=3");

	assert_int_equal(json_array_size(json_object_get(json, "items")), 3);
	for (size_t i = 0; i < 6; i++) {
		polls[i].server = s;
		snprintf(polls[i].path, sizeof(polls[i].path), "/v1/events?after=%s&wait_s=25&kind=presence",
		         text(json, "next"));
		pthread_create(&threads[i], NULL, poll_main, &polls[i]);
	}
	assert_int_equal(rows(s, "/v1/devices"), 2); /* those who wait are in nobody's way */
	send_status(s->store, "gun-paris-01", birth(2, 2, 2), false, NOON + HOUR);
	for (size_t i = 0; i < 6; i++) {
		pthread_join(threads[i], NULL);
		json_t *items = json_object_get(polls[i].json, "items");
		assert_int_equal(polls[i].status, 200);
		assert_int_equal(json_array_size(items), 1);
		assert_string_equal(text(json_array_get(items, 0), "device"), "gun-paris-01");
		json_decref(polls[i].json);
	}
	json_decref(json);
}

static void the_end_of_the_api_answers_long_polls(void **state)
{
	struct server *s = *state;
	struct poll poll = {.server = s, .path = "/v1/events?after=9999&wait_s=25"};
	pthread_t thread;
	struct gf_diag diag = {""};

	pthread_create(&thread, NULL, poll_main, &poll);
	/* A second request over the same socket comes back after the first was taken in: connections are served in order. */
	for (int i = 0; i < 20; i++)
		assert_int_equal(rows(s, "/v1/devices"), 2);
	api_free(s->api);
	pthread_join(thread, NULL);
	assert_int_equal(poll.status, 200);
	assert_int_equal(json_array_size(json_object_get(poll.json, "items")), 0);
	json_decref(poll.json);
	assert_int_equal(api_new(&s->config, &s->ops, &s->api, &diag), 0);
}

/* ---- a clock of the test's own ---- */

enum { LOOKS = 20 }; /* a request has done with less before it waits; then the API looks ten times a second */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t asked;
	int64_t mono_ms, wall_ms;
	unsigned looks; /* since the hand was moved */
} hand = {.lock = PTHREAD_MUTEX_INITIALIZER, .asked = PTHREAD_COND_INITIALIZER};

static struct gf_time read_hand(void *ctx)
{
	(void)ctx;
	(void)pthread_mutex_lock(&hand.lock);
	struct gf_time t = {.mono_ms = hand.mono_ms, .wall_ms = hand.wall_ms, .synced = true};
	hand.looks++;
	(void)pthread_cond_broadcast(&hand.asked);
	(void)pthread_mutex_unlock(&hand.lock);
	return t;
}

/* And until the API has looked at it so often that it has seen it with all that waits; false when it doesn't look any more. */
static bool move_hand(int64_t mono_ms, int64_t wall_ms)
{
	struct timespec end;
	int error = 0;

	(void)clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 5;
	(void)pthread_mutex_lock(&hand.lock);
	hand.mono_ms += mono_ms;
	hand.wall_ms += wall_ms;
	hand.looks = 0;
	while (hand.looks < LOOKS && error == 0)
		error = pthread_cond_timedwait(&hand.asked, &hand.lock, &end);
	(void)pthread_mutex_unlock(&hand.lock);
	return error == 0;
}

static void begin_poll(struct server *s, struct poll *p, pthread_t *thread)
{
	*p = (struct poll){.server = s};
	snprintf(p->path, sizeof(p->path), "/v1/events?after=%llu&wait_s=25",
	         (unsigned long long)store_last_event(s->store->store));
	assert_int_equal(pthread_create(thread, NULL, poll_main, p), 0);
}

static size_t end_poll(struct poll *p, pthread_t thread)
{
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(p->status, 200);
	size_t events = json_array_size(json_object_get(p->json, "items"));
	json_decref(p->json);
	return events;
}

/* Neither does it end for a jump, which a follower would answer with a storm of polls, nor does it last longer than was said. */
static void a_long_poll_heeds_no_jump_of_the_wall_clock(void **state)
{
	static const int64_t jumps_ms[] = {400 * DAY, -800 * DAY};
	struct server *s = *state;
	struct gf_diag diag = {""};
	struct poll poll;
	pthread_t thread;

	api_free(s->api);
	hand.mono_ms = HOUR;
	hand.wall_ms = NOON;
	s->clock.now = read_hand;
	assert_int_equal(api_new(&s->config, &s->ops, &s->api, &diag), 0);
	begin_poll(s, &poll, &thread);
	for (size_t i = 0; i < sizeof(jumps_ms) / sizeof(jumps_ms[0]); i++)
		assert_true(move_hand(INT64_C(200) * API_WAIT_MAX_S, jumps_ms[i]));
	assert_int_equal(store_tell_note(s->store->store, "maker", "something", NOON - DAY, NULL), 0);
	assert_int_equal(end_poll(&poll, thread), 1);

	begin_poll(s, &poll, &thread);
	assert_true(move_hand(0, -800 * DAY));
	(void)pthread_mutex_lock(&hand.lock);
	hand.mono_ms += INT64_C(1000) * API_WAIT_MAX_S;
	(void)pthread_mutex_unlock(&hand.lock);
	assert_int_equal(end_poll(&poll, thread), 0);
}

static void a_socket_in_use_is_refused_and_a_stale_one_replaced(void **state)
{
	struct server *s = *state;
	struct gf_diag diag = {""};
	struct api *second = NULL;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat st;

	assert_int_equal(api_new(&s->config, &s->ops, &second, &diag), -EADDRINUSE);
	assert_non_null(strstr(diag.text, "is in use: another gymfleet-gateway answers on it"));
	assert_null(second);
	assert_int_equal(rows(s, "/v1/devices"), 2);
	assert_int_equal(stat(s->socket, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);

	api_free(s->api);
	strcpy(address.sun_path, s->socket);
	int stale = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(stale, (struct sockaddr *)&address, sizeof(address)), 0);
	close(stale);
	assert_int_equal(api_new(&s->config, &s->ops, &s->api, &diag), 0);
	assert_int_equal(rows(s, "/v1/devices"), 2);
}

static void what_is_no_socket_is_left_alone(void **state)
{
	struct server *s = *state;
	struct api_config config = s->config;
	struct gf_diag diag = {""};
	struct api *api = NULL;

	config.socket = s->store->path;
	assert_int_equal(api_new(&config, &s->ops, &api, &diag), -EEXIST);
	assert_non_null(strstr(diag.text, "is no socket"));
	config.socket = "/nonexistent/gateway.sock";
	assert_int_equal(api_new(&config, &s->ops, &api, &diag), -ENOENT);
	assert_non_null(strstr(diag.text, "its folder is missing"));
	config.socket = s->socket;
	config.group = "no-such-group-here";
	assert_int_equal(api_new(&config, &s->ops, &api, &diag), -ENOENT);
	assert_non_null(strstr(diag.text, "there is no group 'no-such-group-here'"));
}

static void a_stranger_is_forbidden(void **state)
{
	struct server *s = *state;
	char answer[256] = "";
	int tube[2];

	if (geteuid() != 0)
		skip(); /* only root can become somebody else */
	assert_int_equal(pipe(tube), 0);
	assert_int_equal(chmod(s->socket, 0666), 0);
	assert_int_equal(chmod(s->store->dir, 0755), 0);
	pid_t child = fork();
	if (child == 0) {
		static const char request[] = "GET /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
		struct sockaddr_un address = {.sun_family = AF_UNIX};
		char piece[256];
		ssize_t n;
		strcpy(address.sun_path, s->socket);
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (setgid(65534) != 0 || setuid(65534) != 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
			_exit(1);
		(void)!write(fd, request, sizeof(request) - 1);
		while ((n = read(fd, piece, sizeof(piece))) > 0)
			(void)!write(tube[1], piece, (size_t)n);
		_exit(0);
	}
	close(tube[1]);
	size_t got = 0;
	for (ssize_t n; got < sizeof(answer) - 1 && (n = read(tube[0], answer + got, sizeof(answer) - 1 - got)) > 0;)
		got += (size_t)n;
	close(tube[0]);
	assert_non_null(strstr(answer, "HTTP/1.1 403"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, server_setup, server_teardown)
	    TEST(wrong_requests_are_refused_with_the_remedy),
	    TEST(i10_bytes_that_are_no_http_end_the_connection_only),
	    TEST(a_long_poll_ends_with_the_next_event),
	    TEST(the_end_of_the_api_answers_long_polls),
	    TEST(a_long_poll_heeds_no_jump_of_the_wall_clock),
	    TEST(a_socket_in_use_is_refused_and_a_stale_one_replaced),
	    TEST(what_is_no_socket_is_left_alone),
	    TEST(a_stranger_is_forbidden),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
