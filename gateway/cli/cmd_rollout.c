/* `rollout list`, `rollout show` and the orders: pause, resume, halt, rollback. */
#include <stdlib.h>
#include <string.h>

#include "gateway/cli/rollout_text.h"
#include "gateway/cli/text.h"
#include "proto/base/clock.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { PREVIOUS_MAX = 8, PREVIOUS_NAME = 80, BACK_PAGES_MAX = 100 };

static const struct column list_columns[] = {
    {"id", "ROLLOUT", COLUMN_WHOLE, 0, true},
    {"catalog", "CATALOG", COLUMN_TEXT, 24, false},
    {"version", "VERSION", COLUMN_WHOLE, 0, true},
    {"state", "STATE", COLUMN_STATE, 0, false},
    {"phase", "PHASE", COLUMN_TEXT, 0, false},
    {"wave", "WAVE", COLUMN_WHOLE, 0, true},
    {"waves_count", "OF", COLUMN_WHOLE, 0, true},
    {"machines", "MACHINES", COLUMN_WHOLE, 0, true},
    {"counts.confirmed", "CONFIRMED", COLUMN_WHOLE, 0, true},
    {"counts.failed", "FAILED", COLUMN_WHOLE, 0, true},
    {"created", "BEGAN", COLUMN_TIME, 0, false},
    {"created_by", "BY", COLUMN_TEXT, 24, false},
    {"reason", "WHY", COLUMN_PROSE, 0, false},
    {"ended", "", COLUMN_RAW_ONLY, 0, false},
    {"in_use", "", COLUMN_RAW_ONLY, 0, false},
    {"state_since", "", COLUMN_RAW_ONLY, 0, false},
    {"until", "", COLUMN_RAW_ONLY, 0, false},
    {"counts.waiting", "", COLUMN_RAW_ONLY, 0, false},
    {"counts.absent", "", COLUMN_RAW_ONLY, 0, false},
    {"counts.offered", "", COLUMN_RAW_ONLY, 0, false},
    {"counts.installed", "", COLUMN_RAW_ONLY, 0, false},
    {"counts.expired", "", COLUMN_RAW_ONLY, 0, false},
    {"counts.missed", "", COLUMN_RAW_ONLY, 0, false},
    {"counts.withdrawn", "", COLUMN_RAW_ONLY, 0, false},
    {"counts.left", "", COLUMN_RAW_ONLY, 0, false},
    {"counts.reverting", "", COLUMN_RAW_ONLY, 0, false},
    {"counts.reverted", "", COLUMN_RAW_ONLY, 0, false},
    {"counts.stuck", "", COLUMN_RAW_ONLY, 0, false},
};

enum cli_exit cmd_rollout_list(struct cli *cli, char **args, size_t count)
{
	(void)args;
	(void)count;
	return cli_list(cli,
	                &(struct cli_list){
	                    .request = {.path = "/v1/rollouts", .params = {{"where", cli->values[CLI_OPT_WHERE]}}},
	                    .columns = list_columns,
	                    .columns_count = COUNT(list_columns),
	                    .none = cli->values[CLI_OPT_WHERE] != NULL ? "no such rollout"
	                                                               : "no rollout; see 'gymfleet help rollout start'",
	                });
}

/* ---- show ---- */

static const struct column wave_columns[] = {
    {"wave", "WAVE", COLUMN_WHOLE, 0, true},
    {"size", "SIZE", COLUMN_TEXT, 0, true},
    {"machines", "MACHINES", COLUMN_WHOLE, 0, true},
    {"counts.confirmed", "CONFIRMED", COLUMN_WHOLE, 0, true},
    {"counts.installed", "ON TRIAL", COLUMN_WHOLE, 0, true},
    {"counts.offered", "TOLD", COLUMN_WHOLE, 0, true},
    {"in_use", "IN USE", COLUMN_WHOLE, 0, true},
    {"counts.waiting", "WAITING", COLUMN_WHOLE, 0, true},
    {"counts.absent", "OFFLINE", COLUMN_WHOLE, 0, true},
    {"counts.failed", "FAILED", COLUMN_WHOLE, 0, true},
    {"counts.expired", "NO ANSWER", COLUMN_WHOLE, 0, true},
    {"counts.missed", "MISSED", COLUMN_WHOLE, 0, true},
    {"counts.withdrawn", "WITHDRAWN", COLUMN_WHOLE, 0, true},
    {"counts.left", "LEFT OUT", COLUMN_WHOLE, 0, true},
    {"counts.reverting", "GOING BACK", COLUMN_WHOLE, 0, true},
    {"counts.reverted", "BACK", COLUMN_WHOLE, 0, true},
    {"counts.stuck", "STUCK", COLUMN_WHOLE, 0, true},
    {"began", "BEGAN", COLUMN_TIME, 0, false},
    {"done", "DONE", COLUMN_TIME, 0, false},
};

