#include "gateway/api/unknown.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/api/device_row.h"
#include "gateway/api/fleet.h"
#include "proto/base/text.h"

enum { NAMES_SHOWN = 12 };

/* Of the fleet's machines: their ids, or the sites where they are, each once. */
struct names {
	const char **list;
	size_t count;
};

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* They point into the fleet. -ENOMEM leaves none. */
static int names_of(const struct fleet *fleet, bool sites, struct names *ret_names)
{
	struct names n = {.list = calloc(fleet->count + 1, sizeof(*n.list))};
	size_t kept = 0;

	if (n.list == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < fleet->count; i++) {
		const char *name = sites ? fleet->machines[i].site : fleet->machines[i].id;
		if (*name != '\0')
			n.list[n.count++] = name;
	}
	if (n.count > 0)
		qsort(n.list, n.count, sizeof(*n.list), compare);
	for (size_t i = 0; i < n.count; i++)
		if (kept == 0 || strcmp(n.list[kept - 1], n.list[i]) != 0)
			n.list[kept++] = n.list[i];
	n.count = kept;
	*ret_names = n;
	return 0;
}

static bool has(const struct names *names, const char *name)
{
	return names->count > 0 && bsearch(&name, names->list, names->count, sizeof(*names->list), compare) != NULL;
}

/* "berlin, koeln and 3 more"; "" for none. */
static void list_names(const struct names *names, char *buf, size_t size)
{
	size_t shown = names->count <= NAMES_SHOWN ? names->count : NAMES_SHOWN - 1, len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < shown && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s", i > 0 ? ", " : "", names->list[i]);
	if (shown < names->count && len < size)
		(void)snprintf(buf + len, size - len, " and %zu more", names->count - shown);
}

static void say_machine(const struct names *ids, const char *word, char buf[static GF_DIAG_MAX])
{
	const char *near = gf_nearest(word, ids->list, ids->count);

	(void)snprintf(buf, GF_DIAG_MAX, "; %s%s%s`gymfleet devices` lists them", near != NULL ? "did you mean '" : "",
	               near != NULL ? near : "", near != NULL ? "'? " : "");
}

static void say_site(const struct names *sites, const char *word, char buf[static GF_DIAG_MAX])
{
	const char *near = gf_nearest(word, sites->list, sites->count);
	char all[GF_DIAG_MAX / 2];

	list_names(sites, all, sizeof(all));
	if (near != NULL)
		(void)snprintf(buf, GF_DIAG_MAX, "; did you mean '%s'? Machines are at: %s", near, all);
	else if (sites->count > 0)
		(void)snprintf(buf, GF_DIAG_MAX, "; machines are at: %s", all);
	else
		(void)snprintf(buf, GF_DIAG_MAX, "; no machine has a site yet (gymfleet device set ID site=NAME)");
}

/* What may have been meant by a machine or site: the rest of the sentence, "" where it can't be found out. False: it is there. */
static bool look(struct request *r, bool sites, const char *word, char buf[static GF_DIAG_MAX])
{
	struct fleet fleet;
	struct names names = {0};
	struct gf_diag diag = {{0}};
	bool there = false;

	buf[0] = '\0';
	if (fleet_read(r->reader, &fleet, &diag) == 0 && names_of(&fleet, sites, &names) == 0) {
		there = has(&names, word);
		if (fleet.count == 0)
			(void)snprintf(buf, GF_DIAG_MAX, "; no machine was heard of yet");
		else
			(sites ? say_site : say_machine)(&names, word, buf);
	}
	free(names.list);
	fleet_deinit(&fleet);
	return !there;
}

void unknown_machine(struct request *r, const char *id)
{
	char meant[GF_DIAG_MAX];

	(void)look(r, false, id, meant);
	request_fail(r, 404, "not_found", "there is no machine '%s'%s", id, meant);
}

void unknown_site(struct request *r, const char *site)
{
	char meant[GF_DIAG_MAX];

	(void)look(r, true, site, meant);
	request_fail(r, 404, "not_found", "there is and was no machine at a site '%.64s'%s", site, meant);
}

/* ---- where ---- */

struct search {
	struct request *request;
	bool done;
	char sentence[GF_DIAG_MAX];
};

static void look_at(void *ctx, const struct where_field *field, const char *text)
{
	struct search *s = ctx;
	bool site = strcmp(field->name, "site") == 0,
	     machine = strcmp(field->name, "device") == 0 || field == &device_fields[0]; /* a rule has an id, too */
	char meant[GF_DIAG_MAX];

	if (s->done || (!site && !machine) || !look(s->request, site, text, meant) || *meant == '\0')
		return;
	(void)snprintf(s->sentence, sizeof(s->sentence),
	               site ? "no machine has the site '%.64s'%s" : "there is no machine '%.64s'%s", text, meant);
	s->done = true;
}

char *unknown_in_where(struct request *r, const struct where *where)
{
	struct search s = {.request = r};

	where_texts(where, look_at, &s);
	return s.done ? strdup(s.sentence) : NULL;
}
