/*
 * Tables for people. A table keeps its cells until the end, because a column is as wide as its widest cell; what can be asked for is
 * bounded by --limit. On a terminal, columns for which there is no room are left out, and prose is broken between words.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cli/text.h"
#include "gateway/cli/writer_impl.h"

enum { PROSE_MIN = 24 };

static void print_padded(const struct writer *w, const struct column *column, const char *cell, size_t width, bool last)
{
	const char *colour = w->options.colour && column->format == COLUMN_STATE ? text_colour(cell) : "";
	size_t used = text_width(cell), pad = used < width ? width - used : 0;

	(void)fprintf(w->options.out, "%*s%s%s%s%*s%s", column->right ? (int)pad : 0, "", colour, cell,
	              *colour != '\0' ? TEXT_RESET : "", column->right || last ? 0 : (int)pad, "", last ? "\n" : "  ");
}

/* A width of 0 is a column that isn't shown. */
static size_t last_shown(const struct writer *w, const size_t *widths)
{
	size_t last = 0;
	for (size_t c = 0; c < w->columns_count; c++)
		if (widths[c] > 0)
			last = c;
	return last;
}

static void print_titles(const struct writer *w, const size_t *widths)
{
	(void)fputs(w->options.colour ? TEXT_BOLD : "", w->options.out);
	for (size_t c = 0, last = last_shown(w, widths); c < w->columns_count; c++)
		if (widths[c] > 0)
			print_padded(w, &(struct column){.right = w->columns[c].right}, w->columns[c].title, widths[c], c == last);
	(void)fputs(w->options.colour ? TEXT_RESET : "", w->options.out);
}

/* The last column, from `at` on: a terminal would break its lines within words. */
static void print_prose(const struct writer *w, const char *cell, size_t at)
{
	size_t colour = *cell == '\033' ? strcspn(cell, "m") + 1 : 0, len = strlen(cell);
	char *text = strndup(cell + colour, len - colour - (colour > 0 ? strlen(TEXT_RESET) : 0));

	(void)fprintf(w->options.out, "%.*s", (int)colour, cell);
	text_wrap(w->options.out, text != NULL ? text : cell + colour, at, w->options.width);
	(void)fprintf(w->options.out, "%s\n", colour > 0 ? TEXT_RESET : "");
	free(text);
}

static void print_row(const struct writer *w, char *const *cells, const size_t *widths)
{
	size_t at = 0;

	for (size_t c = 0, last = last_shown(w, widths); c < w->columns_count; c++) {
		if (widths[c] == 0)
			continue;
		if (c == last && w->columns[c].format == COLUMN_PROSE && w->options.width > 0)
			print_prose(w, cells[c], at);
		else
			print_padded(w, &w->columns[c], cells[c], widths[c], c == last);
		at += widths[c] + 2;
	}
}

static void measure(const struct writer *w, size_t *widths)
{
	for (size_t c = 0; c < w->columns_count; c++) {
		size_t title = text_width(w->columns[c].title);
		widths[c] = w->options.stream && w->columns[c].width > title ? w->columns[c].width : title;
	}
	for (size_t i = 0; i < w->cells_count; i++) {
		size_t *width = &widths[i % w->columns_count], cell = text_width(w->cells[i]);
		*width = cell > *width ? cell : *width;
	}
	for (size_t c = 0; c < w->columns_count; c++)
		if (w->columns[c].format == COLUMN_RAW_ONLY)
			widths[c] = 0;
}

static size_t total_width(const struct writer *w, const size_t *widths)
{
	size_t total = 0;
	for (size_t c = 0; c < w->columns_count; c++)
		total += widths[c] == 0 ? 0 : w->columns[c].format == COLUMN_PROSE ? PROSE_MIN : widths[c] + 2;
	return total > 2 ? total - 2 : 0;
}

static bool says_nothing(const struct writer *w, size_t column)
{
	for (size_t i = column; i < w->cells_count; i += w->columns_count)
		if (strcmp(w->cells[i], "-") != 0 && w->cells[i][0] != '\0')
			return false;
	return true;
}

/* Wrapped lines can't be read: columns are left out until a row fits, first those that say nothing, then from the right, where the
 * less important ones stand. */
