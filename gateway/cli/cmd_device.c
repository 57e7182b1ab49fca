/* `device show` and `device set`: one machine. */
#include <stdlib.h>
#include <string.h>

#include "gateway/cli/cli.h"
#include "gateway/cli/text.h"
#include "proto/base/text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column columns[] = {
    {"id", "device", COLUMN_TEXT, 0, false},
    {"name", "name", COLUMN_TEXT, 0, false},
    {"class", "class", COLUMN_TEXT, 0, false},
    {"model", "model", COLUMN_TEXT, 0, false},
    {"serial", "serial", COLUMN_TEXT, 0, false},
    {"site", "site", COLUMN_TEXT, 0, false},
    {"zone", "zone", COLUMN_TEXT, 0, false},
    {"bay", "bay", COLUMN_TEXT, 0, false},
    {"presence", "presence", COLUMN_TEXT, 0, false},
    {"offline_reason", "offline reason", COLUMN_TEXT, 0, false},
    {"last_seen", "last seen", COLUMN_AGO, 0, false},
    {"online_since", "online since", COLUMN_TIME, 0, false},
    {"first_seen", "first seen", COLUMN_TIME, 0, false},
    {"health", "health", COLUMN_TEXT, 0, false},
    {"in_session", "in use", COLUMN_TEXT, 0, false},
    {"resting", "resting", COLUMN_TEXT, 0, false},
    {"rest_until", "rests until", COLUMN_TIME, 0, false},
    {"duty_s", "duty", COLUMN_TEXT, 0, false},
    {"out_of_service", "out of service", COLUMN_TEXT, 0, false},
    {"sessions", "sessions", COLUMN_WHOLE, 0, false},
    {"sessions_today", "sessions today", COLUMN_WHOLE, 0, false},
    {"motor_hours", "motor hours", COLUMN_ONE, 0, false},
    {"rated_motor_h", "rated hours", COLUMN_WHOLE, 0, false},
    {"catalog", "catalog", COLUMN_TEXT, 0, false},
    {"catalog_version", "catalog version", COLUMN_WHOLE, 0, false},
    {"catalog_digest", "catalog digest", COLUMN_TEXT, 0, false},
    {"on_trial", "on trial", COLUMN_TEXT, 0, false},
    {"desired_catalog", "desired", COLUMN_TEXT, 0, false},
    {"desired_version", "desired version", COLUMN_WHOLE, 0, false},
    {"update", "update", COLUMN_TEXT, 0, false},
    {"update_code", "update code", COLUMN_TEXT, 0, false},
    {"desired.answer", "it says", COLUMN_TEXT, 0, false},
    {"locked", "locked", COLUMN_TEXT, 0, false},
    {"lock_reason", "lock reason", COLUMN_TEXT, 0, false},
    {"desired.limits.intensity_max_pct", "limits", COLUMN_TEXT, 0, false},
    {"tag.reason", "tag", COLUMN_TEXT, 0, false},
    {"tag.since", "tagged", COLUMN_TIME, 0, false},
    {"tag.owner", "sees to it", COLUMN_TEXT, 0, false},
    {"tag.back", "expected back", COLUMN_TIME, 0, false},
    {"tag.by", "", COLUMN_RAW_ONLY, 0, false},
    {"tag.case", "", COLUMN_RAW_ONLY, 0, false},
    {"wear_pct", "worst part %", COLUMN_WHOLE, 0, false},
    {"agent_version", "agent", COLUMN_TEXT, 0, false},
    {"driver", "driver", COLUMN_TEXT, 0, false},
    {"bus.timeouts", "bus", COLUMN_TEXT, 0, false},
    {"tick.p99_us", "tick lateness", COLUMN_TEXT, 0, false},
    {"clock_synced", "clock synced", COLUMN_TEXT, 0, false},
    {"spool_records", "spool records", COLUMN_WHOLE, 0, false},
    {"acked_seq", "acked seq", COLUMN_WHOLE, 0, false},
    {"open_faults", "open faults", COLUMN_WHOLE, 0, false},
    {"cert_not_after", "certificate ends", COLUMN_TIME, 0, false},
    {"desired.limits.frequency_max_hz", "", COLUMN_RAW_ONLY, 0, false},
    {"desired.limits.pressure_max_mmhg", "", COLUMN_RAW_ONLY, 0, false},
    {"desired.limits.heat_max_c", "", COLUMN_RAW_ONLY, 0, false},
    {"desired.limits.session_max_s", "", COLUMN_RAW_ONLY, 0, false},
    {"desired.revision", "", COLUMN_RAW_ONLY, 0, false},
    {"duty_max_s", "", COLUMN_RAW_ONLY, 0, false},
    {"bus.crc_errors", "", COLUMN_RAW_ONLY, 0, false},
    {"bus.exceptions", "", COLUMN_RAW_ONLY, 0, false},
    {"bus.reconnects", "", COLUMN_RAW_ONLY, 0, false},
    {"tick.worst_us", "", COLUMN_RAW_ONLY, 0, false},
    {"tick.overruns", "", COLUMN_RAW_ONLY, 0, false},
    {"motor_temp_c", "", COLUMN_RAW_ONLY, 0, false},
    {"surface_temp_c", "", COLUMN_RAW_ONLY, 0, false},
    {"current_ma", "", COLUMN_RAW_ONLY, 0, false},
    {"supply_mv", "", COLUMN_RAW_ONLY, 0, false},
    {"reasons", "", COLUMN_RAW_ONLY, 0, false},
    {"stream", "", COLUMN_RAW_ONLY, 0, false},
    {"boot", "", COLUMN_RAW_ONLY, 0, false},
    {"connection", "", COLUMN_RAW_ONLY, 0, false},
};

