#include <string.h>

#include "gateway/cli/cli.h"

enum { COLUMNS = 9 };

static const struct column columns[COLUMNS] = {
    {"key", "", COLUMN_TEXT, 40, false},
    {"sessions", "SESSIONS", COLUMN_WHOLE, 0, true},
    {"running_s", "RUNNING", COLUMN_HOURS, 0, true},
    {"motor_s", "MOTOR", COLUMN_HOURS, 0, true},
    {"mean_s", "MEAN", COLUMN_SECONDS, 0, true},
    {"completed", "COMPLETED", COLUMN_WHOLE, 0, true},
    {"stopped", "STOPPED", COLUMN_WHOLE, 0, true},
    {"interrupted", "INTERRUPTED", COLUMN_WHOLE, 0, true},
    {"share_pct", "SHARE", COLUMN_BAR, 0, false},
};

/* The first column is called what it is by. */
static const char *title(const char *by)
{
	static const struct {
		const char *by, *title;
	} titles[] = {{"device", "DEVICE"}, {"site", "SITE"}, {"class", "CLASS"}, {"routine", "ROUTINE"},
	              {"area", "AREA"},     {"day", "DAY"},   {"hour", "HOUR"}};

	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (strcmp(titles[i].by, by) == 0)
			return titles[i].title;
	return "KEY";
}

enum cli_exit cmd_usage(struct cli *cli, char **args, size_t count)
{
	const char *by = cli->values[CLI_OPT_BY] != NULL ? cli->values[CLI_OPT_BY] : "class";
	struct column titled[COLUMNS];
	json_t *body = NULL;

	(void)args;
	(void)count;
	memcpy(titled, columns, sizeof(titled));
	titled[0].title = title(by);
	enum cli_exit code = cli_request(cli,
	                                 &(struct cli_request){.path = "/v1/usage",
	                                                       .params = {{"by", by},
	                                                                  {"since", cli->values[CLI_OPT_SINCE]},
	                                                                  {"until", cli->values[CLI_OPT_UNTIL]},
	                                                                  {"utc_offset_min", cli->utc_offset_min}}},
	                                 &body);
	if (code == CLI_OK)
		code = cli_rows(cli, json_object_get(body, "items"), titled, COLUMNS, "no session in this time");
	json_decref(body);
	return code;
}
