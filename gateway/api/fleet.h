/* All machines of the fleet in memory, for answers that need to know each of them more than once. */
#ifndef GATEWAY_API_FLEET_H
#define GATEWAY_API_FLEET_H

#include "gateway/store/store.h"

struct fleet {
	struct store_machine *machines;
	size_t count, room;
};

/* By id. 0, -ENOMEM or the store's; ended by fleet_deinit either way. */
GF_MUST_CHECK int fleet_read(struct store_reader *reader, struct fleet *ret_fleet, struct gf_diag *diag);
void fleet_deinit(struct fleet *fleet);

/* After fleet_by_key: the machine that facts name so; NULL when there is none. */
void fleet_by_key(struct fleet *fleet);
const struct store_machine *fleet_find(const struct fleet *fleet, int64_t key);

#endif
