/* `webhooks`: who is told what happens, and how far each is; others, by gateway.yaml; one that fails, now. */
#include <stdio.h>
#include <string.h>

#include "gateway/cli/notice.h"
#include "proto/base/text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column columns[] = {
    {"name", "NAME", COLUMN_TEXT, 24, false},
    {"ok", "OK", COLUMN_TEXT, 0, false},
    {"told", "TOLD", COLUMN_WHOLE, 0, true},
    {"behind", "BEHIND", COLUMN_WHOLE, 0, true},
    {"summed", "SUMMED UP", COLUMN_WHOLE, 0, true},
    {"passed_over", "PASSED OVER", COLUMN_WHOLE, 0, true},
    {"failing_since", "FAILS SINCE", COLUMN_TIME, 0, false},
    {"next_try", "NEXT TRY", COLUMN_AGO, 0, false},
    {"error", "WHY", COLUMN_PROSE, 0, false},
    {"cursor", "", COLUMN_RAW_ONLY, 0, false},
    {"missed", "", COLUMN_RAW_ONLY, 0, false},
    {"passed_over_last", "", COLUMN_RAW_ONLY, 0, false},
    {"failures", "", COLUMN_RAW_ONLY, 0, false},
};

enum cli_exit cmd_webhooks(struct cli *cli, char **args, size_t count)
{
	json_t *body = NULL;
	enum cli_exit code = cli_request(cli, &(struct cli_request){.path = "/v1/webhooks"}, &body);

	(void)args;
	(void)count;
	if (code == CLI_OK)
		code = cli_rows(cli, json_object_get(body, "items"), columns, COUNT(columns), "nobody is told");
	json_decref(body);
	return code;
}

enum cli_exit cmd_webhooks_reload(struct cli *cli, char **args, size_t count)
{
	static const struct column count_columns[] = {{"webhooks", "webhooks", COLUMN_WHOLE, 0, false}};
	json_t *answer = NULL;
	double webhooks = 0;
	enum cli_exit code =
	    cli_request(cli, &(struct cli_request){.method = "POST", .path = "/v1/webhooks/reload"}, &answer);

	(void)args;
	(void)count;
	/* A mistake in the file is no wrong use of the command. */
	if (code == CLI_USAGE)
		code = CLI_REFUSED;
	if (code == CLI_REFUSED)
		(void)fputs("Nothing has changed: those who were told still are.\n", cli->err);
	if (code == CLI_OK && cli->format != WRITER_TABLE)
		code = cli_object(cli, answer, count_columns, COUNT(count_columns));
	else if (code == CLI_OK && field_number(answer, "webhooks", &webhooks))
		notice_say(cli, "the webhooks were read again, %.0f webhook%s", webhooks, webhooks == 1 ? "" : "s");
	json_decref(answer);
	return code;
}

enum cli_exit cmd_webhooks_retry(struct cli *cli, char **args, size_t count)
{
	static const struct column name_columns[] = {{"name", "name", COLUMN_TEXT, 0, false}};
	json_t *answer = NULL;
	char path[96];

	(void)count;
	if (!gf_id_valid(args[0], strlen(args[0])))
		return cli_fail_usage(cli, "'%.80s' is no receiver's name; gymfleet webhooks lists them", args[0]);
	(void)snprintf(path, sizeof(path), "/v1/webhooks/%s/retry", args[0]);
	enum cli_exit code = cli_request(cli, &(struct cli_request){.method = "POST", .path = path}, &answer);
	if (code == CLI_OK && cli->format != WRITER_TABLE)
		code = cli_object(cli, answer, name_columns, COUNT(name_columns));
	else if (code == CLI_OK)
		notice_say(cli, "%s is tried now; gymfleet webhooks says how it went", args[0]);
	json_decref(answer);
	return code;
}
