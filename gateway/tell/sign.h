/*
 * How a receiver knows that a webhook's message is ours, whole and fresh: HMAC-SHA256 over "<unix seconds>.<body>" under a secret that both have.
 */
#ifndef GW_TELL_SIGN_H
#define GW_TELL_SIGN_H

#include <stddef.h>
#include <stdint.h>

#include "proto/base/err.h"

enum { SIGN_MAX = 96 };

/* "t=<unix seconds>,v1=<64 hex digits>": the header's value. 0 or -ENOMEM. */
GF_MUST_CHECK int sign_header(const void *secret, size_t secret_len, int64_t unix_s, const void *body, size_t len,
                              char ret_value[static SIGN_MAX]);

#endif
