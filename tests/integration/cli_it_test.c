/*
 * The command against a living gateway: every command in every format, what --where selects,
 * and that an event is printed as it happens. The fleet is made by hand and the same for all tests.
 */
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/cli_fleet.h"
#include "tests/integration/fleet.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ESCAPE '\033'

enum { SOON_MS = 20000, REFUSED = 1 };

/* ---- every command, every format ---- */

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
	struct cli_fleet *t = *state;

	for (size_t c = 0; cli_commands_tried[c].words; c++)
		for (size_t f = 0; f < COUNT(formats); f++) {
			struct it_output output = cli_run_as(t, formats[f].name, cli_commands_tried[c].words);
			/* An audit without findings has a heading and no row. */
			bool empty = strncmp(cli_commands_tried[c].words, "audit", 5) == 0 &&
			             strcmp(cli_commands_tried[c].words, "audit|log") != 0 && f == 2;
			if (output.status > cli_commands_tried[c].status_max || *output.err)
				fail_msg("%s: %d, %s", cli_commands_tried[c].words, output.status, output.err);
			if (!empty)
				formats[f].expect(cli_commands_tried[c].words, output.out);
			it_output_free(&output);
		}
}

/* Tried elsewhere: with machines that answer; once only, or changing what other tests here count; with rows as they are; without a
 * gateway; without a CSV. */
static bool is_tried_elsewhere(const char *line)
{
	static const char *const names[] = {"device stop ",    "rollout start ", "rollout watch ",    "rollout pause ",
	                                    "rollout resume ", "rollout halt ",  "rollout rollback ", "device untag ",
	                                    "faults clear ",   "export ",        "subject token ",    "rules check ",
	                                    "faults ack ",     "faults report ", "faults show "};

	for (size_t i = 0; i < COUNT(names); i++)
		if (strncmp(line + 2, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* The second one follows at once; what a command is for stands apart. */
static bool two_words(const char *line)
{
	const char *space = strchr(line + 2, ' ');
	return space != NULL && space[1] >= 'a' && space[1] <= 'z';
}

/* So that a new command can't be left out above. */
static void the_help_names_no_other_command(void **state)
{
	struct cli_fleet *t = *state;
	struct it_output help = cli_run(t, "help");
	char *save = NULL, *end = strstr(help.out, "\nOptions");
	unsigned found = 0;

	assert_int_equal(help.status, 0);
	assert_non_null(end);
	*end = '\0';
	for (char *line = strtok_r(help.out, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		bool known =
		    strncmp(line, "  catalog ", 10) == 0 || strncmp(line, "  help ", 7) == 0 || is_tried_elsewhere(line);
		if (strncmp(line, "  ", 2) != 0)
			continue;
		for (size_t c = 0; cli_commands_tried[c].words && !known; c++) {
			char name[64];
			size_t n = 0, words = two_words(line) ? 2 : 1;
			for (const char *at = cli_commands_tried[c].words;
			     *at && (*at != '|' || --words > 0) && n < sizeof name - 2; at++)
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
	struct cli_fleet *t = *state;
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
static void expect_selected(struct cli_fleet *t, const char *command, const char *where, const char *ids)
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
	struct cli_fleet *t = *state;

	expect_selected(t, "devices", "site=berlin and (class=chair or health!=ok)", CLI_CHAIR " gun-berlin-01 ");
	expect_selected(t, "health", "site=berlin and (class=chair or health!=ok)", CLI_CHAIR " gun-berlin-01 ");
	expect_selected(t, "devices", "site=berlin and class=percussion or site=hamburg",
	                "gun-berlin-01 gun-berlin-02 gun-hamburg-01 ");
	expect_selected(t, "devices", "not site=berlin", "gun-hamburg-01 ");
	expect_selected(t, "devices", "id ~ 'gun-*-01' and open_faults >= 1", "gun-berlin-01 gun-hamburg-01 ");
	expect_selected(t, "devices", "last_seen > -1h and motor_temp_c = 35 and sessions = 2 and clock_synced = true",
	                CLI_CHAIR " gun-berlin-01 gun-berlin-02 gun-hamburg-01 ");
	expect_selected(t, "devices", "motor_hours > 1500", "");
}

static size_t rows(struct cli_fleet *t, const char *words)
{
	struct it_output output = cli_run_as(t, "json", words);
	json_t *answer = json_loads(output.out, 0, NULL);
	size_t n = json_array_size(answer);

	assert_int_equal(output.status, 0);
	json_decref(answer);
	it_output_free(&output);
	return n;
}

static void times_limits_and_kinds_select(void **state)
{
	struct cli_fleet *t = *state;

	assert_int_equal(rows(t, "sessions"), CLI_MACHINES * CLI_SESSIONS);
	assert_int_equal(rows(t, "sessions|gun-berlin-02"), CLI_SESSIONS);
	assert_int_equal(rows(t, "sessions|--since|90m"), CLI_MACHINES);
	assert_int_equal(rows(t, "sessions|--until|90m"), CLI_MACHINES);
	assert_int_equal(rows(t, "sessions|--limit|3"), 3);
	assert_int_equal(rows(t, "sessions|--where|site=hamburg and outcome=completed"), CLI_SESSIONS);
	assert_int_equal(rows(t, "sessions|--where|outcome=interrupted"), 0);
	assert_int_equal(rows(t, "faults|--open"), 2);
	assert_int_equal(rows(t, "faults|gun-berlin-02"), 0);
	assert_int_equal(rows(t, "events|--kind|fault"), 2);
	assert_int_equal(rows(t, "usage|--by|site"), 2);
}

static void change(struct cli_fleet *t, const char *words)
{
	struct it_output output = cli_run(t, words);

	assert_int_equal(output.status, 0);
	it_output_free(&output);
}

static void a_device_is_named_and_gets_its_own_words_back(void **state)
{
	struct cli_fleet *t = *state;

	change(t, "device|set|gun-berlin-02|site=potsdam|name=Gun 2");
	expect_selected(t, "devices", "site=potsdam and name='Gun 2'", "gun-berlin-02 ");
	change(t, "device|set|gun-berlin-02|site=|name=");
	expect_selected(t, "devices", "site=potsdam", "");
	expect_selected(t, "devices", "id=gun-berlin-02 and site=berlin and name=null", "gun-berlin-02 ");
}

/* ---- on a terminal ---- */

static bool coloured(struct cli_fleet *t, const char *environment, const char *format)
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
	struct cli_fleet *t = *state;

	assert_true(coloured(t, "", "table"));
	assert_true(coloured(t, "NO_COLOR=", "table")); /* empty counts as unset */
	assert_false(coloured(t, "NO_COLOR=1", "table"));
	assert_false(coloured(t, "", "json"));
	assert_false(coloured(t, "", "csv"));
}

/* ---- as it happens ---- */

static void an_event_is_printed_as_it_happens(void **state)
{
	struct cli_fleet *t = *state;
	const char *gymfleet = it_program("gymfleet"), *socket = it_path(t->w, "gateway.sock");
	struct it_proc *json = it_spawn(t->w, "follow-json", gymfleet, "--socket", socket, "-o", "json", "events",
	                                "--follow", "--kind", "session");
	struct it_proc *table =
	    it_spawn(t->w, "follow-table", gymfleet, "--socket", socket, "events", "-f", "--limit", "500");
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
	    cmocka_unit_test(colours_are_for_terminals_and_off_with_no_color),
	    cmocka_unit_test(an_event_is_printed_as_it_happens),
	};

	return cmocka_run_group_tests(tests, cli_fleet_setup, cli_fleet_teardown);
}
