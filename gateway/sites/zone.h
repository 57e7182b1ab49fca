/*
 * Each site's time zone, over daylight-saving changes, from the system's zone database (GLib's GTimeZone). gateway.yaml names them:
 *
 *     time_zone: Europe/Berlin            # of sites that aren't named; UTC when left out
 *     sites:
 *       - {site: lisbon, time_zone: Europe/Lisbon}
 */
#ifndef GW_SITES_ZONE_H
#define GW_SITES_ZONE_H

#include <stdint.h>

#include "proto/base/clock.h"
#include "proto/base/err.h"

struct zones;
/* `fallback` NULL = UTC. -EINVAL with diag for a name that the zone database doesn't have, -ENOMEM. */
GF_MUST_CHECK int zones_new(const char *fallback, struct zones **ret_zones, struct gf_diag *diag);
GF_MUST_CHECK int zones_add(struct zones *zones, const char *site, const char *time_zone, struct gf_diag *diag);
void zones_free(struct zones *zones);
/* Seconds ahead of UTC at a site at a moment; "" or an unknown site: the fallback's. */
int32_t zones_offset_s(const struct zones *zones, const char *site, int64_t wall_ms);

/* The zone of a site, for zone_offset_s, which looks for no site (calendar.h's offset_s and ctx). It lives as long as `zones`. */
const void *zones_zone(const struct zones *zones, const char *site);
int32_t zone_offset_s(const void *zone, int64_t wall_ms);
const char *zone_name(const void *zone); /* "Europe/Berlin" */

#endif
