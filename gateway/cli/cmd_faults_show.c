/* `faults show`: a fault as a ticket for whoever repairs the machine: what it is, what it does, what is worn, what was before. */
#include <string.h>

#include "gateway/cli/notice.h"
#include "proto/base/clock.h"

enum { BEFORE = 10, PART_MAX = 160 };

/* The answers it is made of. */
struct ticket {
	json_t *fault, *machine, *wear, *session, *before, *clearing;
};

static void ticket_deinit(struct ticket *t)
{
	json_decref(t->fault);
	json_decref(t->machine);
	json_decref(t->wear);
	json_decref(t->session);
	json_decref(t->before);
	json_decref(t->clearing);
}

/* Who cleared it here and what was done: the log has it, the fault itself only that it was staff. */
static enum cli_exit ask_clearing(struct cli *cli, const char *id, struct ticket *t)
{
	char where[192];

	if (strcmp(field_text(t->fault, "cleared_by"), "staff") != 0)
		return CLI_OK;
	(void)snprintf(where, sizeof(where), "subject='%s' and action='fault clear' and detail~'fault %.0f (*'", id,
	               field_or(t->fault, "id", 0));
	return cli_request(cli,
	                   &(struct cli_request){.path = "/v1/audit/log", .params = {{"where", where}, {"limit", "1"}}},
	                   &t->clearing);
}

static enum cli_exit ask_machine(struct cli *cli, const char *id, struct ticket *t)
{
	char path[128];
	enum cli_exit code = cli_device_path(cli, id, "", path, sizeof(path));

	if (code == CLI_OK)
		code = cli_request(cli, &(struct cli_request){.path = path}, &t->machine);
	if (code == CLI_OK)
		code = cli_device_path(cli, id, "/wear", path, sizeof(path));
	if (code == CLI_OK)
		code = cli_request(cli, &(struct cli_request){.path = path}, &t->wear);
	return code;
}

/* The session in which it came last, and the machine's other faults. */
static enum cli_exit ask_history(struct cli *cli, const char *id, struct ticket *t)
{
	char where[48], limit[8];
	double number;
	enum cli_exit code = CLI_OK;

	if (field_number(t->fault, "session_no", &number)) {
		(void)snprintf(where, sizeof(where), "session_no=%.0f", number);
		code = cli_request(
		    cli,
		    &(struct cli_request){.path = "/v1/sessions", .params = {{"device", id}, {"where", where}, {"limit", "1"}}},
		    &t->session);
	}
	(void)snprintf(where, sizeof(where), "id!=%.0f", field_or(t->fault, "id", 0));
	(void)snprintf(limit, sizeof(limit), "%d", BEFORE);
	if (code == CLI_OK)
		code = cli_request(
		    cli,
		    &(struct cli_request){.path = "/v1/faults", .params = {{"device", id}, {"where", where}, {"limit", limit}}},
		    &t->before);
	return code;
}

/* ", serial 17" behind `buf`'s text, when the row has it. */
static void add(char buf[static PART_MAX], const json_t *row, const char *key, const char *before)
{
	size_t len = strlen(buf);

	if (*field_text(row, key) != '\0')
		(void)snprintf(buf + len, PART_MAX - len, "%s%s%s", len > 0 ? ", " : "", before, field_text(row, key));
}

static void print_machine(const struct cli *cli, const json_t *machine)
{
	char what[PART_MAX] = "", where[PART_MAX] = "", runs[PART_MAX] = "", since[FIELD_MAX];
	double version;

	add(what, machine, "name", "");
	add(what, machine, "class", "");
	add(what, machine, "model", "model ");
	add(what, machine, "serial", "serial ");
	notice_head(cli, "machine", "%s%s%s", field_text(machine, "id"), *what != '\0' ? ": " : "", what);
	add(where, machine, "site", "");
	add(where, machine, "zone", "zone ");
	add(where, machine, "bay", "bay ");
	if (*where != '\0')
		notice_line(cli, "stands in %s", where);
	add(runs, machine, "agent_version", "agent ");
	add(runs, machine, "driver", "driver ");
	add(runs, machine, "catalog", "catalog ");
	if (*field_text(machine, "catalog") != '\0' && field_number(machine, "catalog_version", &version))
		(void)snprintf(runs + strlen(runs), PART_MAX - strlen(runs), "@%.0f", version);
	notice_line(cli, "%s", *runs != '\0' ? runs : "which agent, driver and catalog it has isn't known yet");
	notice_line(cli, "%.1f motor hours, %.0f sessions%s%s", field_or(machine, "motor_hours", 0),
	            field_or(machine, "sessions", 0),
	            *field_when(cli, machine, "first_seen", since) != '\0' ? ", here since " : "", since);
}

