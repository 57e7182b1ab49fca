/* `events`: the newest so far, and with --follow each new one as it happens, by long polls. A gateway that restarts
 * meanwhile is waited for: the cursor is the command's, so that nothing is missed and nothing comes twice. */
#include <string.h>

#include "gateway/cli/cli.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { FOLLOW_WAIT_S = 25 };

static const struct column columns[] = {
    {"time", "TIME", COLUMN_TIME, 16, false},     {"kind", "KIND", COLUMN_TEXT, 10, false},
    {"device", "DEVICE", COLUMN_TEXT, 24, false}, {"text", "EVENT", COLUMN_PROSE, 0, false},
    {"id", "", COLUMN_RAW_ONLY, 0, false},
};

/* How bad it is, for its colour: what the gateway says, or what the event's code means. Only where colours are shown: the rows stay the
 * gateway's. */
static void tint(json_t *event)
{
	static const struct {
		const char *code, *severity;
	} known[] = {{"act", "critical"}, {"opened", "attention"},  {"cleared", "ok"}, {"expired", "ok"},
	             {"withdrawn", "ok"}, {"offline", "attention"}, {"online", "ok"},  {"closed", "ok"}};
	const json_t *data = json_object_get(event, "data");
	const char *severity = json_string_value(json_object_get(data, "severity")),
	           *code = json_string_value(json_object_get(data, "code"));

	if (json_is_string(json_object_get(event, "severity")))
		return;
	for (size_t i = 0; i < COUNT(known) && severity == NULL && code != NULL; i++)
		if (strcmp(known[i].code, code) == 0)
			severity = known[i].severity;
	if (severity != NULL)
		(void)json_object_set_new(event, "severity", json_string(severity));
}

/* One answer's events, counted in *rows; *ret_next is the cursor to go on from. */
static enum cli_exit round_trip(struct cli *cli, const struct cli_request *request, bool answered,
                                struct writer *writer, char ret_next[static 32], size_t *rows)
{
	json_t *body = NULL, *item;
	size_t i;
	bool waited = false;
	enum cli_exit code = answered ? cli_request_again(cli, request, &body, &waited) : cli_request(cli, request, &body);

	if (code != CLI_OK)
		return code;
	json_array_foreach(json_object_get(body, "items"), i, item)
	{
		if (cli->colour && cli->format == WRITER_TABLE)
			tint(item);
		if (code == CLI_OK && writer_item(writer, item) != 0)
			code = cli_fail(cli, CLI_REFUSED, "can't write the output");
	}
	*rows += json_array_size(json_object_get(body, "items"));
	const char *next = json_string_value(json_object_get(body, "next"));
	(void)snprintf(ret_next, 32, "%s", next != NULL ? next : "0");
	json_decref(body);
	return code;
}

enum cli_exit cmd_events(struct cli *cli, char **args, size_t count)
{
	bool follow = cli->values[CLI_OPT_FOLLOW] != NULL;
	const char *limit = cli->values[CLI_OPT_LIMIT], *kind = cli->values[CLI_OPT_KIND],
	           *device = cli->values[CLI_OPT_DEVICE];
	struct writer_options options = {.out = cli->out,
	                                 .format = cli->format,
	                                 .colour = cli->colour,
	                                 .terminal = cli->terminal,
	                                 .width = cli->width,
	                                 .stream = follow,
	                                 .tint = "severity",
	                                 .now_ms = cli->now_ms};
	struct cli_request request = {.path = "/v1/events",
	                              .params = {{"tail", limit != NULL ? limit : "20"},
	                                         {"since", cli->values[CLI_OPT_SINCE]},
	                                         {"kind", kind},
	                                         {"device", device}}};
	struct writer *writer = NULL;
	char next[32] = "0";
	size_t rows = 0;
	enum cli_exit code;

	(void)args;
	(void)count;
	if (writer_new(&options, columns, COUNT(columns), &writer) != 0)
		return cli_fail(cli, CLI_REFUSED, "out of memory");
	code = round_trip(cli, &request, false, writer, next, &rows);
	while (code == CLI_OK && follow) {
		struct cli_request more = {.path = "/v1/events",
		                           .params = {{"after", next}, {"wait_s", "25"}, {"kind", kind}, {"device", device}},
		                           .timeout_s = FOLLOW_WAIT_S + CLIENT_TIMEOUT_S};
		code = round_trip(cli, &more, true, writer, next, &rows);
	}
	if (code == CLI_OK && writer_end(writer) != 0)
		code = cli_fail(cli, CLI_REFUSED, "can't write the output");
	if (code == CLI_OK && rows == 0 && cli->format == WRITER_TABLE)
		(void)fputs("nothing happened\n", cli->out);
	writer_free(writer);
	return code;
}
