#include "gateway/cli/notice.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cli/text.h"
#include "proto/base/clock.h"

enum { WORD_WIDTH = 9, INDENT = WORD_WIDTH + 4 };

/* From the indent on, after `before`, with the colour. */
static void print(const struct cli *cli, const char *before, const char *colour, const char *fmt, va_list args)
{
	char *text;

	if (vasprintf(&text, fmt, args) < 0)
		return;
	text_clean(text);
	(void)fprintf(cli->out, "%s%s", cli->colour ? colour : "", before);
	text_wrap(cli->out, text, INDENT + text_width(before), cli->width);
	(void)fprintf(cli->out, "%s\n", cli->colour && *colour != '\0' ? TEXT_RESET : "");
	free(text);
}

void notice_head(const struct cli *cli, const char *word, const char *fmt, ...)
{
	const char *colour = cli->colour ? text_colour(word) : "";
	char *clean = strdup(word);
	va_list args;

	if (clean == NULL)
		return;
	text_clean(clean);
	(void)fprintf(cli->out, "  %s%-*s%s  ", colour, WORD_WIDTH, clean, *colour != '\0' ? TEXT_RESET : "");
	free(clean);
	va_start(args, fmt);
	print(cli, "", "", fmt, args);
	va_end(args);
}

void notice_line(const struct cli *cli, const char *fmt, ...)
{
	va_list args;

	(void)fprintf(cli->out, "%*s", INDENT, "");
	va_start(args, fmt);
	print(cli, "", "", fmt, args);
	va_end(args);
}

void notice_do(const struct cli *cli, const char *fmt, ...)
{
	va_list args;

	(void)fprintf(cli->out, "%*s", INDENT, "");
	va_start(args, fmt);
	print(cli, "→ ", TEXT_DIM, fmt, args);
	va_end(args);
}

void notice_say(const struct cli *cli, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	int len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0)
		return;
	text_clean(text);
	text_wrap(cli->out, text, 0, cli->width);
	(void)fputc('\n', cli->out);
	free(text);
}

void notice_reach(const struct cli *cli, const char *id, const json_t *device)
{
	bool held = json_is_true(json_object_get(device, "locked")) || json_is_object(json_object_get(device, "tag"));

	if (strcmp(field_text(device, "presence"), "offline") == 0)
		notice_say(cli, "It is offline and hears of it when it is back");
	else if (held && json_is_true(json_object_get(device, "in_session")))
		notice_say(cli, "The session that runs goes on (to end it: gymfleet device stop %s)", id);
}

void notice_heading(const struct cli *cli, const char *title)
{
	(void)fprintf(cli->out, "\n%s%s%s\n", cli->colour ? TEXT_BOLD : "", title, cli->colour ? TEXT_RESET : "");
}

const char *field_text(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));
	return text != NULL ? text : "";
}

bool field_number(const json_t *row, const char *key, double *ret_number)
{
	const json_t *value = json_object_get(row, key);

	if (!json_is_number(value))
		return false;
	*ret_number = json_number_value(value);
	return true;
}

double field_or(const json_t *row, const char *key, double otherwise)
{
	(void)field_number(row, key, &otherwise);
	return otherwise;
}

int64_t field_time(const json_t *row, const char *key)
{
	int64_t at;
	return gf_time_parse(field_text(row, key), &at) == 0 ? at : 0;
}

const char *field_when(const struct cli *cli, const json_t *row, const char *key, char buf[static FIELD_MAX])
{
	char local[WRITER_TIME_MAX], span[GF_DURATION_MAX];
	int64_t at = field_time(row, key);
	bool ahead = at > cli->now_ms;

	buf[0] = '\0';
	if (at != 0 && !ahead && cli->now_ms - at < 1000)
		(void)snprintf(buf, FIELD_MAX, "%s (now)", writer_local_time(at, local)); /* times are whole seconds */
	else if (at != 0)
		(void)snprintf(buf, FIELD_MAX, "%s (%s%s%s)", writer_local_time(at, local), ahead ? "in " : "",
		               gf_duration_format(ahead ? at - cli->now_ms : cli->now_ms - at, span), ahead ? "" : " ago");
	return buf;
}

const char *field_measure(const json_t *row, const char *key, const char *unit, char buf[static FIELD_MAX])
{
	double number;

	if (!field_number(row, key, &number))
		return "-";
	(void)snprintf(buf, FIELD_MAX, "%.*f%s%.24s", fabs(number - round(number)) < 0.05 ? 0 : 1, number,
	               *unit != '\0' ? " " : "", unit);
	return buf;
}

void notice_acked(const struct cli *cli, const json_t *row)
{
	char when[FIELD_MAX];
	const char *by = field_text(row, "acked_by"), *note = field_text(row, "ack_note");

	if (*field_when(cli, row, "acked", when) != '\0')
		notice_line(cli, "acknowledged by %s %s%s%s", *by != '\0' ? by : "somebody", when, *note != '\0' ? ": " : "",
		            note);
}

void notice_acked_before(const struct cli *cli, const json_t *answer)
{
	const json_t *before = json_object_get(answer, "acked_before");
	const char *note = field_text(before, "note");
	char when[FIELD_MAX];

	if (*field_when(cli, before, "at", when) != '\0')
		notice_line(cli, "before you it was acknowledged by %s %s%s%s", field_text(before, "by"), when,
		            *note != '\0' ? ": " : "", note);
}
