#include "gateway/tell/roster.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool copy(const struct tell_webhook *from, struct tell_webhook *to)
{
	*to = *from;
	to->name = strdup(from->name);
	to->url = strdup(from->url);
	to->ca_file = from->ca_file != NULL ? strdup(from->ca_file) : NULL;
	return to->name != NULL && to->url != NULL && (to->ca_file != NULL || from->ca_file == NULL);
}

int roster_copy(const struct tell_webhook *webhooks, size_t count, struct tell_webhook **ret_webhooks)
{
	struct tell_webhook *all = calloc(count + 1, sizeof(*all));

	for (size_t i = 0; all != NULL && i < count; i++) {
		if (!copy(&webhooks[i], &all[i])) {
			roster_free(all, count);
			return -ENOMEM;
		}
	}
	if (all == NULL)
		return -ENOMEM;
	*ret_webhooks = all;
	return 0;
}

bool roster_same(const struct tell_webhook *a, const struct tell_webhook *b)
{
	bool same_ca =
	    a->ca_file == b->ca_file || (a->ca_file != NULL && b->ca_file != NULL && strcmp(a->ca_file, b->ca_file) == 0);

	return strcmp(a->name, b->name) == 0 && strcmp(a->url, b->url) == 0 && same_ca && a->secret_len == b->secret_len &&
	       memcmp(a->secret, b->secret, a->secret_len) == 0 && a->kinds == b->kinds &&
	       a->notify_only == b->notify_only && a->rate_per_min == b->rate_per_min && a->give_up_ms == b->give_up_ms;
}

void roster_free(struct tell_webhook *webhooks, size_t count)
{
	for (size_t i = 0; webhooks != NULL && i < count; i++) {
		explicit_bzero(webhooks[i].secret, sizeof(webhooks[i].secret));
		free(webhooks[i].name);
		free(webhooks[i].url);
		free(webhooks[i].ca_file);
	}
	free(webhooks);
}