static const struct column outcome_columns[] = {
    {"group", "GROUP", COLUMN_TEXT, 0, false},
    {"machines", "MACHINES", COLUMN_WHOLE, 0, true},
    {"motor_hours", "MOTOR H", COLUMN_ONE, 0, true},
    {"faults", "FAULTS", COLUMN_WHOLE, 0, true},
    {"faults_per_100h", "PER 100 H", COLUMN_ONE, 0, true},
    {"sessions", "SESSIONS", COLUMN_WHOLE, 0, true},
    {"user_stops", "STOPPED", COLUMN_WHOLE, 0, true},
    {"user_stops_per_100", "PER 100", COLUMN_ONE, 0, true},
};

static const struct column device_columns[] = {
    {"device", "DEVICE", COLUMN_TEXT, 40, false},   {"wave", "WAVE", COLUMN_WHOLE, 0, true},
    {"step", "STEP", COLUMN_STATE, 0, false},       {"code", "CODE", COLUMN_TEXT, 0, false},
    {"since", "SINCE", COLUMN_TIME, 0, false},      {"deadline", "UNTIL", COLUMN_TIME, 0, false},
    {"previous", "BEFORE", COLUMN_TEXT, 24, false}, {"previous_version", "VERSION", COLUMN_WHOLE, 0, true},
    {"detail", "DETAIL", COLUMN_PROSE, 0, false},   {"class", "", COLUMN_RAW_ONLY, 0, false},
    {"told", "", COLUMN_RAW_ONLY, 0, false},        {"installed", "", COLUMN_RAW_ONLY, 0, false},
};

/* Where no machine is, and none is to be expected, a column would only hide the others. */
static bool is_empty(const json_t *waves, const char *key)
{
	const json_t *wave;
	size_t i;

	if (strncmp(key, "counts.", 7) != 0 || strcmp(key, "counts.confirmed") == 0 || strcmp(key, "counts.failed") == 0)
		return strcmp(key, "in_use") == 0 && is_empty(waves, "counts.offered");
	json_array_foreach(waves, i, wave)
	{
		if (rollout_count(wave, key + 7) > 0)
			return false;
	}
	return true;
}

static enum cli_exit say_waves(struct cli *cli, const json_t *rollout)
{
	struct column columns[COUNT(wave_columns)];
	const json_t *waves = json_object_get(rollout, "waves");
	size_t count = 0;

	for (size_t i = 0; i < COUNT(wave_columns); i++)
		if (!is_empty(waves, wave_columns[i].key))
			columns[count++] = wave_columns[i];
	(void)fputc('\n', cli->out);
	return cli_rows(cli, waves, columns, count, NULL);
}

static void heading(const struct cli *cli, const char *title)
{
	(void)fprintf(cli->out, "%s%-8s%s ", cli->colour ? TEXT_BOLD : "", title, cli->colour ? TEXT_RESET : "");
}

/* A text of the gateway's, made harmless. */
static void say(const struct cli *cli, const char *text)
{
	char *copy = strdup(text);

	if (copy != NULL)
		text_clean(copy);
	(void)fputs(copy != NULL ? copy : "", cli->out);
	free(copy);
}

static void say_spec(const struct cli *cli, const json_t *rollout)
{
	const json_t *spec = json_object_get(rollout, "spec"), *gate;
	char soak[GF_DURATION_MAX], deadline[GF_DURATION_MAX], began[WRITER_TIME_MAX];
	size_t i;

	heading(cli, "For");
	say(cli, *rollout_word(spec, "where") != '\0' ? rollout_word(spec, "where") : "all machines of its classes");
	(void)fputc('\n', cli->out);
	heading(cli, "Rules");
	(void)fprintf(cli->out, "waves %s · watched %s · at most %g %% failures · %s to answer",
	              rollout_word(spec, "waves"), gf_duration_format(rollout_number(spec, "soak_s") * 1000, soak),
	              json_number_value(json_object_get(spec, "max_failures_pct")),
	              gf_duration_format(rollout_number(spec, "deadline_s") * 1000, deadline));
	if (*rollout_word(spec, "window") != '\0')
		(void)fprintf(cli->out, " · only %s", rollout_word(spec, "window"));
	json_array_foreach(json_object_get(spec, "gates"), i, gate)
	{
		(void)fprintf(cli->out, " · %s", json_string_value(gate));
	}
	(void)fputc('\n', cli->out);
	heading(cli, "By");
	say(cli, rollout_word(rollout, "created_by"));
	(void)fprintf(cli->out, ", %s\n", writer_local_time(rollout_time(rollout, "created"), began));
}

