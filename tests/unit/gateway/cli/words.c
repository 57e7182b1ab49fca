#include "tests/unit/gateway/cli/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void forget(struct result *r)
{
	free(r->out);
	free(r->err);
	*r = (struct result){0};
}

struct result run(const char *socket, const char *words)
{
	char program[] = "gymfleet", option[] = "--socket", path[256], *argv[32] = {program, option, path},
	     *copy = strdup(words), *rest = NULL;
	struct result r = {0};
	size_t out_size, err_size;
	int argc = 3;

	snprintf(path, sizeof(path), "%s", socket);
	for (char *w = strtok_r(copy, "|", &rest); w != NULL; w = strtok_r(NULL, "|", &rest))
		argv[argc++] = w;
	FILE *out = open_memstream(&r.out, &out_size), *err = open_memstream(&r.err, &err_size);
	r.code = (int)cli_main(argc, argv, out, err);
	fclose(out);
	fclose(err);
	free(copy);
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
