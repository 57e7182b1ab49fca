/* The calendar against a slow and obvious one, which looks at every minute of a year: random hours, zones that change their clocks in every way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/sites/calendar.h"
#include "gateway/sites/zone.h"
#include "proto/base/rand.h"

#define MIN INT64_C(60000)
enum { DAYS = 370, MINUTES = DAYS * CALENDAR_DAY_MIN, QUESTIONS = 400, WEEKS_TRIED = 5 };

static const int64_t start_ms = INT64_C(1767225600000); /* 2026-01-01T00:00Z */

static const char *const zone_names[] = {
    "Europe/Berlin",    "America/Santiago",  "Asia/Beirut", "Asia/Kolkata",    "Australia/Lord_Howe",
    "America/St_Johns", "Africa/Casablanca", "UTC",         "Pacific/Chatham", "Africa/Cairo",
    "America/Havana",   "Antarctica/Troll",  "Asia/Gaza",   "Atlantic/Azores",
};

struct model {
	bool open[MINUTES];
	int32_t day[MINUTES];
	int32_t before[MINUTES + 1]; /* open minutes before it */
};

static void make_model(struct model *m, const struct calendar *c)
{
	m->before[0] = 0;
	for (int i = 0; i < MINUTES; i++) {
		int64_t wall_ms = start_ms + i * MIN;
		int64_t local_min = wall_ms / MIN + c->offset_s(c->ctx, wall_ms) / 60;
		int32_t day = (int32_t)(local_min / CALENDAR_DAY_MIN);
		const struct calendar_hours *hours = &c->week[(day + 3) % 7];

		m->day[i] = day;
		m->open[i] = false;
		for (size_t s = 0; s < hours->count; s++)
			m->open[i] |= hours->spans[s].from_min <= local_min % CALENDAR_DAY_MIN &&
			              local_min % CALENDAR_DAY_MIN < hours->spans[s].to_min;
		m->before[i + 1] = m->before[i] + m->open[i];
	}
}

/* Quarters of an hour, so that spans touch and fall on the jumps often; some days are closed, some open all day. */
static void random_week(struct gf_prng *p, struct calendar *c)
{
	memset(c->week, 0, sizeof(c->week));
	for (size_t d = 0; d < 7; d++) {
		struct calendar_hours *h = &c->week[d];
		unsigned at = gf_prng_below(p, 3) ? (unsigned)gf_prng_below(p, 40) * 15 : 0;

		while (h->count < CALENDAR_SPANS_MAX && gf_prng_below(p, 4)) {
			unsigned len = 15 + (unsigned)gf_prng_below(p, 40) * 15;

			if (at + len > CALENDAR_DAY_MIN)
				break;
			h->spans[h->count++] = (struct calendar_span){(uint16_t)at, (uint16_t)(at + len)};
			at += len + 15 + (unsigned)gf_prng_below(p, 12) * 15;
		}
		if (gf_prng_below(p, 8) == 0) {
			h->count = 1;
			h->spans[0] = (struct calendar_span){0, CALENDAR_DAY_MIN};
		}
	}
}

static void ask_open(const struct model *m, const struct calendar *c, int from, int until)
{
	int64_t a = start_ms + from * MIN, b = start_ms + until * MIN;
	int64_t want = until > from ? (m->before[until] - m->before[from]) * MIN : 0;

	assert_int_equal(calendar_is_open(c, a), m->open[from]);
	assert_int_equal(calendar_is_open(c, a + MIN - 1), m->open[from]);
	assert_int_equal(calendar_day(c, a), m->day[from]);
	assert_true(calendar_open_ms(c, a, b) == want);
	/* From within a minute too. */
	if (until > from)
		assert_true(calendar_open_ms(c, a + 1, b) == want - (m->open[from] ? 1 : 0));
}

