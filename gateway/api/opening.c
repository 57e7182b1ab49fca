#include "gateway/api/opening.h"

#include <stdlib.h>
#include <string.h>

const struct calendar *opening_calendar(const struct sites *sites, const char *site)
{
	return sites != NULL ? sites_calendar(sites, site) : &calendar_always;
}

static int compare(const void *a, const void *b)
{
	const struct store_machine *x = a, *y = b;
	int order = strcmp(x->site, y->site);

	if (order != 0)
		return order;
	return (x->first_seen_ms > y->first_seen_ms) - (x->first_seen_ms < y->first_seen_ms);
}

void opening_sort(struct fleet *fleet)
{
	if (fleet->count > 0)
		qsort(fleet->machines, fleet->count, sizeof(*fleet->machines), compare);
}

size_t opening_run(const struct store_machine *machines, size_t count)
{
	size_t n = 1;

	while (n < count && strcmp(machines[n].site, machines[0].site) == 0)
		n++;
	return n;
}

/* Of machines at one site: all that were there from the start have the same. */
static int64_t site_open_ms(const struct calendar *calendar, const struct store_machine *machines, size_t count,
                            int64_t from_ms, int64_t until_ms)
{
	int64_t whole_ms = -1, sum_ms = 0;

	for (size_t i = 0; i < count && machines[i].first_seen_ms < until_ms; i++) {
		if (machines[i].first_seen_ms > from_ms) {
			sum_ms += calendar_open_ms(calendar, machines[i].first_seen_ms, until_ms);
			continue;
		}
		if (whole_ms < 0)
			whole_ms = calendar_open_ms(calendar, from_ms, until_ms);
		sum_ms += whole_ms;
	}
	return sum_ms;
}

int64_t opening_ms(const struct sites *sites, const struct store_machine *machines, size_t count, int64_t from_ms,
                   int64_t until_ms)
{
	int64_t sum_ms = 0;

	for (size_t i = 0, n; i < count; i += n) {
		n = opening_run(&machines[i], count - i);
		sum_ms += site_open_ms(opening_calendar(sites, machines[i].site), &machines[i], n, from_ms, until_ms);
	}
	return sum_ms;
}
