/* `wear`: how much of its life each part has behind it, and when it is due. */
#include <string.h>

#include "gateway/cli/notice.h"
#include "proto/base/clock.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column columns[] = {
    {"device", "DEVICE", COLUMN_TEXT, 40, false},   {"part", "PART", COLUMN_TEXT, 0, false},
    {"used_pct", "USED", COLUMN_BAR, 0, false},     {"motor_h", "MOTOR H", COLUMN_ONE, 0, true},
    {"life_motor_h", "OF", COLUMN_WHOLE, 0, true},  {"sessions", "SESSIONS", COLUMN_WHOLE, 0, true},
    {"life_sessions", "OF", COLUMN_WHOLE, 0, true}, {"due", "DUE", COLUMN_AGO, 0, false},
    {"since", "RENEWED", COLUMN_TIME, 0, false},    {"class", "", COLUMN_RAW_ONLY, 0, false},
    {"model", "", COLUMN_RAW_ONLY, 0, false},       {"site", "", COLUMN_RAW_ONLY, 0, false},
};

/* "head: 412.5 of 500 motor hours, 3102 of 4000 sessions": as far as it is counted by them. */
static void print_part(const struct cli *cli, const json_t *part)
{
	char hours[64] = "", sessions[64] = "", due[FIELD_MAX], since[FIELD_MAX];
	double life, used = field_or(part, "used_pct", 0);
	bool spent = used >= 100;

	if (field_number(part, "life_motor_h", &life) && life > 0)
		(void)snprintf(hours, sizeof(hours), ", %.1f of %.0f motor hours", field_or(part, "motor_h", 0), life);
	if (field_number(part, "life_sessions", &life) && life > 0)
		(void)snprintf(sessions, sizeof(sessions), ", %.0f of %.0f sessions", field_or(part, "sessions", 0), life);
	notice_head(cli,
	            spent        ? "due"
	            : used >= 80 ? "attention"
	                         : "ok",
	            "%s: %.0f %% used%s%s", field_text(part, "part"), used, hours, sessions);
	if (*field_when(cli, part, "since", since) != '\0')
		notice_line(cli, "begun anew %s", since);
	if (spent)
		return;
	if (*field_when(cli, part, "due", due) != '\0')
		notice_line(cli, "at the pace of late it is due %s", due);
	else
		notice_line(cli, "at the pace of late not due within ten years");
}

static void print_advice(const struct cli *cli, const char *id, const json_t *parts)
{
	const json_t *part;
	size_t i;

	json_array_foreach(parts, i, part)
	{
		if (field_or(part, "used_pct", 0) >= 80)
			notice_do(cli, "once the %s is %s: gymfleet device service %s %s --note TEXT", field_text(part, "part"),
			          strcmp(field_text(part, "part"), "service") == 0 ? "done" : "renewed", id,
			          field_text(part, "part"));
	}
}

void wear_print_services(const struct cli *cli, const json_t *wear)
{
	const json_t *services = json_object_get(wear, "services"), *service;
	size_t i;
	char at[FIELD_MAX];

	if (json_array_size(services) > 0)
		notice_heading(cli, "Done so far");
	json_array_foreach(services, i, service)
	{
		const char *note = field_text(service, "note");
		notice_head(cli, field_text(service, "part"), "%s by %s%s%s", field_when(cli, service, "at", at),
		            *field_text(service, "by") != '\0' ? field_text(service, "by") : "somebody",
		            *note != '\0' ? ": " : "", note);
	}
}

void wear_print(const struct cli *cli, const char *id, const json_t *wear)
{
	const json_t *parts = json_object_get(wear, "parts"), *pace = json_object_get(wear, "pace"), *part;
	double hours;
	size_t i;

	if (json_array_size(parts) == 0)
		notice_line(cli, "no life is known of any of its parts (service: in rules.yaml, the machine's rated hours)");
	json_array_foreach(parts, i, part)
	{
		print_part(cli, part);
	}
	print_advice(cli, id, parts);
	if (field_number(pace, "motor_h_per_day", &hours))
		notice_line(cli, "pace of late: %.1f motor hours and %.1f sessions a day", hours,
		            field_or(pace, "sessions_per_day", 0));
	if (field_number(wear, "warranty_left_h", &hours) && field_or(wear, "warranty_h", 0) > 0)
		notice_line(cli,
		            hours > 0 ? "warranty: %.0f of %.0f motor hours are left"
		                      : "warranty: over (%.0f of %.0f motor hours are left)",
		            hours > 0 ? hours : 0, field_or(wear, "warranty_h", 0));
}

static enum cli_exit one(struct cli *cli, const char *id)
{
	char path[128];
	json_t *wear = NULL;
	enum cli_exit code = cli_device_path(cli, id, "/wear", path, sizeof(path));

	if (code == CLI_OK && (cli->values[CLI_OPT_WHERE] != NULL || cli->values[CLI_OPT_LIMIT] != NULL))
		return cli_fail_usage(cli, "--where and --limit choose among all machines; leave out either them or the id");
	if (code == CLI_OK)
		code = cli_request(cli, &(struct cli_request){.path = path}, &wear);
	if (code == CLI_OK && cli->format == WRITER_TABLE) {
		(void)fprintf(cli->out, "%s\n", id);
		wear_print(cli, id, wear);
		wear_print_services(cli, wear);
	} else if (code == CLI_OK && cli->format == WRITER_JSON) {
		code = cli_object(cli, wear, NULL, 0);
	} else if (code == CLI_OK) {
		code = cli_rows(cli, json_object_get(wear, "parts"), columns, COUNT(columns), NULL);
	}
	json_decref(wear);
	return code;
}

enum cli_exit cmd_wear(struct cli *cli, char **args, size_t count)
{
	if (count == 1)
		return one(cli, args[0]);
	return cli_list(
	    cli, &(struct cli_list){.request = {.path = "/v1/wear", .params = {{"where", cli->values[CLI_OPT_WHERE]}}},
	                            .columns = columns,
	                            .columns_count = COUNT(columns),
	                            .none = "no life is known of any part (service: in rules.yaml)"});
}
