/* `overuse`, `overuse show`, `overuse ack`: what the rules found too much. */
#include <string.h>

#include "gateway/cli/notice.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column columns[] = {
    {"id", "flag", COLUMN_WHOLE, 0, false},           {"rule", "rule", COLUMN_TEXT, 0, false},
    {"title", "title", COLUMN_TEXT, 0, false},        {"subject", "who or what", COLUMN_TEXT, 0, false},
    {"subject_kind", "kind", COLUMN_TEXT, 0, false},  {"device", "device", COLUMN_TEXT, 0, false},
    {"site", "site", COLUMN_TEXT, 0, false},          {"muscle", "area", COLUMN_TEXT, 0, false},
    {"side", "side", COLUMN_TEXT, 0, false},          {"token", "token", COLUMN_TEXT, 0, false},
    {"level", "level", COLUMN_TEXT, 0, false},        {"severity", "health", COLUMN_TEXT, 0, false},
    {"state", "state", COLUMN_TEXT, 0, false},        {"opened", "since", COLUMN_TIME, 0, false},
    {"acted", "act since", COLUMN_TIME, 0, false},    {"last", "last", COLUMN_TIME, 0, false},
    {"ended", "ended", COLUMN_TIME, 0, false},        {"times", "times", COLUMN_WHOLE, 0, false},
    {"metric", "metric", COLUMN_TEXT, 0, false},      {"observed", "observed", COLUMN_SHORT, 0, false},
    {"limit", "limit", COLUMN_SHORT, 0, false},       {"unit", "unit", COLUMN_TEXT, 0, false},
    {"window_s", "window", COLUMN_SECONDS, 0, false}, {"found", "found", COLUMN_TIME, 0, false},
    {"late_s", "late by", COLUMN_SECONDS, 0, false},  {"due", "looked at again", COLUMN_TIME, 0, false},
    {"holds", "holds", COLUMN_TEXT, 0, false},        {"acked", "acknowledged", COLUMN_TIME, 0, false},
    {"acked_by", "by", COLUMN_TEXT, 0, false},        {"ack_note", "note", COLUMN_TEXT, 0, false},
    {"text", "", COLUMN_RAW_ONLY, 0, false},          {"advice", "", COLUMN_RAW_ONLY, 0, false},
    {"sessions", "", COLUMN_RAW_ONLY, 0, false},      {"faults", "", COLUMN_RAW_ONLY, 0, false},
};

enum cli_exit cmd_overuse(struct cli *cli, char **args, size_t count)
{
	const char *since = cli->values[CLI_OPT_SINCE], *where = cli->values[CLI_OPT_WHERE];
	bool withdrawn = cli->values[CLI_OPT_WITHDRAWN] != NULL;
	bool open = cli->values[CLI_OPT_OPEN] != NULL || (since == NULL && where == NULL && !withdrawn);

	(void)args;
	(void)count;
	return cli_list(cli,
	                &(struct cli_list){
	                    .request = {.path = "/v1/flags",
	                                .params = {{"device", cli->values[CLI_OPT_DEVICE]},
	                                           {"open", open ? "1" : NULL},
	                                           {"withdrawn", withdrawn ? "1" : NULL},
	                                           {"since", since},
	                                           {"where", where}}},
	                    .columns = columns,
	                    .columns_count = COUNT(columns),
	                    .none = open ? "nothing is open: no rule finds anything too much now (what was: --since 7d)"
	                                 : "no such flag",
	                    .item = flag_print,
	                });
}

/* What is behind it as rows. */
static enum cli_exit print_behind(struct cli *cli, const json_t *flag)
{
	static const struct column session_columns[] = {{"device", "SESSION OF", COLUMN_TEXT, 40, false},
	                                                {"session_no", "NO", COLUMN_WHOLE, 0, true}},
	                           fault_columns[] = {{"device", "FAULT OF", COLUMN_TEXT, 40, false},
	                                              {"fault_no", "ITS COUNT", COLUMN_WHOLE, 0, true}};
	const json_t *sessions = json_object_get(flag, "sessions"), *faults = json_object_get(flag, "faults");
	enum cli_exit code = CLI_OK;

