/* `faults`: cases, newest first, or how reliable machines are by them. */
#include <string.h>

#include "gateway/cli/notice.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column columns[] = {
    {"id", "FAULT", COLUMN_WHOLE, 0, true},        {"device", "DEVICE", COLUMN_TEXT, 40, false},
    {"site", "SITE", COLUMN_TEXT, 16, false},      {"class", "CLASS", COLUMN_TEXT, 0, false},
    {"code", "CODE", COLUMN_TEXT, 0, false},       {"severity", "SEVERITY", COLUMN_STATE, 0, false},
    {"state", "STATE", COLUMN_STATE, 0, false},    {"times", "TIMES", COLUMN_WHOLE, 0, true},
    {"first", "SINCE", COLUMN_TIME, 0, false},     {"last", "", COLUMN_RAW_ONLY, 0, false},
    {"cleared", "", COLUMN_RAW_ONLY, 0, false},    {"cleared_by", "", COLUMN_RAW_ONLY, 0, false},
    {"lasted_s", "", COLUMN_RAW_ONLY, 0, false},   {"fault_no", "", COLUMN_RAW_ONLY, 0, false},
    {"session_no", "", COLUMN_RAW_ONLY, 0, false}, {"observed", "", COLUMN_RAW_ONLY, 0, false},
    {"limit", "", COLUMN_RAW_ONLY, 0, false},      {"detail", "", COLUMN_RAW_ONLY, 0, false},
    {"reported", "", COLUMN_RAW_ONLY, 0, false},   {"by", "", COLUMN_RAW_ONLY, 0, false},
    {"acked", "", COLUMN_RAW_ONLY, 0, false},      {"acked_by", "", COLUMN_RAW_ONLY, 0, false},
    {"ack_note", "", COLUMN_RAW_ONLY, 0, false},   {"text", "WHAT", COLUMN_PROSE, 0, false},
    {"action", "", COLUMN_RAW_ONLY, 0, false},
};

static const struct column reliability_columns[] = {
    {"key", "", COLUMN_TEXT, 40, false},         {"machines", "MACHINES", COLUMN_WHOLE, 0, true},
    {"cases", "FAULTS", COLUMN_WHOLE, 0, true},  {"occurrences", "TIMES", COLUMN_WHOLE, 0, true},
    {"motor_h", "MOTOR H", COLUMN_ONE, 0, true}, {"mtbf_motor_h", "H BETWEEN FAULTS", COLUMN_ONE, 0, true},
    {"down_s", "DOWN", COLUMN_HOURS, 0, true},   {"repair_mean_s", "MEAN REPAIR", COLUMN_SECONDS, 0, true},
};

static enum cli_exit reliability(struct cli *cli, const char *by)
{
	struct column titled[COUNT(reliability_columns)];
	json_t *body = NULL;

	memcpy(titled, reliability_columns, sizeof(titled));
	titled[0].title = strcmp(by, "class") == 0 ? "CLASS" : "DEVICE";
	enum cli_exit code = cli_request(
	    cli,
	    &(struct cli_request){
	        .path = "/v1/reliability",
	        .params = {{"by", by}, {"since", cli->values[CLI_OPT_SINCE]}, {"until", cli->values[CLI_OPT_UNTIL]}}},
	    &body);
	if (code == CLI_OK)
		code = cli_rows(cli, json_object_get(body, "items"), titled, COUNT(titled), "no machine");
	json_decref(body);
	return code;
}

/* The one with this number. */
static enum cli_exit one(struct cli *cli, const char *number)
{
	char path[64];
	json_t *row = NULL;
	enum cli_exit code = cli_number_path(cli, "/v1/faults/", number, "", "fault's number", path, sizeof(path));

	if (code == CLI_OK)
		code = cli_request(cli, &(struct cli_request){.path = path}, &row);
	if (code == CLI_OK && cli->format == WRITER_TABLE)
		case_print(cli, row);
	else if (code == CLI_OK)
		code = cli_object(cli, row, columns, COUNT(columns));
	json_decref(row);
	return code;
}

enum cli_exit cmd_faults(struct cli *cli, char **args, size_t count)
{
	const char *by = cli->values[CLI_OPT_BY_RELIABILITY];

	if (by != NULL && (count > 0 || cli->values[CLI_OPT_OPEN] != NULL || cli->values[CLI_OPT_WHERE] != NULL))
		return cli_fail_usage(cli, "--by counts the faults of all machines; leave out the id, --open and --where");
	if (by != NULL)
		return reliability(cli, by);
	if (count == 1 && args[0][strspn(args[0], "0123456789")] == '\0')
		return one(cli, args[0]);
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
	                         .item = case_print,
	                     });
}

/* ---- what people say of them ---- */