static void ask_after(const struct model *m, const struct calendar *c, int from, int wanted)
{
	int end = from, beyond = MINUTES;

	while (end < beyond) {
		int middle = end + (beyond - end) / 2;

		if (m->before[middle] - m->before[from] < wanted)
			end = middle + 1;
		else
			beyond = middle;
	}
	if (end < MINUTES) {
		assert_true(calendar_after_open_ms(c, start_ms + from * MIN, wanted * MIN) == start_ms + end * MIN);
		/* A moment less ends a moment earlier. */
		if (wanted > 0)
			assert_true(calendar_after_open_ms(c, start_ms + from * MIN, wanted * MIN - 1) == start_ms + end * MIN - 1);
	}
}

static void ask_change(const struct model *m, const struct calendar *c, int from)
{
	int at = from + 1;

	while (at < MINUTES && m->open[at] == m->open[from])
		at++;
	if (at < MINUTES)
		assert_true(calendar_next_change_ms(c, start_ms + from * MIN) == start_ms + at * MIN);
	else if (calendar_next_change_ms(c, start_ms + from * MIN) != INT64_MAX)
		assert_true(calendar_next_change_ms(c, start_ms + from * MIN) >= start_ms + MINUTES * MIN);
}

static void check_days(const struct model *m, const struct calendar *c)
{
	int32_t newest = m->day[0];

	/* A clock may go back into a day that was over. */
	for (int i = 1; i < MINUTES; i++)
		if (m->day[i] > newest) {
			newest = m->day[i];
			assert_true(calendar_day_start_ms(c, newest) == start_ms + i * MIN);
		}
}

static void compare(struct model *m, struct calendar *c, struct gf_prng *p)
{
	for (int week = 0; week < WEEKS_TRIED; week++) {
		random_week(p, c);
		make_model(m, c);
		if (week == 0)
			check_days(m, c);
		for (int q = 0; q < QUESTIONS; q++) {
			int from = (int)gf_prng_below(p, MINUTES);
			int len = (int)gf_prng_below(p, q % 2 ? 3000 : MINUTES);

			ask_open(m, c, from, from + len < MINUTES ? from + len : MINUTES - 1);
			ask_after(m, c, from, (int)gf_prng_below(p, q % 2 ? 2000 : 100000));
			ask_change(m, c, from);
		}
	}
}

static void it_agrees_with_a_clock_that_is_read_each_minute(void **state)
{
	struct model *m = malloc(sizeof(*m));
	struct gf_prng p;

	(void)state;
	assert_non_null(m);
	gf_prng_seed(&p, 20260329);
	for (size_t z = 0; z < sizeof(zone_names) / sizeof(zone_names[0]); z++) {
		struct zones *zones = NULL;
		struct gf_diag diag = {""};

		if (zones_new(zone_names[z], &zones, &diag) != 0)
			fail_msg("%s", diag.text);
		struct calendar c = {.offset_s = zone_offset_s, .ctx = zones_zone(zones, "")};
		compare(m, &c, &p);
		zones_free(zones);
	}
	free(m);
}

/* As often as calendar.h allows: every seven days at the same moment, by up to half a day. */
static int32_t restless_offset_s(const void *ctx, int64_t wall_ms)
{
	const int32_t *offsets = ctx;
	int64_t week = (wall_ms - start_ms) / (7 * CALENDAR_DAY_MIN * MIN) + 2;

	return offsets[week < 0 ? 0 : week % 64];
}

static void it_follows_a_clock_that_changes_every_week(void **state)
{
	struct model *m = malloc(sizeof(*m));
	int32_t offsets[64];
	struct gf_prng p;

	(void)state;
	assert_non_null(m);
	gf_prng_seed(&p, 20261122);
	for (size_t i = 0; i < 64; i++)
		offsets[i] = ((int32_t)gf_prng_below(&p, 49) - 24) * 900;
	struct calendar c = {.offset_s = restless_offset_s, .ctx = offsets};
	compare(m, &c, &p);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_agrees_with_a_clock_that_is_read_each_minute),
	    cmocka_unit_test(it_follows_a_clock_that_changes_every_week),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
