/* The times that options take: read in one place, so that each of them knows the same forms. */
#include <string.h>
#include <time.h>

#include "gateway/cli/cli.h"
#include "proto/base/clock.h"

/* A thousand years are as good as for ever, and can be added to now. */
#define SPAN_MAX_MS (INT64_C(1000) * 365 * 24 * 3600 * 1000)

_Static_assert((int)CLI_WHEN_MAX >= (int)GF_RFC3339_MAX, "a time fits");

/* The forms of a time by the clock here: digits stand where 0 does. */
static const struct form {
	const char *shape, *format;
} forms[] = {
    {"0000-00-00", "%Y-%m-%d"},
    {"0000-00-00 00:00", "%Y-%m-%d %H:%M"},
    {"0000-00-00T00:00", "%Y-%m-%dT%H:%M"},
    {"0000-00-00 00:00:00", "%Y-%m-%d %H:%M:%S"},
    {"0000-00-00T00:00:00", "%Y-%m-%dT%H:%M:%S"},
};

static bool has_shape(const char *text, const char *shape)
{
	for (; *text != '\0' && *shape != '\0'; text++, shape++)
		if (*shape == '0' ? *text < '0' || *text > '9' : *text != *shape)
			return false;
	return *text == *shape;
}

/* A day is its first moment here. There is no 30th of February: mktime would make it a day of March. */
static bool parse_local(const char *text, int64_t *ret_ms)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm tm = {.tm_isdst = -1};
		if (!has_shape(text, forms[i].shape))
			continue;
		const char *end = strptime(text, forms[i].format, &tm);
		const int day = tm.tm_mday;
		if (end == NULL || *end != '\0')
			return false;
		const time_t at = mktime(&tm);
		*ret_ms = (int64_t)at * 1000;
		return tm.tm_mday == day;
	}
	return false;
}

/* A sign may stand before a span, as --where has it. */
static const char *unsigned_span(const char *text, bool ahead)
{
	return *text == (ahead ? '+' : '-') ? text + 1 : text;
}

enum cli_exit cli_when(struct cli *cli, enum cli_option option, bool ahead, int64_t *ret_ms)
{
	const char *text = cli->values[option];
	int64_t ms;

	if (gf_duration_parse(unsigned_span(text, ahead), &ms) == 0) {
		ms = ms < SPAN_MAX_MS ? ms : SPAN_MAX_MS;
		ms = ahead ? cli->now_ms + ms : cli->now_ms - ms;
	} else if (!parse_local(text, &ms) && gf_time_parse(text, &ms) != 0) {
		return cli_fail_usage(cli, "--%s is '%s'; expected %s, a day (2026-11-20) or a time (2026-11-20T17:42:00Z)",
		                      cli_option_name(option), text,
		                      ahead ? "a span from now (3d, 24h)" : "how long ago (7d, 24h, 90m)");
	}
	*ret_ms = ms;
	return CLI_OK;
}

/* What the gateway reads goes there as it is: it counts from its own clock. */
static const char *for_gateway(const char *text, int64_t at_ms, char buf[static CLI_WHEN_MAX])
{
	int64_t ms;

	if (gf_duration_parse(unsigned_span(text, false), &ms) == 0)
		return unsigned_span(text, false);
	if (gf_time_parse(text, &ms) == 0)
		return text;
	/* Of what was before 1970 there is nothing: from the beginning on. */
	return gf_time_format(at_ms >= 1000 ? at_ms : 1000, buf);
}

enum cli_exit cli_take_range(struct cli *cli)
{
	static const enum cli_option options[] = {CLI_OPT_SINCE, CLI_OPT_UNTIL};
	int64_t at_ms[] = {0, 0};

	for (size_t i = 0; i < 2; i++) {
		const char *text = cli->values[options[i]];
		enum cli_exit code = text != NULL ? cli_when(cli, options[i], false, &at_ms[i]) : CLI_OK;
		if (code != CLI_OK)
			return code;
		if (text != NULL)
			cli->values[options[i]] = for_gateway(text, at_ms[i], cli->when[i]);
	}
	if (cli->values[CLI_OPT_SINCE] != NULL && cli->values[CLI_OPT_UNTIL] != NULL && at_ms[0] >= at_ms[1])
		return cli_fail_usage(cli, "--since is not before --until: there is nothing between them");
	return CLI_OK;
}

void cli_when_help(const struct cli *cli, const struct cli_command *command, FILE *to)
{
	const uint64_t times = CLI_BIT(CLI_OPT_SINCE) | CLI_BIT(CLI_OPT_UNTIL) | CLI_BIT(CLI_OPT_BACK) |
	                       CLI_BIT(CLI_OPT_AT) | CLI_BIT(CLI_OPT_EXPIRES);

	if ((command->options & times) == 0)
		return;
	(void)fputc('\n', to);
	cli_help_text(cli, to,
	              "A TIME is a span from now (90m, 24h, 7d, 2w), a day (2026-11-20: its midnight in the time zone\n"
	              "of this terminal, TZ), a time there ('2026-11-20 17:42', as tables show it), or one with its zone\n"
	              "(2026-11-20T17:42:00Z, 2026-11-20T18:42:00+01:00).\n");
}
