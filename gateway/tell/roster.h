/* A list of webhooks: a copy with texts of its own. */
#ifndef GW_TELL_ROSTER_H
#define GW_TELL_ROSTER_H

#include "gateway/tell/tell.h"

/* 0 or -ENOMEM. */
GF_MUST_CHECK int roster_copy(const struct tell_webhook *webhooks, size_t count, struct tell_webhook **ret_webhooks);
/* The same name, and nothing about it is another. */
bool roster_same(const struct tell_webhook *a, const struct tell_webhook *b);
/* Wipes the secrets. NULL is fine, and what is half filled. */
void roster_free(struct tell_webhook *webhooks, size_t count);

#endif
