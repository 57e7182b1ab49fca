/* A small fleet made by hand behind a real gateway, for the tests of the command; the same at the start of each program. */
#ifndef TESTS_INTEGRATION_CLI_FLEET_H
#define TESTS_INTEGRATION_CLI_FLEET_H

#include "tests/integration/machine.h"

#define CLI_CHAIR "chair-berlin-01"

/* That chair, gun-berlin-01 and gun-hamburg-01 with a latched fault each, gun-berlin-02; each with two sessions. chair@1 is published. */
enum { CLI_MACHINES = 4, CLI_SESSIONS = 2 };

struct cli_fleet {
	struct it_world *w;
	struct it_machine *chair; /* still connected; its next seq is 5 */
};

/* For cmocka_run_group_tests: *state is a struct cli_fleet. */
int cli_fleet_setup(void **state);
int cli_fleet_teardown(void **state);

/* Every command that asks the gateway, with arguments; NULL ends them. */
struct cli_command_line {
	const char *words;
	int status_max; /* the exit code that still is none of an error */
};
extern const struct cli_command_line cli_commands_tried[];

/* gymfleet --socket ... WORDS, the words separated by '|'; `format` NULL: without -o. */
struct it_output cli_run_as(struct cli_fleet *f, const char *format, const char *words);
struct it_output cli_run(struct cli_fleet *f, const char *words);

#endif
