/* What is taken for an answer, by a server that says what no HTTP server says. */
#include "gateway/tell/post.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct server {
	const char *answer; /* to whatever comes */
	bool stays;         /* the connection is left open after it */
	char url[64];
	ssize_t sent; /* of the answer, until nobody took it any more */
	int fd;
	pthread_t thread;
};

static void *serve(void *ctx)
{
	struct server *s = ctx;
	char request[4096];
	int c = accept(s->fd, NULL, NULL);

	if (c < 0)
		return NULL;
	if (read(c, request, sizeof(request)) < 0)
		perror("read");
	s->sent = send(c, s->answer, strlen(s->answer), MSG_NOSIGNAL);
	if (!s->stays)
		(void)shutdown(c, SHUT_WR);
	while (read(c, request, sizeof(request)) > 0) {
	}
	(void)close(c);
	return NULL;
}

static void start(struct server *s)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(address);

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(s->fd, 1), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&address, &len), 0);
	(void)snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u/", ntohs(address.sin_port));
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static ssize_t sent; /* of the last answer */

static struct post_answer ask(const char *answer, bool stays)
{
	struct server s = {.answer = answer, .stays = stays};
	struct post_answer got = {0};
	struct post *post;

	start(&s);
	assert_int_equal(post_new(&post), 0);
	const struct post_request request = {.url = s.url, .body = "{}", .len = 2, .signature = "t=1,v1=2", .event = 7};
	assert_int_equal(post_start(post, 0, &request), 0);
	while (!post_next(post, &got))
		post_wait(post, 1000);
	post_free(post);
	(void)shutdown(s.fd, SHUT_RDWR);
	(void)pthread_join(s.thread, NULL);
	(void)close(s.fd);
	sent = s.sent;
	return got;
}

static void the_head_is_the_answer_whatever_becomes_of_the_rest(void **state)
{
	(void)state;
	assert_int_equal(ask("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut", false).status, 200);
	assert_int_equal(ask("HTTP/1.1 202 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF1\r\n", false).status,
	                 202);
	assert_int_equal(ask("HTTP/1.1 422 No\r\nContent-Length: 100\r\n\r\n", false).status, 422);
	assert_int_equal(ask("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", false).status,
	                 200);
}

/* It waits for the rest for as long as for an answer, not longer, and then has one. */
static void an_answer_whose_rest_never_comes_is_one(void **state)
{
	(void)state;
	assert_int_equal(ask("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", true).status, 200);
}

static void what_is_no_whole_head_is_no_answer(void **state)
{
	static const char *const answers[] = {
	    "",
	    "hello\n",
	    "HTTP/1.1 100 Continue\r\n\r\n",
	    "HTTP/1.1 103 Early\r\nLink: x\r\n\r\n",
	    "HTTP/9.9 200 OK\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct post_answer got = ask(answers[i], false);
		assert_int_equal(got.status, 0);
		assert_true(got.reason[0] != '\0');
	}
}

static int64_t retry_ms(const char *after)
{
	char answer[160];

	(void)snprintf(answer, sizeof(answer),
	               "HTTP/1.1 429 Too Many Requests\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", after);
	const struct post_answer got = ask(answer, false);
	assert_int_equal(got.status, 429);
	assert_string_equal(got.reason, "it answered HTTP 429");
	return got.retry_ms;
}

/* In seconds or as a date; what it says of the past, or what is neither, says nothing. */
static void it_says_when_it_wants_to_be_asked_again(void **state)
{
	static const char *const nothing[] = {"",    "0",    "-5",   "soon", "Wed, 21 Oct 2015 07:28:00 GMT",
	                                      "NaN", "1e3x", "\xff", ",",    "99999999999999999999999999"};
	const time_t then = time(NULL) + 90;
	const int64_t day_ms = INT64_C(24) * 3600 * 1000;
	char date[64];
	struct tm tm;

	(void)state;
	assert_int_equal(retry_ms("120"), 120000);
	(void)strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&then, &tm));
	assert_in_range(retry_ms(date), 30000, 90000);
	assert_int_equal(retry_ms("99999999"), day_ms);
	assert_int_equal(retry_ms("Fri, 31 Dec 2280 23:59:59 GMT"), day_ms);
	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++)
		if (retry_ms(nothing[i]) > 60000)
			fail_msg("'%s' is waited for", nothing[i]);
}

/* A body without an end, and a head without one. */
static void i8_of_a_huge_answer_only_the_beginning_is_taken(void **state)
{
	static const char start[] = "HTTP/1.1 200 OK\r\n\r\n", line[] = "HTTP/1.1 200 OK\r\nX: ";
	const size_t size = (size_t)16 * 1024 * 1024;
	char *answer = malloc(size + 1);

	(void)state;
	assert_non_null(answer);
	memset(answer, 'x', size);
	answer[size] = '\0';
	memcpy(answer, start, sizeof(start) - 1);
	assert_int_equal(ask(answer, true).status, 200);
	assert_true(sent < (ssize_t)size);
	memset(answer, 'x', size);
	memcpy(answer, line, sizeof(line) - 1);
	const struct post_answer got = ask(answer, true);
	assert_int_equal(got.status, 0);
	assert_true(got.reason[0] != '\0');
	assert_true(sent < (ssize_t)size);
	free(answer);
}

static void an_address_is_judged(void **state)
{
	static const char *const good[] = {"https://example.org/",        "https://example.org:8443/a?b=c#d",
	                                   "https://[2001:db8::1]/x",     "http://127.0.0.1:80/",
	                                   "http://localhost:8080/x%20y", "http://[::1]:1/"};
	static const char *const bad[] = {"",
	                                  "example.org",
	                                  "ftp://example.org/",
	                                  "file:///etc/passwd",
	                                  "http://example.org/",
	                                  "http://127.0.0.1.example.org/",
	                                  "http://[::2]/",
	                                  "https://",

	                                  "https://user@example.org/",
	                                  "https://:secret@example.org/",
	                                  "http://localhost@example.org/",
	                                  "http://127.0.0.1#@example.org/\n",
	                                  "https://exa\nmple.org/",
	                                  "https://example.org/\x01",
	                                  "https://example.org:99999/",
	                                  "https://example.org:x/",
	                                  "gopher://127.0.0.1/",
	                                  "http://0.0.0.0/",
	                                  "http://127.0.0.1 .org/"};
	struct gf_diag diag;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (post_check_url(good[i], &diag) != 0)
			fail_msg("'%s' was refused: %s", good[i], diag.text);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		diag.text[0] = '\0';
		if (post_check_url(bad[i], &diag) != -EINVAL || diag.text[0] == '\0')
			fail_msg("'%s' was taken, or refused without a word", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_head_is_the_answer_whatever_becomes_of_the_rest),
	    cmocka_unit_test(an_answer_whose_rest_never_comes_is_one),
	    cmocka_unit_test(what_is_no_whole_head_is_no_answer),
	    cmocka_unit_test(it_says_when_it_wants_to_be_asked_again),
	    cmocka_unit_test(i8_of_a_huge_answer_only_the_beginning_is_taken),
	    cmocka_unit_test(an_address_is_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
