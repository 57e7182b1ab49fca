/*
 * Sentences of the gateway carry times as 2026-11-20T17:42:03Z, because it does not know where they are read. People get them
 * as tables tell a time: by the clock of their terminal.
 */
#ifndef GATEWAY_CLI_LOCAL_H
#define GATEWAY_CLI_LOCAL_H

#include <jansson.h>

#include "proto/base/err.h"

/* The same text with every such time in it as "2026-11-20 18:42". The caller frees it. NULL: out of memory. */
GF_MUST_CHECK char *local_text(const char *text);

/* All sentences in an answer, in place. What is a time and nothing else stays: columns know what to do with it. Returns 0 or -ENOMEM. */
GF_MUST_CHECK int local_answer(json_t *answer);

#endif
