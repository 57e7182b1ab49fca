/*
 * HTTP, the one user of libcurl in the gateway: posts a body to each of a few addresses, several at the same time, one at a time to each.
 *
 * https, with the certificate checked against ca_file or the system's, TLS 1.2 or newer; or http to this machine alone. No proxy, no redirect is
 * followed. A post ends within POST_TIMEOUT_S; of an answer's body nothing is kept.
 *
 * Belongs to one thread, but for post_wake.
 */
#ifndef GW_TELL_POST_H
#define GW_TELL_POST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/err.h"

enum { POST_SLOTS_MAX = 16, POST_CONNECT_S = 5, POST_TIMEOUT_S = 15, POST_ANSWER_MAX = 64 * 1024, POST_URL_MAX = 2048 };

/* 0; -EINVAL when it is no address that is posted to, with the reason; -ENOMEM. */
GF_MUST_CHECK int post_check_url(const char *url, struct gf_diag *diag);

struct post;
/* 0 or -ENOMEM. */
GF_MUST_CHECK int post_new(struct post **ret_post);
/* What is under way is given up. NULL is fine. */
void post_free(struct post *post);

/* What it points to lives until its answer, but for the texts of headers. */
struct post_request {
	const char *url, *ca_file; /* ca_file NULL = the system's */
	const char *body;
	size_t len;
	const char *signature; /* headers */
	uint64_t event;
};
/* 0, or -ENOMEM. `slot` < POST_SLOTS_MAX, nothing of it is under way. */
GF_MUST_CHECK int post_start(struct post *post, size_t slot, const struct post_request *request);

struct post_answer {
	size_t slot;
	long status;      /* of HTTP; 0 = there was none */
	int64_t retry_ms; /* it wants to be left alone for so long; 0 = it didn't say */
	char reason[200]; /* when the status isn't 2xx: a sentence */
};
/* False when no post has ended. */
bool post_next(struct post *post, struct post_answer *ret_answer);

/* Moves what is under way; returns when something happened, was woken, or after this time. */
void post_wait(struct post *post, int timeout_ms);
void post_wake(struct post *post); /* from any thread */

#endif
