/* `audit log`: who did what. */
#include "gateway/cli/cli.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column columns[] = {
    {"time", "TIME", COLUMN_TIME, 0, false},      {"who", "WHO", COLUMN_TEXT, 40, false},
    {"action", "WHAT", COLUMN_TEXT, 0, false},    {"subject", "WHOM", COLUMN_TEXT, 40, false},
    {"detail", "DETAIL", COLUMN_PROSE, 0, false}, {"from", "", COLUMN_RAW_ONLY, 0, false},
    {"id", "", COLUMN_RAW_ONLY, 0, false},
};

enum cli_exit cmd_audit_log(struct cli *cli, char **args, size_t count)
{
	(void)args;
	(void)count;
	bool all = cli->values[CLI_OPT_SINCE] == NULL && cli->values[CLI_OPT_WHERE] == NULL;
	return cli_list(
	    cli, &(struct cli_list){
	             .request = {.path = "/v1/audit/log",
	                         .params = {{"since", cli->values[CLI_OPT_SINCE]}, {"where", cli->values[CLI_OPT_WHERE]}}},
	             .columns = columns,
	             .columns_count = COUNT(columns),
	             .none = all ? "nobody has changed anything" : "no such change",
	         });
}
