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

enum { LIMIT_DEFAULT = 1000, LIMIT_MAX = 1000 * 1000 };

#define RANGE (CLI_BIT(CLI_OPT_SINCE) | CLI_BIT(CLI_OPT_UNTIL))
#define ROWS (CLI_BIT(CLI_OPT_WHERE) | CLI_BIT(CLI_OPT_LIMIT))
#define WHERE_HELP                                                                                                \
	"EXPR compares any field that -o json prints by = != < <= > >= ~ (a glob with * and ?), joined by and, or,\n" \
	"not and ( ). Texts with spaces stand in quotes. For a time, -7d is seven days ago and +30d in thirty days.\n"
#define ROLLOUT_HELP                                                                                                 \
	"All machines for which --where holds and that are of a class with a catalog of this name and version, now or "  \
	"later,\n"                                                                                                       \
	"take part. Each wave reaches so many machines, or so many percent of them, together with the waves before it; " \
	"online\n"                                                                                                       \
	"ones first. A machine in use changes when its session ends; one that is offline in the last wave catches up.\n" \
	"The rollout halts by itself when too many fail or a gate doesn't hold, and waits for a person then.\n"          \
	"Gates: faults_per_100h (faults that stopped, per 100 motor hours) and user_stops_per_100 (sessions stopped by " \
	"the\n"                                                                                                          \
	"user, of 100), at most N, or Nx: so many times the rate of the machines still waiting.\n"                       \
	"Without options: --waves 1,10%,100% --soak 30m --max-failures 2% --deadline 24h, at any time of day,\n"         \
	"--gate faults_per_100h<=1.5x --gate user_stops_per_100<=2x. --gate none leaves the gates out.\n"

