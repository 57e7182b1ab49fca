/*
 * Everything stands on pieces of time in which the offset from UTC is the same: within one, the clock on the wall goes on evenly, so days and opening
 * hours are plain arithmetic. At a piece's end the clock jumps; the next piece begins with what it shows then, so that a skipped hour isn't there and a
 * repeated one counts twice.
 */
#include "gateway/sites/calendar.h"

#include <errno.h>
#include <string.h>

#include "proto/base/span.h"
#include "proto/model.h"

#define WEEK_MS (7 * GF_DAY_MS)

enum {
	WEEKS_MAX = 2000,           /* beyond it nothing is looked for */
	CHANGE_WEEKS = 3,           /* a week's only span may fall into an hour that is skipped */
	FARTHEST_MS = 36 * 3600000, /* no clock is so far from UTC */
};

static const char *const day_names[7] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

#define WHOLE_DAY                   \
	{                               \
		1,                          \
		{                           \
			{                       \
				0, CALENDAR_DAY_MIN \
			}                       \
		}                           \
	}
const struct calendar calendar_always = {
    .week = {WHOLE_DAY, WHOLE_DAY, WHOLE_DAY, WHOLE_DAY, WHOLE_DAY, WHOLE_DAY, WHOLE_DAY},
};

/* ---- reading ---- */

static int parse_day(const char *text, size_t len, unsigned *ret_day)
{
	for (unsigned i = 0; i < 7; i++)
		if (len == 3 && strncmp(text, day_names[i], 3) == 0) {
			*ret_day = i;
			return 0;
		}
	return -EINVAL;
}

static int parse_days(const char *text, unsigned *ret_first, unsigned *ret_last)
{
	const char *dash = strchr(text, '-');
	size_t len = dash ? (size_t)(dash - text) : strlen(text);
	unsigned first = 0, last = 0;

	if (parse_day(text, len, &first) != 0)
		return -EINVAL;
	last = first;
	if (dash && parse_day(dash + 1, strlen(dash + 1), &last) != 0)
		return -EINVAL;
	*ret_first = first;
	*ret_last = last;
	return 0;
}