static const json_t *first_of(const json_t *answer)
{
	return json_array_get(json_object_get(answer, "items"), 0);
}

static void print_clearing(const struct cli *cli, const json_t *deed)
{
	const char *detail = field_text(deed, "detail"), *note = strstr(detail, "): ");
	char at[FIELD_MAX];

	if (deed != NULL)
		notice_head(cli, "cleared", "%s by %s%s", field_when(cli, deed, "time", at), field_text(deed, "who"),
		            note != NULL ? note + 1 : "");
}

static void print_session(const struct cli *cli, const json_t *sessions)
{
	const json_t *session = first_of(sessions);
	char at[FIELD_MAX], lasted[GF_DURATION_MAX] = "", temp[FIELD_MAX], current[FIELD_MAX];
	double s, peak;

	if (session == NULL)
		return;
	if (field_number(session, "duration_s", &s))
		(void)gf_duration_format((int64_t)(s * 1000), lasted);
	(void)field_when(cli, session, "started", at);
	notice_head(cli, "session", "%.0f, %s: %s%s%s%s%s", field_or(session, "session_no", 0),
	            field_text(session, "routine"), field_text(session, "outcome"), *lasted != '\0' ? " after " : "",
	            lasted, *at != '\0' ? ", begun " : "", at);
	bool hot = field_number(session, "peak_motor_temp_c", &peak),
	     loaded = field_number(session, "peak_current_ma", &peak);
	if (hot || loaded)
		notice_line(cli, "%s%s%s%s%s", hot ? "motor at most " : "",
		            hot ? field_measure(session, "peak_motor_temp_c", "°C", temp) : "", hot && loaded ? ", " : "",
		            loaded ? "current at most " : "",
		            loaded ? field_measure(session, "peak_current_ma", "mA", current) : "");
}

static void print(const struct cli *cli, const struct ticket *t)
{
	const json_t *others = json_object_get(t->before, "items"), *other;
	size_t i;

	case_print(cli, t->fault);
	print_clearing(cli, first_of(t->clearing));
	print_machine(cli, t->machine);
	print_session(cli, t->session);
	notice_heading(cli, "Wear");
	wear_print(cli, field_text(t->machine, "id"), t->wear);
	wear_print_services(cli, t->wear);
	notice_heading(cli, json_array_size(others) > 0 ? "Its other faults, newest first" : "It never had another fault");
	json_array_foreach(others, i, other)
	{
		case_print(cli, other);
	}
}

static enum cli_exit as_json(struct cli *cli, const struct ticket *t)
{
	json_t *ticket = json_pack("{s:O, s:O?, s:O, s:O?, s:O, s:O}", "fault", t->fault, "clearing", first_of(t->clearing),
	                           "machine", t->machine, "session", first_of(t->session), "wear", t->wear, "others",
	                           json_object_get(t->before, "items"));
	enum cli_exit code =
	    ticket != NULL ? cli_object(cli, ticket, NULL, 0) : cli_fail(cli, CLI_REFUSED, "the gateway's answer is odd");

	json_decref(ticket);
	return code;
}

enum cli_exit cmd_faults_show(struct cli *cli, char **args, size_t count)
{
	struct ticket t = {0};
	char path[64];
	enum cli_exit code = cli_number_path(cli, "/v1/faults/", args[0], "", "fault's number", path, sizeof(path));

	(void)count;
	if (code == CLI_OK && cli->format == WRITER_CSV)
		return cli_fail_usage(cli, "a ticket has no columns; take -o json, or `gymfleet faults %s -o csv`", args[0]);
	if (code == CLI_OK)
		code = cli_request(cli, &(struct cli_request){.path = path}, &t.fault);
	if (code == CLI_OK)
		code = ask_machine(cli, field_text(t.fault, "device"), &t);
	if (code == CLI_OK)
		code = ask_history(cli, field_text(t.fault, "device"), &t);
	if (code == CLI_OK)
		code = ask_clearing(cli, field_text(t.fault, "device"), &t);
	if (code == CLI_OK && cli->format == WRITER_TABLE)
		print(cli, &t);
	else if (code == CLI_OK)
		code = as_json(cli, &t);
	ticket_deinit(&t);
	return code;
}
