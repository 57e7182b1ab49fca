/* What the command says to each mistake of its caller, to an unknown machine, and without a gateway; and its exit codes. */
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/cli_fleet.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { REFUSED = 1, USAGE = 2, UNREACHABLE = 3 };

/* ---- mistakes ---- */

static void expect_mistake(struct cli_fleet *t, const char *words, int status, const char *says)
{
	struct it_output output = cli_run(t, words);

	if (output.status != status || !strstr(output.err, says) || *output.out)
		fail_msg("gymfleet %s: %d instead of %d, '%s' doesn't say '%s', or there is output: '%s'", words, output.status,
		         status, output.err, says, output.out);
	it_output_free(&output);
}

static void mistakes_are_usage_errors(void **state)
{
	struct cli_fleet *t = *state;

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
	expect_mistake(t, "overuse|--since|2026-02-30", USAGE, "a day (2026-11-20)");
	expect_mistake(t, "sessions|--since|1d|--until|2d", USAGE, "--since is not before --until");
	expect_mistake(t, "usage|--by|siet", USAGE, "did you mean 'site'?");
	expect_mistake(t, "events|--kind|fualt", USAGE, "did you mean 'fault'?");
	expect_mistake(t, "device|set|" CLI_CHAIR "|colour=red", USAGE, "colour");
	expect_mistake(t, "device|set|" CLI_CHAIR "|site", USAGE, "KEY=VALUE");
	expect_mistake(t, "device|show|No Such", USAGE, "is no machine's id");
}

static void a_wrong_where_is_named(void **state)
{
	static const char *const lists[] = {"devices", "health", "sessions", "faults"};
	struct cli_fleet *t = *state;

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

/* What a list is without: said beside it, which programs read. */
static void a_site_that_isnt_there_is_named_beside_the_list(void **state)
{
	static const struct {
		const char *words, *out;
	} cases[] = {
	    {"devices|--where|site=Nowhere", "no such machine\n"}, {"health|--where|site=Nowhere", "no such machine\n"},
	    {"sessions|--where|site=Nowhere", "no session\n"},     {"faults|--where|site=Nowhere", "no fault\n"},
	    {"overuse|--where|site=Nowhere", "no such flag\n"},    {"devices|-o|json|--where|site=Nowhere", "[]\n"},
	};
	struct cli_fleet *t = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct it_output output = cli_run(t, cases[i].words);
		if (output.status != 0 || strcmp(output.out, cases[i].out) != 0 ||
		    !strstr(output.err, "gymfleet: no machine has the site 'Nowhere'; machines are at: "))
			fail_msg("gymfleet %s: %d, '%s', '%s'", cases[i].words, output.status, output.out, output.err);
		it_output_free(&output);
	}
}

static void an_unknown_machine_is_refused(void **state)
{
	struct cli_fleet *t = *state;

	expect_mistake(t, "device|show|nobody", REFUSED, "nobody");
	expect_mistake(t, "device|set|nobody|site=berlin", REFUSED, "nobody");
	expect_mistake(t, "health|nobody", REFUSED, "nobody");
	expect_mistake(t, "sessions|nobody", REFUSED, "nobody");
	expect_mistake(t, "faults|nobody", REFUSED, "nobody");
	expect_mistake(t, "audit|nobody", REFUSED, "nobody");
	expect_mistake(t, "events|--device|nobody", REFUSED, "nobody");
}

/* ---- no gateway ---- */

static void expect_unreachable(struct cli_fleet *t, const char *socket, const char *says)
{
	for (size_t c = 0; cli_commands_tried[c].words; c++) {
		char words[256];
		bool doctor = strcmp(cli_commands_tried[c].words, "doctor") == 0; /* to it that is a finding */
		snprintf(words, sizeof words, "--socket|%s|%s", socket, cli_commands_tried[c].words);
		struct it_output output = cli_run(t, words);
		if (output.status != UNREACHABLE || !strstr(doctor ? output.out : output.err, says))
			fail_msg("%s: %d, '%s'", cli_commands_tried[c].words, output.status, output.err);
		it_output_free(&output);
	}
}

static void without_a_gateway_each_command_says_what_to_do(void **state)
{
	struct cli_fleet *t = *state;
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
	struct cli_fleet *t = *state;
	char assignment[512];

	snprintf(assignment, sizeof assignment, "GYMFLEET_SOCKET=%s", it_path(t->w, "gateway.sock"));
	struct it_output output = it_run(t->w, "env", assignment, it_program("gymfleet"), "devices");
	assert_int_equal(output.status, 0);
	assert_non_null(strstr(output.out, CLI_CHAIR));
	it_output_free(&output);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mistakes_are_usage_errors),
	    cmocka_unit_test(a_wrong_where_is_named),
	    cmocka_unit_test(a_site_that_isnt_there_is_named_beside_the_list),
	    cmocka_unit_test(an_unknown_machine_is_refused),
	    cmocka_unit_test(without_a_gateway_each_command_says_what_to_do),
	    cmocka_unit_test(the_socket_may_come_from_the_environment),
	};

	return cmocka_run_group_tests(tests, cli_fleet_setup, cli_fleet_teardown);
}
