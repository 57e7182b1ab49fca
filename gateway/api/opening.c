#include "gateway/api/opening.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct calendar *opening_calendar(const struct sites *sites, const char *site)
{
	return sites != NULL ? sites_calendar(sites, site) : &calendar_always;
}

static int keep(void *ctx, const struct store_stay *stay)
{
	struct stays *s = ctx;

	if (s->count == s->room) {
		size_t room = s->room * 2 + 32;
		struct store_stay *items = reallocarray(s->items, room, sizeof(*items));
		if (items == NULL)
			return -ENOMEM;
		s->items = items;
		s->room = room;
	}
	s->items[s->count++] = *stay;
	return 0;
}

int stays_read(struct store_reader *reader, struct stays *ret_stays, struct gf_diag *diag)
{
	*ret_stays = (struct stays){0};
	return store_read_stays(reader, keep, ret_stays, diag);
}

void stays_deinit(struct stays *stays)
{
	free(stays->items);
	*stays = (struct stays){0};
}

static int compare(const void *a, const void *b)
{
	const struct store_stay *x = a, *y = b;
	int order = strcmp(x->site, y->site);

	return order != 0 ? order : (x->from_ms > y->from_ms) - (x->from_ms < y->from_ms);
}

void opening_sort(struct stays *stays)
{
	if (stays->count > 0)
		qsort(stays->items, stays->count, sizeof(*stays->items), compare);
}

size_t opening_run(const struct store_stay *stays, size_t count)
{
	size_t n = 1;

	while (n < count && strcmp(stays[n].site, stays[0].site) == 0)
		n++;
	return n;
}

/* Of stays at one site: all that were there all the time have the same. */
static int64_t site_open_ms(const struct calendar *calendar, const struct store_stay *stays, size_t count,
                            int64_t from_ms, int64_t until_ms)
{
	int64_t whole_ms = -1, sum_ms = 0;

	for (size_t i = 0; i < count && stays[i].from_ms < until_ms; i++) {
		const struct store_stay *s = &stays[i];
		int64_t begin_ms = s->from_ms > from_ms ? s->from_ms : from_ms;
		int64_t end_ms = s->until_ms < until_ms ? s->until_ms : until_ms;

		if (begin_ms >= end_ms)
			continue;
		if (begin_ms > from_ms || end_ms < until_ms) {
			sum_ms += calendar_open_ms(calendar, begin_ms, end_ms);
			continue;
		}
		if (whole_ms < 0)
			whole_ms = calendar_open_ms(calendar, from_ms, until_ms);
		sum_ms += whole_ms;
	}
	return sum_ms;
}

int64_t opening_ms(const struct sites *sites, const struct store_stay *stays, size_t count, int64_t from_ms,
                   int64_t until_ms)
{
	int64_t sum_ms = 0;

	for (size_t i = 0, n; i < count; i += n) {
		n = opening_run(&stays[i], count - i);
		sum_ms += site_open_ms(opening_calendar(sites, stays[i].site), &stays[i], n, from_ms, until_ms);
	}
	return sum_ms;
}
