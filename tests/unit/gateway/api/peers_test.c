/* Nobody keeps the others from the API: neither by many connections nor by slow ones. */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/api/peers.h"
#include "tests/unit/gateway/api/server.h"

enum { ANNA = 1000, BERT = 1001, MANY = PEERS_OF_USER_MAX };

struct pair {
	int ours, theirs;
	struct peer *peer;
};

static struct pair connect_as(struct peers *peers, uid_t user, int64_t now_ms)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	return (struct pair){fds[0], fds[1], peers_add(peers, fds[0], user, now_ms)};
}

static void disconnect(struct peers *peers, struct pair *pair)
{
	peers_remove(peers, pair->peer);
	close(pair->ours);
	close(pair->theirs);
}

/* What has been shut down is at its end when read; what hasn't has nothing yet. */
static bool is_over(const struct pair *pair)
{
	char byte;
	return recv(pair->theirs, &byte, 1, MSG_DONTWAIT) == 0;
}

static void one_user_leaves_room_for_others(void **state)
{
	struct pair annas[MANY], other;
	struct peers peers;
	char told[512];

	(void)state;
	peers_init(&peers);
	for (size_t i = 0; i < MANY; i++) {
		annas[i] = connect_as(&peers, ANNA, 0);
		assert_non_null(annas[i].peer);
	}
	other = connect_as(&peers, ANNA, 0);
	assert_null(other.peer);
	ssize_t len = read(other.theirs, told, sizeof(told) - 1);
	assert_true(len > 0);
	told[len] = '\0';
	assert_non_null(strstr(told, "HTTP/1.1 503 "));
	json_t *json = json_loads(strstr(told, "\r\n\r\n"), 0, NULL);
	assert_string_equal(text(json_object_get(json, "error"), "code"), "too_many");
	json_decref(json);
	assert_true(is_over(&other));
	disconnect(&peers, &other);
	other = connect_as(&peers, BERT, 0);
	assert_non_null(other.peer);
	disconnect(&peers, &other);
	/* One that leaves makes room. */
	disconnect(&peers, &annas[MANY / 2]);
	annas[MANY / 2] = connect_as(&peers, ANNA, 0);
	assert_non_null(annas[MANY / 2].peer);
	for (size_t i = 0; i < MANY; i++)
		disconnect(&peers, &annas[i]);
	peers_deinit(&peers);
}

static void each_step_has_its_time(void **state)
{
	struct peers peers;

	(void)state;
	peers_init(&peers);
	struct pair slow = connect_as(&peers, ANNA, 1000), busy = connect_as(&peers, ANNA, 1000);
	peers_allow(&peers, busy.peer, 2000, PEERS_BODY_S);
	assert_true(peers_sweep(&peers, 1000 + PEERS_HEAD_S * 1000 - 1));
	assert_false(is_over(&slow));
	assert_true(peers_sweep(&peers, 1000 + PEERS_HEAD_S * 1000));
	assert_true(is_over(&slow));
	assert_false(is_over(&busy));
	/* While the gateway works there is no limit, and nothing to look for. */
	peers_allow(&peers, busy.peer, 3000, 0);
	assert_false(peers_sweep(&peers, INT64_MAX));
	assert_false(is_over(&busy));
	peers_allow(&peers, busy.peer, 4000, PEERS_ANSWER_S);
	assert_true(peers_sweep(&peers, 4000 + PEERS_ANSWER_S * 1000 - 1));
	assert_false(peers_sweep(&peers, 4000 + PEERS_ANSWER_S * 1000));
	assert_true(is_over(&busy));
	disconnect(&peers, &slow);
	disconnect(&peers, &busy);
	peers_deinit(&peers);
}

/* ---- of a whole API ---- */

static _Atomic int64_t leap_ms;

static struct gf_time leaping(void *ctx)
{
	struct gf_time t = gf_clock_now(gf_clock_system(GF_CLOCK_TRUST_SYSTEM));
	(void)ctx;
	return (struct gf_time){.mono_ms = t.mono_ms + leap_ms, .wall_ms = NOON + HOUR, .synced = true};
}

