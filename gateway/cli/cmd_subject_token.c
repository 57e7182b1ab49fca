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
static bool parse_at(const struct cli *cli, int64_t *ret_ms)
{
	const char *text = cli->values[CLI_OPT_AT];
	int64_t ms = cli->now_ms;

	if (text != NULL && gf_duration_parse(text, &ms) == 0)
		ms = cli->now_ms - ms;
	else if (text != NULL && gf_time_parse(text, &ms) != 0)
		return false;
	*ret_ms = ms;
	return ms > (int64_t)GF_SUBJECT_PERIOD_MS; /* there was one before */
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

	(void)count;
	if (cli->values[CLI_OPT_SUBJECT_KEY] == NULL)
		return cli_fail_usage(cli, "--key names the file of agent.yaml's subject_tokens: it is missing");
	if (!parse_badge(args[0], &badge))
		return cli_fail_usage(cli, "'%s' is no badge; expected its number, or 0x and hexadecimal digits", args[0]);
	if (!parse_at(cli, &at_ms))
		return cli_fail_usage(cli, "--at '%s' is no time; try 2026-11-20T17:42:00Z, or 40d for so long ago",
		                      cli->values[CLI_OPT_AT]);
	if (gf_subject_key_read(cli->values[CLI_OPT_SUBJECT_KEY], &key, &diag) != 0)
		return cli_fail(cli, CLI_REFUSED, "%s", diag.text);

	json_t *rows = json_array();
	enum cli_exit code = CLI_REFUSED;
	if (rows != NULL && add_token(rows, &key, badge, at_ms) &&
	    add_token(rows, &key, badge, gf_subject_since_ms(&key, badge, (uint64_t)at_ms) - 1))
		code = cli_rows(cli, rows, columns, sizeof(columns) / sizeof(columns[0]), "");
	else
		(void)cli_fail(cli, code, "out of memory");
	json_decref(rows);
	gf_subject_key_wipe(&key);
	return code;
}
