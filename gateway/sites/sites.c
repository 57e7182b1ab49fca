#include "gateway/sites/sites.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/fnv.h"
#include "proto/model.h"

struct place {
	char site[GF_NAME_MAX];
	struct calendar calendar;
};

struct sites {
	struct zones *zones;
	struct calendar fallback;
	struct place **places; /* by site; each stays where it is */
	size_t count;
};

static struct calendar at_zone(const struct calendar *hours, const void *zone)
{
	struct calendar calendar = *hours;

	calendar.offset_s = zone_offset_s;
	calendar.ctx = zone;
	return calendar;
}

int sites_new(struct zones *zones, const struct calendar *fallback, struct sites **ret_sites)
{
	struct sites *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		zones_free(zones);
		return -ENOMEM;
	}
	s->zones = zones;
	s->fallback = at_zone(fallback, zones_zone(zones, ""));
	*ret_sites = s;
	return 0;
}

void sites_free(struct sites *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->count; i++)
		free(s->places[i]);
	free(s->places);
	zones_free(s->zones);
	free(s);
}

/* Where the site stands, or would. */
static size_t position(const struct sites *s, const char *site)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(s->places[middle]->site, site) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct sites *s, size_t at, const char *site)
{
	return at < s->count && strcmp(s->places[at]->site, site) == 0;
}

int sites_add(struct sites *s, const char *site, const struct calendar *hours)
{
	size_t at = position(s, site);
	struct place *place, **places;

	if (is_at(s, at, site)) {
		s->places[at]->calendar = at_zone(hours, zones_zone(s->zones, site));
		return 0;
	}
	places = reallocarray(s->places, s->count + 1, sizeof(struct place *));
	if (places == NULL)
		return -ENOMEM;
	s->places = places;
	place = calloc(1, sizeof(*place));
	if (place == NULL)
		return -ENOMEM;
	(void)gf_strcpy(place->site, sizeof(place->site), site);
	place->calendar = at_zone(hours, zones_zone(s->zones, site));
	memmove(&places[at + 1], &places[at], (s->count - at) * sizeof(struct place *));
	places[at] = place;
	s->count++;
	return 0;
}

const struct calendar *sites_calendar(const struct sites *s, const char *site)
{
	size_t at = position(s, site);

	return is_at(s, at, site) ? &s->places[at]->calendar : &s->fallback;
}

bool sites_any(const struct sites *s, sites_fn is, const void *ctx)
{
	for (size_t i = 0; i < s->count; i++)
		if (is(&s->places[i]->calendar, ctx))
			return true;
	return is(&s->fallback, ctx);
}

const struct zones *sites_zones(const struct sites *s)
{
	return s->zones;
}

static void take_calendar(struct gf_fnv *d, const struct calendar *calendar)
{
	for (size_t day = 0; day < sizeof(calendar->week) / sizeof(calendar->week[0]); day++) {
		const struct calendar_hours *hours = &calendar->week[day];

		gf_fnv_int(d, hours->count);
		for (uint8_t i = 0; i < hours->count; i++) {
			gf_fnv_int(d, hours->spans[i].from_min);
			gf_fnv_int(d, hours->spans[i].to_min);
		}
	}
	gf_fnv_text(d, zone_name(calendar->ctx));
}

uint64_t sites_digest(const struct sites *s)
{
	struct gf_fnv d = {GF_FNV_EMPTY};

	take_calendar(&d, &s->fallback);
	for (size_t i = 0; i < s->count; i++) {
		gf_fnv_text(&d, s->places[i]->site);
		take_calendar(&d, &s->places[i]->calendar);
	}
	return d.value;
}
