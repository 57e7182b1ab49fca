/* `health`: what needs attention; of one machine also its flags and its wear. */
#include <stdint.h>
#include <string.h>

#include "gateway/cli/notice.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column columns[] = {
    {"id", "DEVICE", COLUMN_TEXT, 40, false},    {"health", "HEALTH", COLUMN_STATE, 0, false},
    {"code", "CODE", COLUMN_TEXT, 0, false},     {"text", "REASON", COLUMN_TEXT, 0, false},
    {"action", "DO", COLUMN_TEXT, 0, false},     {"since", "SINCE", COLUMN_TIME, 0, false},
    {"severity", "", COLUMN_RAW_ONLY, 0, false},
};

static int add_row(json_t *rows, const json_t *item, json_t *row)
{
	json_t *id = json_object_get(item, "id"), *health = json_object_get(item, "health");

	if (json_object_set(row, "id", id) != 0 || json_object_set(row, "health", health) != 0 ||
	    (json_object_get(row, "severity") == NULL && json_object_set(row, "severity", health) != 0)) {
		json_decref(row);
		return -1;
	}
	return json_array_append_new(rows, row);
}

/* One row for each reason; a machine without one has a row of its own. That one vanished with its site is told of the site. */
static int flatten(const json_t *item, const json_t *missed, json_t *rows)
{
	const json_t *reasons = json_object_get(item, "reasons");
	bool is_missed = json_object_get(missed, field_text(item, "id")) != NULL;
	size_t count = json_array_size(reasons);

	for (size_t i = 0; i < count; i++) {
		const json_t *reason = json_array_get(reasons, i);
		if (is_missed && strcmp(field_text(reason, "code"), "offline") == 0)
			continue;
		if (add_row(rows, item, json_copy((json_t *)(uintptr_t)reason)) != 0)
			return -1;
	}
	return count > 0 ? 0 : add_row(rows, item, json_object());
}

/* `missed`: the machines of which it is told already that they vanished. */
static enum cli_exit print(struct cli *cli, const json_t *items, const json_t *missed)
{
	json_t *rows = json_array(), *item;
	size_t i;
	enum cli_exit code = CLI_OK;

	if (cli->format == WRITER_JSON) {
		json_decref(rows);
		return cli_rows(cli, items, columns, COUNT(columns), NULL);
	}
	json_array_foreach(items, i, item)
	{
		if (code == CLI_OK && flatten(item, missed, rows) != 0)
			code = cli_fail(cli, CLI_REFUSED, "out of memory");
	}
	if (code == CLI_OK && cli->format == WRITER_TABLE && json_array_size(rows) > 0)
		cli_findings(cli, rows, "severity", "id");
	else if (code == CLI_OK && json_object_size(missed) == 0)
		code = cli_rows(cli, rows, columns, COUNT(columns), cli_no_machine(cli));
	json_decref(rows);
	return code;
}

/* Sites whose machines vanished together: it is the site that somebody has to look at. Adds the machines to `missed`. */
static enum cli_exit incidents(struct cli *cli, json_t *missed)
{
	json_t *body = NULL, *incident, *device;
	size_t i, k;
	enum cli_exit code =
	    cli_request(cli, &(struct cli_request){.path = "/v1/incidents", .params = {{"open", "1"}}}, &body);

	json_array_foreach(json_object_get(body, "items"), i, incident)
	{
		notice_head(cli, "critical", "site %s", field_text(incident, "site"));
		notice_line(cli, "%s", field_text(incident, "text"));
		if (*field_text(incident, "action") != '\0')
			notice_do(cli, "%s", field_text(incident, "action"));
		json_array_foreach(json_object_get(incident, "devices"), k, device)
		{
			if (json_is_string(device) && json_object_set_new(missed, json_string_value(device), json_true()) != 0)
				code = cli_fail(cli, CLI_REFUSED, "out of memory");
		}
	}
	json_decref(body);
	return code;
}

/* What else is known of one machine. */
static enum cli_exit flags_and_wear(struct cli *cli, const char *id)
{
	char path[128];
	json_t *flags = NULL, *wear = NULL, *flag;
	size_t i;
	enum cli_exit code =
	    cli_request(cli, &(struct cli_request){.path = "/v1/flags", .params = {{"device", id}, {"open", "1"}}}, &flags);

	if (code == CLI_OK)
		code = cli_device_path(cli, id, "/wear", path, sizeof(path));
	if (code == CLI_OK)
		code = cli_request(cli, &(struct cli_request){.path = path}, &wear);
	if (code == CLI_OK && json_array_size(json_object_get(flags, "items")) > 0)
		notice_heading(cli, "Overuse");
	json_array_foreach(json_object_get(flags, "items"), i, flag)
	{
		if (code == CLI_OK)
			flag_print(cli, flag);
	}
	if (code == CLI_OK) {
		notice_heading(cli, "Wear");
		wear_print(cli, id, wear);
	}
	json_decref(flags);
	json_decref(wear);
	return code;
}

enum cli_exit cmd_health(struct cli *cli, char **args, size_t count)
{
	struct cli_request request = {
	    .path = "/v1/health", .params = {{"where", cli->values[CLI_OPT_WHERE]}, {"limit", cli->values[CLI_OPT_LIMIT]}}};
	char path[128];
	json_t *body = NULL, *one = NULL, *missed;
	enum cli_exit code = CLI_OK;

	if (count == 1) {
		if (cli->values[CLI_OPT_WHERE] != NULL)
			return cli_fail_usage(cli, "--where chooses among all machines; leave out either it or the id");
		if ((code = cli_device_path(cli, args[0], "/health", path, sizeof(path))) != CLI_OK)
			return code;
		request = (struct cli_request){.path = path};
	}
	if ((code = cli_request(cli, &request, &body)) != CLI_OK)
		return code;
	cli_hint(cli, body);
	if (count == 1)
		one = json_pack("[O]", body);
	missed = json_object();
	if (count == 0 && cli->format == WRITER_TABLE && cli->values[CLI_OPT_WHERE] == NULL)
		code = incidents(cli, missed);
	if (code == CLI_OK)
		code = print(cli, count == 1 ? one : json_object_get(body, "items"), missed);
	if (code == CLI_OK && count == 1 && cli->format == WRITER_TABLE)
		code = flags_and_wear(cli, args[0]);
	json_decref(missed);
	json_decref(one);
	json_decref(body);
	return code;
}
