/* `rules`: what is flagged; is a file of rules right, and the gateway's read again. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cli/notice.h"
#include "gateway/cli/text.h"
#include "proto/base/text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { FILE_MAX = 1024 * 1024 };

static const struct column columns[] = {
    {"id", "RULE", COLUMN_TEXT, 24, false},        {"open_flags", "OPEN", COLUMN_WHOLE, 0, true},
    {"subject", "OF EACH", COLUMN_TEXT, 0, false}, {"metric", "WHAT", COLUMN_TEXT, 0, false},
    {"warn", "WARNS", COLUMN_SHORT, 0, true},      {"act", "ACTS", COLUMN_SHORT, 0, true},
    {"unit", "UNIT", COLUMN_TEXT, 0, false},       {"window_s", "IN", COLUMN_SECONDS, 0, true},
    {"title", "TITLE", COLUMN_PROSE, 0, false},    {"conditions", "", COLUMN_RAW_ONLY, 0, false},
    {"advice", "", COLUMN_RAW_ONLY, 0, false},     {"line", "", COLUMN_RAW_ONLY, 0, false},
};

enum cli_exit cmd_rules(struct cli *cli, char **args, size_t count)
{
	if (count == 1 && strcmp(args[0], "list") != 0)
		return cli_fail_usage(cli, "'%s' is one argument too many; rules are listed, checked or reloaded", args[0]);
	return cli_list(
	    cli, &(struct cli_list){.request = {.path = "/v1/rules", .params = {{"where", cli->values[CLI_OPT_WHERE]}}},
	                            .columns = columns,
	                            .columns_count = COUNT(columns),
	                            .none = cli->values[CLI_OPT_WHERE] != NULL
	                                        ? "no such rule"
	                                        : "no rules: nothing is flagged (rules: in gateway.yaml names the file; "
	                                          "gymfleet doctor)"});
}

static enum cli_exit read_file(struct cli *cli, const char *path, char **ret_bytes, size_t *ret_len)
{
	FILE *file = fopen(path, "re");
	char *bytes = malloc(FILE_MAX + 1);
	enum cli_exit code = CLI_OK;
	size_t len = 0;

	if (file == NULL)
		code = cli_fail(cli, CLI_REFUSED, "can't read %s: %s", path, strerror(errno));
	else if (bytes == NULL)
		code = cli_fail(cli, CLI_REFUSED, "out of memory");
	else if ((len = fread(bytes, 1, FILE_MAX + 1, file)) > FILE_MAX)
		code = cli_fail(cli, CLI_REFUSED, "%s is larger than %d KiB: no file of rules is", path, FILE_MAX / 1024);
	else if (ferror(file))
		code = cli_fail(cli, CLI_REFUSED, "can't read %s: %s", path, strerror(errno));
	if (file != NULL)
		(void)fclose(file);
	if (code != CLI_OK) {
		free(bytes);
		return code;
	}
	*ret_bytes = bytes;
	*ret_len = len;
	return CLI_OK;
}

/* What the gateway can't tell with a line: it sees no text at all. */
static enum cli_exit check_text(struct cli *cli, const char *path, const char *bytes, size_t len)
{
	const char *line = bytes, *end = bytes + len;

	if (len == 0)
		return cli_fail(cli, CLI_REFUSED, "%s is empty; there are no rules to check", path);
	for (unsigned number = 1; line < end; number++) {
		const char *newline = memchr(line, '\n', (size_t)(end - line)), *stop = newline != NULL ? newline : end;

		if (!gf_utf8_valid(line, (size_t)(stop - line)))
			return cli_fail(cli, CLI_REFUSED, "%s:%u: not UTF-8 text; save the file as UTF-8 in the editor", path,
			                number);
		line = stop < end ? stop + 1 : end;
	}
	return CLI_OK;
}

/* The file is taken all the same. */
static void warn(const struct cli *cli, const json_t *answer)
{
	const json_t *warning;
	size_t i;

	json_array_foreach(json_object_get(answer, "warnings"), i, warning)
	{
		char *sentence = json_is_string(warning) ? strdup(json_string_value(warning)) : NULL;

		if (sentence == NULL)
			continue;
		text_clean(sentence);
		(void)fprintf(cli->err, "gymfleet: warning: %s\n", sentence);
		free(sentence);
	}
}

static enum cli_exit say(struct cli *cli, const json_t *answer, const char *what, const char *which)
{
	static const struct column count_columns[] = {{"rules", "rules", COLUMN_WHOLE, 0, false}};
	double rules;
	char *name = strdup(which);

	if (name != NULL)
		text_clean(name);
	if (cli->format != WRITER_JSON)
		warn(cli, answer);
	if (cli->format != WRITER_TABLE) {
		free(name);
		return cli_object(cli, answer, count_columns, COUNT(count_columns));
	}
	(void)fprintf(cli->out, "%s%s", name != NULL ? name : "", what);
	if (field_number(answer, "rules", &rules))
		(void)fprintf(cli->out, ", %.0f rule%s", rules, rules == 1 ? "" : "s");
	(void)fputc('\n', cli->out);
	free(name);
	return CLI_OK;
}

/* A mistake in the file is no wrong use of the command. */
static enum cli_exit post(struct cli *cli, const struct cli_request *request, json_t **ret_answer)
{
	enum cli_exit code = cli_request(cli, request, ret_answer);

	return code == CLI_USAGE ? CLI_REFUSED : code;
}

enum cli_exit cmd_rules_check(struct cli *cli, char **args, size_t count)
{
	json_t *answer = NULL;
	char *bytes = NULL;
	size_t len = 0;
	enum cli_exit code = read_file(cli, args[0], &bytes, &len);

	(void)count;
	if (code == CLI_OK)
		code = check_text(cli, args[0], bytes, len);
	if (code == CLI_OK)
		code =
		    post(cli,
		         &(struct cli_request){.method = "POST",
		                               .path = "/v1/rules/check",
		                               .params = {{"name", gf_utf8_valid(args[0], strlen(args[0])) ? args[0] : NULL}},
		                               .bytes = bytes,
		                               .bytes_len = len},
		         &answer);
	if (code == CLI_OK)
		code = say(cli, answer, " is right", args[0]);
	free(bytes);
	json_decref(answer);
	return code;
}

enum cli_exit cmd_rules_reload(struct cli *cli, char **args, size_t count)
{
	json_t *answer = NULL;
	enum cli_exit code = post(cli, &(struct cli_request){.method = "POST", .path = "/v1/rules/reload"}, &answer);

	(void)args;
	(void)count;
	if (code == CLI_OK)
		code = say(cli, answer, "the rules were read again", "");
	else if (code == CLI_REFUSED)
		(void)fputs("Nothing has changed: the rules that were in force still are.\n", cli->err);
	json_decref(answer);
	return code;
}