static const struct column sensor_columns[] = {
    {"sensor", "SENSOR", COLUMN_TEXT, 0, false}, {"last", "LAST", COLUMN_ONE, 0, true},
    {"min", "MIN", COLUMN_ONE, 0, true},         {"mean", "MEAN", COLUMN_ONE, 0, true},
    {"max", "MAX", COLUMN_ONE, 0, true},
};

/* {name: {min, ...}} as rows with a "sensor" each. */
static json_t *sensor_rows(const json_t *sensors)
{
	json_t *rows = json_array(), *value;
	const char *name;

	json_object_foreach((json_t *)sensors, name, value)
	{
		json_t *row = json_copy(value);
		(void)json_object_set_new(row, "sensor", json_string(name));
		(void)json_array_append_new(rows, row);
	}
	return rows;
}

static double number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

/* "intensity_max_pct 40, session_max_s 600": by the names that `device set` knows. */
static void spell_limits(json_t *limits)
{
	char text[256] = "";
	size_t len = 0;
	const char *name;
	json_t *value;

	json_object_foreach(limits, name, value)
	{
		if (json_is_number(value) && len < sizeof(text))
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %g", len > 0 ? ", " : "", name,
			                        json_number_value(value));
	}
	if (len > 0)
		(void)json_object_set_new(limits, "intensity_max_pct", json_string(text));
}

/* Numbers that say something only together stand in one line of the table: the first of them is replaced by the line. */
static void spell(json_t *device)
{
	json_t *tick = json_object_get(device, "tick"), *bus = json_object_get(device, "bus");

	spell_limits(json_object_get(json_object_get(device, "desired"), "limits"));
	if (json_is_number(json_object_get(device, "duty_max_s")))
		(void)json_object_set_new(
		    device, "duty_s",
		    json_sprintf("%.0f of %.0f min", number(device, "duty_s") / 60, number(device, "duty_max_s") / 60));
	if (json_is_object(tick))
		(void)json_object_set_new(tick, "p99_us",
		                          json_sprintf("%.0f µs p99, %.0f µs worst, %.0f overruns", number(tick, "p99_us"),
		                                       number(tick, "worst_us"), number(tick, "overruns")));
	if (json_is_object(bus) &&
	    number(bus, "timeouts") + number(bus, "crc_errors") + number(bus, "exceptions") + number(bus, "reconnects") ==
	        0)
		(void)json_object_set_new(bus, "timeouts", json_string("no errors"));
	else if (json_is_object(bus))
		(void)json_object_set_new(bus, "timeouts",
		                          json_sprintf("%.0f timeouts, %.0f damaged answers, %.0f refusals, %.0f reconnects",
		                                       number(bus, "timeouts"), number(bus, "crc_errors"),
		                                       number(bus, "exceptions"), number(bus, "reconnects")));
}

static enum cli_exit show(struct cli *cli, json_t *device)
{
	const json_t *reasons = json_object_get(device, "reasons_list");
	enum cli_exit code;

	if (cli->format == WRITER_TABLE)
		spell(device);
	code = cli_object(cli, device, columns, COUNT(columns));
	if (code != CLI_OK || cli->format != WRITER_TABLE)
		return code;
	json_t *sensors = sensor_rows(json_object_get(device, "sensors"));
	if (json_array_size(sensors) > 0) {
		(void)fputc('\n', cli->out);
		code = cli_rows(cli, sensors, sensor_columns, COUNT(sensor_columns), NULL);
	}
	json_decref(sensors);
	if (code == CLI_OK && json_array_size(reasons) > 0) {
		(void)fputc('\n', cli->out);
		cli_findings(cli, reasons, "severity", NULL);
	}
	return code;
}

