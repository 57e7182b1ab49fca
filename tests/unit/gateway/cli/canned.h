/* A gateway that says what a test puts into its mouth: HTTP on a Unix socket, one request at a time, answered by a function. */
#ifndef TEST_CLI_CANNED_H
#define TEST_CLI_CANNED_H

#include <jansson.h>
#include <pthread.h>

struct canned_request {
	char method[8], path[256], query[256];
	json_t *body; /* NULL when there is none */
};

/* Returns the answer (NULL: the connection is closed without one), which is then the server's, and sets its status; in a thread of its own: no assertions there. */
typedef json_t *(*canned_fn)(void *ctx, const struct canned_request *request, int *ret_status);

struct canned {
	char dir[64], socket[96];
	int fd;
	canned_fn answer;
	void *ctx;
	pthread_t thread;
};

void canned_start(struct canned *server, canned_fn answer, void *ctx);
void canned_stop(struct canned *server);

#endif
