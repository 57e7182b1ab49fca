/*
 * When machines are used: /v1/usage/heat by weekday and hour, /v1/usage/trend by week. Each machine's days and hours are those of the
 * site where it was then; what is set against them is how long the site was open.
 *
 *     store_read_hours ──> a machine's hours of UTC ──> cells of its site's local time <── opening hours, site by site
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/api/opening.h"
#include "gateway/api/resources.h"
#include "gateway/api/unknown.h"
#include "gateway/store/cases.h"
#include "proto/base/date.h"
#include "proto/base/span.h"
#include "proto/base/text.h"

enum {
	WEEKDAYS = 7,
	HOURS = 24,
	HEAT_DAYS = 28,
	HEAT_DAYS_MAX = 400,
	TREND_WEEKS = 12,
	TREND_WEEKS_MAX = 522,           /* ten years */
	HOURS_READ_MAX = 4 * 1000 * 1000 /* machines' hours with use, for one answer */
};

/* What both ask: the machines that were at a site, or one, or all, and from when to when, in whole hours of UTC. */
struct scope {
	struct stays stays; /* those that count, as opening.h wants them */
	size_t machines;    /* whose they are */
	const char *device, *site;
	int64_t since_ms, until_ms;
	uint64_t read;
};

static bool take_scope(struct request *r, struct scope *s)
{
	int64_t until_ms = r->now_ms;

	if (!request_time(r, "since", &s->since_ms) || !request_time(r, "until", &until_ms) ||
	    !request_device(r, &s->device))
		return false;
	s->site = request_param(r, "site");
	s->since_ms -= s->since_ms % GF_HOUR_MS;
	/* Nobody could use a machine in the time to come. */
	s->until_ms = until_ms < r->now_ms ? until_ms : r->now_ms;
	return true;
}

/* Keeps the stays that count, by machine; false when nobody was ever at the site. */
static bool keep_stays(struct scope *s)
{
	const char *last = "";
	bool any = false;
	size_t count = 0;

	for (size_t i = 0; i < s->stays.count; i++) {
		const struct store_stay stay = s->stays.items[i];
		bool here = s->site == NULL || strcmp(stay.site, s->site) == 0;
		any = any || here;
		if (!here || (s->device != NULL && strcmp(stay.id, s->device) != 0) || stay.until_ms <= s->since_ms ||
		    stay.from_ms >= s->until_ms)
			continue;
		s->machines += strcmp(last, stay.id) != 0;
		s->stays.items[count] = stay;
		last = s->stays.items[count++].id;
	}
	s->stays.count = count;
	return any || s->site == NULL;
}

