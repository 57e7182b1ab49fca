#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/cli/cli.h"
#include "gateway/cli/local.h"
#include "gateway/cli/text.h"
#include "proto/base/clock.h"
#include "proto/base/text.h"

enum { PAGE_ROWS = 1000, TITLE_WIDTH = 16, PATIENCE_MAX = 60 };

/* A refusal in the gateway's words. Wrong parameters (400) are the caller's usage. */
static enum cli_exit refused(struct cli *cli, const struct client_answer *answer)
{
	const char *message = json_string_value(json_object_get(json_object_get(answer->body, "error"), "message"));

	if (message == NULL)
		return cli_fail(cli, CLI_REFUSED, "the gateway refused with HTTP %ld", answer->status);
	char *words = local_text(message);
	enum cli_exit code =
	    cli_fail(cli, answer->status == 400 ? CLI_USAGE : CLI_REFUSED, "%s", words != NULL ? words : message);
	free(words);
	return code;
}

enum cli_exit cli_request(struct cli *cli, const struct cli_request *request, json_t **ret_body)
{
	struct client_answer answer = {0};
	struct gf_diag diag = {{0}};
	const char *method = request->method != NULL ? request->method : "GET";
	const struct client_body body = {.json = request->body, .bytes = request->bytes, .len = request->bytes_len};
	int r = client_request(cli->values[CLI_OPT_SOCKET], method, request->path, request->params, &body,
	                       request->timeout_s, &answer, &diag);

	if (r != 0)
		return cli_fail(cli,
		                r == -ENOMEM             ? CLI_REFUSED
		                : r == CLIENT_E_TOO_LONG ? CLI_USAGE
		                                         : CLI_UNREACHABLE,
		                "%s", diag.text);
	if (answer.status < 200 || answer.status > 299) {
		enum cli_exit code = refused(cli, &answer);
		json_decref(answer.body);
		return code;
	}
	if (cli->format == WRITER_TABLE && local_answer(answer.body) != 0) {
		json_decref(answer.body);
		return cli_fail(cli, CLI_REFUSED, "out of memory");
	}
	*ret_body = answer.body;
	return CLI_OK;
}

enum cli_exit cli_request_again(struct cli *cli, const struct cli_request *request, json_t **ret_body, bool *ret_waited)
{
	const struct timespec pause = {.tv_sec = 1};
	FILE *err = cli->err, *quiet = fopen("/dev/null", "we");
	enum cli_exit code = CLI_UNREACHABLE;

	for (int i = 0; i < PATIENCE_MAX && code == CLI_UNREACHABLE; i++) {
		if (i == 1) {
			(void)fputs("gymfleet: the gateway doesn't answer; waiting for it\n", err);
			*ret_waited = true;
		}
		if (i > 0)
			(void)nanosleep(&pause, NULL);
		cli->err = quiet != NULL && i + 1 < PATIENCE_MAX ? quiet : err;
		code = cli_request(cli, request, ret_body);
	}
	cli->err = err;
	if (quiet != NULL)
		(void)fclose(quiet);
	return code;
}

enum cli_exit cli_device_path(struct cli *cli, const char *id, const char *suffix, char *buf, size_t size)
{
	if (!gf_id_valid(id, strlen(id)))
		return cli_fail(cli, CLI_USAGE, "'%s' is no machine's id: small letters, digits and '-', at most 63", id);
	(void)snprintf(buf, size, "/v1/devices/%s%s", id, suffix);
	return CLI_OK;
}

enum cli_exit cli_number_path(struct cli *cli, const char *prefix, const char *number, const char *suffix,
                              const char *what, char *buf, size_t size)
{
	size_t digits = strspn(number, "0123456789");

	if (digits == 0 || digits > 18 || number[digits] != '\0')
		return cli_fail(cli, CLI_USAGE, "'%s' is no %s: that is a number such as 12", number, what);
	(void)snprintf(buf, size, "%s%s%s", prefix, number, suffix);
	return CLI_OK;
}

enum cli_exit cli_body_text(struct cli *cli, json_t *body, enum cli_option option, const char *key)
{
	const char *text = cli->values[option];

	if (text == NULL)
		return CLI_OK;
	if (!gf_utf8_valid(text, strlen(text)))
		return cli_fail_usage(cli, "--%s is not UTF-8", cli_option_name(option));
	return json_object_set_new(body, key, json_string(text)) == 0 ? CLI_OK
	                                                              : cli_fail(cli, CLI_REFUSED, "out of memory");
}

enum cli_exit cli_body_when(struct cli *cli, json_t *body, enum cli_option option, const char *key)
{
	enum cli_exit code = CLI_OK;
	char time[GF_RFC3339_MAX];
	int64_t ms;

	if (cli->values[option] == NULL || (code = cli_when(cli, option, true, &ms)) != CLI_OK)
		return code;
	return json_object_set_new(body, key, json_string(gf_time_format(ms, time))) == 0
	           ? CLI_OK
	           : cli_fail(cli, CLI_REFUSED, "out of memory");
}

static enum cli_exit make_writer(struct cli *cli, const struct column *columns, size_t count, struct writer **ret)
{
	struct writer_options options = {.out = cli->out,
	                                 .format = cli->format,
	                                 .colour = cli->colour,
	                                 .terminal = cli->terminal,
	                                 .width = cli->width,
	                                 .now_ms = cli->now_ms};
	return writer_new(&options, columns, count, ret) == 0 ? CLI_OK : cli_fail(cli, CLI_REFUSED, "out of memory");
}

static enum cli_exit write_items(struct cli *cli, struct writer *writer, cli_item_fn print, const json_t *items)
{
	json_t *item;
	size_t i;

