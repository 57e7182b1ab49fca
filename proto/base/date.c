#include "proto/base/date.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "proto/base/clock.h"

enum { DAY_S = 24 * 3600, DAYS_MAX = 2932897 /* 10000-01-01 */ };

/* False, and an empty text, for a day that can't be written. */
static bool split(int32_t day, struct tm *ret_tm, char buf[static GF_DATE_MAX])
{
	time_t seconds = (time_t)day * DAY_S;

	buf[0] = '\0';
	return day >= 0 && day < DAYS_MAX && gmtime_r(&seconds, ret_tm) != NULL;
}

const char *gf_date_format(int32_t day, char buf[static GF_DATE_MAX])
{
	struct tm tm;

	if (split(day, &tm, buf))
		(void)strftime(buf, GF_DATE_MAX, "%Y-%m-%d", &tm);
	return buf;
}

const char *gf_week_format(int32_t day, char buf[static GF_DATE_MAX])
{
	struct tm tm;

	if (split(day, &tm, buf))
		(void)strftime(buf, GF_DATE_MAX, "%G-W%V", &tm);
	return buf;
}

static int parse_date(const char *text, int32_t *ret_day)
{
	char moment[GF_RFC3339_MAX];
	int64_t ms;

	if (strlen(text) != strlen("2026-11-20"))
		return -EINVAL;
	(void)snprintf(moment, sizeof(moment), "%sT00:00:00Z", text);
	int r = gf_time_parse(moment, &ms);
	if (r == 0)
		*ret_day = (int32_t)(ms / (DAY_S * INT64_C(1000)));
	return r;
}

/* January 4th is in the first week of its year; the first days of 1970 are in a week that began before. */
static int parse_week(const char *text, int32_t *ret_day)
{
	char date[GF_DATE_MAX], back[GF_DATE_MAX];
	int32_t day;

	(void)snprintf(date, sizeof(date), "%.4s-01-04", text);
	int r = parse_date(date, &day);
	if (r != 0 || text[6] < '0' || text[6] > '5' || text[7] < '0' || text[7] > '9')
		return -EINVAL;
	day += -((day + 3) % 7) + 7 * ((text[6] - '0') * 10 + text[7] - '0' - 1);
	if (strcmp(gf_week_format(day, back), text) != 0)
		return -EINVAL;
	*ret_day = day;
	return 0;
}

int gf_date_parse(const char *text, int32_t *ret_day)
{
	return strlen(text) == strlen("2026-W47") && memcmp(text + 4, "-W", 2) == 0 ? parse_week(text, ret_day)
	                                                                            : parse_date(text, ret_day);
}
