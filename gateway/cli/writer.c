/* Each format is a table of three functions. Tables for people are in writer_table.c; the other formats write a row at a time. */
#include "gateway/cli/writer_impl.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/cli/text.h"
#include "proto/base/clock.h"

enum { BAR_WIDTH = 24 };

const json_t *writer_value_at(const json_t *item, const char *key)
{
	const char *dot;

	while ((dot = strchr(key, '.')) != NULL) {
		item = json_object_getn(item, key, (size_t)(dot - key));
		key = dot + 1;
	}
	return json_object_get(item, key);
}

const char *writer_local_time(int64_t wall_ms, char buf[static WRITER_TIME_MAX])
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm tm;

	if (localtime_r(&seconds, &tm) == NULL || strftime(buf, WRITER_TIME_MAX, "%Y-%m-%d %H:%M", &tm) == 0)
		buf[0] = '\0';
	return buf;
}

static void print_number(FILE *to, enum column_format format, double number)
{
	char bar[3 * BAR_WIDTH + 1], duration[GF_DURATION_MAX];

	switch (format) {
	case COLUMN_SECONDS:
		(void)fputs(gf_duration_format(llround(number * 1000), duration), to);
		break;
	case COLUMN_HOURS:
		(void)fprintf(to, "%.1f h", number / 3600);
		break;
	case COLUMN_BAR:
		text_bar(number / 100, BAR_WIDTH, bar);
		(void)fprintf(to, "%3.0f %% %s", number, bar);
		break;
	case COLUMN_SHORT:
		(void)fprintf(to, "%.*f", fabs(number - round(number)) < 0.05 ? 0 : 1, number);
		break;
	case COLUMN_ONE:
		(void)fprintf(to, "%.1f", number);
		break;
	default:
		(void)fprintf(to, "%.0f", number);
		break;
	}
}

/* Cut to `width` columns, the last of them an ellipsis; without control characters. */
static void print_text(FILE *to, const char *text, unsigned width)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return;
	text_clean(copy);
	for (char *line_end = copy; (line_end = strchr(line_end, '\n')) != NULL;)
		*line_end = ' ';
	if (width == 0 || text_width(copy) <= width)
		(void)fputs(copy, to);
	else
		(void)fprintf(to, "%.*s…", (int)text_fit(copy, width - 1), copy);
	free(copy);
}

static void print_time(FILE *to, const struct column *column, const char *text, int64_t now_ms)
{
	char local[WRITER_TIME_MAX], duration[GF_DURATION_MAX];
	int64_t at;

	if (gf_time_parse(text, &at) != 0)
		print_text(to, text, column->width);
	else if (column->format == COLUMN_TIME)
		(void)fputs(writer_local_time(at, local), to);
	else if (at > now_ms)
		(void)fprintf(to, "in %s", gf_duration_format(at - now_ms, duration));
	else if (now_ms - at < 1000)
		(void)fputs("now", to); /* the gateway's times are whole seconds */
	else
		(void)fprintf(to, "%s ago", gf_duration_format(now_ms - at, duration));
}

static void print_cell(FILE *to, const struct column *column, const json_t *value, int64_t now_ms)
{
	if (json_is_string(value) && (column->format == COLUMN_TIME || column->format == COLUMN_AGO))
		print_time(to, column, json_string_value(value), now_ms);
	else if (json_is_string(value) && json_string_length(value) > 0)
		print_text(to, json_string_value(value), column->width);
	else if (json_is_number(value))
		print_number(to, column->format, json_number_value(value));
	else if (json_is_boolean(value))
		(void)fputs(json_is_true(value) ? "yes" : column->format == COLUMN_YES ? "" : "no", to);
	else
		(void)fputs("-", to);
}

static void print_version(FILE *to, const struct column *column, const json_t *item)
{
	char key[64], name[64 + 24];
	const char *text = json_string_value(writer_value_at(item, column->key));

	(void)snprintf(key, sizeof(key), "%s_version", column->key);
	const json_t *version = writer_value_at(item, key);
	if (text == NULL || !json_is_integer(version)) {
		print_cell(to, column, writer_value_at(item, column->key), 0);
		return;
	}
	(void)snprintf(name, sizeof(name), "%s@%" JSON_INTEGER_FORMAT, text, json_integer_value(version));
	print_text(to, name, column->width);
}

char *writer_cell(const struct column *column, const json_t *item, int64_t now_ms)
{
	char *cell = NULL;
	size_t size;
	FILE *to = open_memstream(&cell, &size);

	if (to == NULL)
		return NULL;
	if (column->format == COLUMN_VERSION)
		print_version(to, column, item);
	else
		print_cell(to, column, writer_value_at(item, column->key), now_ms);
	if (fclose(to) != 0) {
		free(cell);
		return NULL;
	}
	return cell;
}

