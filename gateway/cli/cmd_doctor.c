/* `doctor`: what the gateway finds wrong with itself; when it doesn't answer, that is the finding. */
#include "gateway/cli/cli.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column columns[] = {
    {"severity", "STATE", COLUMN_STATE, 0, false}, {"name", "CHECK", COLUMN_TEXT, 0, false},
    {"text", "FINDING", COLUMN_TEXT, 0, false},    {"action", "DO", COLUMN_TEXT, 0, false},
    {"ok", "", COLUMN_RAW_ONLY, 0, false},
};

static enum cli_exit print(struct cli *cli, const json_t *checks)
{
	const json_t *check;
	size_t i;
	enum cli_exit code = CLI_OK;

	if (cli->format == WRITER_TABLE)
		cli_findings(cli, checks, "severity", "name");
	else
		code = cli_rows(cli, checks, columns, COUNT(columns), NULL);

	json_array_foreach(checks, i, check)
	{
		if (code == CLI_OK && !json_is_true(json_object_get(check, "ok")))
			code = CLI_REFUSED;
	}
	return code;
}

enum cli_exit cmd_doctor(struct cli *cli, char **args, size_t count)
{
	struct gf_diag diag = {{0}};
	json_t *body = NULL;
	enum cli_exit code;

	(void)args;
	(void)count;
	if (client_probe(cli->values[CLI_OPT_SOCKET], &diag) != 0) {
		body = json_pack("[{s:s, s:b, s:s, s:s, s:n}]", "name", "gateway", "ok", 0, "severity", "critical", "text",
		                 diag.text, "action");
		code = body != NULL ? print(cli, body) : CLI_UNREACHABLE;
		json_decref(body);
		return code == CLI_REFUSED ? CLI_UNREACHABLE : code;
	}
	code = cli_request(cli, &(struct cli_request){.path = "/v1/doctor", .timeout_s = 60}, &body);
	if (code == CLI_OK)
		code = print(cli, json_object_get(body, "checks"));
	json_decref(body);
	return code;
}
