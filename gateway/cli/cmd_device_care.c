/* `device tag`, `device untag`, `device service`: what a technician does to a machine, and says so. */
#include <stdio.h>
#include <string.h>

#include "gateway/cli/notice.h"
#include "gateway/cli/text.h"
#include "proto/base/text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { NAMES_MAX = 128 };

static const struct column tag_columns[] = {
    {"id", "device", COLUMN_TEXT, 0, false},
    {"tag.reason", "out of service", COLUMN_TEXT, 0, false},
    {"tag.since", "since", COLUMN_TIME, 0, false},
    {"tag.owner", "sees to it", COLUMN_TEXT, 0, false},
    {"tag.back", "expected back", COLUMN_TIME, 0, false},
    {"tag.by", "tagged by", COLUMN_TEXT, 0, false},
    {"tag.case", "fault", COLUMN_WHOLE, 0, false},
};

static enum cli_exit post(struct cli *cli, const char *id, const char *suffix, json_t *body, json_t **ret_answer)
{
	char path[128];
	enum cli_exit code = cli_device_path(cli, id, suffix, path, sizeof(path));

	return code == CLI_OK
	           ? cli_request(cli, &(struct cli_request){.method = "POST", .path = path, .body = body}, ret_answer)
	           : code;
}

static void say_tagged(const struct cli *cli, const char *id, const json_t *device)
{
	const json_t *tag = json_object_get(device, "tag"), *before = json_object_get(device, "tag_before");
	char back[FIELD_MAX], since[FIELD_MAX];

	(void)field_when(cli, tag, "back", back);
	notice_say(cli, "%s is out of service: no session starts%s%s", id, *back != '\0' ? "; expected back " : "", back);
	notice_reach(cli, id, device);
	if (*field_when(cli, before, "since", since) != '\0')
		notice_say(cli, "It was already, since %s, by %s: %s; that is replaced", since, field_text(before, "by"),
		           field_text(before, "reason"));
	notice_say(cli, "Once it is back: gymfleet device untag %s", id);
}

enum cli_exit cmd_device_tag(struct cli *cli, char **args, size_t count)
{
	json_t *body = json_object(), *device = NULL;
	enum cli_exit code = CLI_OK;

	(void)count;
	if (cli->values[CLI_OPT_REASON] == NULL)
		code = cli_fail_usage(cli, "--reason TEXT is missing: say why, for whoever looks at the machine");
	if (code == CLI_OK)
		code = cli_body_text(cli, body, CLI_OPT_REASON, "reason");
	if (code == CLI_OK)
		code = cli_body_text(cli, body, CLI_OPT_OWNER, "owner");
	if (code == CLI_OK)
		code = cli_body_when(cli, body, CLI_OPT_BACK, "back");
	if (code == CLI_OK)
		code = post(cli, args[0], "/tag", body, &device);
	if (code == CLI_OK && cli->format == WRITER_TABLE)
		say_tagged(cli, args[0], device);
	else if (code == CLI_OK)
		code = cli_object(cli, device, tag_columns, COUNT(tag_columns));
	json_decref(body);
	json_decref(device);
	return code;
}

/* A tag is taken off at the end of a repair; what people reported goes on to be open until somebody says that it is mended. */
static void say_damage(struct cli *cli, const char *id)
{
	json_t *body = NULL, *fault;
	size_t i;
	char since[FIELD_MAX];
	double number = 0;

	/* The tag is off, whatever becomes of this question. */
	if (cli_request(cli,
	                &(struct cli_request){.path = "/v1/faults",
	                                      .params = {{"device", id}, {"open", "1"}, {"where", "reported"}}},
	                &body) != CLI_OK)
		return;
	json_array_foreach(json_object_get(body, "items"), i, fault)
	{
		if (i == 0)
			notice_say(cli, "Damage that was reported is still open:");
		number = field_or(fault, "id", 0);
		notice_head(cli, field_text(fault, "severity"), "#%.0f %s", number, field_text(fault, "detail"));
		notice_line(cli, "since %s", *field_when(cli, fault, "first", since) != '\0' ? since : "an unknown time");
	}
	if (json_array_size(json_object_get(body, "items")) > 1)
		notice_say(cli, "When it is mended, each by its number: gymfleet faults clear %.0f --note TEXT", number);
	else if (json_array_size(json_object_get(body, "items")) == 1)
		notice_say(cli, "When it is mended: gymfleet faults clear %.0f --note TEXT", number);
	json_decref(body);
}

