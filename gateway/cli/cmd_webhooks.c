/* `webhooks`: who is told what happens, and how far each is. */
#include "gateway/cli/cli.h"

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
