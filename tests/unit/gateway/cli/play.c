#include "tests/unit/gateway/cli/play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cli/text.h"

static json_t *answer(void *ctx, const struct canned_request *request, int *ret_status)
{
	struct play *p = ctx;

	if (p->seen_count < PLAY_SEEN_MAX)
		snprintf(p->seen[p->seen_count++], sizeof(p->seen[0]), "%s %s%s%s", request->method, request->path,
		         request->query[0] != '\0' ? "?" : "", request->query);
	if (request->body != NULL) {
		json_decref(p->body);
		p->body = json_incref(request->body);
	}
	for (const struct play_line *l = p->lines; l->method != NULL; l++)
		if (strcmp(l->method, request->method) == 0 && strcmp(l->path, request->path) == 0) {
			*ret_status = l->status;
			return l->json != NULL ? json_loads(l->json, 0, NULL) : NULL;
		}
	*ret_status = 404;
	return json_pack("{s:{s:s, s:s}}", "error", "code", "not_found", "message", request->path);
}

struct result play(struct play *p, const char *words)
{
	struct canned server;

	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	canned_start(&server, answer, p);
	struct result r = run(server.socket, words);
	canned_stop(&server);
	return r;
}

struct result play_on_terminal(struct play *p, const char *words, unsigned short columns)
{
	struct canned server;

	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	canned_start(&server, answer, p);
	struct result r = run_on_terminal(server.socket, words, columns);
	canned_stop(&server);
	return r;
}

void plays(const struct play_line *lines, const char *words, int code, const char *const *texts)
{
	struct play p = {.lines = lines};
	struct result r = play(&p, words);

	if (r.code != code)
		fail_msg("%s: exit %d\n%s\n%s", words, r.code, r.out, r.err);
	for (; *texts != NULL; texts++)
		if (strstr(r.out, *texts) == NULL && strstr(r.err, *texts) == NULL)
			fail_msg("%s: '%s' is not in\n%s\n%s", words, *texts, r.out, r.err);
	forget(&r);
	play_deinit(&p);
}

void play_deinit(struct play *p)
{
	json_decref(p->body);
	p->body = NULL;
}

bool play_saw(const struct play *p, const char *request)
{
	for (size_t i = 0; i < p->seen_count; i++)
		if (strcmp(p->seen[i], request) == 0)
			return true;
	return false;
}

size_t widest(const char *text)
{
	size_t most = 0, n = 0;

	for (; *text != '\0'; text++) {
		if (*text == '\033') {
			text += strcspn(text, "m");
			if (*text == '\0')
				break;
			continue;
		}
		n = *text == '\n' ? 0 : n + (((unsigned char)*text & 0xC0) != 0x80);
		most = n > most ? n : most;
	}
	return most;
}

bool has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if (((unsigned char)*text < 0x20 && *text != '\n' && *text != '\033') || *text == 0x7F)
			return true;
	return false;
}
