#include "tests/unit/gateway/cli/canned.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { REQUEST_MAX = 16 * 1024 };

/* Reads one request into `bytes`; its body begins at *ret_body. */
static size_t read_request(int fd, char *bytes, const char **ret_body)
{
	size_t len = 0;
	ssize_t n;

	while (len < REQUEST_MAX && (n = read(fd, bytes + len, REQUEST_MAX - len)) > 0) {
		len += (size_t)n;
		bytes[len] = '\0';
		const char *end = strstr(bytes, "\r\n\r\n"), *length = strcasestr(bytes, "\r\nContent-Length:");
		if (end == NULL)
			continue;
		size_t body = length != NULL && length < end ? strtoul(length + strlen("\r\nContent-Length:"), NULL, 10) : 0;
		if (len >= (size_t)(end + 4 - bytes) + body) {
			*ret_body = end + 4;
			return len;
		}
	}
	return 0;
}

static void reply(int fd, int status, json_t *json)
{
	char *text = json_dumps(json, 0), head[160];
	size_t len = strlen(text);
	int n =
	    snprintf(head, sizeof(head),
	             "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
	             status, len);

	(void)!send(fd, head, (size_t)n, MSG_NOSIGNAL);
	(void)!send(fd, text, len, MSG_NOSIGNAL);
	free(text);
	json_decref(json);
}

static void serve(struct canned *s, int fd, char *bytes)
{
	struct canned_request request = {.body = NULL};
	const char *body = NULL;
	int status = 200;

	if (read_request(fd, bytes, &body) == 0)
		return;
	if (sscanf(bytes, "%7s %255[^ ?]?%255[^ ]", request.method, request.path, request.query) < 2)
		return;
	request.body = json_loads(body, 0, NULL);
	json_t *answer = s->answer(s->ctx, &request, &status);
	json_decref(request.body);
	if (answer != NULL)
		reply(fd, status, answer);
}

static void *main_of(void *ctx)
{
	struct canned *s = ctx;
	char *bytes = malloc(REQUEST_MAX + 1);
	int fd;

	while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
		serve(s, fd, bytes);
		close(fd);
	}
	free(bytes);
	return NULL;
}

void canned_start(struct canned *s, canned_fn answer, void *ctx)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	*s = (struct canned){.dir = "/tmp/canned.XXXXXX", .answer = answer, .ctx = ctx};
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->socket, sizeof(s->socket), "%s/sock", s->dir);
	strcpy(address.sun_path, s->socket);
	s->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(s->fd, 8), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, main_of, s), 0);
}

void canned_stop(struct canned *s)
{
	assert_int_equal(shutdown(s->fd, SHUT_RDWR), 0);
	pthread_join(s->thread, NULL);
	close(s->fd);
	assert_int_equal(unlink(s->socket), 0);
	assert_int_equal(rmdir(s->dir), 0);
}
