/*
 * The expressions of --where: chosen rows of a list, e.g.
 *
 *     site=berlin and (health!=ok or motor_hours>1500)
 *     name ~ 'Chair*' and not in_session and last_seen < -2h
 *
 *     expression = term { "or" term }          term = factor { "and" factor }
 *     factor     = "not" factor | "(" expression ")" | FIELD [ operator literal ]
 *     operator   = "=" | "!=" | "<" | "<=" | ">" | ">=" | "~"
 *     literal    = word | 'quoted' | "quoted" | number | duration | true | false | null | RFC 3339 time | -7d | +30d
 *
 * A field alone is meant for a yes-or-no field; "yes" is the same as true, "no" as false. "~" is a glob with * and ?. For a time, -7d is seven days ago and +30d in thirty
 * days. For a number of seconds, milliseconds or hours (the field's name ends in _s, _ms, _h, hours) a duration such as 10m is
 * converted. A field without a value equals null, differs from everything else, and is neither above nor below anything.
 *
 * Everything is checked when the expression is compiled: fields, types, words of closed sets. Evaluating can't fail.
 */
#ifndef GATEWAY_API_WHERE_H
#define GATEWAY_API_WHERE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/err.h"

enum { WHERE_LENGTH_MAX = 2048, WHERE_DEPTH_MAX = 16, WHERE_TERMS_MAX = 128 };

enum where_type { WHERE_NULL, WHERE_TEXT, WHERE_NUMBER, WHERE_BOOL, WHERE_TIME };

struct where_field {
	const char *name;
	enum where_type type;
	const char *const *words; /* for WHERE_TEXT: the closed set it is from, ended by NULL; NULL when it is free */
};

/* What a field holds in one row; WHERE_NULL when it holds nothing. A time is a number of wall milliseconds. */
struct where_value {
	const char *text;
	double number;
	enum where_type type;
	bool boolean;
};

/* The value of fields[index] in the row that `row` stands for; of the field's type, or WHERE_NULL. */
typedef struct where_value (*where_lookup_fn)(const void *row, const struct where_field *field);

struct where;

/*
 * Compiles `text` over `fields`, which must outlive the result. `now_wall_ms` is what -7d counts from.
 * Returns 0; -EINVAL with `diag` naming the column and what was expected; -ENOMEM.
 */
GF_MUST_CHECK int where_compile(const char *text, const struct where_field *fields, size_t fields_count,
                                int64_t now_wall_ms, struct where **ret_where, struct gf_diag *diag);
void where_free(struct where *where);

/* Is the row chosen? A NULL `where` chooses every row. */
bool where_match(const struct where *where, where_lookup_fn lookup, const void *row);

/* Each text that a field is asked to be equal to. */
typedef void (*where_text_fn)(void *ctx, const struct where_field *field, const char *text);
void where_texts(const struct where *where, where_text_fn text, void *ctx);

#endif
