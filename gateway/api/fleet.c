#include "gateway/api/fleet.h"

#include <errno.h>
#include <stdlib.h>

static int keep(void *ctx, const struct store_machine *machine)
{
	struct fleet *f = ctx;

	if (f->count == f->room) {
		size_t room = f->room * 2 + 32;
		struct store_machine *machines = reallocarray(f->machines, room, sizeof(*machines));
		if (machines == NULL)
			return -ENOMEM;
		f->machines = machines;
		f->room = room;
	}
	f->machines[f->count++] = *machine;
	return 0;
}

int fleet_read(struct store_reader *reader, struct fleet *ret_fleet, struct gf_diag *diag)
{
	*ret_fleet = (struct fleet){0};
	return store_read_machines(reader, keep, ret_fleet, diag);
}

void fleet_deinit(struct fleet *fleet)
{
	free(fleet->machines);
	*fleet = (struct fleet){0};
}

static int compare_keys(const void *a, const void *b)
{
	const struct store_machine *x = a, *y = b;
	return (x->key > y->key) - (x->key < y->key);
}

void fleet_by_key(struct fleet *fleet)
{
	if (fleet->count > 0)
		qsort(fleet->machines, fleet->count, sizeof(*fleet->machines), compare_keys);
}

const struct store_machine *fleet_find(const struct fleet *fleet, int64_t key)
{
	const struct store_machine wanted = {.key = key};

	return fleet->count > 0 ? bsearch(&wanted, fleet->machines, fleet->count, sizeof(*fleet->machines), compare_keys)
	                        : NULL;
}
