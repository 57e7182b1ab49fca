/*
 * `usage --heat`: a row a weekday, a column an hour, the sites' local time. A cell's shade is the share of its opening time in which machines ran;
 * where no opening hours are known, how much ran against the fullest hour. Closed hours are blank, open ones without use have a dot.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/cli/text.h"
#include "gateway/cli/usage_text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { HOURS = 24, SHADES = 4, WIDE = 6 + 2 * HOURS, LEGEND = 68 };

/* CLOSED_USED: something ran though the site was closed. */
enum shade { CLOSED, CLOSED_USED, UNUSED, FIRST };

static const char *const glyphs[2][FIRST + SHADES] = {
    {" ", "!", ".", "-", "+", "#", "@"},
    {" ", "!", "·", "░", "▒", "▓", "█"},
};
/* Of a terminal with 256 colours: cold to hot. */
static const char *const colours[FIRST + SHADES] = {
    "", "\033[31m", TEXT_DIM, "\033[38;5;71m", "\033[38;5;148m", "\033[38;5;214m", "\033[38;5;196m"};

static double at(const json_t *day, const char *key, size_t hour)
{
	return json_number_value(json_array_get(json_object_get(day, key), hour));
}

struct scale {
	bool by_opening;
	double top; /* the fullest hour's seconds */
};

static struct scale measure(const json_t *weekdays)
{
	struct scale scale = {0};
	const json_t *day;
	size_t i;

	json_array_foreach(weekdays, i, day)
	{
		for (size_t h = 0; h < HOURS; h++) {
			double running = at(day, "running_s", h);
			scale.top = running > scale.top ? running : scale.top;
			scale.by_opening = scale.by_opening || at(day, "opening_s", h) > 0;
		}
	}
	return scale;
}

static enum shade shade_of(const struct scale *scale, const json_t *day, size_t hour)
{
	double running = at(day, "running_s", hour), opening = at(day, "opening_s", hour), share;

	if (scale->by_opening && !(opening > 0))
		return running > 0 ? CLOSED_USED : CLOSED;
	if (!(running > 0))
		return UNUSED;
	share = scale->by_opening ? running / opening : running / scale->top;
	for (int s = 0; s < SHADES - 1; s++)
		if (share <= (s + 1) / (double)SHADES)
			return (enum shade)(FIRST + s);
	return (enum shade)(FIRST + SHADES - 1);
}

static void print_cell(const struct cli *cli, enum shade shade, size_t width)
{
	const char *colour = cli->colour ? colours[shade] : "";

	(void)fputs(colour, cli->out);
	for (size_t i = 0; i < width; i++)
		(void)fputs(glyphs[cli->utf8][shade], cli->out);
	(void)fputs(*colour != '\0' ? TEXT_RESET : "", cli->out);
}

static void print_hours(const struct cli *cli, size_t width)
{
	(void)fprintf(cli->out, "%5s", "");
	for (size_t h = 0; h < HOURS; h += 6)
		(void)fprintf(cli->out, "%-*zu", h + 6 < HOURS ? (int)(6 * width) : 0, h);
	(void)fputc('\n', cli->out);
}

static void print_key(const struct cli *cli, enum shade shade, const char *means, const char *end)
{
	if (shade == CLOSED)
		(void)fputs("(blank)", cli->out);
	else
		print_cell(cli, shade, 1);
	(void)fprintf(cli->out, " %s%s", means, end);
}

/* Two lines, or as many as a narrow terminal needs. */
static void print_legend(const struct cli *cli, const struct scale *scale, bool narrow)
{
	static const char *const shares[SHADES] = {"0-25 %", "25-50 %", "50-75 %", "75-100 %"};
	const char *gap = narrow ? "\n     " : "  ";

	(void)fprintf(cli->out, "\n%5s", "");
	for (int s = 0; s < SHADES; s++)
		print_key(cli, (enum shade)(FIRST + s), shares[s], s % 2 == 1 ? gap : "  ");
	(void)fprintf(cli->out, "%s\n%5s", scale->by_opening ? "of opening time" : "of the fullest hour", "");
	print_key(cli, UNUSED, scale->by_opening ? "open, not used" : "not used", scale->by_opening ? gap : "\n");
	if (scale->by_opening) {
		print_key(cli, CLOSED, "closed", "  ");
		print_key(cli, CLOSED_USED, "used while closed", "\n");
	}
}

