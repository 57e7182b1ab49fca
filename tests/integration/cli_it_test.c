/*
 * The command against a living gateway: every command in every format, what --where selects, what each mistake says and its exit code,
 * and that an event is printed as it happens. The fleet is made by hand and the same for all tests.
 */
#include <math.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/fleet.h"
#include "tests/integration/machine.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define CHAIR "chair-berlin-01"
#define ESCAPE '\033'

enum { SOON_MS = 20000, WORDS_MAX = 8, SESSIONS = 2, USAGE = 2, REFUSED = 1, UNREACHABLE = 3, HOUR_MS = 3600000 };

static const struct {
	const char *id, *site;
	enum gf_class class;
	bool fault;
} machines[] = {
    {CHAIR, "berlin", GF_CLASS_CHAIR, false},
    {"gun-berlin-01", "berlin", GF_CLASS_PERCUSSION, true},
    {"gun-berlin-02", "berlin", GF_CLASS_PERCUSSION, false},
    {"gun-hamburg-01", "hamburg", GF_CLASS_PERCUSSION, true},
};

struct test {
	struct it_world *w;
	struct it_machine *chair;
};

/* ---- the fleet ---- */

static void tell(struct it_machine *m, size_t i)
{
	struct gf_status birth = it_birth(m);
	int64_t now_ms = it_wall_ms();
	struct gf_record records[] = {
	    it_session(m, 1, 1, now_ms - 2 * HOUR_MS),
	    it_session(m, 2, 2, now_ms - HOUR_MS),
	    it_heartbeat(m, 3, now_ms, 35),
	    it_heartbeat(m, 4, now_ms, 35),
	};

	birth.class = machines[i].class;
	gf_strcpy(birth.location.site, GF_NAME_MAX, machines[i].site);
	birth.odometer = records[1].session_ended.odometer;
	records[2].heartbeat.odometer = records[3].heartbeat.odometer = birth.odometer;
	if (machines[i].fault) {
		records[3].kind = GF_RECORD_FAULT_RAISED;
		records[3].fault_raised = (struct gf_fault_raised){
		    .fault_no = 1,
		    .code = GF_FAULT_OVERTEMP_MOTOR,
		    .severity = GF_SEVERITY_LATCH,
		    .observed = 71,
		    .limit = 70,
		    .detail = "a \"quoted\", long\u00a0detail", /* CSV has to quote it */
		};
	}
	it_machine_birth(m, &birth);
	it_machine_report(m, records, COUNT(records));
	IT_UNTIL(SOON_MS, it_machine_acked(m) == COUNT(records));
}

static int group_setup(void **state)
{
	struct test *t = calloc(1, sizeof *t);

	*state = t;
	t->w = it_open("cli");
	it_broker_start(t->w);
	it_gateway_start(t->w);
	IT_UNTIL(SOON_MS, it_gateway_listens(t->w));
	for (size_t i = COUNT(machines); i-- > 0;) {
		struct it_machine *m = it_machine_open(t->w, machines[i].id);
		tell(m, i);
		if (i == 0)
			t->chair = m;
		else
			it_machine_close(m); /* it says no goodbye, and a graceful end has no will */
	}
	return 0;
}

static int group_teardown(void **state)
{
	struct test *t = *state;

	it_machine_close(t->chair);
	it_close(t->w);
	free(t);
	return 0;
}

/* gymfleet --socket ... WORDS, the words separated by '|'. */
static struct it_output run_format(struct test *t, const char *format, const char *words)
{
	const char *argv[IT_ARGS_MAX] = {it_program("gymfleet"), "--socket", it_path(t->w, "gateway.sock")};
	char *copy = strdup(words), *save = NULL;
	size_t n = 3;

	for (char *word = strtok_r(copy, "|", &save); word && n < IT_ARGS_MAX - 3; word = strtok_r(NULL, "|", &save))
		argv[n++] = word;
	if (format) {
		argv[n++] = "-o";
		argv[n] = format;
	}
	struct it_output output = it_run_args(t->w, argv);
	free(copy);
	return output;
}

static struct it_output run(struct test *t, const char *words)
{
	return run_format(t, NULL, words);
}

/* ---- every command, every format ---- */

