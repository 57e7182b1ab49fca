#include <getopt.h>
#include <string.h>

#include "gateway/cli/cli.h"
#include "proto/base/text.h"

struct option_spec {
	const char *name;
	char letter;       /* 0 = none */
	const char *value; /* NULL for a switch */
	const char *help;
};

static const struct option_spec specs[] = {
    [CLI_OPT_OUTPUT] = {"output", 'o', "FORMAT", "table, json or csv"},
    [CLI_OPT_SOCKET] = {"socket", 0, "PATH", "the gateway's socket (or GYMFLEET_SOCKET; " CLI_SOCKET_DEFAULT ")"},
    [CLI_OPT_HELP] = {"help", 'h', NULL, "what the command does"},
    [CLI_OPT_VERSION] = {"version", 0, NULL, "the program's version"},
    [CLI_OPT_SINCE] = {"since", 0, "TIME", "from then on: 7d, 2026-11-20 or 2026-11-20T17:42:00Z"},
    [CLI_OPT_UNTIL] = {"until", 0, "TIME", "up to then, which is left out; written like --since"},
    [CLI_OPT_WHERE] = {"where", 0, "EXPR", "only those for which EXPR holds, such as site=berlin"},
    [CLI_OPT_LIMIT] = {"limit", 0, "N", "at most so many rows"},
    [CLI_OPT_BY] = {"by", 0, "KEY", "device, site, class, routine, area, outcome, hour, day or week"},
    [CLI_OPT_OPEN] = {"open", 0, NULL, "only what is still open"},
    [CLI_OPT_FOLLOW] = {"follow", 'f', NULL, "go on printing new ones until interrupted"},
    [CLI_OPT_KIND] = {"kind", 0, "KIND",
                      "presence, session, fault, flag, incident, service, lost, quarantine, catalog, device, limit, "
                      "rollout, command or webhook"},
    [CLI_OPT_DEVICE] = {"device", 0, "ID", "only this machine"},
    [CLI_OPT_CLASS] = {"class", 0, "CLASS", "percussion, roller, compression, chair or water_bed"},
    [CLI_OPT_NAME] = {"name", 0, "NAME", "the catalog's name"},
    [CLI_OPT_CATALOG_VERSION] = {"version", 0, "N", "the catalog's version; it only grows"},
    [CLI_OPT_FILE] = {"out", 'o', "FILE", "where the catalog is written"},
    [CLI_OPT_EXPIRES] = {"expires", 0, "TIME", "machines take it until then: 90d, 2027-03-01; without it for ever"},
    [CLI_OPT_MIN_AGENT] = {"min-agent", 0, "V", "the oldest agent that may take it, such as 1.2.0"},
    [CLI_OPT_ROLLBACK_TO] = {"rollback-to", 0, "N", "the oldest version a machine may go back to from it"},
    [CLI_OPT_NEXT_KEYS] = {"next-keys", 0, "FILE,...", "public keys that count instead once it is active"},
    [CLI_OPT_THRESHOLD] = {"threshold", 0, "N", "how many of the keys must have signed"},
    [CLI_OPT_KEY] = {"key", 0, "FILE", "the private key to sign with"},
    [CLI_OPT_KEYS] = {"keys", 0, "FILE,...", "the public keys that a machine trusts"},
    [CLI_OPT_WAVES] = {"waves", 0, "LIST", "how many machines each wave reaches: 1,10%,100%"},
    [CLI_OPT_SOAK] = {"soak", 0, "SPAN", "how long a wave is watched before the next: 30m"},
    [CLI_OPT_MAX_FAILURES] = {"max-failures", 0, "N%", "halted when more of a wave's machines fail: 2%"},
    [CLI_OPT_DEADLINE] = {"deadline", 0, "SPAN", "how long a machine may take to answer: 24h"},
    [CLI_OPT_WINDOW] = {"window", 0, "FROM-TO",
                        "machines are told between these times of their site's day: 22:00-06:00"},
    [CLI_OPT_GATE] = {"gate", 0, "EXPR", "halted when this doesn't hold: faults_per_100h<=1.5x; may be repeated; none"},
    [CLI_OPT_STEP] = {"step", 0, "STEP,...", "list the machines that are there: failed, offered, confirmed, ..."},
    [CLI_OPT_REASON] = {"reason", 0, "TEXT", "why, for whoever looks at the machine"},
    [CLI_OPT_NOTE] = {"note", 0, "TEXT", "what was found or done, for whoever comes after"},
    [CLI_OPT_TEXT] = {"text", 0, "TEXT", "what is broken, and where on the machine"},
    [CLI_OPT_OUT_OF_SERVICE] = {"out-of-service", 0, NULL, "hang a tag on it too: no session starts until it is off"},
    [CLI_OPT_OWNER] = {"owner", 0, "NAME", "who sees to it"},
    [CLI_OPT_BACK] = {"back", 0, "TIME", "when it is expected back: 3d, 2026-11-25 or 2026-11-25T09:00:00Z"},
    [CLI_OPT_RELEASE] = {"release", 0, NULL, "and lift the lock or cap by which it holds the machine"},
    [CLI_OPT_WITHDRAWN] = {"withdrawn", 0, NULL, "also those that data which came late has taken back"},
    [CLI_OPT_BY_RELIABILITY] = {"by", 0, "KEY", "how reliable they are instead: by device or class"},
    [CLI_OPT_SITE] = {"site", 0, "SITE", "only the machines there"},
    [CLI_OPT_HEAT] = {"heat", 0, NULL, "a map of the week: each weekday's hours"},
    [CLI_OPT_TREND] = {"trend", 0, NULL, "a line a week"},
    [CLI_OPT_EXPORT_FILE] = {"out", 'o', "FILE", "write there, not to standard output"},
    [CLI_OPT_AFTER] = {"after", 0, "MARK", "go on where an export broke off, by the mark that it told"},
    [CLI_OPT_YES] = {"yes", 'y', NULL, "don't ask"},
    [CLI_OPT_SUBJECT_KEY] = {"key", 0, "FILE", "the key of the machines: subject_tokens of agent.yaml"},
    [CLI_OPT_AT] = {"at", 0, "TIME", "as it was then: 40d, 2026-11-20 or 2026-11-20T17:42:00Z"},
};
_Static_assert(sizeof(specs) / sizeof(specs[0]) == CLI_OPT_COUNT, "every option has its words");

