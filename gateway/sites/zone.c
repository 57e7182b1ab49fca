/* GLib reads the system's zone database once for each zone and gives the offset of any moment. A GTimeZone is never changed once it is made, so any
 * thread may ask. */
#include "gateway/sites/zone.h"

#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "proto/model.h"

struct place {
	char site[GF_NAME_MAX];
	GTimeZone *zone;
};

struct zones {
	GTimeZone *fallback;
	struct place *places; /* by site */
	size_t count;
};

static int open_zone(const char *name, GTimeZone **ret_zone, struct gf_diag *diag)
{
	GTimeZone *zone = name[0] != '\0' ? g_time_zone_new_identifier(name) : NULL;

	if (zone == NULL) {
		gf_diag_set(diag, "the zone database has no time zone '%s': write it as in 'Europe/Berlin', or install tzdata",
		            name);
		return -EINVAL;
	}
	*ret_zone = zone;
	return 0;
}

int zones_new(const char *fallback, struct zones **ret_zones, struct gf_diag *diag)
{
	struct zones *z = calloc(1, sizeof(*z));
	int r;

	if (z == NULL)
		return -ENOMEM;
	if (fallback == NULL) {
		z->fallback = g_time_zone_new_utc();
	} else {
		r = open_zone(fallback, &z->fallback, diag);
		if (r) {
			free(z);
			return r;
		}
	}
	*ret_zones = z;
	return 0;
}

void zones_free(struct zones *z)
{
	if (z == NULL)
		return;
	for (size_t i = 0; i < z->count; i++)
		g_time_zone_unref(z->places[i].zone);
	g_time_zone_unref(z->fallback);
	free(z->places);
	free(z);
}

static int compare(const void *key, const void *place)
{
	return strcmp(key, ((const struct place *)place)->site);
}

static int compare_places(const void *a, const void *b)
{
	return compare(((const struct place *)a)->site, b);
}

static struct place *find(const struct zones *z, const char *site)
{
	return z->count > 0 ? bsearch(site, z->places, z->count, sizeof(*z->places), compare) : NULL;
}

int zones_add(struct zones *z, const char *site, const char *time_zone, struct gf_diag *diag)
{
	struct place place = {.site = ""}, *places;
	int r;

	if (site[0] == '\0' || !gf_strcpy(place.site, sizeof(place.site), site)) {
		gf_diag_set(diag, "a site's name has 1 to %d bytes", GF_NAME_MAX - 1);
		return -EINVAL;
	}
	if (find(z, site) != NULL) {
		gf_diag_set(diag, "the site '%s' has a time zone already", site);
		return -EINVAL;
	}
	r = open_zone(time_zone, &place.zone, diag);
	if (r)
		return r;
	places = realloc(z->places, (z->count + 1) * sizeof(*places));
	if (places == NULL) {
		g_time_zone_unref(place.zone);
		return -ENOMEM;
	}
	z->places = places;
	places[z->count++] = place;
	qsort(places, z->count, sizeof(*places), compare_places);
	return 0;
}

const void *zones_zone(const struct zones *z, const char *site)
{
	const struct place *place = find(z, site);

	return place != NULL ? place->zone : z->fallback;
}

/* GLib counts its references, so it takes no const; asking changes nothing of it. */
static GTimeZone *asked(const void *zone)
{
	union {
		const void *in;
		GTimeZone *out;
	} both = {.in = zone};

	return both.out;
}

int32_t zone_offset_s(const void *zone, int64_t wall_ms)
{
	GTimeZone *z = asked(zone);
	int64_t wall_s = wall_ms / 1000 - (wall_ms % 1000 < 0);

	return g_time_zone_get_offset(z, g_time_zone_find_interval(z, G_TIME_TYPE_UNIVERSAL, wall_s));
}

const char *zone_name(const void *zone)
{
	return g_time_zone_get_identifier(asked(zone));
}

int32_t zones_offset_s(const struct zones *z, const char *site, int64_t wall_ms)
{
	return zone_offset_s(zones_zone(z, site), wall_ms);
}
