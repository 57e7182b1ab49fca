/* The gateway's API over its Unix socket. Answers are bounded in time and in size. */
#ifndef GATEWAY_CLI_CLIENT_H
#define GATEWAY_CLI_CLIENT_H

#include <jansson.h>
#include <stddef.h>

#include "proto/base/err.h"

enum {
	CLIENT_ANSWER_MAX = 64 * 1024 * 1024,
	CLIENT_CONNECT_S = 3,
	CLIENT_TIMEOUT_S = 20,
};

enum {
	CLIENT_E_UNREACHABLE = 1, /* no gateway answers on the socket: `diag` says why and what to do */
	CLIENT_E_TOO_LONG,        /* path and parameters together */
};

/* A query parameter; a NULL value is left out. */
struct client_param {
	const char *name, *value;
};

struct client_answer {
	long status;  /* of HTTP */
	json_t *body; /* an object; the caller's to json_decref */
};

/* What goes along with a request: JSON, or bytes as they are, or nothing. */
struct client_body {
	const json_t *json;
	const void *bytes;
	size_t len;
};

/*
 * One request. `params` ends with a NULL name (NULL = none); `timeout_s` 0 = CLIENT_TIMEOUT_S.
 * Returns 0 for any answer that is JSON, whatever its status; CLIENT_E_UNREACHABLE; CLIENT_E_TOO_LONG; -EPROTO for an answer that
 * isn't gymfleet's; -ENOMEM. `diag` is set on failure.
 */
GF_MUST_CHECK int client_request(const char *socket, const char *method, const char *path,
                                 const struct client_param *params, const struct client_body *body, int timeout_s,
                                 struct client_answer *ret_answer, struct gf_diag *diag);

/* Tries to connect only: 0, or CLIENT_E_UNREACHABLE with the cause and the next step. */
GF_MUST_CHECK int client_probe(const char *socket, struct gf_diag *diag);

#endif
