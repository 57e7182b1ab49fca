/*
 * Sites whose machines vanish together (gateway/health/incident.h decides). Part of the store's interface: the rules of store.h hold. A site has at most
 * one open incident.
 */
#ifndef GW_STORE_INCIDENTS_H
#define GW_STORE_INCIDENTS_H

#include "gateway/sites/sites.h"
#include "gateway/store/store.h"

enum { STORE_INCIDENTS_KEPT = 1000 }; /* the newest; open ones stay */

/*
 * Opens, goes on with and ends incidents by what the machines' presence is now, with their events (kind "incident", code "opened" and "closed",
 * the incident's number); a transaction of its own. `sites` NULL: all are always open.
 */
GF_MUST_CHECK int store_incidents(struct store *store, const struct sites *sites, int64_t now_ms, unsigned *ret_opened,
                                  unsigned *ret_closed, struct gf_diag *diag);
/* Is the machine (its key in facts) missed as part of an open incident? Inside a batch. */
GF_MUST_CHECK int store_in_incident(struct store *store, int64_t device, bool *ret_is, struct gf_diag *diag);

struct store_incident {
	uint64_t id;
	char site[GF_NAME_MAX];
	int64_t opened_ms; /* the first of them vanished, or was missed */
	int64_t closed_ms; /* 0 = open */
	uint32_t machines; /* that vanished */
	uint32_t of;       /* machines of the site then */
	uint32_t missing;  /* of an open one: that aren't back */
};
struct store_incident_query {
	uint64_t id; /* 0 = all */
	bool open_only;
	int64_t since_ms;  /* open or closed after it */
	uint64_t after_id; /* the cursor: the last row's; 0 = from the newest */
};
typedef int (*store_incident_fn)(void *ctx, const struct store_incident *incident);
/* Newest first. */
GF_MUST_CHECK int store_read_incidents(struct store_reader *reader, const struct store_incident_query *query,
                                       store_incident_fn row, void *ctx, struct gf_diag *diag);
typedef int (*store_incident_device_fn)(void *ctx, const char *device);
/* Its machines, by id. */
GF_MUST_CHECK int store_read_incident_devices(struct store_reader *reader, uint64_t id, store_incident_device_fn row,
                                              void *ctx, struct gf_diag *diag);

#endif
