/* `device trend`: a machine's sensors over time, a line each; as JSON or CSV every step of it. */
#include <math.h>
#include <string.h>

#include "gateway/cli/notice.h"
#include "gateway/cli/text.h"
#include "proto/base/clock.h"
#include "proto/model.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Columns of the screen: the line, and what stands beside it. */
enum { LINE_MAX_COLUMNS = 64, LINE_MIN_COLUMNS = 12, BESIDE = 44 };

#define SENSOR_COLUMNS(symbol, name)                                                             \
	{name "_min", "", COLUMN_RAW_ONLY, 0, false}, {name "_mean", "", COLUMN_RAW_ONLY, 0, false}, \
	    {name "_max", "", COLUMN_RAW_ONLY, 0, false},

static const struct column step_columns[] = {{"start", "", COLUMN_RAW_ONLY, 0, false},
                                             {"covered_s", "", COLUMN_RAW_ONLY, 0, false},
                                             {"motor_s", "", COLUMN_RAW_ONLY, 0, false},
                                             GF_SENSORS(SENSOR_COLUMNS)};

static const struct column line_columns[] = {
    {"sensor", "SENSOR", COLUMN_TEXT, 0, false}, {"min", "MIN", COLUMN_SHORT, 0, true},
    {"mean", "MEAN", COLUMN_SHORT, 0, true},     {"max", "MAX", COLUMN_SHORT, 0, true},
    {"line", "HIGHEST", COLUMN_TEXT, 0, false},
};

/* The time told of, cut into as many parts as the line has columns. */
struct range {
	int64_t since_ms, until_ms;
	size_t columns;
};

static size_t place_of(const struct range *range, int64_t at_ms)
{
	double part = (double)(at_ms - range->since_ms) / (double)(range->until_ms - range->since_ms);
	size_t place = part > 0 ? (size_t)(part * (double)range->columns) : 0;

	return place < range->columns ? place : range->columns - 1;
}

/* What a sensor was over the whole range; the mean is weighted by how long each step was heard of. */
struct summary {
	double min, max, sum, seconds;
	double highest[LINE_MAX_COLUMNS];
};

static void take(struct summary *s, const json_t *step, const char *sensor, const struct range *range)
{
	char key[GF_NAME_MAX];
	double min, mean, max, seconds = field_or(step, "covered_s", 0);
	size_t place = place_of(range, field_time(step, "start"));

	(void)snprintf(key, sizeof(key), "%s_max", sensor);
	if (!field_number(step, key, &max))
		return;
	(void)snprintf(key, sizeof(key), "%s_min", sensor);
	min = field_or(step, key, max);
	(void)snprintf(key, sizeof(key), "%s_mean", sensor);
	mean = field_or(step, key, max);
	s->min = s->seconds > 0 ? fmin(s->min, min) : min;
	s->max = s->seconds > 0 ? fmax(s->max, max) : max;
	s->sum += mean * seconds;
	s->seconds += seconds;
	s->highest[place] = fmax(s->highest[place], max);
}

/* A row for a sensor that was heard of; NULL for one that this machine hasn't got. */
static json_t *line_of(const struct cli *cli, const json_t *steps, const char *sensor, const struct range *range)
{
	struct summary s = {0};
	char line[3 * LINE_MAX_COLUMNS + 1] = "";
	const json_t *step;
	size_t i;

	json_array_foreach(steps, i, step)
	{
		take(&s, step, sensor, range);
	}
	if (!(s.seconds > 0))
		return NULL;
	if (cli->utf8)
		text_sparkline(s.highest, range->columns, line);
	return json_pack("{s:s, s:f, s:f, s:f, s:s}", "sensor", sensor, "min", s.min, "mean", s.sum / s.seconds, "max",
	                 s.max, "line", line);
}

static json_t *lines_of(const struct cli *cli, const json_t *steps, const struct range *range)
{
	static const char *const sensors[] = {
#define NAME(symbol, name) name,
	    GF_SENSORS(NAME)
#undef NAME
	};
	json_t *lines = json_array();

	for (size_t i = 0; i < COUNT(sensors); i++) {
		json_t *line = line_of(cli, steps, sensors[i], range);
		if (line != NULL)
			(void)json_array_append_new(lines, line);
	}
	return lines;
}

/* As many as the terminal has room for, but not more than there are steps: between those there would be holes. */
static size_t line_columns_of(const struct cli *cli, const json_t *series, int64_t range_ms)
{
	size_t room = cli->width == 0                          ? LINE_MAX_COLUMNS
	              : cli->width > BESIDE + LINE_MIN_COLUMNS ? cli->width - BESIDE
	                                                       : LINE_MIN_COLUMNS;
	double steps = ceil((double)range_ms / 1000 / fmax(field_or(series, "span_s", 1), 1));

	room = room < LINE_MAX_COLUMNS ? room : LINE_MAX_COLUMNS;
	return steps < (double)room ? (size_t)steps : room;
}

static enum cli_exit print(struct cli *cli, const char *id, const json_t *series)
{
	struct range range = {field_time(series, "since"), field_time(series, "until"), 0};
	const json_t *steps = json_object_get(series, "items"), *step;
	char since[WRITER_TIME_MAX], until[WRITER_TIME_MAX], motor[GF_DURATION_MAX];
	double motor_s = 0;
	size_t i;

	if (json_array_size(steps) == 0 || range.until_ms <= range.since_ms) {
		(void)fprintf(cli->out, "nothing was heard of %s in this time\n", id);
		return CLI_OK;
	}
	range.columns = line_columns_of(cli, series, range.until_ms - range.since_ms);
	json_array_foreach(steps, i, step)
	{
		motor_s += field_or(step, "motor_s", 0);
	}
	notice_say(cli, "%s, %s to %s: the motor %s%s", id, writer_local_time(range.since_ms, since),
	           writer_local_time(range.until_ms, until), motor_s > 0 ? "ran " : "didn't run",
	           motor_s > 0 ? gf_duration_format((int64_t)(motor_s * 1000), motor) : "");
	json_t *lines = lines_of(cli, steps, &range);
	enum cli_exit code = cli_rows(cli, lines, line_columns, COUNT(line_columns), "no sensor told anything");
	json_decref(lines);
	return code;
}

enum cli_exit cmd_device_trend(struct cli *cli, char **args, size_t count)
{
	char path[128];
	json_t *series = NULL;
	enum cli_exit code = cli_device_path(cli, args[0], "/series", path, sizeof(path));

	(void)count;
	if (code == CLI_OK)
		code = cli_request(
		    cli,
		    &(struct cli_request){
		        .path = path, .params = {{"since", cli->values[CLI_OPT_SINCE]}, {"until", cli->values[CLI_OPT_UNTIL]}}},
		    &series);
	if (code == CLI_OK && cli->format == WRITER_TABLE)
		code = print(cli, args[0], series);
	else if (code == CLI_OK)
		code = cli_rows(cli, json_object_get(series, "items"), step_columns, COUNT(step_columns), NULL);
	json_decref(series);
	return code;
}
