/*
 * The sites of gateway.yaml: each one's calendar. One that isn't named has the fallback's.
 *
 *     time_zone: Europe/Berlin            # of sites that aren't named; UTC when left out
 *     open: [{days: mon-sun, hours: "06:00-23:00"}]   # the same; around the clock when left out
 *     sites:
 *       - site: lisbon
 *         time_zone: Europe/Lisbon        # the fallback's when left out
 *         open: [{days: mon-fri, hours: "07:00-22:00"}, {days: sat-sun, hours: "09:00-20:00"}]
 */
#ifndef GW_SITES_SITES_H
#define GW_SITES_SITES_H

#include "gateway/sites/calendar.h"
#include "gateway/sites/zone.h"

struct sites;
/* Takes `zones` over, also on failure; `fallback`'s hours alone count. -ENOMEM. */
GF_MUST_CHECK int sites_new(struct zones *zones, const struct calendar *fallback, struct sites **ret_sites);
/* A site's hours (time zones are the zones'). -ENOMEM. */
GF_MUST_CHECK int sites_add(struct sites *sites, const char *site, const struct calendar *hours);
void sites_free(struct sites *sites); /* NULL is fine */
/* Never NULL; lives as long as `sites`. Any thread. */
const struct calendar *sites_calendar(const struct sites *sites, const char *site);
typedef bool (*sites_fn)(const struct calendar *calendar, const void *ctx);
/* Is it so at one of the sites? Those that aren't named are one. */
bool sites_any(const struct sites *sites, sites_fn is, const void *ctx);
const struct zones *sites_zones(const struct sites *sites);
/* The same number as long as all sites have the same hours and time zones. */
uint64_t sites_digest(const struct sites *sites);

#endif