int writer_json(FILE *out, const json_t *value, bool terminal)
{
	char *text = json_dumps(value, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
	if (text == NULL)
		return -ENOMEM;
	if (terminal)
		text_clean(text);
	int r = fprintf(out, "%s\n", text) < 0 ? -EIO : 0;
	free(text);
	return r;
}

/* ---- JSON ---- */

static int json_item(struct writer *w, const json_t *item)
{
	bool lines = w->options.stream || w->options.lines;
	char *text = json_dumps(item, (lines ? JSON_COMPACT : JSON_INDENT(2)) | JSON_REAL_PRECISION(10));
	if (text == NULL)
		return -ENOMEM;
	if (w->options.terminal)
		text_clean(text);
	(void)fprintf(w->options.out, "%s%s%s", lines ? "" : w->rows == 1 ? "[\n" : ",\n", text, lines ? "\n" : "");
	free(text);
	return 0;
}

static int json_end(struct writer *w)
{
	if (!w->options.stream && !w->options.lines)
		(void)fputs(w->rows == 0 ? "[]\n" : "\n]\n", w->options.out);
	return 0;
}

/* ---- CSV ---- */

/* Quoted where RFC 4180 asks for it: comma, quote, CR, LF inside. */
static void csv_field(const struct writer *w, const char *text, size_t index)
{
	(void)fputs(index > 0 ? "," : "", w->options.out);
	if (strpbrk(text, ",\"\r\n") == NULL) {
		(void)fputs(text, w->options.out);
		return;
	}
	(void)fputc('"', w->options.out);
	for (; *text != '\0'; text++)
		(void)fputs(*text == '"' ? "\"\"" : (char[]){*text, '\0'}, w->options.out);
	(void)fputc('"', w->options.out);
}

static int csv_begin(struct writer *w)
{
	for (size_t c = 0; c < w->columns_count && !w->options.no_titles; c++)
		csv_field(w, w->columns[c].key, c);
	(void)fputs(w->options.no_titles ? "" : "\r\n", w->options.out);
	return 0;
}

/* A spreadsheet runs a text that begins so as a formula, and whoever names a machine or reports damage could write one: the mark by which
 * it knows a text goes before. Numbers are none. */
static char *csv_text(const char *text)
{
	bool formula = *text != '\0' && strchr("=+-@\t\r", *text) != NULL;
	size_t size = strlen(text) + 1;
	char *copy = malloc(size + 1);

	if (copy == NULL)
		return NULL;
	copy[0] = '\'';
	memcpy(copy + (formula ? 1 : 0), text, size);
	return copy;
}

static int csv_item(struct writer *w, const json_t *item)
{
	for (size_t c = 0; c < w->columns_count; c++) {
		const json_t *value = writer_value_at(item, w->columns[c].key);
		char *text = json_is_string(value) ? csv_text(json_string_value(value))
		             : value == NULL || json_is_null(value)
		                 ? strdup("")
		                 : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(10));
		if (text == NULL)
			return -ENOMEM;
		if (w->options.terminal)
			text_clean(text);
		csv_field(w, text, c);
		free(text);
	}
	(void)fputs("\r\n", w->options.out);
	return 0;
}

static int nothing(struct writer *w)
{
	(void)w;
	return 0;
}

static const struct writer_ops formats[] = {
    [WRITER_TABLE] = {"table", nothing, writer_table_item, writer_table_end},
    [WRITER_JSON] = {"json", nothing, json_item, json_end},
    [WRITER_CSV] = {"csv", csv_begin, csv_item, nothing},
};
_Static_assert(sizeof(formats) / sizeof(formats[0]) == WRITER_FORMAT_COUNT, "every format has its functions");

int writer_format_parse(const char *name, enum writer_format *ret_format)
{
	for (int i = 0; i < WRITER_FORMAT_COUNT; i++)
		if (strcmp(formats[i].name, name) == 0) {
			*ret_format = (enum writer_format)i;
			return 0;
		}
	return -EINVAL;
}

int writer_new(const struct writer_options *options, const struct column *columns, size_t columns_count,
               struct writer **ret_writer)
{
	struct writer *w = calloc(1, sizeof(*w));
	if (w == NULL)
		return -ENOMEM;
	w->options = *options;
	w->ops = &formats[options->format];
	w->columns = columns;
	w->columns_count = columns_count;
	int r = w->ops->begin(w);
	if (r != 0) {
		writer_free(w);
		return r;
	}
	*ret_writer = w;
	return 0;
}

int writer_item(struct writer *writer, const json_t *item)
{
	writer->rows++;
	int r = writer->ops->item(writer, item);
	if (r == 0 && writer->options.stream && fflush(writer->options.out) != 0)
		return -EIO;
	return r;
}

int writer_end(struct writer *writer)
{
	int r = writer->ops->end(writer);
	if (r == 0 && (fflush(writer->options.out) != 0 || ferror(writer->options.out)))
		return -EIO;
	return r;
}

void writer_free(struct writer *writer)
{
	if (writer == NULL)
		return;
	writer_table_forget(writer);
	free(writer->cells);
	free(writer);
}