static void say_untagged(struct cli *cli, const char *id, const json_t *device)
{
	const char *why = field_text(device, "lock_reason");

	if (json_is_true(json_object_get(device, "locked")))
		notice_say(cli, "%s is back in service, but it is locked%s%s (gymfleet device unlock %s)", id,
		           *why != '\0' ? ": " : "", why, id);
	else
		notice_say(cli, "%s is back in service", id);
	notice_reach(cli, id, device);
	say_damage(cli, id);
}

enum cli_exit cmd_device_untag(struct cli *cli, char **args, size_t count)
{
	json_t *device = NULL;
	enum cli_exit code = post(cli, args[0], "/untag", NULL, &device);

	(void)count;
	if (code == CLI_OK && cli->format == WRITER_TABLE)
		say_untagged(cli, args[0], device);
	else if (code == CLI_OK)
		code = cli_object(cli, device, tag_columns, COUNT(tag_columns));
	json_decref(device);
	return code;
}

static enum cli_exit take_part(struct cli *cli, const char *part)
{
	static const char *const parts[] = {"service", "motor", "head", "roller", "filter", "cover"};

	for (size_t i = 0; i < COUNT(parts); i++)
		if (strcmp(parts[i], part) == 0)
			return CLI_OK;
	const char *near = gf_nearest(part, parts, COUNT(parts));
	return cli_fail_usage(cli, "'%s' is no part%s%s%s; it may be service, motor, head, roller, filter or cover", part,
	                      near != NULL ? "; did you mean '" : "", near != NULL ? near : "", near != NULL ? "'?" : "");
}

/* The answer is the machine's wear: a part that isn't in it has no life that could begin. */
static bool counted(const json_t *answer, const char *part, char names[static NAMES_MAX])
{
	const json_t *parts = json_object_get(answer, "parts"), *row;
	size_t i;

	names[0] = '\0';
	json_array_foreach(parts, i, row)
	{
		const char *name = field_text(row, "part");
		size_t len = strlen(names);

		if (strcmp(name, part) == 0)
			return true;
		(void)snprintf(names + len, NAMES_MAX - len, "%s%s", len > 0 ? ", " : "", name);
	}
	return !json_is_array(parts);
}

static enum cli_exit say_service(struct cli *cli, const char *id, const char *part, const json_t *answer)
{
	static const struct column columns[] = {{"device", "device", COLUMN_TEXT, 0, false},
	                                        {"part", "part", COLUMN_TEXT, 0, false}};
	char names[NAMES_MAX];

	if (cli->format != WRITER_TABLE)
		return cli_object(cli, answer, columns, COUNT(columns));
	if (strcmp(part, "service") == 0)
		notice_say(cli, "%s: serviced; the time to the next service begins now", id);
	else if (!counted(answer, part, names))
		notice_say(cli,
		           "%s: %s renewed is written down, but no life of it is counted: rules.yaml has none (counted: %s)",
		           id, part, names[0] != '\0' ? names : "nothing");
	else
		notice_say(cli, "%s: %s renewed; its life begins now", id, part);
	notice_say(cli, "What else is due: gymfleet wear %s", id);
	return CLI_OK;
}

enum cli_exit cmd_device_service(struct cli *cli, char **args, size_t count)
{
	const char *part = count == 2 ? args[1] : "service";
	enum cli_exit code = take_part(cli, part);
	json_t *body, *answer = NULL;

	if (code != CLI_OK)
		return code;
	body = json_pack("{s:s}", "part", part);
	code = cli_body_text(cli, body, CLI_OPT_NOTE, "note");
	if (code == CLI_OK)
		code = post(cli, args[0], "/service", body, &answer);
	if (code == CLI_OK)
		code = say_service(cli, args[0], part, answer);
	json_decref(body);
	json_decref(answer);
	return code;
}