static void say_head(const struct cli *cli, const json_t *rollout)
{
	char line[ROLLOUT_LINE_MAX];
	const char *state = rollout_word(rollout, "state"), *colour = cli->colour ? text_colour(state) : "";

	rollout_state(cli, rollout, line);
	(void)fprintf(cli->out, "%s%s@%lld%s  rollout %lld  %s%s%s\n", cli->colour ? TEXT_BOLD : "",
	              rollout_word(rollout, "catalog"), rollout_number(rollout, "version"), cli->colour ? TEXT_RESET : "",
	              rollout_number(rollout, "id"), colour, line, *colour != '\0' ? TEXT_RESET : "");
	if (*rollout_word(rollout, "reason") != '\0') {
		heading(cli, "Why");
		say(cli, rollout_word(rollout, "reason"));
		(void)fputc('\n', cli->out);
	}
	rollout_counts(rollout, line);
	heading(cli, "Machines");
	(void)fprintf(cli->out, "%lld: %s\n", rollout_number(rollout, "machines"), line);
	rollout_advice(rollout, line);
	heading(cli, "Now");
	(void)fprintf(cli->out, "%s\n", line);
}

static enum cli_exit say_outcomes(struct cli *cli, const json_t *rollout)
{
	const json_t *outcomes = json_object_get(rollout, "outcomes");
	json_t *rows = json_array();
	static const char *const groups[][2] = {{"updated", "with it"}, {"others", "still without"}};

	for (size_t i = 0; i < COUNT(groups); i++) {
		json_t *row = json_copy(json_object_get(outcomes, groups[i][0]));
		(void)json_object_set_new(row, "group", json_string(groups[i][1]));
		(void)json_array_append_new(rows, row);
	}
	(void)fputc('\n', cli->out);
	enum cli_exit code = cli_rows(cli, rows, outcome_columns, COUNT(outcome_columns), NULL);
	json_decref(rows);
	return code;
}

/* ---- its machines ---- */

static struct cli_request device_request(const char *path, const char *steps)
{
	return (struct cli_request){.path = path, .params = {{"step", steps}}};
}

/* The machines of some steps as rows of every format. */
static enum cli_exit list_devices(struct cli *cli, const char *path, const char *steps)
{
	return cli_list(cli, &(struct cli_list){.request = device_request(path, steps),
	                                        .columns = device_columns,
	                                        .columns_count = COUNT(device_columns),
	                                        .none = "no machine is there"});
}

/* What machines would go back to: "percussion@7", and how many of them. */
struct back {
	struct {
		char name[PREVIOUS_NAME];
		size_t machines;
	} to[PREVIOUS_MAX];
	size_t count, others, total;
};

static void count_back(struct back *back, const json_t *device)
{
	const char *previous = rollout_word(device, "previous");
	char name[PREVIOUS_NAME];
	size_t i = 0;

	if (*previous == '\0')
		(void)snprintf(name, sizeof(name), "what it had");
	else
		(void)snprintf(name, sizeof(name), "%.40s@%lld", previous, rollout_number(device, "previous_version"));
	back->total++;
	while (i < back->count && strcmp(back->to[i].name, name) != 0)
		i++;
	if (i == PREVIOUS_MAX) {
		back->others++;
		return;
	}
	if (i == back->count) {
		memcpy(back->to[i].name, name, sizeof(name));
		back->count++;
	}
	back->to[i].machines++;
}

static enum cli_exit read_back(struct cli *cli, const char *path, struct back *back)
{
	char cursor[128] = "";
	enum cli_exit code = CLI_OK;

	for (int page = 0; page < BACK_PAGES_MAX && code == CLI_OK; page++) {
		struct cli_request request = device_request(path, "offered,installed,confirmed");
		json_t *body = NULL, *device;
		size_t i;
		request.params[1] = (struct client_param){"after", *cursor != '\0' ? cursor : NULL};
		code = cli_request(cli, &request, &body);
		if (code != CLI_OK)
			return code;
		json_array_foreach(json_object_get(body, "items"), i, device)
		{
			count_back(back, device);
		}
		(void)snprintf(cursor, sizeof(cursor), "%s", rollout_word(body, "next"));
		json_decref(body);
		if (*cursor == '\0')
			break;
	}
	return code;
}

static enum cli_exit say_back(struct cli *cli, const json_t *rollout, const char *path)
{
	struct back back = {.count = 0};
	const char *state = rollout_word(rollout, "state");

