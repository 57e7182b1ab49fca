/* `usage`: who or what is used how much. Without options the whole on one screen. */
#include <stdlib.h>
#include <string.h>

#include "gateway/cli/text.h"
#include "gateway/cli/usage_text.h"
#include "proto/base/clock.h"

enum { COLUMNS = 11 };

static const struct column columns[COLUMNS] = {
    {"key", "", COLUMN_TEXT, 40, false},
    {"sessions", "SESSIONS", COLUMN_WHOLE, 0, true},
    {"running_s", "RUNNING", COLUMN_HOURS, 0, true},
    {"use_pct", "USE %", COLUMN_ONE, 0, true},
    {"share_pct", "SHARE", COLUMN_BAR, 0, false},
    {"mean_s", "MEAN", COLUMN_SECONDS, 0, true},
    {"completed", "COMPLETED", COLUMN_WHOLE, 0, true},
    {"stopped", "STOPPED", COLUMN_WHOLE, 0, true},
    {"interrupted", "INTERRUPTED", COLUMN_WHOLE, 0, true},
    {"motor_s", "MOTOR", COLUMN_HOURS, 0, true},
    {"opening_s", "OPEN", COLUMN_HOURS, 0, true},
};

/* The first column is called what it is by. */
static const char *title(const char *by)
{
	static const struct {
		const char *by, *title;
	} titles[] = {{"device", "DEVICE"}, {"site", "SITE"}, {"class", "CLASS"}, {"routine", "ROUTINE"}, {"area", "AREA"},
	              {"day", "DAY"},       {"hour", "HOUR"}, {"week", "WEEK"},   {"outcome", "OUTCOME"}};

	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (strcmp(titles[i].by, by) == 0)
			return titles[i].title;
	return "KEY";
}

static enum cli_exit ask(struct cli *cli, const char *by, json_t **ret_body)
{
	return cli_request(cli,
	                   &(struct cli_request){.path = "/v1/usage",
	                                         .params = {{"by", by},
	                                                    {"since", cli->values[CLI_OPT_SINCE]},
	                                                    {"until", cli->values[CLI_OPT_UNTIL]},
	                                                    {"utc_offset_min", cli->utc_offset_min}}},
	                   ret_body);
}

/* How sessions ended is told by their number, not by how long they ran. */
static void share_by_sessions(json_t *items)
{
	json_t *item;
	double all = 0;
	size_t i;

	json_array_foreach(items, i, item)
	{
		all += field_or(item, "sessions", 0);
	}
	json_array_foreach(items, i, item)
	{
		(void)json_object_set_new(item, "share_pct",
		                          json_real(all > 0 ? 100 * field_or(item, "sessions", 0) / all : 0));
	}
}

static bool is_known(const json_t *items, const char *key)
{
	const json_t *item;
	size_t i;

	json_array_foreach(items, i, item)
	{
		if (!json_is_null(json_object_get(item, key)))
			return true;
	}
	return false;
}

/* Not all is known by each key: a routine has no opening hours, an area no motor. A table leaves out what no row has. */
static size_t known_columns(const struct cli *cli, const json_t *items, struct column known[static COLUMNS])
{
	size_t count = 0;

	for (size_t i = 0; i < COLUMNS; i++)
		if (cli->format != WRITER_TABLE || json_array_size(items) == 0 || is_known(items, columns[i].key))
			known[count++] = columns[i];
	return count;
}

static enum cli_exit by_key(struct cli *cli, const char *by)
{
	struct column titled[COLUMNS];
	size_t count = 0;
	json_t *body = NULL;
	enum cli_exit code = ask(cli, by, &body);

	if (code == CLI_OK && cli->format == WRITER_TABLE && strcmp(by, "outcome") == 0)
		share_by_sessions(json_object_get(body, "items"));
	if (code == CLI_OK) {
		count = known_columns(cli, json_object_get(body, "items"), titled);
		titled[0].title = title(by);
		code = cli_rows(cli, json_object_get(body, "items"), titled, count, "no session in this time");
	}
	json_decref(body);
	return code;
}

/* ---- the screen ---- */

enum { BUSIEST = 12, BAR = 24, NAME_WIDTH = 32, HEADING = 9, NARROW = 76, NARROW_NAME = 16 };

struct sum {
	double machines, sessions, running_s, opening_s;
};

static struct sum add_up(const json_t *items)
{
	struct sum sum = {0};
	const json_t *item;
	size_t i;

	json_array_foreach(items, i, item)
	{
		sum.machines++;
		sum.sessions += field_or(item, "sessions", 0);
		sum.running_s += field_or(item, "running_s", 0);
		sum.opening_s += field_or(item, "opening_s", 0);
	}
	return sum;
}

static void heading(const struct cli *cli, const char *name)
{
	(void)fprintf(cli->out, "%s%-*s%s", cli->colour ? TEXT_BOLD : "", HEADING, name, cli->colour ? TEXT_RESET : "");
}

