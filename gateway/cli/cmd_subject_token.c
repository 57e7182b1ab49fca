/* `subject token`: the tokens that the machines told instead of a badge. Needs the machines' key, and no gateway, which hasn't got it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cli/cli.h"
#include "proto/base/clock.h"
#include "proto/subject.h"

static const struct column columns[] = {
    {"token", "TOKEN", COLUMN_TEXT, 0, false},
    {"since", "SINCE", COLUMN_TIME, 0, false},
    {"until", "UNTIL", COLUMN_TIME, 0, false},
};

/* As readers print it: decimal, or hexadecimal after 0x. */
static bool parse_badge(const char *text, uint64_t *ret_badge)
{
	const bool hex = strncmp(text, "0x", 2) == 0;
	const char *digits = hex ? "0123456789abcdefABCDEF" : "0123456789", *number = hex ? text + 2 : text;

	errno = 0;
	const unsigned long long badge = strtoull(number, NULL, hex ? 16 : 10);
	if (*number == '\0' || number[strspn(number, digits)] != '\0' || errno != 0 || badge == 0)
		return false;
	*ret_badge = badge;
	return true;
}

/* --at; now when it is left out. */
static enum cli_exit take_at(struct cli *cli, int64_t *ret_ms)
{
	int64_t ms = cli->now_ms;
	enum cli_exit code = cli->values[CLI_OPT_AT] != NULL ? cli_when(cli, CLI_OPT_AT, false, &ms) : CLI_OK;

	if (code != CLI_OK)
		return code;
	if (ms <= (int64_t)GF_SUBJECT_PERIOD_MS) /* there must have been one before */
		return cli_fail_usage(cli, "--at '%s' is too long ago: there were no tokens then", cli->values[CLI_OPT_AT]);
	*ret_ms = ms;
	return CLI_OK;
}

static bool add_token(json_t *rows, const struct gf_subject_key *key, uint64_t badge, int64_t at_ms)
{
	const int64_t since_ms = gf_subject_since_ms(key, badge, (uint64_t)at_ms);
	char token[17], since[GF_RFC3339_MAX], until[GF_RFC3339_MAX];

	(void)snprintf(token, sizeof(token), "%016llx", (unsigned long long)gf_subject_token(key, badge, (uint64_t)at_ms));
	gf_time_format(since_ms, since);
	gf_time_format(since_ms + (int64_t)GF_SUBJECT_PERIOD_MS, until);
	return json_array_append_new(rows, json_pack("{s:s, s:s, s:s}", "token", token, "since", since, "until", until)) ==
	       0;
}

enum cli_exit cmd_subject_token(struct cli *cli, char **args, size_t count)
{
	struct gf_subject_key key;
	struct gf_diag diag = {{0}};
	uint64_t badge = 0;
	int64_t at_ms = 0;
	enum cli_exit code;

	(void)count;
	if (cli->values[CLI_OPT_SUBJECT_KEY] == NULL)
		return cli_fail_usage(cli, "--key names the file of agent.yaml's subject_tokens: it is missing");
	if (!parse_badge(args[0], &badge))
		return cli_fail_usage(cli, "'%s' is no badge; expected its number, or 0x and hexadecimal digits", args[0]);
	if ((code = take_at(cli, &at_ms)) != CLI_OK)
		return code;
	if (gf_subject_key_read(cli->values[CLI_OPT_SUBJECT_KEY], &key, &diag) != 0)
		return cli_fail(cli, CLI_REFUSED, "%s", diag.text);

	json_t *rows = json_array();
	code = CLI_REFUSED;
	if (rows != NULL && add_token(rows, &key, badge, at_ms) &&
	    add_token(rows, &key, badge, gf_subject_since_ms(&key, badge, (uint64_t)at_ms) - 1))
		code = cli_rows(cli, rows, columns, sizeof(columns) / sizeof(columns[0]), "");
	else
		(void)cli_fail(cli, code, "out of memory");
	json_decref(rows);
	gf_subject_key_wipe(&key);
	return code;
}
