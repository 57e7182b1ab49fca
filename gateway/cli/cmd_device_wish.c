/* `device lock`, `device unlock`, `device stop`: what is wanted of one machine. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/cli/notice.h"
#include "gateway/cli/text.h"
#include "proto/base/text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* How often a reply is looked for, and how much longer than the command's own deadline. */
enum { LOOK_MS = 100, LOOKS_LATE = 30 };

static const struct column lock_columns[] = {
    {"id", "device", COLUMN_TEXT, 0, false},
    {"locked", "locked", COLUMN_TEXT, 0, false},
    {"lock_reason", "lock reason", COLUMN_TEXT, 0, false},
    {"presence", "presence", COLUMN_TEXT, 0, false},
    {"in_session", "in use", COLUMN_TEXT, 0, false},
};

/* Staff's lock is off, but a tag or a flag keeps the machine locked. */
static void say_still_locked(const struct cli *cli, const char *id, const json_t *device)
{
	const char *why = field_text(device, "lock_reason");

	notice_say(cli, "The lock of %s is lifted, but no session starts: %s", id,
	           *why != '\0' ? why : "something else holds it");
	if (json_is_object(json_object_get(device, "tag")))
		notice_say(cli, "Once it is back: gymfleet device untag %s", id);
	else
		notice_say(cli, "What holds it, and how to lift that: gymfleet overuse --device %s", id);
}

static void say_lock(const struct cli *cli, const char *id, const json_t *device, bool locked)
{
	bool online = strcmp(json_string_value(json_object_get(device, "presence")), "online") == 0;
	bool in_use = json_is_true(json_object_get(device, "in_session"));

	if (!locked && json_is_true(json_object_get(device, "locked"))) {
		say_still_locked(cli, id, device);
		return;
	}
	const char *state = locked ? "locked: no session starts" : "unlocked: sessions may start";
	if (!online)
		notice_say(cli, "%s is %s; it is offline and hears of it when it is back", id, state);
	else if (locked && in_use)
		notice_say(cli, "%s is %s; the one that runs goes on (to end it: gymfleet device stop %s)", id, state, id);
	else
		notice_say(cli, "%s is %s", id, state);
}

static enum cli_exit set_lock(struct cli *cli, const char *id, bool locked, json_t *body)
{
	char path[128];
	json_t *device = NULL;
	enum cli_exit code = cli_device_path(cli, id, locked ? "/lock" : "/unlock", path, sizeof(path));

	if (code == CLI_OK)
		code = cli_request(cli, &(struct cli_request){.method = "POST", .path = path, .body = body}, &device);
	if (code == CLI_OK && cli->format == WRITER_TABLE && json_is_string(json_object_get(device, "presence")))
		say_lock(cli, id, device, locked);
	else if (code == CLI_OK)
		code = cli_object(cli, device, lock_columns, COUNT(lock_columns));
	json_decref(device);
	return code;
}

enum cli_exit cmd_device_lock(struct cli *cli, char **args, size_t count)
{
	json_t *body = json_object();
	enum cli_exit code = cli_body_text(cli, body, CLI_OPT_REASON, "reason");

	(void)count;
	if (code == CLI_OK)
		code = set_lock(cli, args[0], true, body);
	json_decref(body);
	return code;
}

enum cli_exit cmd_device_unlock(struct cli *cli, char **args, size_t count)
{
	(void)count;
	return set_lock(cli, args[0], false, NULL);
}

/* ---- stop ---- */

static const struct column command_columns[] = {
    {"id", "command", COLUMN_WHOLE, 0, false},       {"device", "device", COLUMN_TEXT, 0, false},
    {"command", "what", COLUMN_TEXT, 0, false},      {"state", "state", COLUMN_STATE, 0, false},
    {"detail", "it says", COLUMN_TEXT, 0, false},    {"issued", "issued", COLUMN_TIME, 0, false},
    {"deadline", "deadline", COLUMN_TIME, 0, false}, {"ended", "ended", COLUMN_TIME, 0, false},
};

static const char *state_of(const json_t *command)
{
	const char *state = json_string_value(json_object_get(command, "state"));
	return state != NULL ? state : "";
}

/* Looks until the command has ended; the gateway ends it at its deadline. */
static enum cli_exit wait_for_end(struct cli *cli, json_t **command, unsigned within_s)
{
	const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
	unsigned looks = within_s * 1000 / LOOK_MS + LOOKS_LATE;
	char path[64];

	(void)snprintf(path, sizeof(path), "/v1/commands/%lld", json_integer_value(json_object_get(*command, "id")));
	for (unsigned i = 0; i < looks && strcmp(state_of(*command), "sent") == 0; i++) {
		json_t *now = NULL;
		(void)nanosleep(&pause, NULL);
		enum cli_exit code = cli_request(cli, &(struct cli_request){.path = path}, &now);
		if (code != CLI_OK)
			return code;
		json_decref(*command);
		*command = now;
	}
	return CLI_OK;
}

static enum cli_exit say_end(struct cli *cli, const char *id, const json_t *command)
{
	const char *state = state_of(command), *detail = json_string_value(json_object_get(command, "detail"));
	char *words = strdup(detail != NULL ? detail : "");
	enum cli_exit code = CLI_REFUSED;

	if (words != NULL)
		text_clean(words);
	if (words == NULL) {
		code = cli_fail(cli, CLI_REFUSED, "out of memory");
	} else if (strcmp(state, "done") == 0) {
		(void)fprintf(cli->out, "%s: %s\n", id, *words != '\0' ? words : "stopped");
		code = CLI_OK;
	} else if (strcmp(state, "refused") == 0) {
		code = cli_fail(cli, CLI_REFUSED, "%s refused: %s", id, *words != '\0' ? words : "it gave no reason");
	} else {
		code = cli_fail(cli, CLI_REFUSED,
		                "%s did not answer in time: nobody knows whether it stopped; go there and use its stop button "
		                "(gymfleet device show %s)",
		                id, id);
	}
	free(words);
	return code;
}

enum cli_exit cmd_device_stop(struct cli *cli, char **args, size_t count)
{
	char path[128];
	json_t *command = NULL;
	enum cli_exit code = cli_device_path(cli, args[0], "/stop", path, sizeof(path));

	(void)count;
	if (code == CLI_OK)
		code = cli_request(cli, &(struct cli_request){.method = "POST", .path = path}, &command);
	if (code == CLI_OK)
		code = wait_for_end(cli, &command, (unsigned)json_integer_value(json_object_get(command, "within_s")));
	if (code == CLI_OK && cli->format == WRITER_TABLE) {
		code = say_end(cli, args[0], command);
	} else if (code == CLI_OK) {
		code = cli_object(cli, command, command_columns, COUNT(command_columns));
		if (code == CLI_OK && strcmp(state_of(command), "done") != 0)
			code = CLI_REFUSED;
	}
	json_decref(command);
	return code;
}
