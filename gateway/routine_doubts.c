/* Names are looked for in the catalogs first; only when one is missing there, in all sessions that are kept. */
#include "gateway/routine_doubts.h"

#include <errno.h>
#include <stdlib.h>

#include "gateway/store/wishes.h"
#include "proto/catalog.h"

/* ---- what rules name ---- */

static size_t names_in(const struct rule_filter *f)
{
	size_t count = 0;

	while (count < RULE_LIST_MAX && f->routines[count][0] != '\0')
		count++;
	return count;
}

static void add_uses(const struct rule *rule, const struct rule_filter *f, struct routine_uses *uses)
{
	for (size_t i = 0; i < names_in(f); i++) {
		struct routine_use *use = &uses->items[uses->count++];

		use->line = f->routines_line;
		gf_strcpy(use->rule, sizeof(use->rule), rule->id);
		gf_strcpy(use->routine, sizeof(use->routine), f->routines[i]);
	}
}

int routine_uses_of(const struct rules *rules, struct routine_uses *ret_uses)
{
	struct routine_uses uses = {0};
	size_t room = 0;

	for (size_t r = 0; r < rules->count; r++)
		for (size_t c = 0; c < rules->items[r].conditions_count; c++)
			room += names_in(&rules->items[r].conditions[c].filter);
	uses.items = calloc(room + 1, sizeof(*uses.items));
	if (uses.items == NULL)
		return -ENOMEM;
	for (size_t r = 0; r < rules->count; r++)
		for (size_t c = 0; c < rules->items[r].conditions_count; c++)
			add_uses(&rules->items[r], &rules->items[r].conditions[c].filter, &uses);
	*ret_uses = uses;
	return 0;
}

void routine_uses_deinit(struct routine_uses *uses)
{
	free(uses->items);
	*uses = (struct routine_uses){0};
}

/* ---- what is known ---- */

struct known {
	struct store_reader *reader;
	struct gf_diag *diag;
	bool all; /* what every machine can play */
	size_t count, room;
	const char **names; /* copies */
};

static bool is_known(const struct known *k, const char *name)
{
	for (size_t i = 0; i < k->count; i++)
		if (strcmp(k->names[i], name) == 0)
			return true;
	return false;
}

static bool knows_all(const struct known *k, const struct routine_uses *uses)
{
	for (size_t i = 0; i < uses->count; i++)
		if (!is_known(k, uses->items[i].routine))
			return false;
	return true;
}

static int add_name(struct known *k, const char *name)
{
	char *copy;

	if (k->count == k->room) {
		size_t room = k->room == 0 ? 32 : k->room * 2;
		const char **more = reallocarray(k->names, room, sizeof(*more));

		if (more == NULL)
			return -ENOMEM;
		k->names = more;
		k->room = room;
	}
	copy = strdup(name);
	if (copy == NULL)
		return -ENOMEM;
	k->names[k->count++] = copy;
	return 0;
}

/* Each comes once; one that a catalog has, too, stands here twice. To look for each among all takes too long where a machine makes names up. */
static int add_played(void *ctx, const char *name)
{
	return add_name(ctx, name);
}

/* What can't be read holds nothing that is known. */
static int add_catalog(void *ctx, const struct store_catalog *row)
{
	struct known *k = ctx;
	struct gf_catalog catalog;
	unsigned char *data = NULL;
	size_t len = 0;
	int r = store_read_catalog_bytes(k->reader, &row->digest, &data, &len, k->diag);

	if (r != 0)
		return r;
	r = gf_catalog_decode(data, len, &catalog, NULL);
	free(data);
	if (r != 0) {
		k->all = false;
		return r == -ENOMEM ? r : 0;
	}
	for (size_t i = 0; r == 0 && i < catalog.routines_count; i++)
		r = is_known(k, catalog.routines[i].id) ? 0 : add_name(k, catalog.routines[i].id);
	gf_catalog_deinit(&catalog);
	return r;
}

static void forget(struct known *k)
{
	for (size_t i = 0; i < k->count; i++)
		free((void *)k->names[i]);
	free(k->names);
}

/* ---- doubts ---- */

static void tell_doubt(const struct known *k, const struct routine_use *use, const char *file, routine_doubt_fn tell,
                       void *ctx)
{
	const char *nearest = gf_nearest(use->routine, k->names, k->count);
	struct gf_diag sentence;

	if (nearest != NULL)
		gf_diag_set(
		    &sentence,
		    "%s:%u: rule %s names the routine '%s', which no published catalog has and which was never played; did "
		    "you mean '%s'?",
		    file, use->line, use->rule, use->routine, nearest);
	else if (k->all)
		gf_diag_set(&sentence,
		            "%s:%u: rule %s names the routine '%s', which no published catalog has and which was never played; "
		            "publish the catalog that has it, or take it out",
		            file, use->line, use->rule, use->routine);
	else
		return;
	tell(ctx, sentence.text);
}

int routine_doubts(struct store_reader *reader, const struct routine_uses *uses, const char *file,
                   routine_doubt_fn tell, void *ctx, struct gf_diag *diag)
{
	struct known k = {.reader = reader, .diag = diag};
	int r = 0;

	if (uses->count == 0)
		return 0;
	r = store_read_catalogs_known(reader, &k.all, diag);
	if (r == 0)
		r = store_read_catalogs(reader, add_catalog, &k, diag);
	if (r == 0 && !knows_all(&k, uses))
		r = store_read_played(reader, add_played, &k, diag);
	for (size_t i = 0; r == 0 && i < uses->count; i++)
		if (!is_known(&k, uses->items[i].routine))
			tell_doubt(&k, &uses->items[i], file, tell, ctx);
	forget(&k);
	return r;
}