/* "doctor" may find the test's own disk wanting. */
static const struct {
	const char *words;
	int status_max;
} commands[] = {
    {"status", 0},
    {"devices", 0},
    {"devices|--where|site=berlin|--limit|4", 0},
    {"device|show|" CHAIR, 0},
    {"device|set|" CHAIR "|name=Old chair|zone=lounge", 0},
    {"health", 0},
    {"health|gun-berlin-01", 0},
    {"sessions", 0},
    {"sessions|" CHAIR "|--since|7d|--until|1m", 0},
    {"usage", 0},
    {"usage|--by|device", 0},
    {"usage|--by|site", 0},
    {"usage|--by|class", 0},
    {"usage|--by|routine", 0},
    {"usage|--by|area", 0},
    {"usage|--by|hour", 0},
    {"usage|--by|day|--since|30d", 0},
    {"faults", 0},
    {"faults|gun-hamburg-01|--open", 0},
    {"audit", 0},
    {"audit|" CHAIR, 0},
    {"events", 0},
    {"events|--kind|session|--device|" CHAIR "|--since|1h|--limit|5", 0},
    {"doctor", 1},
};

static void expect_json(const char *words, const char *out)
{
	json_error_t error;
	json_t *value = json_loads(out, JSON_REJECT_DUPLICATES, &error);

	if (!value)
		fail_msg("%s -o json: line %d: %s", words, error.line, error.text);
	json_decref(value);
}

/* RFC 4180: every row has as many fields as the first, and ends with CR LF. */
static void expect_csv(const char *words, const char *out)
{
	size_t fields = 1, first = 0, rows = 0;
	bool quoted = false;

	for (const char *at = out; *at; at++) {
		if (*at == '"') {
			quoted = !quoted;
		} else if (*at == ',' && !quoted) {
			fields++;
		} else if (*at == '\n' && !quoted) {
			if (at == out || at[-1] != '\r' || (rows > 0 && fields != first))
				fail_msg("%s -o csv: row %zu has %zu fields of %zu, or no CR LF", words, rows, fields, first);
			first = fields;
			fields = 1;
			rows++;
		}
	}
	if (quoted || fields != 1 || rows < 2)
		fail_msg("%s -o csv: %zu rows, or the last one doesn't end", words, rows);
}

static void expect_table(const char *words, const char *out)
{
	if (!*out || strchr(out, ESCAPE))
		fail_msg("%s -o table: empty, or coloured for a file", words);
}

static void every_command_prints_every_format(void **state)
{
	static const struct {
		const char *name;
		void (*expect)(const char *words, const char *out);
	} formats[] = {{"table", expect_table}, {"json", expect_json}, {"csv", expect_csv}};
	struct test *t = *state;

	for (size_t c = 0; c < COUNT(commands); c++)
		for (size_t f = 0; f < COUNT(formats); f++) {
			struct it_output output = run_format(t, formats[f].name, commands[c].words);
			/* An audit without findings has a heading and no row. */
			bool empty = strncmp(commands[c].words, "audit", 5) == 0 && f == 2;
			if (output.status > commands[c].status_max || *output.err)
				fail_msg("%s: %d, %s", commands[c].words, output.status, output.err);
			if (!empty)
				formats[f].expect(commands[c].words, output.out);
			it_output_free(&output);
		}
}