const struct cli_command cli_commands[] = {
    {"status", "", "the fleet in one screen", NULL, 0, 0, 0, cmd_status},
    {"devices", "", "all machines", WHERE_HELP, ROWS, 0, 0, cmd_devices},
    {"device show", "ID", "all that is known of one machine", NULL, 0, 1, 1, cmd_device_show},
    {"device set", "ID KEY=VALUE...", "name a machine or say where it stands",
     "KEY is name, site, zone or bay. What is set here goes before what the machine says of itself; an empty\n"
     "value (zone=) takes it back.\n",
     0, 2, 5, cmd_device_set},
    {"device lock", "ID", "let no session start on a machine until it is unlocked",
     "A session that runs goes on. A machine that is offline is locked as soon as it is back.\n",
     CLI_BIT(CLI_OPT_REASON), 1, 1, cmd_device_lock},
    {"device unlock", "ID", "let sessions start again", NULL, 0, 1, 1, cmd_device_unlock},
    {"device stop", "ID", "end the session that runs on a machine",
     "Waits for the machine's answer, a few seconds at most. For an emergency use the button on the machine.\n", 0, 1,
     1, cmd_device_stop},
    {"health", "[ID]", "what needs attention, why, and what to do", WHERE_HELP, ROWS, 0, 1, cmd_health},
    {"sessions", "[ID]", "sessions, newest first", WHERE_HELP, RANGE | ROWS, 0, 1, cmd_sessions},
    {"usage", "", "who or what is used how much",
     "Without --by: by class. Hours and days are local, by the offset from UTC of today.\n",
     RANGE | CLI_BIT(CLI_OPT_BY), 0, 0, cmd_usage},
    {"faults", "[ID]", "faults, newest first", WHERE_HELP, RANGE | ROWS | CLI_BIT(CLI_OPT_OPEN), 0, 1, cmd_faults},
    {"audit", "[ID]", "the sessions stored against each machine's odometer",
     "Exit code 1 when a session is missing, doubled or overlapping.\n", 0, 0, 1, cmd_audit},
    {"audit log", "", "who changed what, when, from where", NULL, CLI_BIT(CLI_OPT_SINCE) | ROWS, 0, 0, cmd_audit_log},
    {"events", "", "what happened", NULL,
     CLI_BIT(CLI_OPT_SINCE) | CLI_BIT(CLI_OPT_LIMIT) | CLI_BIT(CLI_OPT_FOLLOW) | CLI_BIT(CLI_OPT_KIND) |
         CLI_BIT(CLI_OPT_DEVICE),
     0, 0, cmd_events},
    {"doctor", "", "is the gateway well, and if not, what to do", "Works without a gateway too.\n", 0, 0, 0,
     cmd_doctor},
    {"catalog check", "FILE|DIR...", "check routines written in YAML", NULL, 0, 1, 64, cmd_catalog_check},
    {"catalog build", "DIR", "build a catalog from routines",
     "DIR holds the routines; those for CLASS are taken. A machine never takes a version again with other content,\n"
     "and goes back to an older one only when --rollback-to of the newest it had allows it. --next-keys changes whose\n"
     "signatures count: the old keys must sign it, the next catalog is then for the new ones, --threshold of them.\n",
     CLI_BIT(CLI_OPT_CLASS) | CLI_BIT(CLI_OPT_NAME) | CLI_BIT(CLI_OPT_CATALOG_VERSION) | CLI_BIT(CLI_OPT_FILE) |
         CLI_BIT(CLI_OPT_EXPIRES) | CLI_BIT(CLI_OPT_MIN_AGENT) | CLI_BIT(CLI_OPT_ROLLBACK_TO) |
         CLI_BIT(CLI_OPT_NEXT_KEYS) | CLI_BIT(CLI_OPT_THRESHOLD),
     1, 1, cmd_catalog_build},
    {"catalog keygen", "FILE", "make a key to sign catalogs with",
     "FILE becomes the private key, FILE.pub the public one. Neither is ever overwritten.\n", 0, 1, 1,
     cmd_catalog_keygen},
    {"catalog sign", "FILE...", "sign catalogs",
     "Adds the key's signature, or puts it in the place of an older one of the same key. Do so before it is "
     "published:\n"
     "each signature changes the digest, by which machines know a catalog.\n",
     CLI_BIT(CLI_OPT_KEY), 1, 64, cmd_catalog_sign},
    {"catalog inspect", "FILE", "what a catalog holds, and who signed it",
     "With --keys it also tells what a machine that trusts these would say; exit code 1 when it would refuse.\n",
     CLI_BIT(CLI_OPT_KEYS) | CLI_BIT(CLI_OPT_THRESHOLD), 1, 1, cmd_catalog_inspect},
    {"catalog diff", "BEFORE AFTER", "what changes for a machine between two catalogs",
     "Steps are those a machine plays: sides and repetitions unrolled. They are numbered as in BEFORE, added ones as "
     "in\n"
     "AFTER.\n",
     0, 2, 2, cmd_catalog_diff},
    {"catalog publish", "FILE...", "hand signed catalogs to the gateway",
     "Machines get it once a rollout wants it of them: see 'gymfleet help rollout'.\n", 0, 1, 64, cmd_catalog_publish},
    {"catalog list", "", "the catalogs the gateway has", WHERE_HELP, ROWS, 0, 0, cmd_catalog_list},
    {"rollout start", "NAME@VERSION", "bring a published catalog to machines, wave by wave", ROLLOUT_HELP,
     CLI_BIT(CLI_OPT_WHERE) | CLI_BIT(CLI_OPT_WAVES) | CLI_BIT(CLI_OPT_SOAK) | CLI_BIT(CLI_OPT_MAX_FAILURES) |
         CLI_BIT(CLI_OPT_DEADLINE) | CLI_BIT(CLI_OPT_WINDOW) | CLI_BIT(CLI_OPT_GATE),
     1, 1, cmd_rollout_start},
    {"rollout list", "", "rollouts, newest first", WHERE_HELP, ROWS, 0, 0, cmd_rollout_list},
    {"rollout show", "N|NAME@VERSION", "how far a rollout is, what failed, and what to do",
     "Names every machine that failed, and what a rollback would bring back. --step lists others: waiting, absent\n"
     "(offline), offered (told), installed (on trial), confirmed, failed, expired (no answer), missed (stayed away),\n"
     "withdrawn, left (left out), reverting (going back), reverted, stuck (can't go back).\n",
     CLI_BIT(CLI_OPT_STEP) | CLI_BIT(CLI_OPT_LIMIT), 1, 1, cmd_rollout_show},
    {"rollout watch", "N|NAME@VERSION", "follow a rollout until its end",
     "Exit code 0 when it completes, 1 when it halts or is rolled back.\n", 0, 1, 1, cmd_rollout_watch},
    {"rollout pause", "N|NAME@VERSION", "tell no more machines for now",
     "Machines that were told go on. A pause of 7 days halts the rollout.\n", 0, 1, 1, cmd_rollout_pause},
    {"rollout resume", "N|NAME@VERSION", "go on after a pause or a halt",
     "What failed until now isn't held against the rollout again.\n", 0, 1, 1, cmd_rollout_resume},
    {"rollout halt", "N|NAME@VERSION", "end it: machines that have the catalog keep it, the others aren't told", NULL,
     0, 1, 1, cmd_rollout_halt},
    {"rollout rollback", "N|NAME@VERSION", "end it, and bring its machines back to what they had",
     "As far as the catalog allows it: see --rollback-to of 'catalog build'.\n", 0, 1, 1, cmd_rollout_rollback},
    {"help", "[COMMAND]", "what a command does", NULL, 0, 0, 2, cmd_help},
    {0},
};

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
		return cli_help_command(cli->command, cli->out);
	if (count < cli->command->args_min)
		return cli_fail_usage(cli, "'%s' needs %s", cli->command->name, cli->command->args);
	if (count > cli->command->args_max)
		return cli_fail_usage(cli, "'%s' is one argument too many", argv[first + (int)cli->command->args_max]);
	if ((code = take_values(cli)) != CLI_OK)
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
