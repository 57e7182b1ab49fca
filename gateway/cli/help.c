#include <string.h>

#include "gateway/cli/cli.h"
#include "proto/base/text.h"

static bool begins_with(const struct cli_command *command, const char *word)
{
	size_t n = strlen(word);
	return strncmp(command->name, word, n) == 0 && (command->name[n] == '\0' || command->name[n] == ' ');
}

const struct cli_command *cli_find(const char *const *words, size_t count, size_t *ret_used)
{
	char two[64];

	if (count == 0)
		return NULL;
	for (size_t used = count >= 2 ? 2 : 1; used > 0; used--) {
		int n = snprintf(two, sizeof(two), "%s%s%s", words[0], used == 2 ? " " : "", used == 2 ? words[1] : "");
		for (const struct cli_command *c = cli_commands; c->name != NULL && n < (int)sizeof(two); c++)
			if (strcmp(c->name, two) == 0) {
				*ret_used = used;
				return c;
			}
	}
	return NULL;
}

void cli_usage_line(const struct cli_command *command, FILE *to)
{
	(void)fprintf(to, "usage: gymfleet %s [OPTIONS]%s%s\n", command->name, *command->args != '\0' ? " " : "",
	              command->args);
}

static void list_command(const struct cli_command *c, FILE *to)
{
	char left[64];

	(void)snprintf(left, sizeof(left), "%s %s", c->name, c->args);
	(void)fprintf(to, "  %-32s %s\n", left, c->summary);
}

static void list_commands(const char *first_word, FILE *to)
{
	for (const struct cli_command *c = cli_commands; c->name != NULL; c++)
		if (begins_with(c, first_word))
			list_command(c, to);
}

/* All of them, by what people want to do. */
static void list_groups(FILE *to)
{
	static const char *const headings[] = {
	    [CLI_WATCH] = "See how the fleet is",
	    [CLI_CARE] = "Faults, repair and service",
	    [CLI_OVERUSE] = "Overuse",
	    [CLI_ROUTINES] = "Routines",
	    [CLI_ROLLOUTS] = "Bring routines to machines",
	    [CLI_DATA] = "Use and data",
	    [CLI_GATEWAY] = "The gateway",
	};
	_Static_assert(sizeof(headings) / sizeof(headings[0]) == CLI_GROUP_COUNT, "every group has its heading");

	for (int group = 0; group < CLI_GROUP_COUNT; group++) {
		(void)fprintf(to, "%s%s\n", group > 0 ? "\n" : "", headings[group]);
		for (const struct cli_command *c = cli_commands; c->name != NULL; c++)
			if ((int)c->group == group)
				list_command(c, to);
	}
}

static void general_help(FILE *to)
{
	(void)fputs("gymfleet: a fleet of massage machines, as its gateway knows it\n\n"
	            "usage: gymfleet [OPTIONS] COMMAND [ARGUMENTS]\n\n",
	            to);
	list_groups(to);
	(void)fputs("\nOptions of every command\n", to);
	cli_options_help(NULL, to);
	(void)fputs("\n`gymfleet help COMMAND` tells more of one. Colours are off with NO_COLOR set.\n"
	            "Exit code: 0 done, 1 not found, refused or something is wrong, 2 usage, 3 no gateway answers.\n",
	            to);
}

static void say_unknown(struct cli *cli, const char *word)
{
	enum { NAMES_MAX = 128 };
	const char *names[NAMES_MAX], *near;
	size_t count = 0;

	for (const struct cli_command *c = cli_commands; c->name != NULL && count < NAMES_MAX; c++)
		names[count++] = c->name;
	near = gf_nearest(word, names, count);
	if (near != NULL)
		(void)fprintf(cli->err, "gymfleet: unknown command '%s'; did you mean '%s'?\n", word, near);
	else
		(void)fprintf(cli->err, "gymfleet: unknown command '%s'\n", word);
}

static enum cli_exit no_such(struct cli *cli, const char *word)
{
	say_unknown(cli, word);
	(void)fputs("usage: gymfleet [OPTIONS] COMMAND [ARGUMENTS]\n\n", cli->err);
	list_groups(cli->err);
	return CLI_USAGE;
}

enum cli_exit cli_help_command(const struct cli_command *command, FILE *to)
{
	cli_usage_line(command, to);
	(void)fprintf(to, "\n%s\n%s%s\nOptions:\n", command->summary, command->help != NULL ? "\n" : "",
	              command->help != NULL ? command->help : "");
	cli_options_help(command, to);
	cli_when_help(command, to);
	return CLI_OK;
}

enum cli_exit cli_help(struct cli *cli, FILE *to, const char *const *words, size_t count)
{
	size_t used;

	if (count == 0) {
		general_help(to);
		return CLI_OK;
	}
	const struct cli_command *command = cli_find(words, count, &used);
	if (command != NULL)
		return cli_help_command(command, to);
	for (const struct cli_command *c = cli_commands; c->name != NULL; c++)
		if (begins_with(c, words[0])) {
			char two[64];
			if (count > 1) {
				(void)snprintf(two, sizeof(two), "%s %s", words[0], words[1]);
				say_unknown(cli, two);
			}
			(void)fprintf(to, "usage: gymfleet %s COMMAND\n\n", words[0]);
			list_commands(words[0], to);
			return count > 1 ? CLI_USAGE : CLI_OK;
		}
	return no_such(cli, words[0]);
}

enum cli_exit cmd_help(struct cli *cli, char **args, size_t count)
{
	return cli_help(cli, cli->out, (const char *const *)args, count);
}
