/* Runs `gymfleet WORD|WORD|...` in this process and looks at what it printed. */
#ifndef TEST_CLI_WORDS_H
#define TEST_CLI_WORDS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/cli/cli.h"

struct result {
	int code;
	char *out, *err;
};

void forget(struct result *r);
/* `words` are separated by '|'. */
struct result run(const char *socket, const char *words);
/* The same with a terminal of so many columns as its output; '\r' is left out. What is said beside it goes to `err`, which is none. */
struct result run_on_terminal(const char *socket, const char *words, unsigned short columns);
/* Fails the test unless the exit code is `code` and both texts are in what was printed. */
void expect(const char *socket, const char *words, int code, const char *out, const char *err);

#endif
