#include "proto/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

#include "proto/base/now.h"

enum { MS_PER_S = 1000 };

/* 2025-01-01T00:00:00Z: a clock before it was never set. */
#define BELIEVABLE_MS 1735689600000LL

static struct gf_time now_system(void *ctx)
{
	(void)ctx;
	struct gf_time now = {.mono_ms = gf_now_ms(CLOCK_BOOTTIME), .wall_ms = gf_now_ms(CLOCK_REALTIME)};
	now.synced = now.wall_ms >= BELIEVABLE_MS;
	return now;
}

static struct gf_time now_ntp(void *ctx)
{
	struct gf_time now = now_system(ctx);
	struct timex kernel = {0};
	now.synced = now.synced && adjtimex(&kernel) >= 0 && (kernel.status & STA_UNSYNC) == 0;
	return now;
}

const struct gf_clock *gf_clock_system(enum gf_clock_trust trust)
{
	static const struct gf_clock clocks[] = {
	    [GF_CLOCK_TRUST_NTP] = {.now = now_ntp},
	    [GF_CLOCK_TRUST_SYSTEM] = {.now = now_system},
	};
	return &clocks[trust];
}

const char *gf_time_format(int64_t wall_ms, char buf[static GF_RFC3339_MAX])
{
	/* 9999-12-31T23:59:59.999Z */
	const int64_t last_ms = 253402300799999LL;
	time_t seconds = (time_t)(wall_ms / MS_PER_S);
	struct tm tm;
	buf[0] = '\0';
	if (wall_ms > 0 && wall_ms <= last_ms && gmtime_r(&seconds, &tm) != NULL)
		strftime(buf, GF_RFC3339_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return buf;
}

/* Reads exactly `digits` digits and moves on. */
static int take_number(const char **text, int digits, int low, int high, int *ret_value)
{
	int value = 0;
	for (int i = 0; i < digits; i++, (*text)++) {
		if (**text < '0' || **text > '9')
			return -EINVAL;
		value = value * 10 + (**text - '0');
	}
	if (value < low || value > high)
		return -EINVAL;
	*ret_value = value;
	return 0;
}

static int take_char(const char **text, const char *allowed)
{
	if (**text == '\0' || strchr(allowed, **text) == NULL)
		return -EINVAL;
	(*text)++;
	return 0;
}

static int take_fraction_ms(const char **text, int *ret_ms)
{
	int ms = 0, digits = 0;
	if (**text != '.')
		return 0;
	for ((*text)++; **text >= '0' && **text <= '9'; (*text)++, digits++)
		ms += digits < 3 ? (**text - '0') * (digits == 0 ? 100 : digits == 1 ? 10 : 1) : 0;
	*ret_ms = ms;
	return digits > 0 && digits <= 9 ? 0 : -EINVAL;
}

/* 'Z', or an offset as minutes east of UTC. */
static int take_zone(const char **text, int *ret_minutes)
{
	int hours, minutes, sign = **text == '-' ? -1 : 1;
	if (**text == 'Z' || **text == 'z') {
		(*text)++;
		*ret_minutes = 0;
		return 0;
	}
	if (take_char(text, "+-") != 0 || take_number(text, 2, 0, 23, &hours) != 0 || take_char(text, ":") != 0 ||
	    take_number(text, 2, 0, 59, &minutes) != 0)
		return -EINVAL;
	*ret_minutes = sign * (hours * 60 + minutes);
	return 0;
}

int gf_time_parse(const char *text, int64_t *ret_wall_ms)
{
	struct tm tm = {0};
	int year, month, ms = 0, zone;
	if (take_number(&text, 4, 1970, 9999, &year) != 0 || take_char(&text, "-") != 0 ||
	    take_number(&text, 2, 1, 12, &month) != 0 || take_char(&text, "-") != 0 ||
	    take_number(&text, 2, 1, 31, &tm.tm_mday) != 0 || take_char(&text, "Tt ") != 0 ||
	    take_number(&text, 2, 0, 23, &tm.tm_hour) != 0 || take_char(&text, ":") != 0 ||
	    take_number(&text, 2, 0, 59, &tm.tm_min) != 0 || take_char(&text, ":") != 0 ||
	    take_number(&text, 2, 0, 60, &tm.tm_sec) != 0 || take_fraction_ms(&text, &ms) != 0 ||
	    take_zone(&text, &zone) != 0 || *text != '\0')
		return -EINVAL;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	/* timegm turns February 30th into March 2nd: not a date. A leap second (60) runs over on purpose, so it stays out of it. */
	const struct tm asked = tm;
	tm.tm_sec = 0;
	time_t seconds = timegm(&tm) + asked.tm_sec;
	if (tm.tm_mon != asked.tm_mon || tm.tm_mday != asked.tm_mday)
		return -EINVAL;
	*ret_wall_ms = ((int64_t)seconds - (int64_t)zone * 60) * MS_PER_S + ms;
	return 0;
}

int gf_duration_parse(const char *text, int64_t *ret_ms)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {"w", 604800000}};
	int64_t value = 0;
	const char *at = text;
	for (; *at >= '0' && *at <= '9'; at++) {
		if (value > (INT64_MAX / 604800000 - 9) / 10)
			return -ERANGE;
		value = value * 10 + (*at - '0');
	}
	if (at == text)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(at, units[i].unit) == 0) {
			*ret_ms = value * units[i].ms;
			return 0;
		}
	}
	return -EINVAL;
}

const char *gf_duration_format(int64_t ms, char buf[static GF_DURATION_MAX])
{
	double s = (double)(ms < 0 ? 0 : ms) / MS_PER_S;
	if (s < 1)
		snprintf(buf, GF_DURATION_MAX, "%d ms", (int)(ms < 0 ? 0 : ms));
	else if (s < 90)
		snprintf(buf, GF_DURATION_MAX, "%.0f s", s);
	else if (s < 90 * 60)
		snprintf(buf, GF_DURATION_MAX, "%.0f min", s / 60);
	else if (s < 10 * 3600)
		snprintf(buf, GF_DURATION_MAX, "%.1f h", s / 3600);
	else if (s < 48 * 3600)
		snprintf(buf, GF_DURATION_MAX, "%.0f h", s / 3600);
	else
		snprintf(buf, GF_DURATION_MAX, "%.0f d", s / 86400);
	return buf;
}