	if (json_array_size(sessions) + json_array_size(faults) > 0)
		notice_heading(cli, "Behind it");
	if (json_array_size(sessions) > 0)
		code = cli_rows(cli, sessions, session_columns, COUNT(session_columns), NULL);
	if (code == CLI_OK && json_array_size(faults) > 0)
		code = cli_rows(cli, faults, fault_columns, COUNT(fault_columns), NULL);
	/* A machine counts for itself: `faults show` with that number would show another one's. */
	if (code == CLI_OK && json_array_size(faults) > 0)
		notice_say(cli, "As the machine counts them; what they were: gymfleet faults %s",
		           field_text(json_array_get(faults, 0), "device"));
	return code;
}

static enum cli_exit show(struct cli *cli, const json_t *flag)
{
	enum cli_exit code;

	if (cli->format != WRITER_TABLE)
		return cli_object(cli, flag, columns, COUNT(columns));
	flag_print(cli, flag);
	(void)fputc('\n', cli->out);
	code = cli_object(cli, flag, columns, COUNT(columns));
	return code == CLI_OK ? print_behind(cli, flag) : code;
}

enum cli_exit cmd_overuse_show(struct cli *cli, char **args, size_t count)
{
	char path[64];
	json_t *flag = NULL;
	enum cli_exit code = cli_number_path(cli, "/v1/flags/", args[0], "", "flag's number", path, sizeof(path));

	(void)count;
	if (code == CLI_OK)
		code = cli_request(cli, &(struct cli_request){.path = path}, &flag);
	if (code == CLI_OK)
		code = show(cli, flag);
	json_decref(flag);
	return code;
}

/* What became of it, which may not be what was asked for. */
static void say_acked(const struct cli *cli, const json_t *flag, bool release)
{
	const json_t *lifted = json_object_get(flag, "lifted");

	flag_print(cli, flag);
	notice_acked_before(cli, flag);
	if (strcmp(field_text(flag, "state"), "open") != 0)
		notice_say(cli, "The flag is over already; the note stays with it.");
	else if (release && json_is_false(lifted))
		notice_say(
		    cli, "It holds nothing of the machine: nothing was lifted; the flag goes on until it clears by its rule.");
	else if (release)
		notice_say(cli, "What it held of the machine is lifted; the flag goes on until it clears by its rule.");
	else
		notice_say(cli, "The flag goes on until it clears by its rule.");
	if (*field_text(flag, "still_locked") != '\0')
		notice_say(cli, "The machine is still locked: %s", field_text(flag, "still_locked"));
}

enum cli_exit cmd_overuse_ack(struct cli *cli, char **args, size_t count)
{
	bool release = cli->values[CLI_OPT_RELEASE] != NULL;
	char path[64];
	json_t *flag = NULL, *body;
	enum cli_exit code = cli_number_path(cli, "/v1/flags/", args[0], "/ack", "flag's number", path, sizeof(path));

	(void)count;
	if (code != CLI_OK)
		return code;
	if (cli->values[CLI_OPT_NOTE] == NULL)
		return cli_fail_usage(cli, "--note TEXT is missing: say what you found or did, for whoever comes after");
	body = json_pack("{s:b}", "release", release);
	code = cli_body_text(cli, body, CLI_OPT_NOTE, "note");
	if (code == CLI_OK)
		code = cli_request(cli, &(struct cli_request){.method = "POST", .path = path, .body = body}, &flag);
	if (code == CLI_OK && cli->format == WRITER_TABLE)
		say_acked(cli, flag, release);
	else if (code == CLI_OK)
		code = cli_object(cli, flag, columns, COUNT(columns));
	json_decref(body);
	json_decref(flag);
	return code;
}
