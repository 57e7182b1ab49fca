#include "gateway/api/needs.h"

#include <stdio.h>
#include <string.h>

enum { NAMED = 3 };

static bool goes_before(const struct health_reason *a, const struct health_reason *b)
{
	return a->severity != b->severity ? a->severity > b->severity : a->since_ms < b->since_ms;
}

void needs_add(struct needs *needs, const char *device, const char *site, const struct health_reason *reason)
{
	size_t at = needs->count, kept = needs->count < NEEDS_KEPT ? needs->count : NEEDS_KEPT - 1;

	if (reason->severity == HEALTH_OK || reason->seen_to)
		return;
	while (at > 0 && goes_before(reason, &needs->items[at - 1].reason))
		at--;
	if (at == NEEDS_KEPT)
		return;
	memmove(&needs->items[at + 1], &needs->items[at], (kept - at) * sizeof(needs->items[0]));
	(void)gf_strcpy(needs->items[at].device, GF_ID_MAX, device);
	(void)gf_strcpy(needs->items[at].site, GF_NAME_MAX, site);
	needs->items[at].machines = 1;
	needs->items[at].reason = *reason;
	needs->count = kept + 1;
}

static bool is_same(const struct need *a, const struct need *b)
{
	return a->reason.code == b->reason.code && a->reason.severity == b->reason.severity && a->device[0] != '\0' &&
	       b->device[0] != '\0' && strcmp(a->site, b->site) == 0;
}

static size_t count_same(const struct needs *needs, size_t first)
{
	size_t same = 0;

	for (size_t i = first; i < needs->count; i++)
		same += is_same(&needs->items[first], &needs->items[i]);
	return same;
}

/* A machine may have the same twice; its name is told once. */
static size_t name_same(const struct needs *needs, size_t first, char *text, size_t size)
{
	const char *before = "";
	size_t machines = 0, len = 0;

	text[0] = '\0';
	for (size_t i = first; i < needs->count; i++) {
		const struct need *n = &needs->items[i];

		if (!is_same(&needs->items[first], n) || strcmp(n->device, before) == 0)
			continue;
		before = n->device;
		if (machines++ < NAMED)
			len += (size_t)snprintf(text + len, size - len, "%s%s", len ? ", " : "", n->device);
	}
	if (machines > NAMED)
		(void)snprintf(text + len, size - len, " and %zu more", machines - NAMED);
	return machines;
}

static void fold(struct needs *needs, size_t first)
{
	struct need *head = &needs->items[first];
	char names[NAMED * GF_ID_MAX + 64], text[HEALTH_TEXT_MAX];
	size_t machines = name_same(needs, first, names, sizeof(names)), kept = first + 1;

	for (size_t i = first + 1; i < needs->count; i++) {
		if (is_same(head, &needs->items[i]))
			continue;
		if (kept != i)
			needs->items[kept] = needs->items[i];
		kept++;
	}
	needs->count = kept;
	/* Room for what is longest: the names are short, the sentence is cut. */
	(void)snprintf(text, sizeof(text), "%zu machines: %s; %s: ", machines, names, head->device);
	size_t len = strlen(text);
	(void)gf_strcpy_utf8(text + len, sizeof(text) - len, head->reason.text);
	(void)gf_strcpy(head->reason.text, sizeof(head->reason.text), text);
	head->device[0] = '\0';
	head->machines = machines;
}

void needs_fold(struct needs *needs)
{
	for (size_t i = 0; i < needs->count; i++)
		if (needs->items[i].reason.severity == HEALTH_ATTENTION && needs->items[i].device[0] != '\0' &&
		    count_same(needs, i) >= NEEDS_FOLD)
			fold(needs, i);
}