static enum cli_exit ask(struct cli *cli, const char *id, const char *suffix, const char *method, json_t *change)
{
	char path[128];
	json_t *device = NULL;
	enum cli_exit code = cli_device_path(cli, id, suffix, path, sizeof(path));

	if (code == CLI_OK)
		code = cli_request(cli,
		                   &(struct cli_request){.method = method,
		                                         .path = path,
		                                         .params = {{"utc_offset_min", cli->utc_offset_min},
		                                                    {"since", cli->values[CLI_OPT_SINCE]}},
		                                         .body = change},
		                   &device);
	if (code == CLI_OK)
		code = show(cli, device);
	json_decref(device);
	return code;
}

enum cli_exit cmd_device_show(struct cli *cli, char **args, size_t count)
{
	(void)count;
	return ask(cli, args[0], "", "GET", NULL);
}

/* ---- set ---- */

/* What a pair is of: its place, or a limit, which the gateway changes on its own. */
#define LIMIT "limit."
static const char *const keys[] = {"name",
                                   "site",
                                   "zone",
                                   "bay",
                                   LIMIT "intensity_max_pct",
                                   LIMIT "frequency_max_hz",
                                   LIMIT "pressure_max_mmhg",
                                   LIMIT "heat_max_c",
                                   LIMIT "session_max_s"};

static bool is_limit(const char *key)
{
	return strncmp(key, LIMIT, strlen(LIMIT)) == 0;
}

static enum cli_exit find_key(struct cli *cli, const char *pair, size_t len, const char **ret_key)
{
	char key[32];

	(void)snprintf(key, sizeof(key), "%.*s", (int)len, pair);
	for (size_t i = 0; i < COUNT(keys); i++)
		if (strcmp(keys[i], key) == 0) {
			*ret_key = keys[i];
			return CLI_OK;
		}
	const char *near = gf_nearest(key, keys, COUNT(keys));
	return near != NULL
	           ? cli_fail_usage(cli, "unknown key '%s'; did you mean '%s'?", key, near)
	           : cli_fail_usage(
	                 cli, "unknown key '%s'; it may be name, site, zone or bay, or a limit (gymfleet help device set)",
	                 key);
}

/* NULL when it can't be. */
static json_t *limit_value(const char *text)
{
	char *end;
	double number = strtod(text, &end);

	return *text != '\0' && strspn(text, "0123456789.") == strlen(text) && *end == '\0' ? json_real(number) : NULL;
}

/* KEY=VALUE into the change; an empty value is null. */
static enum cli_exit take_pair(struct cli *cli, json_t *change, const char *pair)
{
	const char *equals = strchr(pair, '='), *key = NULL, *value = equals != NULL ? equals + 1 : NULL;
	json_t *taken;

	if (equals == NULL)
		return cli_fail_usage(cli, "'%s' has no '='; write KEY=VALUE, such as site=berlin", pair);
	enum cli_exit code = find_key(cli, pair, (size_t)(equals - pair), &key);
	if (code != CLI_OK)
		return code;
	if (!gf_utf8_valid(value, strlen(value)))
		return cli_fail_usage(cli, "the value of %s is not UTF-8", key);
	if (*value == '\0')
		taken = json_null();
	else if (!is_limit(key))
		taken = json_string(value);
	else if ((taken = limit_value(value)) == NULL)
		return cli_fail_usage(cli, "%s is '%s'; expected a number such as 40, or nothing for no limit", key, value);
	key += is_limit(key) ? strlen(LIMIT) : 0;
	if (json_object_get(change, key) != NULL) {
		json_decref(taken);
		return cli_fail_usage(cli, "%s is given twice", key);
	}
	return json_object_set_new(change, key, taken) == 0 ? CLI_OK : cli_fail(cli, CLI_REFUSED, "out of memory");
}

enum cli_exit cmd_device_set(struct cli *cli, char **args, size_t count)
{
	json_t *change = json_object();
	bool limits = is_limit(args[1]);
	enum cli_exit code = CLI_OK;

	for (size_t i = 1; i < count && code == CLI_OK; i++)
		code = is_limit(args[i]) == limits
		           ? take_pair(cli, change, args[i])
		           : cli_fail_usage(cli, "limits are set apart from the name and the place: two commands");
	if (code == CLI_OK)
		code = ask(cli, args[0], limits ? "/limits" : "", limits ? "POST" : "PATCH", change);
	json_decref(change);
	return code;
}
