#include <string.h>

#include "gateway/cli/cli.h"
#include "gateway/cli/text.h"
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

/* Texts are written for a wide terminal, in lines of their own; a narrower one gets them as one paragraph of its width. */
void cli_help_text(const struct cli *cli, FILE *to, const char *text)
{
	enum { WRITTEN_FOR = 112 };

	if (cli->width == 0 || cli->width >= WRITTEN_FOR) {
		(void)fputs(text, to);
		return;
	}
	text_wrap(to, text, 0, cli->width);
	(void)fputc('\n', to);
}

void cli_help_entry(const struct cli *cli, FILE *to, const char *left, unsigned width, const char *right)
{
	enum { BELOW = 6 };
	size_t indent = 2 + width + 1, used = strlen(left);
	/* Where there is no room beside it, it stands below. */
	bool below = used > width || (cli->width > 0 && indent + indent > cli->width);

	if (below) {
		indent = BELOW;
		(void)fprintf(to, "  %s\n%*s", left, BELOW, "");
	} else {
		(void)fprintf(to, "  %-*s ", (int)width, left);
	}
	text_wrap(to, right, indent, cli->width);
	(void)fputc('\n', to);
}

static void list_command(const struct cli *cli, const struct cli_command *c, FILE *to)
{
	enum { NAME_WIDTH = 32 };
	char left[64];

	(void)snprintf(left, sizeof(left), "%s %s", c->name, c->args);
	cli_help_entry(cli, to, left, NAME_WIDTH, c->summary);
}

static void list_commands(const struct cli *cli, const char *first_word, FILE *to)
{
	for (const struct cli_command *c = cli_commands; c->name != NULL; c++)
		if (begins_with(c, first_word))
			list_command(cli, c, to);
}

/* All of them, by what people want to do. */
static void list_groups(const struct cli *cli, FILE *to)
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
				list_command(cli, c, to);
	}
}

static void general_help(const struct cli *cli, FILE *to)
{
	cli_help_text(cli, to, "gymfleet: a fleet of massage machines, as its gateway knows it\n");
	(void)fputs("\nusage: gymfleet [OPTIONS] COMMAND [ARGUMENTS]\n\n", to);
	list_groups(cli, to);
	(void)fputs("\nOptions of every command\n", to);
	cli_options_help(cli, NULL, to);
	(void)fputc('\n', to);
	cli_help_text(cli, to, "`gymfleet help COMMAND` tells more of one. Colours are off with NO_COLOR set.\n");
	cli_help_text(cli, to,
	              "Exit code: 0 done, 1 not found, refused or something is wrong, 2 usage, 3 no gateway answers.\n");
}

/* The command that `word` was probably meant as, or NULL. */
static const struct cli_command *say_unknown(struct cli *cli, const char *word)
{
	enum { NAMES_MAX = 128 };
	const char *names[NAMES_MAX] = {NULL}, *near;
	size_t count = 0;

	for (const struct cli_command *c = cli_commands; c->name != NULL && count < NAMES_MAX; c++)
		names[count++] = c->name;
	near = gf_nearest(word, names, count);
	if (near != NULL)
		(void)fprintf(cli->err, "gymfleet: unknown command '%s'; did you mean '%s'?\n", word, near);
	else
		(void)fprintf(cli->err, "gymfleet: unknown command '%s'\n", word);
	for (size_t i = 0; near != NULL && i < count; i++)
		if (names[i] == near)
			return &cli_commands[i];
	return NULL;
}

/* All commands are more than a screen: with them below, a good guess would be out of sight. */
static enum cli_exit no_such(struct cli *cli, const char *word)
{
	const struct cli_command *near = say_unknown(cli, word);

	if (near != NULL) {
		cli_usage_line(near, cli->err);
		(void)fputs("`gymfleet help` lists all commands.\n", cli->err);
		return CLI_USAGE;
	}
	(void)fputs("usage: gymfleet [OPTIONS] COMMAND [ARGUMENTS]\n\n", cli->err);
	list_groups(cli, cli->err);
	return CLI_USAGE;
}

static void print_examples(const char *lines, FILE *to)
{
	const char *second = strchr(lines, '\n');

	(void)fprintf(to, "\nExample%s:\n", second != NULL && second[1] != '\0' ? "s" : "");
	for (size_t len; *lines != '\0'; lines += len) {
		len = strcspn(lines, "\n") + 1;
		(void)fprintf(to, "  %.*s", (int)len, lines);
	}
}

enum cli_exit cli_help_command(const struct cli *cli, const struct cli_command *command, FILE *to)
{
	cli_usage_line(command, to);
	(void)fputc('\n', to);
	text_wrap(to, command->summary, 0, cli->width);
	(void)fputc('\n', to);
	if (command->help != NULL) {
		(void)fputc('\n', to);
		cli_help_text(cli, to, command->help);
	}
	(void)fputs("\nOptions:\n", to);
	cli_options_help(cli, command, to);
	cli_when_help(cli, command, to);
	print_examples(cli_example(command->name), to);
	return CLI_OK;
}

enum cli_exit cli_help(struct cli *cli, FILE *to, const char *const *words, size_t count)
{
	size_t used;

	if (count == 0) {
		general_help(cli, to);
		return CLI_OK;
	}
	const struct cli_command *command = cli_find(words, count, &used);
	if (command != NULL)
		return cli_help_command(cli, command, to);
	for (const struct cli_command *c = cli_commands; c->name != NULL; c++)
		if (begins_with(c, words[0])) {
			char two[64];
			if (count > 1) {
				(void)snprintf(two, sizeof(two), "%s %s", words[0], words[1]);
				(void)say_unknown(cli, two);
			}
			(void)fprintf(to, "usage: gymfleet %s COMMAND\n\n", words[0]);
			list_commands(cli, words[0], to);
			return count > 1 ? CLI_USAGE : CLI_OK;
		}
	return no_such(cli, words[0]);
}

enum cli_exit cmd_help(struct cli *cli, char **args, size_t count)
{
	return cli_help(cli, cli->out, (const char *const *)args, count);
}