/* "hh:mm", five characters. */
static int parse_minute(const char *text, unsigned *ret_min)
{
	static const char form[] = "00:00";
	unsigned hour, min;

	for (size_t i = 0; i < 5; i++)
		if (form[i] == ':' ? text[i] != ':' : text[i] < '0' || text[i] > '9')
			return -EINVAL;
	hour = (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
	min = (unsigned)(text[3] - '0') * 10 + (unsigned)(text[4] - '0');
	if (min > 59 || hour * 60 + min > CALENDAR_DAY_MIN)
		return -EINVAL;
	*ret_min = hour * 60 + min;
	return 0;
}

/* *ret_to is beyond the day when it goes on into the next. */
static int parse_hours(const char *text, unsigned *ret_from, unsigned *ret_to)
{
	unsigned from = 0, to = 0;

	if (strlen(text) != 11 || text[5] != '-' || parse_minute(text, &from) != 0 || parse_minute(text + 6, &to) != 0)
		return -EINVAL;
	if (from == to || from == CALENDAR_DAY_MIN)
		return -EINVAL;
	*ret_from = from;
	*ret_to = to > from ? to : to + CALENDAR_DAY_MIN;
	return 0;
}

static void remove_span(struct calendar_hours *day, size_t at)
{
	day->count--;
	memmove(&day->spans[at], &day->spans[at + 1], (day->count - at) * sizeof(day->spans[0]));
}

/* Those that touch become one. */
static int add_span(struct calendar_hours *day, unsigned weekday, unsigned from, unsigned to, struct gf_diag *diag)
{
	size_t at = 0;

	for (size_t i = 0; i < day->count; i++)
		if (from < day->spans[i].to_min && day->spans[i].from_min < to) {
			gf_diag_set(diag, "%s is open twice: %02u:%02u-%02u:%02u and %02u:%02u-%02u:%02u", day_names[weekday],
			            day->spans[i].from_min / 60, day->spans[i].from_min % 60, day->spans[i].to_min / 60,
			            day->spans[i].to_min % 60, from / 60, from % 60, to / 60, to % 60);
			return -EINVAL;
		}
	while (at < day->count && day->spans[at].to_min < from)
		at++;
	if (at < day->count && day->spans[at].to_min == from) {
		from = day->spans[at].from_min;
		remove_span(day, at);
	}
	if (at < day->count && day->spans[at].from_min == to) {
		to = day->spans[at].to_min;
		remove_span(day, at);
	}
	if (day->count == CALENDAR_SPANS_MAX) {
		gf_diag_set(diag, "%s has more than %d spans", day_names[weekday], CALENDAR_SPANS_MAX);
		return -EINVAL;
	}
	memmove(&day->spans[at + 1], &day->spans[at], (day->count - at) * sizeof(day->spans[0]));
	day->spans[at] = (struct calendar_span){(uint16_t)from, (uint16_t)to};
	day->count++;
	return 0;
}

int calendar_open(struct calendar *calendar, const char *days, const char *hours, struct gf_diag *diag)
{
	struct calendar changed = *calendar;
	unsigned day = 0, last = 0, from = 0, to = 0;

	if (parse_days(days, &day, &last) != 0) {
		gf_diag_set(diag, "days are '%.40s'; expected a day or a row of them, such as mon, mon-fri or sat-sun", days);
		return -EINVAL;
	}
	if (parse_hours(hours, &from, &to) != 0) {
		gf_diag_set(
		    diag, "hours are '%.40s'; expected from-to, such as 06:00-22:00, 22:00-02:00 over midnight, or 00:00-24:00",
		    hours);
		return -EINVAL;
	}
	for (;; day = (day + 1) % 7) {
		unsigned next = (day + 1) % 7, until = to < CALENDAR_DAY_MIN ? to : CALENDAR_DAY_MIN;
		int r = add_span(&changed.week[day], day, from, until, diag);

		if (r == 0 && to > CALENDAR_DAY_MIN)
			r = add_span(&changed.week[next], next, 0, to - CALENDAR_DAY_MIN, diag);
		if (r)
			return r;
		if (day == last)
			break;
	}
	*calendar = changed;
	return 0;
}

/* ---- days ---- */

static int64_t offset_ms(const struct calendar *c, int64_t wall_ms)
{
	return c->offset_s ? c->offset_s(c->ctx, wall_ms) * INT64_C(1000) : 0;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

unsigned calendar_weekday(int32_t day)
{
	/* 1970-01-01 was a Thursday. */
	return (unsigned)((((int64_t)day + 3) % 7 + 7) % 7);
}

int32_t calendar_day(const struct calendar *calendar, int64_t wall_ms)
{
	return (int32_t)floor_div(wall_ms + offset_ms(calendar, wall_ms), GF_DAY_MS);
}

unsigned calendar_hour(const struct calendar *calendar, int64_t wall_ms)
{
	int64_t local = wall_ms + offset_ms(calendar, wall_ms);

	return (unsigned)((local - floor_div(local, GF_DAY_MS) * GF_DAY_MS) / (60 * GF_MINUTE_MS));
}

/* A piece of time at one offset. */
struct piece {
	int64_t from, until, offset;
};

/* The piece from `from` on, until `until` or a week later at most: within one, a clock changes once. */
static struct piece piece_at(const struct calendar *c, int64_t from, int64_t until)
{
	struct piece p = {.from = from, .until = until - from > WEEK_MS ? from + WEEK_MS : until};
	int64_t same = from, other = p.until - 1;

	p.offset = offset_ms(c, from);
	if (offset_ms(c, other) == p.offset)
		return p;
	while (other - same > 1) {
		int64_t middle = same + (other - same) / 2;

		if (offset_ms(c, middle) == p.offset)
			same = middle;
		else
			other = middle;
	}
	p.until = other;
	return p;
}

int64_t calendar_day_start_ms(const struct calendar *calendar, int32_t day)
{
	int64_t midnight = day * GF_DAY_MS, until = midnight + FARTHEST_MS;

	/* Where midnight is skipped the day begins later; a day that isn't there at all, with the next one. */
	for (int64_t at = midnight - FARTHEST_MS; at < until;) {
		struct piece p = piece_at(calendar, at, until);
		int64_t start = midnight - p.offset > p.from ? midnight - p.offset : p.from;

		if (start < p.until)
			return start;
		at = p.until;
	}
	return midnight;
}

/* ---- hours ---- */

static const struct calendar_hours *hours_of(const struct calendar *c, int64_t day)
{
	return &c->week[calendar_weekday((int32_t)day)];
}

bool calendar_has_hours(const struct calendar *calendar, int32_t day)
{
	return hours_of(calendar, day)->count > 0;
}

/* In a usual week. */
static int64_t week_open_ms(const struct calendar *c)
{
	int64_t sum = 0;

	for (size_t d = 0; d < 7; d++)
		for (size_t i = 0; i < c->week[d].count; i++)
			sum += (c->week[d].spans[i].to_min - c->week[d].spans[i].from_min) * GF_MINUTE_MS;
	return sum;
}

/* A span of a local day as UTC, cut to the piece; false when nothing of it is left. */
static bool cut(const struct piece *p, int64_t day, const struct calendar_span *span, int64_t *ret_from,
                int64_t *ret_until)
{
	int64_t from = day * GF_DAY_MS + span->from_min * GF_MINUTE_MS - p->offset;
	int64_t until = day * GF_DAY_MS + span->to_min * GF_MINUTE_MS - p->offset;

	*ret_from = from > p->from ? from : p->from;
	*ret_until = until < p->until ? until : p->until;
	return *ret_from < *ret_until;
}

/* The open time in a piece; `*wanted` of it at most, whose end is then *ret_end. */
static int64_t open_in(const struct calendar *c, const struct piece *p, const int64_t *wanted, int64_t *ret_end)
{
	int64_t last = floor_div(p->until - 1 + p->offset, GF_DAY_MS), sum = 0, from, until;

	for (int64_t day = floor_div(p->from + p->offset, GF_DAY_MS); day <= last; day++) {
		const struct calendar_hours *hours = hours_of(c, day);

		for (size_t i = 0; i < hours->count; i++) {
			if (!cut(p, day, &hours->spans[i], &from, &until))
				continue;
			sum += until - from;
			if (wanted && sum >= *wanted) {
				*ret_end = until - (sum - *wanted);
				return *wanted;
			}
		}
	}
	return sum;
}

bool calendar_is_open(const struct calendar *calendar, int64_t wall_ms)
{
	struct piece moment = {wall_ms, wall_ms + 1, offset_ms(calendar, wall_ms)};

	return open_in(calendar, &moment, NULL, NULL) > 0;
}

int64_t calendar_open_ms(const struct calendar *calendar, int64_t from_ms, int64_t until_ms)
{
	const int64_t week_ms = week_open_ms(calendar);
	int64_t sum = 0;

	if (until_ms <= from_ms || week_ms == 0)
		return 0;
	if (week_ms == WEEK_MS)
		return until_ms - from_ms;
	for (int64_t at = from_ms; at < until_ms;) {
		struct piece p = piece_at(calendar, at, until_ms);

		sum += p.until - p.from == WEEK_MS ? week_ms : open_in(calendar, &p, NULL, NULL);
		at = p.until;
	}
	return sum;
}

int64_t calendar_after_open_ms(const struct calendar *calendar, int64_t from_ms, int64_t open_ms)
{
	const int64_t week_ms = week_open_ms(calendar);
	int64_t at = from_ms, left = open_ms, end = INT64_MAX;

	if (open_ms <= 0)
		return from_ms;
	if (week_ms == 0)
		return INT64_MAX;
	if (week_ms == WEEK_MS)
		return from_ms > INT64_MAX - open_ms ? INT64_MAX : from_ms + open_ms;
	for (int weeks = 0; weeks < WEEKS_MAX; weeks++) {
		struct piece p = piece_at(calendar, at, at + WEEK_MS);
		int64_t open = p.until - p.from == WEEK_MS && left > week_ms ? week_ms : open_in(calendar, &p, &left, &end);

		left -= open;
		if (left == 0)
			return end;
		at = p.until;
	}
	return INT64_MAX;
}

/* The first edge of a span in the piece after `after` at which it is otherwise than `open`; INT64_MAX when there is none. */
static int64_t change_in(const struct calendar *c, const struct piece *p, int64_t after, bool open)
{
	int64_t last = floor_div(p->until - 1 + p->offset, GF_DAY_MS), edges[2];

	if (p->from > after && calendar_is_open(c, p->from) != open)
		return p->from;
	for (int64_t day = floor_div(p->from + p->offset, GF_DAY_MS); day <= last; day++) {
		const struct calendar_hours *hours = hours_of(c, day);

		for (size_t i = 0; i < hours->count; i++) {
			if (!cut(p, day, &hours->spans[i], &edges[0], &edges[1]))
				continue;
			for (size_t e = 0; e < 2; e++)
				if (edges[e] > after && edges[e] < p->until && calendar_is_open(c, edges[e]) != open)
					return edges[e];
		}
	}
	return INT64_MAX;
}

int64_t calendar_next_change_ms(const struct calendar *calendar, int64_t wall_ms)
{
	const int64_t week_ms = week_open_ms(calendar);
	const bool open = calendar_is_open(calendar, wall_ms);
	int64_t until = wall_ms + CHANGE_WEEKS * WEEK_MS, change;

	if (week_ms == 0 || week_ms == WEEK_MS)
		return INT64_MAX;
	for (int64_t at = wall_ms; at < until;) {
		struct piece p = piece_at(calendar, at, until);

		change = change_in(calendar, &p, wall_ms, open);
		if (change != INT64_MAX)
			return change;
		at = p.until;
	}
	return INT64_MAX;
}