static void print_day(const struct cli *cli, const struct scale *scale, const json_t *day, size_t width)
{
	char *name = writer_cell(&(struct column){.key = "weekday", .format = COLUMN_TEXT, .width = 4}, day, 0);

	(void)fprintf(cli->out, "%-4s ", name != NULL ? name : "");
	free(name);
	for (size_t h = 0; h < HOURS; h++)
		print_cell(cli, shade_of(scale, day, h), width);
	(void)fputc('\n', cli->out);
}

static void print_map(const struct cli *cli, const json_t *heat)
{
	const json_t *weekdays = json_object_get(heat, "weekdays"), *day;
	struct scale scale = measure(weekdays);
	size_t width = cli->width == 0 || cli->width >= WIDE ? 2 : 1, i;
	double machines = field_or(heat, "machines", 0);
	char since[WRITER_TIME_MAX], until[WRITER_TIME_MAX];

	if (!(scale.top > 0)) {
		(void)fputs("no session in this time\n", cli->out);
		return;
	}
	(void)fprintf(cli->out, "%.0f machine%s, local time of the sites\n", machines, machines == 1 ? "" : "s");
	if (*field_text(heat, "since") != '\0')
		(void)fprintf(cli->out, "%.10s to %.10s\n", writer_local_time(field_time(heat, "since"), since),
		              writer_local_time(field_time(heat, "until"), until));
	print_hours(cli, width);
	json_array_foreach(weekdays, i, day)
	{
		print_day(cli, &scale, day, width);
	}
	print_legend(cli, &scale, cli->width > 0 && cli->width < LEGEND);
}

/* A row for each cell, for who reckons on with it. */
static enum cli_exit print_cells(struct cli *cli, const json_t *heat)
{
	static const struct column columns[] = {{"weekday", "", COLUMN_RAW_ONLY, 0, false},
	                                        {"hour", "", COLUMN_RAW_ONLY, 0, false},
	                                        {"running_s", "", COLUMN_RAW_ONLY, 0, false},
	                                        {"opening_s", "", COLUMN_RAW_ONLY, 0, false},
	                                        {"use_pct", "", COLUMN_RAW_ONLY, 0, false}};
	json_t *rows = json_array();
	const json_t *day;
	size_t i;

	json_array_foreach(json_object_get(heat, "weekdays"), i, day)
	{
		for (size_t h = 0; h < HOURS; h++) {
			json_t *row = json_pack("{s:O?, s:i}", "weekday", json_object_get(day, "weekday"), "hour", (int)h);
			for (size_t c = 2; c < COUNT(columns); c++)
				(void)json_object_set(row, columns[c].key, json_array_get(json_object_get(day, columns[c].key), h));
			(void)json_array_append_new(rows, row);
		}
	}
	enum cli_exit code = cli_rows(cli, rows, columns, COUNT(columns), NULL);
	json_decref(rows);
	return code;
}

enum cli_exit usage_heat(struct cli *cli)
{
	json_t *heat = NULL;
	enum cli_exit code = cli_request(cli,
	                                 &(struct cli_request){.path = "/v1/usage/heat",
	                                                       .params = {{"since", cli->values[CLI_OPT_SINCE]},
	                                                                  {"until", cli->values[CLI_OPT_UNTIL]},
	                                                                  {"device", cli->values[CLI_OPT_DEVICE]},
	                                                                  {"site", cli->values[CLI_OPT_SITE]}}},
	                                 &heat);

	if (code == CLI_OK && cli->format == WRITER_TABLE)
		print_map(cli, heat);
	else if (code == CLI_OK && cli->format == WRITER_JSON)
		code = cli_object(cli, heat, NULL, 0);
	else if (code == CLI_OK)
		code = print_cells(cli, heat);
	json_decref(heat);
	return code;
}
