/*
 * The happy path: leading options, the command's words, its options and arguments, then its function. Whatever is wrong with the
 * words is said with the usage line on `err` and ends with CLI_USAGE before anything is asked of the gateway.
 */
#include "gateway/cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "gateway/cli/text.h"
#include "proto/base/clock.h"
#include "proto/base/text.h"

enum { LIMIT_DEFAULT = 1000, LIMIT_MAX = 1000 * 1000, CLI_SUBCOMMANDS_MAX = 16 };

enum cli_exit cli_fail(struct cli *cli, enum cli_exit code, const char *fmt, ...)
{
	char sentence[GF_DIAG_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(sentence, sizeof(sentence), fmt, args);
	va_end(args);
	text_clean(sentence);
	(void)fprintf(cli->err, "gymfleet: %s\n", sentence);
	return code;
}

enum cli_exit cli_fail_usage(struct cli *cli, const char *fmt, ...)
{
	char sentence[GF_DIAG_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(sentence, sizeof(sentence), fmt, args);
	va_end(args);
	(void)cli_fail(cli, CLI_USAGE, "%s", sentence);
	if (cli->command != NULL)
		cli_usage_line(cli->command, cli->err);
	else
		(void)fputs("usage: gymfleet [OPTIONS] COMMAND [ARGUMENTS]\n", cli->err);
	return CLI_USAGE;
}

/* Turns the texts that every command shares into what they mean. */
static enum cli_exit take_values(struct cli *cli)
{
	const char *output = cli->values[CLI_OPT_OUTPUT], *limit = cli->values[CLI_OPT_LIMIT];

	if (output != NULL && writer_format_parse(output, &cli->format) != 0)
		return cli_fail_usage(cli, "--output is '%s'; it may be table, json or csv", output);
	cli->limit = LIMIT_DEFAULT;
	if (limit != NULL) {
		char *end;
		errno = 0;
		cli->limit = strtoul(limit, &end, 10);
		if (*limit < '0' || *limit > '9' || *end != '\0' || errno != 0 || cli->limit < 1 || cli->limit > LIMIT_MAX)
			return cli_fail_usage(cli, "--limit is '%s'; it may be 1 to %d", limit, LIMIT_MAX);
	}
	if (cli->values[CLI_OPT_SOCKET] == NULL) {
		const char *from_environment = getenv("GYMFLEET_SOCKET");
		bool set = from_environment != NULL && *from_environment != '\0';
		cli->values[CLI_OPT_SOCKET] = set ? from_environment : CLI_SOCKET_DEFAULT;
	}
	return CLI_OK;
}

static enum cli_exit print_version(struct cli *cli)
{
	(void)fprintf(cli->out, "gymfleet %s\n", GF_VERSION);
	return CLI_OK;
}

/* "faults akc 12": the first may be meant as the second word of a command. */
static enum cli_exit one_too_many(struct cli *cli, char **args)
{
	const char *names[CLI_SUBCOMMANDS_MAX], *name = cli->command->name, *near;
	size_t count = 0, len = strlen(name);

	for (const struct cli_command *c = cli_commands; c->name != NULL && count < CLI_SUBCOMMANDS_MAX; c++)
		if (strncmp(c->name, name, len) == 0 && c->name[len] == ' ')
			names[count++] = c->name + len + 1;
	near = gf_nearest(args[0], names, count);
	if (near != NULL)
		return cli_fail_usage(cli, "unknown command '%s %s'; did you mean '%s %s'?", name, args[0], name, near);
	return cli_fail_usage(cli, "'%s' is one argument too many", args[cli->command->args_max]);
}

static enum cli_exit run(struct cli *cli, int argc, char **argv)
{
	enum cli_exit code;
	int first;

	if ((code = cli_options(cli, argc, argv, &first)) != CLI_OK)
		return code;
	unsigned count = (unsigned)(argc - first);
	if (cli->values[CLI_OPT_VERSION] != NULL)
		return print_version(cli);
	if (cli->values[CLI_OPT_HELP] != NULL)
		return cli_help_command(cli, cli->command, cli->out);
	if (count < cli->command->args_min)
		return cli_fail_usage(cli, "'%s' needs %s", cli->command->name, cli->command->args);
	if (count > cli->command->args_max)
		return one_too_many(cli, argv + first);
	if ((code = take_values(cli)) != CLI_OK || (code = cli_take_range(cli)) != CLI_OK)
		return code;
	return cli->command->run(cli, argv + first, count);
}

/* Days and hours are those of the clock on the wall. */
static void take_offset(struct cli *cli)
{
	time_t seconds = (time_t)(cli->now_ms / 1000);
	struct tm tm;
	long minutes = localtime_r(&seconds, &tm) != NULL ? tm.tm_gmtoff / 60 : 0;

	(void)snprintf(cli->utc_offset_min, sizeof(cli->utc_offset_min), "%d", (int16_t)minutes);
}

/* By the locale's name: a machine that was never told how to sort in it still shows it. */
static bool speaks_utf8(void)
{
	static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *name = getenv(variables[i]);
		if (name != NULL && *name != '\0')
			return strcasestr(name, "UTF-8") != NULL || strcasestr(name, "UTF8") != NULL;
	}
	return false;
}

static unsigned terminal_width(int fd)
{
	struct winsize size = {0};
	return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

enum cli_exit cli_main(int argc, char **argv, FILE *out, FILE *err)
{
	struct cli cli = {.out = out, .err = err, .now_ms = gf_clock_now(gf_clock_system(GF_CLOCK_TRUST_SYSTEM)).wall_ms};
	const char *no_color = getenv("NO_COLOR");
	enum cli_exit code;
	int first;
	size_t used;

	take_offset(&cli);
	cli.utf8 = speaks_utf8();
	cli.terminal = fileno(out) >= 0 && isatty(fileno(out));
	cli.width = cli.terminal ? terminal_width(fileno(out)) : 0;
	cli.colour = cli.terminal && (no_color == NULL || *no_color == '\0');
	if ((code = cli_options(&cli, argc, argv, &first)) != CLI_OK)
		return code;
	const char *const *words = (const char *const *)argv + first;
	size_t count = (size_t)(argc - first);
	if (cli.values[CLI_OPT_VERSION] != NULL)
		return print_version(&cli);
	if (cli.values[CLI_OPT_HELP] != NULL)
		return cli_help(&cli, out, words, count);
	if (count == 0) {
		(void)cli_help(&cli, err, NULL, 0);
		return CLI_USAGE;
	}
	cli.command = cli_find(words, count, &used);
	/* "device --help": the option stands where the command's second word would. */
	if (cli.command == NULL && count > 1 && (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0))
		return cli_help(&cli, out, words, 1);
	if (cli.command == NULL) {
		(void)cli_help(&cli, err, words, count);
		return CLI_USAGE;
	}
	int skip = first + (int)used - 1;
	code = run(&cli, argc - skip, argv + skip);
	/* Half a file must not pass for a whole one. */
	if (code == CLI_OK && (fflush(out) != 0 || ferror(out)))
		return cli_fail(&cli, CLI_REFUSED, "can't write the output: %s", strerror(errno));
	return code;
}
