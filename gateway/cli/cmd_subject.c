/* `subject erase`: forget a person, for good. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/cli/notice.h"
#include "proto/base/text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { TOKEN_BYTES = 8, ERASE_TIMEOUT_S = 300 };

static const struct column columns[] = {
    {"sessions", "sessions", COLUMN_WHOLE, 0, false},
    {"flags", "flags", COLUMN_WHOLE, 0, false},
    {"events", "events", COLUMN_WHOLE, 0, false},
    {"quarantined", "quarantined", COLUMN_WHOLE, 0, false},
};

/* Only a person at a terminal can be asked; a program says --yes. */
static enum cli_exit confirm(struct cli *cli)
{
	char answer[16] = "";

	if (cli->values[CLI_OPT_YES] != NULL)
		return CLI_OK;
	if (isatty(STDIN_FILENO) != 1)
		return cli_fail_usage(cli, "this can't be undone, and there is no terminal to ask on; say --yes");
	(void)fputs("This can't be undone: sessions will not tell whose they were, and what was flagged is gone.\n"
	            "Erase? Type yes: ",
	            cli->err);
	(void)fflush(cli->err);
	if (fgets(answer, sizeof(answer), stdin) == NULL || strcmp(answer, "yes\n") != 0)
		return cli_fail(cli, CLI_REFUSED, "nothing was erased");
	return CLI_OK;
}

static void say(const struct cli *cli, const json_t *erased)
{
	double sessions = field_or(erased, "sessions", 0), flags = field_or(erased, "flags", 0),
	       events = field_or(erased, "events", 0), quarantined = field_or(erased, "quarantined", 0);

	if (sessions + flags + events + quarantined == 0) {
		notice_say(cli, "Nothing of this token was here.");
		return;
	}
	notice_say(cli,
	           "Erased: %.0f session%s no longer tell whose they were; %.0f flag%s, %.0f event%s and %.0f "
	           "quarantined message%s are gone.",
	           sessions, sessions == 1 ? "" : "s", flags, flags == 1 ? "" : "s", events, events == 1 ? "" : "s",
	           quarantined, quarantined == 1 ? "" : "s");
	notice_say(cli,
	           "Neither the database nor a backup made from now on has the token; backups made before still have it.");
}

enum cli_exit cmd_subject_erase(struct cli *cli, char **args, size_t count)
{
	unsigned char token[TOKEN_BYTES];
	char path[64];
	json_t *erased = NULL;
	enum cli_exit code;

	(void)count;
	if (gf_unhex(args[0], token, sizeof(token)) != 0)
		return cli_fail(cli, CLI_USAGE, "'%s' is no token: it has 16 hex digits, as 'gymfleet overuse show' prints it",
		                args[0]);
	if ((code = confirm(cli)) != CLI_OK)
		return code;
	(void)snprintf(path, sizeof(path), "/v1/subjects/%s/erase", args[0]);
	code =
	    cli_request(cli, &(struct cli_request){.method = "POST", .path = path, .timeout_s = ERASE_TIMEOUT_S}, &erased);
	if (code == CLI_OK && cli->format == WRITER_TABLE)
		say(cli, erased);
	else if (code == CLI_OK)
		code = cli_object(cli, erased, columns, COUNT(columns));
	json_decref(erased);
	return code;
}
