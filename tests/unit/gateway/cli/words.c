#include "tests/unit/gateway/cli/words.h"

#include <pthread.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void forget(struct result *r)
{
	free(r->out);
	free(r->err);
	*r = (struct result){0};
}

static int run_words(const char *socket, const char *words, FILE *out, FILE *err)
{
	char program[] = "gymfleet", option[] = "--socket", path[256], *argv[32] = {program, option, path},
	     *copy = strdup(words), *rest = NULL;
	int argc = 3;

	snprintf(path, sizeof(path), "%s", socket);
	for (char *w = strtok_r(copy, "|", &rest); w != NULL; w = strtok_r(NULL, "|", &rest))
		argv[argc++] = w;
	int code = (int)cli_main(argc, argv, out, err);
	free(copy);
	return code;
}

struct result run(const char *socket, const char *words)
{
	struct result r = {0};
	size_t out_size, err_size;
	FILE *out = open_memstream(&r.out, &out_size), *err = open_memstream(&r.err, &err_size);

	r.code = run_words(socket, words, out, err);
	fclose(out);
	fclose(err);
	return r;
}

/* Takes what the terminal shows, so that its writer never waits. */
struct screen {
	int fd;
	char *text;
};

static void *watch(void *ctx)
{
	struct screen *s = ctx;
	size_t size;
	FILE *text = open_memstream(&s->text, &size);
	char bytes[512];
	ssize_t n;

	while ((n = read(s->fd, bytes, sizeof(bytes))) > 0)
		for (ssize_t i = 0; i < n; i++)
			if (bytes[i] != '\r')
				fputc(bytes[i], text);
	fclose(text);
	return NULL;
}

struct result run_on_terminal(const char *socket, const char *words, unsigned short columns)
{
	const struct winsize size = {.ws_row = 50, .ws_col = columns};
	struct screen screen;
	struct result r = {0};
	pthread_t thread;
	size_t err_size;
	int slave;

	assert_int_equal(openpty(&screen.fd, &slave, NULL, NULL, &size), 0);
	assert_int_equal(pthread_create(&thread, NULL, watch, &screen), 0);
	FILE *out = fdopen(slave, "w"), *err = open_memstream(&r.err, &err_size);
	r.code = run_words(socket, words, out, err);
	fclose(out); /* the last of its ends: the watcher comes to an end */
	fclose(err);
	pthread_join(thread, NULL);
	close(screen.fd);
	r.out = screen.text;
	return r;
}

void expect(const char *socket, const char *words, int code, const char *out, const char *err)
{
	struct result r = run(socket, words);

	if (r.code != code || strstr(r.out, out) == NULL || strstr(r.err, err) == NULL)
		fail_msg("%s: exit %d\nout: %s\nerr: %s\nexpected %d \"%s\" \"%s\"", words, r.code, r.out, r.err, code, out,
		         err);
	forget(&r);
}