/* Answers when there is none of what was named. */
static bool take_stays(struct request *r, struct scope *s)
{
	struct gf_diag diag = {{0}};
	int result = stays_read(r->reader, &s->stays, &diag);

	if (result != 0) {
		request_fail_store(r, result, &diag);
		return false;
	}
	if (!keep_stays(s)) {
		unknown_site(r, s->site);
		return false;
	}
	opening_sort(&s->stays);
	return true;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Of a site stay by stay: what happened at all others isn't even read. */
static int read_hours(struct request *r, const struct scope *s, store_hour_fn row, void *ctx, struct gf_diag *diag)
{
	int result = 0;

	if (s->site == NULL)
		return store_read_hours(r->reader, s->device, s->since_ms, s->until_ms, row, ctx, diag);
	for (size_t i = 0; i < s->stays.count && result == 0; i++) {
		const struct store_stay *stay = &s->stays.items[i];
		result = store_read_hours(r->reader, stay->id, later(stay->from_ms, s->since_ms),
		                          sooner(stay->until_ms, s->until_ms), row, ctx, diag);
	}
	return result;
}

static void fail_read(struct request *r, int result, const struct gf_diag *diag)
{
	if (result == -EFBIG)
		request_fail(r, 400, "too_much",
		             "this would add up more than %d hours of use; ask for a site, a machine or a shorter time",
		             HOURS_READ_MAX);
	else
		request_fail_store(r, result, diag);
}

static json_t *use_pct(uint64_t running_ms, int64_t opening)
{
	return opening > 0 ? json_measure(100.0 * (double)running_ms / (double)opening) : json_null();
}

/* ---- the heat map ---- */

struct heat {
	struct scope scope;
	const struct sites *sites;
	uint64_t running_ms[WEEKDAYS][HOURS];
	int64_t opening_ms[WEEKDAYS][HOURS];
};

/* Where the local hour ends in which a moment is: not all clocks are whole hours ahead of UTC. */
static int64_t hour_end(const struct calendar *c, int64_t at_ms)
{
	int64_t local = at_ms + (c->offset_s != NULL ? c->offset_s(c->ctx, at_ms) * INT64_C(1000) : 0);
	return at_ms + GF_HOUR_MS - local % GF_HOUR_MS;
}

static int heat_hour(void *ctx, const struct store_hour *h)
{
	struct heat *heat = ctx;
	const struct calendar *c = opening_calendar(heat->sites, h->site);
	int64_t end_ms = h->hour_ms + GF_HOUR_MS;

	if (++heat->scope.read > HOURS_READ_MAX)
		return -EFBIG;
	uint64_t left_ms = h->running_ms;
	for (int64_t at_ms = h->hour_ms, next_ms; at_ms < end_ms; at_ms = next_ms) {
		next_ms = hour_end(c, at_ms) < end_ms ? hour_end(c, at_ms) : end_ms;
		uint64_t part_ms =
		    next_ms == end_ms ? left_ms : (uint64_t)((double)h->running_ms * (double)(next_ms - at_ms) / GF_HOUR_MS);
		left_ms -= part_ms < left_ms ? part_ms : left_ms;
		heat->running_ms[calendar_weekday(calendar_day(c, at_ms))][calendar_hour(c, at_ms)] += part_ms;
	}
	return 0;
}

static void heat_opening(struct heat *heat)
{
	const struct scope *s = &heat->scope;

	for (size_t i = 0, n; i < s->stays.count; i += n) {
		const struct store_stay *m = &s->stays.items[i];
		const struct calendar *c = opening_calendar(heat->sites, m->site);
		n = opening_run(m, s->stays.count - i);
		int64_t at_ms = later(m->from_ms, s->since_ms);
		for (int64_t next_ms; at_ms < s->until_ms; at_ms = next_ms) {
			next_ms = hour_end(c, at_ms) < s->until_ms ? hour_end(c, at_ms) : s->until_ms;
			heat->opening_ms[calendar_weekday(calendar_day(c, at_ms))][calendar_hour(c, at_ms)] +=
			    opening_ms(heat->sites, m, n, at_ms, next_ms);
		}
	}
}

static json_t *heat_weekday(const struct heat *heat, size_t day)
{
	static const char *const names[WEEKDAYS] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
	json_t *row = json_object(), *running = json_array(), *opening = json_array(), *pct = json_array();

	for (size_t h = 0; h < HOURS; h++) {
		json_push(&running, json_seconds(heat->running_ms[day][h]));
		json_push(&opening, json_seconds((uint64_t)heat->opening_ms[day][h]));
		json_push(&pct, use_pct(heat->running_ms[day][h], heat->opening_ms[day][h]));
	}
	json_put(&row, "weekday", json_string(names[day]));
	json_put(&row, "running_s", running);
	json_put(&row, "opening_s", opening);
	json_put(&row, "use_pct", pct);
	return row;
}

static void answer_heat(struct request *r, const struct heat *heat)
{
	json_t *answer = json_object(), *weekdays = json_array();

	for (size_t day = 0; day < WEEKDAYS; day++)
		json_push(&weekdays, heat_weekday(heat, day));
	json_put(&answer, "since", json_time(heat->scope.since_ms));
	json_put(&answer, "until", json_time(heat->scope.until_ms));
	json_put(&answer, "machines", json_count(heat->scope.machines));
	json_put(&answer, "weekdays", weekdays);
	request_answer(r, answer);
}

void resource_usage_heat(struct request *r)
{
	struct heat *heat = calloc(1, sizeof(*heat));
	struct gf_diag diag = {{0}};

	if (heat == NULL) {
		request_answer(r, NULL);
		return;
	}
	heat->sites = api_sites(r->api);
	heat->scope.since_ms = r->now_ms - HEAT_DAYS * GF_DAY_MS;
	if (take_scope(r, &heat->scope) && heat->scope.until_ms - heat->scope.since_ms > HEAT_DAYS_MAX * GF_DAY_MS)
		request_fail(r, 400, "bad_parameter", "the heat map covers at most %d days; give since and until",
		             HEAT_DAYS_MAX);
	if (r->status == 0 && take_stays(r, &heat->scope)) {
		int result = read_hours(r, &heat->scope, heat_hour, heat, &diag);
		if (result != 0) {
			fail_read(r, result, &diag);
		} else {
			heat_opening(heat);
			answer_heat(r, heat);
		}
	}
	stays_deinit(&heat->scope.stays);
	free(heat);
}

/* ---- the trend ---- */

struct week {
	uint64_t sessions, running_ms;
	int64_t opening_ms;
};

struct trend {
	struct scope scope;
	const struct sites *sites;
	int32_t first_day; /* the first week's Monday */
	size_t count;      /* weeks; the last may be of the sites ahead of UTC alone */
	struct week weeks[TREND_WEEKS_MAX + 2];
};

/* The Monday of a day's week. */
static int32_t monday_of(int32_t day)
{
	return day - (int32_t)calendar_weekday(day);
}

static int trend_hour(void *ctx, const struct store_hour *h)
{
	struct trend *t = ctx;
	int32_t day = calendar_day(opening_calendar(t->sites, h->site), h->hour_ms);

	if (++t->scope.read > HOURS_READ_MAX)
		return -EFBIG;
	size_t week = day >= t->first_day ? (size_t)(day - t->first_day) / WEEKDAYS : t->count;
	if (week >= t->count)
		return 0;
	t->weeks[week].sessions += h->sessions;
	t->weeks[week].running_ms += h->running_ms;
	return 0;
}

static void trend_opening(struct trend *t)
{
	const struct scope *s = &t->scope;

	for (size_t i = 0, n; i < s->stays.count; i += n) {
		const struct store_stay *m = &s->stays.items[i];
		const struct calendar *c = opening_calendar(t->sites, m->site);
		n = opening_run(m, s->stays.count - i);
		for (size_t w = 0; w < t->count; w++) {
			int32_t day = t->first_day + (int32_t)w * WEEKDAYS;
			int64_t from_ms = calendar_day_start_ms(c, day), until_ms = calendar_day_start_ms(c, day + WEEKDAYS);
			t->weeks[w].opening_ms += opening_ms(t->sites, m, n, from_ms > s->since_ms ? from_ms : s->since_ms,
			                                     until_ms < s->until_ms ? until_ms : s->until_ms);
		}
	}
}

static void answer_trend(struct request *r, const struct trend *t)
{
	json_t *items = json_array();

	for (size_t w = 0; w < t->count; w++) {
		const struct week *week = &t->weeks[w];
		int32_t day = t->first_day + (int32_t)w * WEEKDAYS;
		char buf[GF_DATE_MAX];
		/* The sites' Mondays aren't UTC's: the outermost weeks are shown where they are some site's. */
		if ((w == 0 || w + 1 == t->count) && week->opening_ms == 0 && week->sessions == 0 && week->running_ms == 0)
			continue;
		json_t *row = json_object();
		json_put(&row, "week", json_string(gf_week_format(day, buf)));
		json_put(&row, "start", json_string(gf_date_format(day, buf)));
		json_put(&row, "sessions", json_count(week->sessions));
		json_put(&row, "running_s", json_seconds(week->running_ms));
		json_put(&row, "opening_s", json_seconds((uint64_t)week->opening_ms));
		json_put(&row, "use_pct", use_pct(week->running_ms, week->opening_ms));
		json_push(&items, row);
	}
	request_answer_list(r, items, NULL);
}

/* Without `since` whole weeks of each site, by its own Mondays. */
static bool take_weeks(struct request *r, struct trend *t)
{
	bool whole = request_param(r, "since") == NULL;
	int32_t today = (int32_t)(r->now_ms / GF_DAY_MS);

	t->scope.since_ms = (monday_of(today) - (TREND_WEEKS - 1) * WEEKDAYS) * GF_DAY_MS;
	if (!take_scope(r, &t->scope))
		return false;
	int32_t first = monday_of((int32_t)(t->scope.since_ms / GF_DAY_MS)),
	        last = monday_of((int32_t)(t->scope.until_ms / GF_DAY_MS));
	if (last - first >= TREND_WEEKS_MAX * WEEKDAYS) {
		request_fail(r, 400, "bad_parameter", "the trend covers at most ten years; give since and until");
		return false;
	}
	t->first_day = whole ? first : first - WEEKDAYS;
	t->count = last >= t->first_day ? (size_t)(last - t->first_day) / WEEKDAYS + 2 : 0;
	if (whole)
		t->scope.since_ms -= GF_DAY_MS;
	return true;
}

void resource_usage_trend(struct request *r)
{
	struct trend *t = calloc(1, sizeof(*t));
	struct gf_diag diag = {{0}};

	if (t == NULL) {
		request_answer(r, NULL);
		return;
	}
	t->sites = api_sites(r->api);
	if (take_weeks(r, t) && take_stays(r, &t->scope)) {
		int result = read_hours(r, &t->scope, trend_hour, t, &diag);
		if (result != 0) {
			fail_read(r, result, &diag);
		} else {
			trend_opening(t);
			answer_trend(r, t);
		}
	}
	stays_deinit(&t->scope.stays);
	free(t);
}