const char *cli_option_name(enum cli_option option)
{
	return specs[option].name;
}

enum { OPTION_WIDTH = 22 };

enum { VAL_BASE = 256 }; /* of getopt: beyond any letter */

/* Options that may be given several times: cli->many has all their values. */
#define MANY CLI_BIT(CLI_OPT_GATE)

/* The options that the command takes, its own before the common ones, which give way where a name or letter is taken. */
static size_t allowed(const struct cli_command *command, enum cli_option ret_options[CLI_OPT_COUNT])
{
	uint64_t own = command != NULL ? command->options : 0;
	size_t count = 0;

	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < CLI_OPT_COUNT; i++) {
			bool taken = ((pass == 0 ? own : CLI_COMMON & ~own) & CLI_BIT(i)) == 0;
			for (size_t k = 0; k < count && !taken; k++)
				taken = strcmp(specs[ret_options[k]].name, specs[i].name) == 0 ||
				        (specs[i].letter != 0 && specs[ret_options[k]].letter == specs[i].letter);
			if (!taken)
				ret_options[count++] = (enum cli_option)i;
		}
	return count;
}

void cli_options_help(const struct cli *cli, const struct cli_command *command, FILE *to)
{
	enum cli_option options[CLI_OPT_COUNT] = {0};
	size_t count = allowed(command, options);

	for (size_t i = 0; i < count; i++) {
		const struct option_spec *s = &specs[options[i]];
		char left[40];
		(void)snprintf(left, sizeof(left), "%s%.*s%s--%s %s", s->letter != 0 ? "-" : "", s->letter != 0, &s->letter,
		               s->letter != 0 ? ", " : "", s->name, s->value != NULL ? s->value : "");
		cli_help_entry(cli, to, left, OPTION_WIDTH, s->help);
	}
}

static enum cli_exit unknown(struct cli *cli, const char *word, const enum cli_option *options, size_t count)
{
	const char *names[CLI_OPT_COUNT], *near;
	char name[64];

	for (size_t i = 0; i < count; i++)
		names[i] = specs[options[i]].name;
	(void)gf_strcpy(name, sizeof(name), word + strspn(word, "-"));
	name[strcspn(name, "=")] = '\0';
	near = gf_nearest(name, names, count);
	if (near != NULL)
		return cli_fail_usage(cli, "unknown option '%s'; did you mean '--%s'?", word, near);
	return cli_fail_usage(cli, "unknown option '%s'", word);
}

/* What getopt_long complains of, by its return value and optopt. */
static enum cli_exit complain(struct cli *cli, int result, char *const *argv, const enum cli_option *options,
                              size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct option_spec *s = &specs[options[i]];
		if (optopt == VAL_BASE + (int)i || (optopt != 0 && optopt == s->letter))
			return result == ':' ? cli_fail_usage(cli, "--%s needs a value: %s", s->name, s->help)
			                     : cli_fail_usage(cli, "--%s takes no value", s->name);
	}
	if (optopt != 0) {
		char word[] = {'-', (char)optopt, '\0'};
		return unknown(cli, word, options, count);
	}
	return unknown(cli, argv[optind - 1], options, count);
}

static bool take(struct cli *cli, enum cli_option option, const char *value)
{
	cli->values[option] = value != NULL ? value : "";
	if ((MANY & CLI_BIT(option)) == 0)
		return true;
	if (cli->many_count == CLI_MANY_MAX)
		return false;
	cli->many[cli->many_count++] = cli->values[option];
	return true;
}

enum cli_exit cli_options(struct cli *cli, int argc, char **argv, int *ret_first)
{
	enum cli_option options[CLI_OPT_COUNT] = {0};
	struct option list[CLI_OPT_COUNT + 1] = {0};
	size_t count = allowed(cli->command, options);
	char letters[2 * CLI_OPT_COUNT + 3];
	char *to = stpcpy(letters, cli->command == NULL ? "+:" : ":");
	int got;

	for (size_t i = 0; i < count; i++) {
		const struct option_spec *s = &specs[options[i]];
		list[i] = (struct option){s->name, s->value != NULL ? required_argument : no_argument, NULL, VAL_BASE + (int)i};
		if (s->letter != 0) {
			*to++ = s->letter;
			to = stpcpy(to, s->value != NULL ? ":" : "");
		}
	}
	*to = '\0';
	opterr = 0;
	optind = 0; /* begin anew */
	while ((got = getopt_long(argc, argv, letters, list, NULL)) != -1) {
		if (got == '?' || got == ':')
			return complain(cli, got, argv, options, count);
		for (size_t i = 0; i < count; i++)
			if ((got == VAL_BASE + (int)i || got == specs[options[i]].letter) && !take(cli, options[i], optarg))
				return cli_fail_usage(cli, "--%s may be given at most %d times", specs[options[i]].name, CLI_MANY_MAX);
	}
	*ret_first = optind;
	return CLI_OK;
}
