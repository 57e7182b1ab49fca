/*
 * Rows of JSON objects as a table, as JSON or as CSV: one set of columns, one way to write each format.
 *
 * A table is for people: chosen columns, units spelled out, local time, aligned once all rows are known. JSON prints each object
 * as the gateway gave it. CSV (RFC 4180) prints every column with its raw value and its key as the heading.
 */
#ifndef GATEWAY_CLI_WRITER_H
#define GATEWAY_CLI_WRITER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "proto/base/err.h"

enum writer_format { WRITER_TABLE, WRITER_JSON, WRITER_CSV, WRITER_FORMAT_COUNT };

/* How a table shows a value; null and absent are always "-". */
enum column_format {
	COLUMN_TEXT,
	COLUMN_STATE,    /* a word that has a colour */
	COLUMN_WHOLE,    /* a number without a fraction */
	COLUMN_ONE,      /* with one decimal */
	COLUMN_SHORT,    /* with a decimal where there is something to tell by it */
	COLUMN_YES,      /* "yes", or nothing */
	COLUMN_TIME,     /* "2026-11-20 17:42", local */
	COLUMN_AGO,      /* "3 min ago" */
	COLUMN_SECONDS,  /* "12 min" */
	COLUMN_HOURS,    /* seconds added up: "262.4 h" */
	COLUMN_VERSION,  /* a name with the version that stands in KEY_version: "gym@3" */
	COLUMN_BAR,      /* percent of the whole as a bar */
	COLUMN_PROSE,    /* the text that it is about, as the last column: never left out, on a terminal in several lines */
	COLUMN_RAW_ONLY, /* not in tables */
};

struct column {
	const char *key; /* "a.b" reaches into an object */
	const char *title;
	enum column_format format;
	unsigned width; /* the most columns a text may take before it is cut; 0 = no limit. Of a stream: its fixed width */
	bool right;     /* aligned to the right */
};

struct writer;

struct writer_options {
	FILE *out;
	enum writer_format format;
	bool colour, terminal;
	bool stream;      /* rows appear at once: tables with fixed widths, JSON one object a line */
	bool lines;       /* JSON: one object a line, though not at once */
	bool no_titles;   /* CSV: it goes on where another ended */
	const char *tint; /* the key whose word colours a row's prose; NULL = none */
	unsigned width;   /* of the terminal, 0 = unlimited: a table leaves out columns that don't fit */
	int64_t now_ms;
};

/* Returns 0 or -ENOMEM. */
GF_MUST_CHECK int writer_new(const struct writer_options *options, const struct column *columns, size_t columns_count,
                             struct writer **ret_writer);
GF_MUST_CHECK int writer_item(struct writer *writer, const json_t *item);
/* What is left to be written. Returns 0, or -EIO when the output failed. */
GF_MUST_CHECK int writer_end(struct writer *writer);
void writer_free(struct writer *writer);

/* The value as a table shows it; freed by the caller, NULL without memory. */
char *writer_cell(const struct column *column, const json_t *item, int64_t now_ms);
/* One value as JSON, indented, with a newline. */
GF_MUST_CHECK int writer_json(FILE *out, const json_t *value, bool terminal);
/* 0, or -EINVAL for none of "table", "json", "csv". */
GF_MUST_CHECK int writer_format_parse(const char *name, enum writer_format *ret_format);

/* "2026-11-20 17:42" in local time. */
enum { WRITER_TIME_MAX = 32 };
const char *writer_local_time(int64_t wall_ms, char buf[static WRITER_TIME_MAX]);

#endif