	if (strcmp(state, "rolling_back") == 0 || strcmp(state, "rolled_back") == 0)
		return CLI_OK;
	enum cli_exit code = read_back(cli, path, &back);
	if (code != CLI_OK || back.total == 0)
		return code;
	(void)fputc('\n', cli->out);
	heading(cli, "Rollback");
	if (!rollout_goes_back(rollout)) {
		(void)fputs("not possible: the catalog lets no machine go back (--rollback-to of gymfleet catalog build)\n",
		            cli->out);
		return CLI_OK;
	}
	(void)fprintf(cli->out, "%zu machine%s would go back to ", back.total, back.total == 1 ? "" : "s");
	for (size_t i = 0; i < back.count; i++) {
		(void)fputs(i > 0 ? ", " : "", cli->out);
		say(cli, back.to[i].name);
		(void)fprintf(cli->out, " (%zu)", back.to[i].machines);
	}
	if (back.others > 0)
		(void)fprintf(cli->out, " and others (%zu)", back.others);
	(void)fputc('\n', cli->out);
	return CLI_OK;
}

static enum cli_exit say_failed(struct cli *cli, const json_t *rollout, const char *path)
{
	if (rollout_count(rollout, "failed") + rollout_count(rollout, "expired") + rollout_count(rollout, "stuck") == 0)
		return CLI_OK;
	(void)fprintf(cli->out, "\n%sFailed%s\n", cli->colour ? TEXT_BOLD : "", cli->colour ? TEXT_RESET : "");
	return list_devices(cli, path, "failed,expired,stuck");
}

static enum cli_exit show(struct cli *cli, const json_t *rollout)
{
	char path[160];
	enum cli_exit code;

	if (cli->format != WRITER_TABLE)
		return cli_object(cli, rollout, list_columns, COUNT(list_columns));
	(void)snprintf(path, sizeof(path), "/v1/rollouts/%lld/devices", rollout_number(rollout, "id"));
	say_head(cli, rollout);
	say_spec(cli, rollout);
	code = say_waves(cli, rollout);
	if (code == CLI_OK)
		code = say_outcomes(cli, rollout);
	if (code == CLI_OK)
		code = say_failed(cli, rollout, path);
	return code == CLI_OK ? say_back(cli, rollout, path) : code;
}

enum cli_exit cmd_rollout_show(struct cli *cli, char **args, size_t count)
{
	const char *steps = cli->values[CLI_OPT_STEP];
	char path[160];
	json_t *rollout = NULL;
	enum cli_exit code = rollout_path(cli, args[0], steps != NULL ? "/devices" : "", path, sizeof(path));

	(void)count;
	if (code != CLI_OK)
		return code;
	if (steps != NULL)
		return list_devices(cli, path, steps);
	code = cli_request(cli, &(struct cli_request){.path = path}, &rollout);
	if (code == CLI_OK)
		code = show(cli, rollout);
	json_decref(rollout);
	return code;
}

/* ---- orders ---- */

static enum cli_exit order(struct cli *cli, const char *which, const char *suffix)
{
	char path[160], line[ROLLOUT_LINE_MAX];
	json_t *rollout = NULL;
	enum cli_exit code = rollout_path(cli, which, suffix, path, sizeof(path));

	if (code == CLI_OK)
		code = cli_request(cli, &(struct cli_request){.method = "POST", .path = path}, &rollout);
	if (code == CLI_OK && cli->format != WRITER_TABLE)
		code = cli_object(cli, rollout, list_columns, COUNT(list_columns));
	else if (code == CLI_OK) {
		rollout_state(cli, rollout, line);
		(void)fprintf(cli->out, "rollout %lld of %s@%lld is %s\n", rollout_number(rollout, "id"),
		              rollout_word(rollout, "catalog"), rollout_number(rollout, "version"), line);
		rollout_advice(rollout, line);
		(void)fprintf(cli->out, "Now: %s\n", line);
	}
	json_decref(rollout);
	return code;
}

enum cli_exit cmd_rollout_pause(struct cli *cli, char **args, size_t count)
{
	(void)count;
	return order(cli, args[0], "/pause");
}

enum cli_exit cmd_rollout_resume(struct cli *cli, char **args, size_t count)
{
	(void)count;
	return order(cli, args[0], "/resume");
}

enum cli_exit cmd_rollout_halt(struct cli *cli, char **args, size_t count)
{
	(void)count;
	return order(cli, args[0], "/halt");
}

enum cli_exit cmd_rollout_rollback(struct cli *cli, char **args, size_t count)
{
	(void)count;
	return order(cli, args[0], "/rollback");
}
