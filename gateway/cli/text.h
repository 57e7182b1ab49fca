/* Text for a terminal: what may be printed of a stranger's string, how wide it is, bars and colours. */
#ifndef GATEWAY_CLI_TEXT_H
#define GATEWAY_CLI_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Replaces control characters (C0 but newline, DEL, and C1 in their UTF-8 form) by '?', in place: a device's name must not move the cursor. */
void text_clean(char *text);

/* Columns on the screen. */
size_t text_width(const char *text);
/* So many of its bytes fit into so many columns. */
size_t text_fit(const char *text, size_t columns);

/* A bar of at most `width` columns for 0..1, in eighths of a column. `buf` has room for 3 * width + 1 bytes. */
void text_bar(double fraction, size_t width, char *buf);

/* One of eight heights for each value, against the largest; ' ' for zero. `buf` has room for 3 * count + 1 bytes. */
void text_sparkline(const double *values, size_t count, char *buf);

/* The words of `text`, in lines of at most `width` columns that begin at `indent`, where the first stands already; 0 = one line. */
void text_wrap(FILE *to, const char *text, size_t indent, size_t width);

/* The escape sequence for a word such as "critical", "online", "interrupted"; "" for any other. */
const char *text_colour(const char *word);
#define TEXT_BOLD "\033[1m"
#define TEXT_DIM "\033[2m"
#define TEXT_RESET "\033[0m"

#endif