	json_array_foreach(items, i, item)
	{
		if (print != NULL && cli->format == WRITER_TABLE)
			print(cli, item);
		else if (writer_item(writer, item) != 0)
			return cli_fail(cli, CLI_REFUSED, "can't write the output");
	}
	return CLI_OK;
}

static enum cli_exit end_writer(struct cli *cli, struct writer *writer, size_t rows, const char *none)
{
	if (writer_end(writer) != 0)
		return cli_fail(cli, CLI_REFUSED, "can't write the output: %s", strerror(errno));
	if (rows == 0 && cli->format == WRITER_TABLE && none != NULL) {
		text_wrap(cli->out, none, 0, cli->width);
		(void)fputc('\n', cli->out);
	}
	return CLI_OK;
}

enum cli_exit cli_rows(struct cli *cli, const json_t *items, const struct column *columns, size_t columns_count,
                       const char *none)
{
	struct writer *writer = NULL;
	enum cli_exit code = make_writer(cli, columns, columns_count, &writer);

	if (code == CLI_OK && (code = write_items(cli, writer, NULL, items)) == CLI_OK)
		code = end_writer(cli, writer, json_array_size(items), none);
	writer_free(writer);
	return code;
}

const char *cli_no_machine(const struct cli *cli)
{
	return cli->values[CLI_OPT_WHERE] != NULL
	           ? "no such machine"
	           : "no machine was heard of yet: one is here once its agent has reached the broker (gymfleet doctor)";
}

void cli_hint(struct cli *cli, const json_t *answer)
{
	const char *hint = json_string_value(json_object_get(answer, "hint"));

	if (hint != NULL)
		(void)cli_fail(cli, CLI_OK, "%s", hint);
}

/* One page into the writer; *cursor becomes where the next begins, empty at the end. */
static enum cli_exit page(struct cli *cli, const struct cli_list *list, struct writer *writer, size_t *rows,
                          char cursor[static 256])
{
	struct cli_request request = list->request;
	size_t left = cli->limit - *rows, n = 0, i;
	char limit[24];
	json_t *body = NULL;

	while (request.params[n].name != NULL)
		n++;
	(void)snprintf(limit, sizeof(limit), "%zu", left < PAGE_ROWS ? left : PAGE_ROWS);
	request.params[n++] = (struct client_param){"limit", limit};
	request.params[n] = (struct client_param){"after", *cursor != '\0' ? cursor : NULL};
	enum cli_exit code = cli_request(cli, &request, &body);
	if (code != CLI_OK)
		return code;
	const json_t *items = json_object_get(body, "items");
	const char *next = json_string_value(json_object_get(body, "next"));
	i = json_array_size(items);
	cli_hint(cli, body);
	code = write_items(cli, writer, list->item, items);
	*rows += i;
	if (!gf_strcpy(cursor, 256, next != NULL ? next : ""))
		cursor[0] = '\0';
	json_decref(body);
	return code;
}

enum cli_exit cli_list(struct cli *cli, const struct cli_list *list)
{
	struct writer *writer = NULL;
	char cursor[256] = "";
	size_t rows = 0;
	enum cli_exit code = make_writer(cli, list->columns, list->columns_count, &writer);

	if (code != CLI_OK)
		return code;
	if (list->item != NULL && cli->format == WRITER_TABLE && cli->values[CLI_OPT_LIMIT] == NULL)
		cli->limit = CLI_ITEMS;
	do
		code = page(cli, list, writer, &rows, cursor);
	while (code == CLI_OK && *cursor != '\0' && rows < cli->limit);
	if (code == CLI_OK)
		code = end_writer(cli, writer, rows, list->none);
	writer_free(writer);
	if (code == CLI_OK && *cursor != '\0' && rows == 1)
		(void)fputs("gymfleet: there are more than this row; ask for them by --limit\n", cli->err);
	else if (code == CLI_OK && *cursor != '\0')
		(void)fprintf(cli->err, "gymfleet: there are more than these %zu rows; ask for them by --limit\n", rows);
	return code;
}

static void print_pairs(struct cli *cli, const json_t *object, const struct column *columns, size_t columns_count)
{
	for (size_t c = 0; c < columns_count; c++) {
		char *cell = columns[c].format != COLUMN_RAW_ONLY ? writer_cell(&columns[c], object, cli->now_ms) : NULL;
		if (cell != NULL && cli->width > 0) {
			(void)fprintf(cli->out, "%-*s ", TITLE_WIDTH, columns[c].title);
			text_wrap(cli->out, cell, TITLE_WIDTH + 1, cli->width);
			(void)fputc('\n', cli->out);
		} else if (cell != NULL) {
			(void)fprintf(cli->out, "%-*s %s\n", TITLE_WIDTH, columns[c].title, cell);
		}
		free(cell);
	}
}

enum cli_exit cli_object(struct cli *cli, const json_t *object, const struct column *columns, size_t columns_count)
{
	if (cli->format == WRITER_JSON)
		return writer_json(cli->out, object, cli->terminal) == 0 ? CLI_OK
		                                                         : cli_fail(cli, CLI_REFUSED, "can't write the output");
	if (cli->format == WRITER_TABLE) {
		print_pairs(cli, object, columns, columns_count);
		return CLI_OK;
	}
	json_t *rows = json_pack("[O]", object);
	enum cli_exit code =
	    rows != NULL ? cli_rows(cli, rows, columns, columns_count, NULL) : cli_fail(cli, CLI_REFUSED, "out of memory");
	json_decref(rows);
	return code;
}
