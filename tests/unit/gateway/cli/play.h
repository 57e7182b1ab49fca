/* A gateway that answers each request by a table, and what the command then printed. */
#ifndef TEST_CLI_PLAY_H
#define TEST_CLI_PLAY_H

#include "tests/unit/gateway/cli/canned.h"
#include "tests/unit/gateway/cli/words.h"

enum { PLAY_SEEN_MAX = 16 };

struct play_line {
	const char *method, *path;
	int status;
	const char *json; /* NULL: the connection is closed without an answer */
};

struct play {
	const struct play_line *lines; /* the first that fits answers; ended by one without a method */
	json_t *body;                  /* of the last request that had one */
	char seen[PLAY_SEEN_MAX][640]; /* "GET /v1/flags?open=1" */
	size_t seen_count;
};

/* Runs the words against it, away from a terminal and on one of so many columns. Times are UTC. */
struct result play(struct play *p, const char *words);
struct result play_on_terminal(struct play *p, const char *words, unsigned short columns);
/* This exit code, each of `texts` on one of the outputs; of `words` against `lines`. */
void plays(const struct play_line *lines, const char *words, int code, const char *const *texts);
void play_deinit(struct play *p);
bool play_saw(const struct play *p, const char *request);
/* The widest line, in columns, without escape sequences. */
size_t widest(const char *text);
/* A control character that may not be there. */
bool has_control(const char *text);

#define TEXTS(...)        \
	(const char *const[]) \
	{                     \
		__VA_ARGS__, NULL \
	}

#endif
