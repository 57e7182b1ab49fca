/* The help: every command has examples, and each of them can be typed as it stands. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/gateway/cli/words.h"

/* "gymfleet audit log --where 'a b'" as "audit|log|--where|a b". */
static void take_words(const char *line, size_t len, char *words)
{
	char quote = '\0';

	for (const char *c = line + strlen("gymfleet "); c < line + len; c++)
		if (quote == '\0' && (*c == '\'' || *c == '"'))
			quote = *c;
		else if (*c == quote)
			quote = '\0';
		else
			*words++ = (char)(*c == ' ' && quote == '\0' ? '|' : *c);
	*words = '\0';
}

static void try_line(const struct cli_command *command, const char *line, size_t len)
{
	char words[256], name[64];

	(void)snprintf(name, sizeof(name), "gymfleet %s", command->name);
	if (strncmp(line, name, strlen(name)) != 0 || len + sizeof("|--yes") > sizeof(words))
		fail_msg("'%.*s' is no example of '%s'", (int)len, line, command->name);
	take_words(line, len, words);
	if ((command->options & CLI_BIT(CLI_OPT_YES)) != 0)
		strcat(words, "|--yes"); /* there is nobody to ask */
	struct result r = run("/nonexistent/sock", words);
	if (r.code == CLI_USAGE)
		fail_msg("%s\n%s", words, r.err);
	forget(&r);
}

static void every_example_can_be_typed(void **state)
{
	(void)state;
	for (const struct cli_command *c = cli_commands; c->name != NULL; c++) {
		const char *lines = cli_example(c->name);
		if (*lines == '\0')
			fail_msg("'%s' has no example", c->name);
		for (size_t len; *lines != '\0'; lines += len + 1) {
			len = strcspn(lines, "\n");
			try_line(c, lines, len);
		}
	}
	assert_string_equal(cli_example("devcies"), "");
}

static void a_commands_help_has_its_examples_and_what_a_time_is(void **state)
{
	(void)state;
	expect("/nonexistent", "help|faults|ack", CLI_OK,
	       "\nExample:\n  gymfleet faults ack 12 --note 'fan ordered, comes on Friday'\n", "");
	expect("/nonexistent", "faults|--help", CLI_OK, "\nExamples:\n  gymfleet faults --open\n  gymfleet faults chair-",
	       "");
	expect("/nonexistent", "faults|--help", CLI_OK, "its midnight in the time zone\nof this terminal, TZ", "");
	expect("/nonexistent", "help|device|set", CLI_OK, "percent of the\nmachine's full strength", "");
	struct result r = run("/nonexistent", "help|devices");
	assert_null(strstr(r.out, "A TIME is")); /* it takes none */
	forget(&r);
}

static void help_fits_its_terminal(void **state)
{
	static const unsigned short widths[] = {40, 60, 80};

	(void)state;
	for (size_t k = 0; k < sizeof(widths) / sizeof(widths[0]); k++)
		for (const char *const *words = (const char *const[]){"help", "faults|--help", "events|--help", "help|device",
		                                                      "help|rollout|start", NULL};
		     *words != NULL; words++) {
			struct result r = run_on_terminal("/nonexistent", *words, widths[k]);
			for (const char *line = r.out; *line != '\0'; line += strcspn(line, "\n") + 1)
				if (strcspn(line, "\n") > widths[k] && strncmp(line, "usage:", 6) != 0 &&
				    strncmp(line, "  gymfleet ", 11) != 0) /* what is to be typed stays on its line */
					fail_msg("%s on %u columns: '%.*s'", *words, widths[k], (int)strcspn(line, "\n"), line);
			assert_int_equal(r.code, CLI_OK);
			forget(&r);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_example_can_be_typed),
	    cmocka_unit_test(help_fits_its_terminal),
	    cmocka_unit_test(a_commands_help_has_its_examples_and_what_a_time_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
