#include "gateway/cli/notice.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column columns[] = {
    {"device", "DEVICE", COLUMN_TEXT, 40, false},          {"kind", "KIND", COLUMN_TEXT, 0, false},
    {"from_session", "FROM", COLUMN_WHOLE, 0, true},       {"to_session", "TO", COLUMN_WHOLE, 0, true},
    {"missing_motor_s", "MOTOR S", COLUMN_WHOLE, 0, true}, {"text", "WHAT", COLUMN_PROSE, 0, false},
};

static enum cli_exit print(struct cli *cli, const json_t *audit, bool clean)
{
	const json_t *findings = json_object_get(audit, "findings");

	if (cli->format == WRITER_JSON)
		return cli_object(cli, audit, columns, COUNT(columns));
	if (cli->format == WRITER_TABLE)
		notice_say(cli, "audit: %s (%lld machines, %lld sessions, %.1f motor hours)", clean ? "clean" : "not clean",
		           json_integer_value(json_object_get(audit, "devices")),
		           json_integer_value(json_object_get(audit, "sessions")),
		           json_number_value(json_object_get(audit, "motor_s")) / 3600);
	return cli_rows(cli, findings, columns, COUNT(columns), NULL);
}

enum cli_exit cmd_audit(struct cli *cli, char **args, size_t count)
{
	json_t *audit = NULL;
	enum cli_exit code = cli_request(
	    cli, &(struct cli_request){.path = "/v1/audit", .params = {{"device", count == 1 ? args[0] : NULL}}}, &audit);

	if (code != CLI_OK)
		return code;
	bool clean = json_is_true(json_object_get(audit, "clean"));
	code = print(cli, audit, clean);
	json_decref(audit);
	return code == CLI_OK && !clean ? CLI_REFUSED : code;
}
