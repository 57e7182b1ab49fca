/* `usage --trend`: a line a week, and all of them as one sparkline. */
#include <stdlib.h>
#include <string.h>

#include "gateway/cli/text.h"
#include "gateway/cli/usage_text.h"
#include "proto/base/clock.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Columns; a terminal of less than BARE has no room for bars. */
enum { BAR = 24, NARROW_BAR = 8, NARROW = 72, BARE = 52, SPARK_MAX = 60 };

static const struct column columns[] = {
    {"week", "", COLUMN_RAW_ONLY, 0, false},      {"start", "", COLUMN_RAW_ONLY, 0, false},
    {"sessions", "", COLUMN_RAW_ONLY, 0, false},  {"running_s", "", COLUMN_RAW_ONLY, 0, false},
    {"opening_s", "", COLUMN_RAW_ONLY, 0, false}, {"use_pct", "", COLUMN_RAW_ONLY, 0, false},
};

void usage_bar(const struct cli *cli, double fraction, size_t width, char *buf)
{
	double clipped = fraction > 1 ? 1 : fraction > 0 ? fraction : 0;
	size_t n = (size_t)(clipped * (double)width + 0.5);

	if (cli->utf8) {
		text_bar(fraction, width, buf);
		return;
	}
	n = n == 0 && clipped > 0 ? 1 : n;
	memset(buf, '#', n);
	buf[n] = '\0';
}

const char *usage_pct(const json_t *row, char buf[static FIELD_MAX])
{
	double pct;

	if (!field_number(row, "use_pct", &pct))
		return "-";
	(void)snprintf(buf, FIELD_MAX, "%.0f %%", pct);
	return buf;
}

/* Weeks are told by what they are of opening hours, where those are known of any; else against the fullest. */
static bool by_opening(const json_t *weeks)
{
	const json_t *week;
	double pct;
	size_t i;

	json_array_foreach(weeks, i, week)
	{
		if (field_number(week, "use_pct", &pct))
			return true;
	}
	return false;
}

static double value(const json_t *week, bool opening)
{
	return opening ? field_or(week, "use_pct", 0) : field_or(week, "running_s", 0);
}

static void print_week(const struct cli *cli, const json_t *week, bool opening, double top)
{
	size_t width = cli->width > 0 && cli->width < NARROW ? NARROW_BAR : BAR;
	char *name = writer_cell(&(struct column){.key = "week", .format = COLUMN_TEXT, .width = 12}, week, 0),
	     bar[3 * BAR + 1], use[FIELD_MAX];

	usage_bar(cli, top > 0 ? value(week, opening) / top : 0, width, bar);
	if (cli->width > 0 && cli->width < BARE)
		(void)fprintf(cli->out, "%-8s %5.0f sessions %6.1f h %5s\n", name != NULL ? name : "",
		              field_or(week, "sessions", 0), field_or(week, "running_s", 0) / 3600, usage_pct(week, use));
	else
		(void)fprintf(cli->out, "%-9s %5.0f sessions %7.1f h %6s  %s\n", name != NULL ? name : "",
		              field_or(week, "sessions", 0), field_or(week, "running_s", 0) / 3600, usage_pct(week, use), bar);
	free(name);
}

/* The newest of them. */
static void print_spark(const struct cli *cli, const json_t *weeks, bool opening)
{
	const char *what = opening ? "share of opening hours" : "hours running";
	size_t count = json_array_size(weeks), room = cli->width > 0 && cli->width < SPARK_MAX ? cli->width : SPARK_MAX,
	       from = count > room ? count - room : 0;
	double values[SPARK_MAX];
	char line[3 * SPARK_MAX + 1];
	bool below = cli->width > 0 && strlen(what) + strlen(", week by week: ") + count - from > cli->width;

	if (!cli->utf8 || count < 2)
		return;
	for (size_t i = from; i < count; i++)
		values[i - from] = value(json_array_get(weeks, i), opening);
	text_sparkline(values, count - from, line);
	(void)fprintf(cli->out, "\n%s, week by week:%s%s\n", what, below ? "\n" : " ", line);
}

/* From the first week in which there was anything: before it there were no machines. */
static json_t *since_first(const json_t *all)
{
	json_t *weeks = json_array(), *week;
	double pct;
	size_t i;

	json_array_foreach(all, i, week)
	{
		if (json_array_size(weeks) > 0 || field_or(week, "sessions", 0) > 0 || field_number(week, "use_pct", &pct))
			(void)json_array_append(weeks, week);
	}
	return weeks;
}

static void print_weeks(const struct cli *cli, const json_t *all)
{
	json_t *weeks = since_first(all), *week;
	bool opening = by_opening(weeks);
	double top = 0;
	size_t i;

	json_array_foreach(weeks, i, week)
	{
		top = value(week, opening) > top ? value(week, opening) : top;
	}
	json_array_foreach(weeks, i, week)
	{
		print_week(cli, week, opening, top);
	}
	print_spark(cli, weeks, opening);
	(void)fputs(json_array_size(weeks) > 0 ? "The newest week isn't over.\n" : "no session in this time\n", cli->out);
	json_decref(weeks);
}

enum cli_exit usage_trend(struct cli *cli)
{
	json_t *body = NULL;
	enum cli_exit code = cli_request(cli,
	                                 &(struct cli_request){.path = "/v1/usage/trend",
	                                                       .params = {{"since", cli->values[CLI_OPT_SINCE]},
	                                                                  {"until", cli->values[CLI_OPT_UNTIL]},
	                                                                  {"device", cli->values[CLI_OPT_DEVICE]},
	                                                                  {"site", cli->values[CLI_OPT_SITE]}}},
	                                 &body);

	if (code == CLI_OK && cli->format == WRITER_TABLE)
		print_weeks(cli, json_object_get(body, "items"));
	else if (code == CLI_OK)
		code = cli_rows(cli, json_object_get(body, "items"), columns, COUNT(columns), NULL);
	json_decref(body);
	return code;
}
