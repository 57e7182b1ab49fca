/*
 * `rollout watch`: looks once a second. On a terminal one bar for each wave is redrawn in place; elsewhere a line is printed for each
 * wave and state that changed, so that a log holds no escape sequences. A gateway that restarts meanwhile is waited for.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/cli/rollout_text.h"
#include "gateway/cli/text.h"
#include "proto/base/clock.h"

enum { LOOK_MS = 1000, LINES_MAX = 20, BAR_WIDTH = 24 };

struct screen {
	char lines[LINES_MAX][ROLLOUT_LINE_MAX];
	size_t count;
};

/* The state, its reason, and each wave. */
static void draw(const struct cli *cli, const json_t *rollout, struct screen *ret_screen)
{
	struct screen s = {.count = 0};
	const json_t *wave;
	char state[ROLLOUT_LINE_MAX];
	size_t i;

	rollout_state(cli, rollout, state);
	(void)snprintf(s.lines[s.count++], ROLLOUT_LINE_MAX, "%.60s@%lld  rollout %lld  %.300s",
	               rollout_word(rollout, "catalog"), rollout_number(rollout, "version"), rollout_number(rollout, "id"),
	               state);
	json_array_foreach(json_object_get(rollout, "waves"), i, wave)
	{
		if (s.count + 1 < LINES_MAX)
			rollout_wave_line(wave, BAR_WIDTH, s.lines[s.count++]);
	}
	(void)snprintf(s.lines[s.count++], ROLLOUT_LINE_MAX, "%.320s", rollout_word(rollout, "reason"));
	for (i = 0; i < s.count; i++)
		text_clean(s.lines[i]);
	*ret_screen = s;
}

/* A line must stay one line of the terminal: it would not be redrawn in its place. */
static void print_cut(const struct cli *cli, const char *line)
{
	size_t n = cli->width > 1 ? text_fit(line, cli->width - 1) : strlen(line);

	(void)fprintf(cli->out, "%.*s\033[K\n", (int)n, line);
}

static void redraw(const struct cli *cli, const struct screen *before, const struct screen *now)
{
	if (before->count > 0)
		(void)fprintf(cli->out, "\033[%zuA", before->count);
	for (size_t i = 0; i < now->count; i++)
		print_cut(cli, now->lines[i]);
	(void)fputs("\033[J", cli->out);
}

static void print_changes(const struct cli *cli, const struct screen *before, const struct screen *now)
{
	for (size_t i = 0; i < now->count; i++)
		if (now->lines[i][0] != '\0' && (before->count != now->count || strcmp(before->lines[i], now->lines[i]) != 0))
			(void)fprintf(cli->out, "%s\n", now->lines[i]);
}

/* For programs: one object for each change. */
static enum cli_exit print_json(struct cli *cli, const json_t *rollout, json_t **last)
{
	if (json_equal(rollout, *last))
		return CLI_OK;
	json_decref(*last);
	*last = json_deep_copy(rollout);
	char *text = json_dumps(rollout, JSON_COMPACT);
	if (text == NULL)
		return cli_fail(cli, CLI_REFUSED, "out of memory");
	(void)fprintf(cli->out, "%s\n", text);
	free(text);
	return CLI_OK;
}

static enum cli_exit say_end(struct cli *cli, const json_t *rollout)
{
	char line[ROLLOUT_LINE_MAX];

	if (cli->format == WRITER_TABLE) {
		rollout_advice(rollout, line);
		(void)fprintf(cli->out, "Now: %s\n", line);
	}
	return strcmp(rollout_word(rollout, "state"), "completed") == 0 ? CLI_OK : CLI_REFUSED;
}

static enum cli_exit watch(struct cli *cli, const char *path)
{
	const struct timespec pause = {.tv_sec = LOOK_MS / 1000};
	struct screen *screens = calloc(2, sizeof(*screens));
	json_t *rollout = NULL, *last = NULL;
	enum cli_exit code = screens != NULL ? CLI_OK : cli_fail(cli, CLI_REFUSED, "out of memory");

	for (bool answered = false; code == CLI_OK; answered = true) {
		json_decref(rollout);
		rollout = NULL;
		bool waited = false;
		const struct cli_request request = {.path = path};
		code = answered ? cli_request_again(cli, &request, &rollout, &waited) : cli_request(cli, &request, &rollout);
		if (code != CLI_OK)
			break;
		if (waited)
			screens[0].count = 0; /* what was said meanwhile stands below the bars */
		cli->now_ms = gf_clock_now(gf_clock_system(GF_CLOCK_TRUST_SYSTEM)).wall_ms;
		draw(cli, rollout, &screens[1]);
		if (cli->format != WRITER_TABLE)
			code = print_json(cli, rollout, &last);
		else if (cli->terminal)
			redraw(cli, &screens[0], &screens[1]);
		else
			print_changes(cli, &screens[0], &screens[1]);
		screens[0] = screens[1];
		if (fflush(cli->out) != 0)
			code = cli_fail(cli, CLI_REFUSED, "can't write the output");
		if (code == CLI_OK && rollout_over(rollout)) {
			code = say_end(cli, rollout);
			break;
		}
		(void)nanosleep(&pause, NULL);
	}
	json_decref(last);
	json_decref(rollout);
	free(screens);
	return code;
}

enum cli_exit cmd_rollout_watch(struct cli *cli, char **args, size_t count)
{
	char path[160];
	enum cli_exit code = rollout_path(cli, args[0], "", path, sizeof(path));

	(void)count;
	if (code == CLI_OK && cli->format == WRITER_CSV)
		return cli_fail_usage(
		    cli, "'rollout watch' prints bars, or one JSON object a line (-o json); for CSV ask 'rollout list'");
	return code == CLI_OK ? watch(cli, path) : code;
}