/* So that a new command can't be left out above. */
static void the_help_names_no_other_command(void **state)
{
	struct test *t = *state;
	struct it_output help = run(t, "help");
	char *save = NULL, *end = strstr(help.out, "\nOptions");
	unsigned found = 0;

	assert_int_equal(help.status, 0);
	assert_non_null(end);
	*end = '\0';
	for (char *line = strtok_r(help.out, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		bool known = strncmp(line, "  catalog ", 10) == 0 || strncmp(line, "  help ", 7) == 0;
		if (strncmp(line, "  ", 2) != 0)
			continue;
		for (size_t c = 0; c < COUNT(commands) && !known; c++) {
			char name[64];
			size_t n = 0, words = strncmp(line + 2, "device ", 7) == 0 ? 2 : 1;
			for (const char *at = commands[c].words; *at && (*at != '|' || --words > 0) && n < sizeof name - 2; at++)
				name[n++] = *at == '|' ? ' ' : *at;
			name[n] = '\0';
			known = strncmp(line + 2, name, n) == 0 && line[2 + n] == ' ';
		}
		if (!known)
			fail_msg("no test for: %s", line);
		found++;
	}
	assert_in_range(found, 10, 64);
	it_output_free(&help);
}

static void catalogs_are_checked_and_built_without_a_gateway(void **state)
{
	struct test *t = *state;
	const char *routines = it_source("config/routines"), *file = it_path(t->w, "built.catalog");
	struct it_output output = it_run(t->w, it_program("gymfleet"), "-o", "json", "catalog", "check", routines);

	assert_int_equal(output.status, 0);
	expect_json("catalog check", output.out);
	it_output_free(&output);
	output = it_run(t->w, it_program("gymfleet"), "catalog", "build", "--class", "chair", "--name", "chair",
	                "--version", "3", "-o", file, routines);
	assert_int_equal(output.status, 0);
	assert_int_equal(access(file, R_OK), 0);
	it_output_free(&output);
	it_write(it_path(t->w, "wrong.yaml"), "id: wrong\ntitle: Wrong\nclasses: [chair]\ntotal_s: many\n");
	output = it_run(t->w, it_program("gymfleet"), "catalog", "check", it_path(t->w, "wrong.yaml"));
	assert_int_equal(output.status, REFUSED);
	assert_non_null(strstr(output.err, "wrong.yaml:4:"));
	it_output_free(&output);
}

/* ---- what is selected ---- */

/* `ids` in the order printed, each with a blank behind it. */
static void expect_selected(struct test *t, const char *command, const char *where, const char *ids)
{
	const char *const words[] = {command, "--where", where, NULL};
	json_t *answer = it_ask_args(t->w, words);
	char got[512] = "";
	const json_t *row;
	size_t i;

	assert_non_null(answer);
	json_array_foreach(it_items(answer), i, row)
	{
		size_t n = strlen(got);
		snprintf(got + n, sizeof got - n, "%s ", json_string_value(json_object_get(row, "id")));
	}
	if (strcmp(got, ids) != 0)
		fail_msg("%s --where '%s' gives '%s', not '%s'", command, where, got, ids);
	json_decref(answer);
}

static void where_selects(void **state)
{
	struct test *t = *state;

	expect_selected(t, "devices", "site=berlin and (class=chair or health!=ok)", CHAIR " gun-berlin-01 ");
	expect_selected(t, "health", "site=berlin and (class=chair or health!=ok)", CHAIR " gun-berlin-01 ");
	expect_selected(t, "devices", "site=berlin and class=percussion or site=hamburg",
	                "gun-berlin-01 gun-berlin-02 gun-hamburg-01 ");
	expect_selected(t, "devices", "not site=berlin", "gun-hamburg-01 ");
	expect_selected(t, "devices", "id ~ 'gun-*-01' and open_faults >= 1", "gun-berlin-01 gun-hamburg-01 ");
	expect_selected(t, "devices", "last_seen > -1h and motor_temp_c = 35 and sessions = 2 and clock_synced = true",
	                CHAIR " gun-berlin-01 gun-berlin-02 gun-hamburg-01 ");
	expect_selected(t, "devices", "motor_hours > 1500", "");
}

static size_t rows(struct test *t, const char *words)
{
	struct it_output output = run_format(t, "json", words);
	json_t *answer = json_loads(output.out, 0, NULL);
	size_t n = json_array_size(answer);

	assert_int_equal(output.status, 0);
	json_decref(answer);
	it_output_free(&output);
	return n;
}

static void times_limits_and_kinds_select(void **state)
{
	struct test *t = *state;

	assert_int_equal(rows(t, "sessions"), COUNT(machines) * SESSIONS);
	assert_int_equal(rows(t, "sessions|gun-berlin-02"), SESSIONS);
	assert_int_equal(rows(t, "sessions|--since|90m"), COUNT(machines));
	assert_int_equal(rows(t, "sessions|--until|90m"), COUNT(machines));
	assert_int_equal(rows(t, "sessions|--limit|3"), 3);
	assert_int_equal(rows(t, "sessions|--where|site=hamburg and outcome=completed"), SESSIONS);
	assert_int_equal(rows(t, "sessions|--where|outcome=interrupted"), 0);
	assert_int_equal(rows(t, "faults|--open"), 2);
	assert_int_equal(rows(t, "faults|gun-berlin-02"), 0);
	assert_int_equal(rows(t, "events|--kind|fault"), 2);
	assert_int_equal(rows(t, "usage|--by|site"), 2);
}

static void change(struct test *t, const char *words)
{
	struct it_output output = run(t, words);

	assert_int_equal(output.status, 0);
	it_output_free(&output);
}

static void a_device_is_named_and_gets_its_own_words_back(void **state)
{
	struct test *t = *state;

	change(t, "device|set|gun-berlin-02|site=potsdam|name=Gun 2");
	expect_selected(t, "devices", "site=potsdam and name='Gun 2'", "gun-berlin-02 ");
	change(t, "device|set|gun-berlin-02|site=|name=");
	expect_selected(t, "devices", "site=potsdam", "");
	expect_selected(t, "devices", "id=gun-berlin-02 and site=berlin and name=null", "gun-berlin-02 ");
}

/* ---- mistakes ---- */

static void expect_mistake(struct test *t, const char *words, int status, const char *says)
{
	struct it_output output = run(t, words);

	if (output.status != status || !strstr(output.err, says) || *output.out)
		fail_msg("gymfleet %s: %d instead of %d, '%s' doesn't say '%s', or there is output: '%s'", words, output.status,
		         status, output.err, says, output.out);
	it_output_free(&output);
}

static void mistakes_are_usage_errors(void **state)
{
	struct test *t = *state;

	expect_mistake(t, "devcies", USAGE, "did you mean 'devices'?");
	expect_mistake(t, "devcies", USAGE, "usage: gymfleet");
	expect_mistake(t, "frobnicate", USAGE, "unknown command 'frobnicate'");
	expect_mistake(t, "devices|--wher|x=1|--limt|3", USAGE, "usage: gymfleet devices");
	expect_mistake(t, "devices|--limt|3", USAGE, "did you mean '--limit'?");
	expect_mistake(t, "devices|-q", USAGE, "unknown option '-q'");
	expect_mistake(t, "devices|extra", USAGE, "'extra' is one argument too many");
	expect_mistake(t, "device|show", USAGE, "needs ID");
	expect_mistake(t, "devices|-o|xml", USAGE, "table, json or csv");
	expect_mistake(t, "devices|--limit|0", USAGE, "--limit is '0'");
	expect_mistake(t, "sessions|--since|yesterday", USAGE, "yesterday");
	expect_mistake(t, "usage|--by|siet", USAGE, "did you mean 'site'?");
	expect_mistake(t, "events|--kind|fualt", USAGE, "did you mean 'fault'?");
	expect_mistake(t, "device|set|" CHAIR "|colour=red", USAGE, "colour");
	expect_mistake(t, "device|set|" CHAIR "|site", USAGE, "KEY=VALUE");
	expect_mistake(t, "device|show|No Such", USAGE, "is no machine's id");
}

static void a_wrong_where_is_named(void **state)
{
	static const char *const lists[] = {"devices", "health", "sessions", "faults"};
	struct test *t = *state;

	for (size_t i = 0; i < COUNT(lists); i++) {
		char words[64];
		snprintf(words, sizeof words, "%s|--where|colour=red", lists[i]);
		expect_mistake(t, words, USAGE, "unknown field 'colour'");
	}
	expect_mistake(t, "devices|--where|site=berlin and helth=ok", USAGE, "column 17");
	expect_mistake(t, "devices|--where|site=berlin and helth=ok", USAGE, "did you mean 'health'?");
	expect_mistake(t, "devices|--where|(site=berlin", USAGE, "never closed");
	expect_mistake(t, "devices|--where|class=chiar", USAGE, "did you mean 'chair'?");
	expect_mistake(t, "devices|--where|motor_hours>lots", USAGE, "is a number");
}

static void an_unknown_machine_is_refused(void **state)
{
	struct test *t = *state;

	expect_mistake(t, "device|show|nobody", REFUSED, "nobody");
	expect_mistake(t, "device|set|nobody|site=berlin", REFUSED, "nobody");
	expect_mistake(t, "health|nobody", REFUSED, "nobody");
	expect_mistake(t, "sessions|nobody", REFUSED, "nobody");
	expect_mistake(t, "faults|nobody", REFUSED, "nobody");
	expect_mistake(t, "audit|nobody", REFUSED, "nobody");
	expect_mistake(t, "events|--device|nobody", REFUSED, "nobody");
}

/* ---- no gateway ---- */

static void expect_unreachable(struct test *t, const char *socket, const char *says)
{
	for (size_t c = 0; c < COUNT(commands); c++) {
		char words[256];
		bool doctor = strcmp(commands[c].words, "doctor") == 0; /* to it that is a finding */
		snprintf(words, sizeof words, "--socket|%s|%s", socket, commands[c].words);
		struct it_output output = run(t, words);
		if (output.status != UNREACHABLE || !strstr(doctor ? output.out : output.err, says))
			fail_msg("%s: %d, '%s'", commands[c].words, output.status, output.err);
		it_output_free(&output);
	}
}

static void without_a_gateway_each_command_says_what_to_do(void **state)
{
	struct test *t = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	expect_unreachable(t, it_path(t->w, "no.sock"), "start it (systemctl start gymfleet-gateway), or name its socket");
	gf_strcpy(address.sun_path, sizeof address.sun_path, it_path(t->w, "dead.sock"));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	close(fd);
	expect_unreachable(t, it_path(t->w, "dead.sock"), "nobody listens on the socket");
}

static void the_socket_may_come_from_the_environment(void **state)
{
	struct test *t = *state;
	char assignment[512];

	snprintf(assignment, sizeof assignment, "GYMFLEET_SOCKET=%s", it_path(t->w, "gateway.sock"));
	struct it_output output = it_run(t->w, "env", assignment, it_program("gymfleet"), "devices");
	assert_int_equal(output.status, 0);
	assert_non_null(strstr(output.out, CHAIR));
	it_output_free(&output);
}

/* ---- on a terminal ---- */

static bool coloured(struct test *t, const char *environment, const char *format)
{
	char command[1024];

	snprintf(command, sizeof command, "env -u NO_COLOR %s %s --socket %s -o %s health", environment,
	         it_program("gymfleet"), it_path(t->w, "gateway.sock"), format);
	struct it_output output = it_run(t->w, "script", "-qec", command, "/dev/null");
	bool has = strchr(output.out, ESCAPE) != NULL;
	assert_int_equal(output.status, 0);
	assert_non_null(strstr(output.out, "gun-berlin-01"));
	it_output_free(&output);
	return has;
}

static void colours_are_for_terminals_and_off_with_no_color(void **state)
{
	struct test *t = *state;

	assert_true(coloured(t, "", "table"));
	assert_true(coloured(t, "NO_COLOR=", "table")); /* empty counts as unset */
	assert_false(coloured(t, "NO_COLOR=1", "table"));
	assert_false(coloured(t, "", "json"));
	assert_false(coloured(t, "", "csv"));
}

/* ---- as it happens ---- */

static void an_event_is_printed_as_it_happens(void **state)
{
	struct test *t = *state;
	const char *gymfleet = it_program("gymfleet"), *socket = it_path(t->w, "gateway.sock");
	struct it_proc *json = it_spawn(t->w, "follow-json", gymfleet, "--socket", socket, "-o", "json", "events",
	                                "--follow", "--kind", "session");
	struct it_proc *table = it_spawn(t->w, "follow-table", gymfleet, "--socket", socket, "events", "-f");
	struct gf_record records[] = {
	    it_started(t->chair, 5, 3, it_wall_ms()),
	    it_session(t->chair, 6, 3, it_wall_ms()),
	};

	/* Both have printed what was there and wait. */
	IT_UNTIL(SOON_MS, it_log_has(json, "session 2 completed") && it_log_has(table, "session 2 completed"));
	assert_false(it_log_has(json, "session 3"));
	it_machine_report(t->chair, records, 1);
	IT_UNTIL(SOON_MS, it_log_has(json, "session 3 started") && it_log_has(table, "session 3 started"));
	it_machine_report(t->chair, records + 1, 1);
	IT_UNTIL(SOON_MS, it_log_has(json, "session 3 completed") && it_log_has(table, "session 3 completed"));
	assert_true(it_alive(json) && it_alive(table));
	it_signal(json, SIGINT);
	it_signal(table, SIGINT);
	assert_int_equal(it_wait(json, SOON_MS), 128 + SIGINT);
	assert_int_equal(it_wait(table, SOON_MS), 128 + SIGINT);

	/* One object a line. */
	char *log = it_read(it_log(json)), *save = NULL;
	for (char *line = strtok_r(log, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		expect_json("events --follow", line);
	free(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_command_prints_every_format),
	    cmocka_unit_test(the_help_names_no_other_command),
	    cmocka_unit_test(catalogs_are_checked_and_built_without_a_gateway),
	    cmocka_unit_test(where_selects),
	    cmocka_unit_test(times_limits_and_kinds_select),
	    cmocka_unit_test(a_device_is_named_and_gets_its_own_words_back),
	    cmocka_unit_test(mistakes_are_usage_errors),
	    cmocka_unit_test(a_wrong_where_is_named),
	    cmocka_unit_test(an_unknown_machine_is_refused),
	    cmocka_unit_test(without_a_gateway_each_command_says_what_to_do),
	    cmocka_unit_test(the_socket_may_come_from_the_environment),
	    cmocka_unit_test(colours_are_for_terminals_and_off_with_no_color),
	    cmocka_unit_test(an_event_is_printed_as_it_happens),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