static void totals(const struct cli *cli, const struct sum *sum)
{
	char mean[GF_DURATION_MAX], use[64] = "", line[256];

	if (sum->opening_s > 0)
		(void)snprintf(use, sizeof(use), " · %.0f %% of opening hours", 100 * sum->running_s / sum->opening_s);
	(void)snprintf(line, sizeof(line), "%.0f machine%s · %.0f session%s · %.1f h running · %s each%s", sum->machines,
	               sum->machines == 1 ? "" : "s", sum->sessions, sum->sessions == 1 ? "" : "s", sum->running_s / 3600,
	               gf_duration_format((int64_t)(sum->running_s * 1000 / sum->sessions), mean), use);
	heading(cli, "Use");
	text_wrap(cli->out, line, HEADING, cli->width);
	(void)fputc('\n', cli->out);
}

/* One bar of all sessions, a glyph for each way to end, and what it stands for. */
static void outcomes(const struct cli *cli, const json_t *items)
{
	static const char *const glyphs[2][6] = {{"#", "=", "-", "!", "x", "?"}, {"█", "▓", "▒", "░", "▚", "?"}};
	enum { WIDE = 48, THIN = 24, GLYPHS = sizeof(glyphs[0]) / sizeof(glyphs[0][0]) };
	double all = add_up(items).sessions, so_far = 0;
	const json_t *item;
	size_t i, drawn = 0, width = cli->width > 0 && cli->width < NARROW ? THIN : WIDE;

	heading(cli, "Ended");
	json_array_foreach(items, i, item)
	{
		so_far += field_or(item, "sessions", 0);
		/* However few they are, they can be seen. */
		for (size_t end = drawn + 1; all > 0 && (drawn < end || (double)drawn < so_far / all * (double)width); drawn++)
			(void)fputs(glyphs[cli->utf8][i < GLYPHS ? i : GLYPHS - 1], cli->out);
	}
	json_array_foreach(items, i, item)
	{
		char *name = writer_cell(&(struct column){.key = "key", .format = COLUMN_TEXT, .width = NARROW_NAME}, item, 0);
		(void)fprintf(cli->out, "\n%*s%s %s %.0f", HEADING, "", glyphs[cli->utf8][i < GLYPHS ? i : GLYPHS - 1],
		              name != NULL ? name : "", field_or(item, "sessions", 0));
		if (all > 0)
			(void)fprintf(cli->out, " (%.0f %%)", 100 * field_or(item, "sessions", 0) / all);
		free(name);
	}
	(void)fputc('\n', cli->out);
}

static void busiest(const struct cli *cli, const json_t *items)
{
	size_t count = json_array_size(items), shown = count < BUSIEST ? count : BUSIEST, width = 0;
	bool narrow = cli->width > 0 && cli->width < NARROW;
	const struct column key = {.key = "key", .format = COLUMN_TEXT, .width = narrow ? NARROW_NAME : NAME_WIDTH};
	double top = field_or(json_array_get(items, 0), "running_s", 0);

	(void)fputc('\n', cli->out);
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < shown; i++) {
			const json_t *item = json_array_get(items, i);
			char *name = writer_cell(&key, item, 0), bar[3 * BAR + 1], use[FIELD_MAX];
			size_t n = name != NULL ? text_width(name) : 0;
			width = n > width ? n : width;
			usage_bar(cli, top > 0 ? field_or(item, "running_s", 0) / top : 0, narrow ? BAR / 4 : BAR, bar);
			if (pass > 0)
				(void)fprintf(cli->out, "%s%*s %7.1f h %5s  %s\n", name != NULL ? name : "", (int)(width - n), "",
				              field_or(item, "running_s", 0) / 3600, usage_pct(item, use), bar);
			free(name);
		}
	if (count > shown)
		(void)fprintf(cli->out, "and %zu more: gymfleet usage --by device\n", count - shown);
}

static enum cli_exit overview(struct cli *cli)
{
	json_t *devices = NULL, *ends = NULL;
	enum cli_exit code = ask(cli, "device", &devices);

	if (code == CLI_OK)
		code = ask(cli, "outcome", &ends);
	if (code == CLI_OK) {
		const json_t *items = json_object_get(devices, "items");
		struct sum sum = add_up(items);
		if (sum.sessions == 0) {
			(void)fputs("no session in this time\n", cli->out);
		} else {
			totals(cli, &sum);
			outcomes(cli, json_object_get(ends, "items"));
			busiest(cli, items);
		}
		(void)fputc('\n', cli->out);
		text_wrap(cli->out,
		          "When in the week: gymfleet usage --heat. Over the weeks: --trend. By site, class, routine, area, "
		          "day: --by",
		          0, cli->width);
		(void)fputc('\n', cli->out);
	}
	json_decref(devices);
	json_decref(ends);
	return code;
}

enum cli_exit cmd_usage(struct cli *cli, char **args, size_t count)
{
	const char *by = cli->values[CLI_OPT_BY];
	bool heat = cli->values[CLI_OPT_HEAT] != NULL, trend = cli->values[CLI_OPT_TREND] != NULL;

	(void)args;
	(void)count;
	if (heat + trend + (by != NULL) > 1)
		return cli_fail_usage(cli, "--by, --heat and --trend are three views; choose one");
	if (!heat && !trend && (cli->values[CLI_OPT_DEVICE] != NULL || cli->values[CLI_OPT_SITE] != NULL))
		return cli_fail_usage(cli, "--device and --site belong to --heat and --trend");
	if (heat)
		return usage_heat(cli);
	if (trend)
		return usage_trend(cli);
	if (by == NULL && cli->format == WRITER_TABLE)
		return overview(cli);
	return by_key(cli, by != NULL ? by : "device");
}
