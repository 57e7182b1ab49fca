#include "gateway/cli/cli.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column columns[] = {
    {"started", "STARTED", COLUMN_TIME, 0, false},
    {"device", "DEVICE", COLUMN_TEXT, 40, false},
    {"session_no", "NO", COLUMN_WHOLE, 0, true},
    {"routine", "ROUTINE", COLUMN_TEXT, 0, false},
    {"outcome", "OUTCOME", COLUMN_STATE, 0, false},
    {"duration_s", "LASTED", COLUMN_SECONDS, 0, true},
    {"motor_s", "MOTOR", COLUMN_SECONDS, 0, true},
    {"pain_presses", "PAIN", COLUMN_WHOLE, 0, true},
    {"peak_motor_temp_c", "PEAK °C", COLUMN_ONE, 0, true},
    {"class", "", COLUMN_RAW_ONLY, 0, false},
    {"site", "", COLUMN_RAW_ONLY, 0, false},
    {"catalog", "", COLUMN_RAW_ONLY, 0, false},
    {"catalog_version", "", COLUMN_RAW_ONLY, 0, false},
    {"ended", "", COLUMN_RAW_ONLY, 0, false},
    {"time_source", "", COLUMN_RAW_ONLY, 0, false},
    {"paused_s", "", COLUMN_RAW_ONLY, 0, false},
    {"planned_s", "", COLUMN_RAW_ONLY, 0, false},
    {"peak_surface_temp_c", "", COLUMN_RAW_ONLY, 0, false},
    {"peak_current_ma", "", COLUMN_RAW_ONLY, 0, false},
    {"peak_pressure_mmhg", "", COLUMN_RAW_ONLY, 0, false},
    {"areas", "", COLUMN_RAW_ONLY, 0, false},
};

enum cli_exit cmd_sessions(struct cli *cli, char **args, size_t count)
{
	return cli_list(cli, &(struct cli_list){
	                         .request = {.path = "/v1/sessions",
	                                     .params = {{"device", count == 1 ? args[0] : NULL},
	                                                {"since", cli->values[CLI_OPT_SINCE]},
	                                                {"until", cli->values[CLI_OPT_UNTIL]},
	                                                {"where", cli->values[CLI_OPT_WHERE]}}},
	                         .columns = columns,
	                         .columns_count = COUNT(columns),
	                         .none = "no session",
	                     });
}
