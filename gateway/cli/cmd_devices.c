#include "gateway/cli/cli.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column columns[] = {
    {"id", "DEVICE", COLUMN_TEXT, 40, false},
    {"name", "NAME", COLUMN_TEXT, 20, false},
    {"class", "CLASS", COLUMN_TEXT, 0, false},
    {"site", "SITE", COLUMN_TEXT, 16, false},
    {"presence", "PRESENCE", COLUMN_STATE, 0, false},
    {"health", "HEALTH", COLUMN_STATE, 0, false},
    {"in_session", "IN USE", COLUMN_YES, 0, false},
    {"sessions_today", "TODAY", COLUMN_WHOLE, 0, true},
    {"motor_temp_c", "MOTOR °C", COLUMN_ONE, 0, true},
    {"catalog", "CATALOG", COLUMN_VERSION, 16, false},
    {"motor_hours", "MOTOR H", COLUMN_ONE, 0, true},
    {"last_seen", "SEEN", COLUMN_AGO, 0, false},
    {"model", "", COLUMN_RAW_ONLY, 0, false},
    {"serial", "", COLUMN_RAW_ONLY, 0, false},
    {"zone", "", COLUMN_RAW_ONLY, 0, false},
    {"bay", "", COLUMN_RAW_ONLY, 0, false},
    {"offline_reason", "", COLUMN_RAW_ONLY, 0, false},
    {"online_since", "", COLUMN_RAW_ONLY, 0, false},
    {"first_seen", "", COLUMN_RAW_ONLY, 0, false},
    {"reasons", "", COLUMN_RAW_ONLY, 0, false},
    {"open_faults", "", COLUMN_RAW_ONLY, 0, false},
    {"catalog_version", "", COLUMN_RAW_ONLY, 0, false},
    {"catalog_digest", "", COLUMN_RAW_ONLY, 0, false},
    {"on_trial", "", COLUMN_RAW_ONLY, 0, false},
    {"desired_catalog", "", COLUMN_RAW_ONLY, 0, false},
    {"desired_version", "", COLUMN_RAW_ONLY, 0, false},
    {"update", "", COLUMN_RAW_ONLY, 0, false},
    {"update_code", "", COLUMN_RAW_ONLY, 0, false},
    {"locked", "", COLUMN_RAW_ONLY, 0, false},
    {"lock_reason", "", COLUMN_RAW_ONLY, 0, false},
    {"agent_version", "", COLUMN_RAW_ONLY, 0, false},
    {"driver", "", COLUMN_RAW_ONLY, 0, false},
    {"rated_motor_h", "", COLUMN_RAW_ONLY, 0, false},
    {"wear_pct", "", COLUMN_RAW_ONLY, 0, false},
    {"open_flags", "", COLUMN_RAW_ONLY, 0, false},
    {"tagged", "", COLUMN_RAW_ONLY, 0, false},
    {"sessions", "", COLUMN_RAW_ONLY, 0, false},
    {"surface_temp_c", "", COLUMN_RAW_ONLY, 0, false},
    {"current_ma", "", COLUMN_RAW_ONLY, 0, false},
    {"supply_mv", "", COLUMN_RAW_ONLY, 0, false},
    {"spool_records", "", COLUMN_RAW_ONLY, 0, false},
    {"clock_synced", "", COLUMN_RAW_ONLY, 0, false},
    {"cert_not_after", "", COLUMN_RAW_ONLY, 0, false},
    {"resting", "", COLUMN_RAW_ONLY, 0, false},
    {"rest_until", "", COLUMN_RAW_ONLY, 0, false},
    {"out_of_service", "", COLUMN_RAW_ONLY, 0, false},
    {"duty_s", "", COLUMN_RAW_ONLY, 0, false},
    {"duty_max_s", "", COLUMN_RAW_ONLY, 0, false},
};

enum cli_exit cmd_devices(struct cli *cli, char **args, size_t count)
{
	(void)args;
	(void)count;
	return cli_list(cli, &(struct cli_list){
	                         .request = {.path = "/v1/devices",
	                                     .params = {{"where", cli->values[CLI_OPT_WHERE]},
	                                                {"utc_offset_min", cli->utc_offset_min}}},
	                         .columns = columns,
	                         .columns_count = COUNT(columns),
	                         .none = cli_no_machine(cli),
	                     });
}
