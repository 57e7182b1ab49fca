/* Findings as people read them: how bad, where, what; below it what to do. */
#include <stdlib.h>
#include <string.h>

#include "gateway/cli/cli.h"
#include "gateway/cli/text.h"

enum { STATE_WIDTH = 9, SUBJECT_WIDTH = 40, NARROW_INDENT = STATE_WIDTH + 4 };

static char *cell(const struct cli *cli, const json_t *row, const char *key, unsigned width)
{
	const struct column column = {.key = key, .format = COLUMN_TEXT, .width = width};
	return writer_cell(&column, row, cli->now_ms);
}

static bool present(const json_t *row, const char *key)
{
	return json_string_length(json_object_get(row, key)) > 0;
}

static size_t subject_width(const struct cli *cli, const json_t *rows, const char *subject)
{
	size_t width = 0, i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		char *name = cell(cli, row, subject, SUBJECT_WIDTH);
		size_t n = name != NULL ? text_width(name) : 0;
		width = n > width ? n : width;
		free(name);
	}
	return width;
}

static void print(const struct cli *cli, const json_t *row, const char *state, const char *subject, size_t width)
{
	char *word = cell(cli, row, state, 0),
	     *name = subject != NULL ? cell(cli, row, subject, SUBJECT_WIDTH) : strdup(""),
	     *what = cell(cli, row, "text", 0), *action = cell(cli, row, "action", 0);

	if (word != NULL && name != NULL && what != NULL && action != NULL) {
		const char *colour = cli->colour ? text_colour(word) : "";
		int used = (int)text_width(name), gap = subject != NULL ? 2 : 0;
		size_t indent = (size_t)STATE_WIDTH + 4 + width + (size_t)gap;
		(void)fprintf(cli->out, "  %s%-*s%s  %s%*s", colour, STATE_WIDTH, word, *colour != '\0' ? TEXT_RESET : "", name,
		              present(row, "text") ? (int)width - used + gap : 0, "");
		/* Beside a long name there is no room for sentences. */
		if (cli->width > 0 && indent > cli->width / 2) {
			indent = NARROW_INDENT;
			(void)fprintf(cli->out, "\n%*s", NARROW_INDENT, "");
		}
		text_wrap(cli->out, present(row, "text") ? what : "", indent, cli->width);
		(void)fputc('\n', cli->out);
		if (present(row, "action")) {
			(void)fprintf(cli->out, "%*s%s→ ", (int)indent, "", cli->colour ? TEXT_DIM : "");
			text_wrap(cli->out, action, indent + 2, cli->width);
			(void)fprintf(cli->out, "%s\n", cli->colour ? TEXT_RESET : "");
		}
	}
	free(word);
	free(name);
	free(what);
	free(action);
}

void cli_findings(const struct cli *cli, const json_t *rows, const char *state, const char *subject)
{
	size_t width = subject != NULL ? subject_width(cli, rows, subject) : 0, i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		print(cli, row, state, subject, width);
	}
}