static int dial(const struct server *s)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	gf_strcpy(address.sun_path, sizeof(address.sun_path), s->socket);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Once it is answered it counts: two threads take connections in any order. */
static void be_answered(int fd)
{
	static const char request[] = "GET /v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n";
	char answer[4096];
	ssize_t len = 0, n;

	assert_true(send(fd, request, strlen(request), MSG_NOSIGNAL) > 0);
	do {
		n = recv(fd, answer + len, sizeof(answer) - 1 - (size_t)len, 0);
		assert_true(n > 0);
		len += n;
		answer[len] = '\0';
	} while (answer[len - 1] != '}');
}

/* Soon after the time is over. What was sent before that may be taken only now, and then its time begins now. */
static void expect_hang_up(int fd)
{
	struct pollfd poll_fd = {.fd = fd};
	int polled = 0;

	for (int i = 0; i < 30 && polled == 0; i++) {
		polled = poll(&poll_fd, 1, 1000);
		leap_ms += polled == 0 ? PEERS_BODY_S * 1000 : 0;
	}
	assert_int_equal(polled, 1);
	assert_true((poll_fd.revents & POLLHUP) != 0);
}

static void i8_silent_and_trickling_clients_do_not_keep_the_others_out(void **state)
{
	static const char trickle[] = "GET /v1/status HT",
	                  half[] = "POST /v1/devices/x/lock HTTP/1.1\r\nContent-Length: 9\r\n\r\n{";
	struct server *s = *state;
	int fds[MANY];

	api_free(s->api);
	s->clock = (struct gf_clock){.now = leaping};
	assert_int_equal(api_new(&s->config, &s->ops, &s->api, NULL), 0);
	for (size_t i = 0; i < MANY; i++) {
		fds[i] = dial(s);
		be_answered(fds[i]);
		if (i % 3 > 0)
			assert_true(send(fds[i], i % 3 == 1 ? trickle : half, i % 3 == 1 ? strlen(trickle) : strlen(half),
			                 MSG_NOSIGNAL) > 0);
	}
	json_t *json = NULL;
	assert_int_equal(server_ask(s, "GET", "/v1/status", NULL, &json), 503);
	assert_string_equal(text(json_object_get(json, "error"), "code"), "too_many");
	json_decref(json);
	leap_ms = PEERS_BODY_S * 1000;
	for (size_t i = 0; i < MANY; i++)
		expect_hang_up(fds[i]);
	/* They hear of their end before they are counted out. */
	int status = 0;
	for (int64_t end_ms = leaping(NULL).mono_ms + 20000; status != 200 && leaping(NULL).mono_ms < end_ms;)
		status = server_ask(s, "GET", "/v1/status", NULL, NULL);
	assert_int_equal(status, 200);
	for (size_t i = 0; i < MANY; i++)
		close(fds[i]);
}

/* It asks for much and takes none of it. */
static void i8_who_does_not_take_the_answer_is_dropped(void **state)
{
	static const char request[] = "GET /v1/devices HTTP/1.1\r\nHost: x\r\n\r\n";
	struct server *s = *state;
	int fd;

	api_free(s->api);
	s->clock = (struct gf_clock){.now = leaping};
	assert_int_equal(api_new(&s->config, &s->ops, &s->api, NULL), 0);
	fd = dial(s);
	/* As many answers as fill what the kernel keeps for it. */
	for (size_t i = 0; i < 2000; i++)
		if (send(fd, request, strlen(request), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			break;
	json_decref(ask(s, "GET", "/v1/status", NULL, 200));
	/* The time of an answer counts from when it was ready: there may be some to come. */
	struct pollfd poll_fd = {.fd = fd};
	for (int64_t end_ms = leaping(NULL).mono_ms - leap_ms + 20000;
	     poll(&poll_fd, 1, 50) == 0 && leaping(NULL).mono_ms - leap_ms < end_ms;)
		leap_ms += PEERS_ANSWER_S * 1000;
	assert_true((poll_fd.revents & POLLHUP) != 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_user_leaves_room_for_others),
	    cmocka_unit_test(each_step_has_its_time),
	    cmocka_unit_test_setup_teardown(i8_silent_and_trickling_clients_do_not_keep_the_others_out, server_setup,
	                                    server_teardown),
	    cmocka_unit_test_setup_teardown(i8_who_does_not_take_the_answer_is_dropped, server_setup, server_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
