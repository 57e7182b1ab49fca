#include "gateway/cli/cli.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column columns[] = {
    {"raised", "RAISED", COLUMN_TIME, 0, false},     {"device", "DEVICE", COLUMN_TEXT, 40, false},
    {"code", "FAULT", COLUMN_TEXT, 0, false},        {"severity", "SEVERITY", COLUMN_STATE, 0, false},
    {"lasted_s", "LASTED", COLUMN_SECONDS, 0, true}, {"cleared_by", "CLEARED BY", COLUMN_TEXT, 0, false},
    {"observed", "OBSERVED", COLUMN_ONE, 0, true},   {"limit", "LIMIT", COLUMN_ONE, 0, true},
    {"detail", "DETAIL", COLUMN_TEXT, 60, false},    {"fault_no", "", COLUMN_RAW_ONLY, 0, false},
    {"cleared", "", COLUMN_RAW_ONLY, 0, false},      {"session_no", "", COLUMN_RAW_ONLY, 0, false},
};

enum cli_exit cmd_faults(struct cli *cli, char **args, size_t count)
{
	return cli_list(cli, &(struct cli_list){
	                         .request = {.path = "/v1/faults",
	                                     .params = {{"device", count == 1 ? args[0] : NULL},
	                                                {"open", cli->values[CLI_OPT_OPEN] != NULL ? "1" : NULL},
	                                                {"since", cli->values[CLI_OPT_SINCE]},
	                                                {"until", cli->values[CLI_OPT_UNTIL]},
	                                                {"where", cli->values[CLI_OPT_WHERE]}}},
	                         .columns = columns,
	                         .columns_count = COUNT(columns),
	                         .none = "no fault",
	                     });
}
