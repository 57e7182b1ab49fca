/* `catalog publish` and `catalog list` against a stand-in of the gateway: what goes over the wire, and what its words become. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/base/file.h"
#include "proto/catalog_sign.h"
#include "tests/unit/gateway/cli/catalog_rig.h"
#include "tests/unit/gateway/cli/words.h"

struct gateway {
	int listener;
	pthread_t thread;
	const char *answer; /* "201 Created" or so, a newline, and the body */
	char *request;      /* what came, all of it */
	size_t request_len;
};

/* Head and body of one request are there. */
static bool is_whole(const char *request, size_t len)
{
	const char *end = memmem(request, len, "\r\n\r\n", 4), *length = strcasestr(request, "content-length: ");

	if (end == NULL)
		return false;
	const size_t body = length != NULL && length < end ? strtoul(length + 16, NULL, 10) : 0;
	return len >= (size_t)(end - request) + 4 + body;
}

static void *serve(void *ctx)
{
	struct gateway *g = ctx;
	const int fd = accept(g->listener, NULL, NULL);
	const char *body = strchr(g->answer, '\n') + 1;
	ssize_t n = 1;

	g->request = calloc(1, GF_CATALOG_MAX + 8192);
	while (g->request != NULL && n > 0 && !is_whole(g->request, g->request_len)) {
		n = read(fd, g->request + g->request_len, GF_CATALOG_MAX + 8191 - g->request_len);
		g->request_len += n > 0 ? (size_t)n : 0;
	}
	dprintf(fd, "HTTP/1.1 %.*s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", (int)(body - 1 - g->answer),
	        g->answer, strlen(body), body);
	(void)shutdown(fd, SHUT_WR);
	(void)close(fd);
	return NULL;
}

static void gateway_start(struct gateway *g, const char *answer)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "sock"};

	*g = (struct gateway){.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), .answer = answer};
	(void)unlink("sock");
	assert_int_equal(bind(g->listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(g->listener, 1), 0);
	assert_int_equal(pthread_create(&g->thread, NULL, serve, g), 0);
}

static void gateway_end(struct gateway *g)
{
	assert_int_equal(pthread_join(g->thread, NULL), 0);
	(void)close(g->listener);
	free(g->request);
}

static void a_catalog_is_published_byte_by_byte(void **state)
{
	struct gateway g;
	char *data = NULL;
	size_t len = 0;

	(void)state;
	catalog_words("keygen|a", CLI_OK, "", "");
	build_catalog("--version|8");
	catalog_words("sign|c|--key|a", CLI_OK, "", "");
	gateway_start(&g, "201 Created\n{\"digest\":\"x\",\"signatures\":[\"0123456789abcdef\"],\"replaced\":false}");
	catalog_words("publish|c", CLI_OK, "base version 8 for percussion is published, digest ", "");
	assert_int_equal(pthread_join(g.thread, NULL), 0);
	assert_int_equal(gf_file_read("c", GF_CATALOG_MAX, &data, &len, NULL), 0);
	assert_int_equal(strncmp(g.request, "POST /v1/catalogs HTTP/1.1\r\n", 28), 0);
	assert_non_null(strstr(g.request, "Content-Type: application/octet-stream\r\n"));
	assert_null(strcasestr(g.request, "expect:"));
	assert_true(g.request_len > len);
	assert_memory_equal(g.request + g.request_len - len, data, len);
	(void)close(g.listener);
	free(g.request);
	free(data);

	gateway_start(&g, "201 Created\n{\"digest\":\"x\",\"signatures\":[],\"replaced\":true}");
	catalog_words("publish|c|-o|json", CLI_OK, "\"replaced\": true", "");
	gateway_end(&g);
}

static void a_refusal_is_told_in_the_gateways_words(void **state)
{
	struct gateway g;

	(void)state;
	catalog_words("keygen|a", CLI_OK, "", "");
	build_catalog("--version|8");
	catalog_words("publish|c", CLI_REFUSED, "", "c is not signed, and no machine would take it; sign it first");
	catalog_words("sign|c|--key|a", CLI_OK, "", "");
	catalog_words("publish|c", CLI_UNREACHABLE, "", "there is no socket at sock");
	catalog_words("publish|a.pub", CLI_REFUSED, "", "a.pub: this is no catalog");
	gateway_start(&g, "409 Conflict\n{\"error\":{\"code\":\"conflict\",\"message\":\"base@8 is another one\"}}");
	catalog_words("publish|c", CLI_REFUSED, "", "base@8 is another one");
	gateway_end(&g);
}

static void catalogs_are_listed(void **state)
{
	struct gateway g;

	(void)state;
	gateway_start(&g,
	              "200 OK\n{\"items\":[{\"digest\":\"3c2ffd136a0f30589b703037c9dc0e37\",\"name\":\"base\",\"class\":"
	              "\"percussion\",\"version\":8,\"size\":1684,\"signatures\":[\"0123456789abcdef\"],\"created\":null,"
	              "\"expires\":null,\"published\":\"2026-11-21T20:00:00Z\",\"published_by\":\"anna\",\"wanted_by\":12,"
	              "\"on_machines\":7}],\"next\":null}");
	catalog_words("list", CLI_OK, "base", "");
	gateway_end(&g);
	gateway_start(&g, "200 OK\n{\"items\":[],\"next\":null}");
	catalog_words("list", CLI_OK, "no catalog has been published", "");
	gateway_end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CATALOG_TEST(a_catalog_is_published_byte_by_byte),
	    CATALOG_TEST(a_refusal_is_told_in_the_gateways_words),
	    CATALOG_TEST(catalogs_are_listed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