/* Who takes note of a fault hasn't mended it. */
static void say_acked(const struct cli *cli, const json_t *fault)
{
	case_print(cli, fault);
	notice_acked_before(cli, fault);
	if (strcmp(field_text(fault, "state"), "cleared") == 0)
		notice_say(cli, "The fault is over already; the note stays with it.");
	else
		notice_say(cli, "The fault is open until it is cleared.");
}

static enum cli_exit deed(struct cli *cli, const char *number, const char *suffix, cli_item_fn say)
{
	char path[64];
	json_t *answer = NULL, *body = json_object();
	enum cli_exit code = cli_number_path(cli, "/v1/faults/", number, suffix, "fault's number", path, sizeof(path));

	if (code == CLI_OK && cli->values[CLI_OPT_NOTE] == NULL)
		code = cli_fail_usage(cli, "--note TEXT is missing: say what you found or did, for whoever comes after");
	if (code == CLI_OK)
		code = cli_body_text(cli, body, CLI_OPT_NOTE, "note");
	if (code == CLI_OK)
		code = cli_request(cli, &(struct cli_request){.method = "POST", .path = path, .body = body}, &answer);
	if (code == CLI_OK && cli->format == WRITER_TABLE)
		say(cli, answer);
	else if (code == CLI_OK)
		code = cli_object(cli, answer, columns, COUNT(columns));
	json_decref(answer);
	json_decref(body);
	return code;
}

enum cli_exit cmd_faults_ack(struct cli *cli, char **args, size_t count)
{
	(void)count;
	return deed(cli, args[0], "/ack", say_acked);
}

enum cli_exit cmd_faults_clear(struct cli *cli, char **args, size_t count)
{
	(void)count;
	return deed(cli, args[0], "/clear", case_print);
}

/* The tag that hangs on the machine as long as it is broken; its reason is the report. */
static enum cli_exit take_tag(struct cli *cli, json_t *body)
{
	bool wanted = cli->values[CLI_OPT_OUT_OF_SERVICE] != NULL;
	json_t *tag;
	enum cli_exit code;

	if (!wanted && (cli->values[CLI_OPT_OWNER] != NULL || cli->values[CLI_OPT_BACK] != NULL))
		return cli_fail_usage(cli, "--owner and --back belong to --out-of-service");
	if (!wanted)
		return CLI_OK;
	tag = json_object();
	code = cli_body_text(cli, tag, CLI_OPT_TEXT, "reason");
	if (code == CLI_OK)
		code = cli_body_text(cli, tag, CLI_OPT_OWNER, "owner");
	if (code == CLI_OK)
		code = cli_body_when(cli, tag, CLI_OPT_BACK, "back");
	if (code == CLI_OK && json_object_set(body, "out_of_service", tag) != 0)
		code = cli_fail(cli, CLI_REFUSED, "out of memory");
	json_decref(tag);
	return code;
}

static enum cli_exit say_report(struct cli *cli, const char *device, const json_t *answer)
{
	static const struct column id_columns[] = {{"id", "fault", COLUMN_WHOLE, 0, false}};
	double id = field_or(answer, "id", 0);

	if (cli->format != WRITER_TABLE)
		return cli_object(cli, answer, id_columns, COUNT(id_columns));
	notice_say(cli, "fault %.0f: %s", id, device);
	if (cli->values[CLI_OPT_OUT_OF_SERVICE] != NULL) {
		notice_say(cli, "The machine is out of service: no session starts. Once it is mended:");
		(void)fprintf(cli->out, "  gymfleet faults clear %.0f --note TEXT; gymfleet device untag %s\n", id, device);
	} else {
		notice_say(cli, "Sessions may go on. Once it is mended: gymfleet faults clear %.0f --note TEXT", id);
	}
	return CLI_OK;
}

enum cli_exit cmd_faults_report(struct cli *cli, char **args, size_t count)
{
	char path[128];
	json_t *answer = NULL, *body = json_object();
	enum cli_exit code = cli_device_path(cli, args[0], "/report", path, sizeof(path));

	(void)count;
	if (code == CLI_OK && cli->values[CLI_OPT_TEXT] == NULL)
		code = cli_fail_usage(cli, "--text TEXT is missing: say what is broken, and where on the machine");
	if (code == CLI_OK)
		code = cli_body_text(cli, body, CLI_OPT_TEXT, "text");
	if (code == CLI_OK)
		code = take_tag(cli, body);
	if (code == CLI_OK)
		code = cli_request(cli, &(struct cli_request){.method = "POST", .path = path, .body = body}, &answer);
	if (code == CLI_OK)
		code = say_report(cli, args[0], answer);
	json_decref(answer);
	json_decref(body);
	return code;
}