static void fit(const struct writer *w, size_t *widths)
{
	if (w->options.width == 0 || w->options.stream)
		return;
	for (int pass = 0; pass < 2; pass++)
		for (size_t c = w->columns_count; c-- > 1 && total_width(w, widths) > w->options.width;)
			if (w->columns[c].format != COLUMN_PROSE && (pass > 0 || says_nothing(w, c)))
				widths[c] = 0;
}

static bool left_out(const struct writer *w, const size_t *widths, size_t column)
{
	return widths[column] == 0 && w->columns[column].format != COLUMN_RAW_ONLY && !says_nothing(w, column);
}

/* By name where one is missing or there is room for their names. */
static void print_left_out(const struct writer *w, const size_t *widths)
{
	size_t count = 0, names = 0;
	const char *before = "";

	for (size_t c = 0; c < w->columns_count; c++)
		if (left_out(w, widths, c)) {
			count++;
			names += text_width(w->columns[c].title) + 2;
		}
	if (count == 0)
		return;
	(void)fprintf(w->options.out, "%sno room for ", w->options.colour ? TEXT_DIM : "");
	bool fits = count == 1 || strlen("no room for : widen the terminal, or -o csv") + names - 2 <= w->options.width;
	for (size_t c = 0; c < w->columns_count && fits; c++)
		if (left_out(w, widths, c)) {
			(void)fprintf(w->options.out, "%s%s", before, w->columns[c].title);
			before = ", ";
		}
	if (!fits)
		(void)fprintf(w->options.out, "%zu columns: -o csv has them", count);
	else
		(void)fputs(": widen the terminal, or -o csv", w->options.out);
	(void)fprintf(w->options.out, "%s\n", w->options.colour ? TEXT_RESET : "");
}

/* A colour before the prose, its end behind it; both are taken off again where lines are broken. */
static char *tinted(const struct writer *w, const struct column *column, const json_t *item, char *cell)
{
	const char *word = w->options.tint != NULL ? json_string_value(writer_value_at(item, w->options.tint)) : NULL,
	           *colour = w->options.colour && word != NULL ? text_colour(word) : "";
	char *with;

	if (cell == NULL || column->format != COLUMN_PROSE || *colour == '\0')
		return cell;
	if (asprintf(&with, "%s%s%s", colour, cell, TEXT_RESET) < 0)
		with = NULL;
	free(cell);
	return with;
}

static int table_keep(struct writer *w, const json_t *item)
{
	if (w->cells_count + w->columns_count > w->cells_room) {
		size_t room = w->cells_room * 2 + 16 * w->columns_count;
		char **cells = reallocarray(w->cells, room, sizeof(*cells));
		if (cells == NULL)
			return -ENOMEM;
		w->cells = cells;
		w->cells_room = room;
	}
	for (size_t c = 0; c < w->columns_count; c++) {
		char *cell = tinted(w, &w->columns[c], item, writer_cell(&w->columns[c], item, w->options.now_ms));
		if (cell == NULL)
			return -ENOMEM;
		w->cells[w->cells_count++] = cell;
	}
	return 0;
}

void writer_table_forget(struct writer *w)
{
	for (size_t i = 0; i < w->cells_count; i++)
		free(w->cells[i]);
	w->cells_count = 0;
}

static int table_print(struct writer *w)
{
	size_t *widths = calloc(w->columns_count, sizeof(*widths));
	if (widths == NULL)
		return -ENOMEM;
	measure(w, widths);
	fit(w, widths);
	if (!w->options.stream || w->rows == 1)
		print_titles(w, widths);
	for (size_t i = 0; i < w->cells_count; i += w->columns_count)
		print_row(w, w->cells + i, widths);
	print_left_out(w, widths);
	free(widths);
	return 0;
}

int writer_table_item(struct writer *w, const json_t *item)
{
	int r = table_keep(w, item);
	if (r == 0 && w->options.stream) {
		r = table_print(w);
		writer_table_forget(w);
	}
	return r;
}

int writer_table_end(struct writer *w)
{
	return !w->options.stream && w->rows > 0 ? table_print(w) : 0;
}
