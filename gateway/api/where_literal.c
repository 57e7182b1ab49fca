#include "gateway/api/where_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "proto/base/clock.h"
#include "proto/base/text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const type_names[] = {
    [WHERE_NULL] = "nothing",       [WHERE_TEXT] = "a text", [WHERE_NUMBER] = "a number",
    [WHERE_BOOL] = "true or false", [WHERE_TIME] = "a time",
};

/* Milliseconds of one unit of a field that holds a length of time, by the end of its name; 0 for any other. */
static double unit_ms(const char *name)
{
	static const struct {
		const char *suffix;
		double ms;
	} units[] = {{"_ms", 1}, {"_s", 1e3}, {"_h", 3600e3}, {"hours", 3600e3}};
	size_t len = strlen(name);

	for (size_t i = 0; i < COUNT(units); i++) {
		size_t n = strlen(units[i].suffix);
		if (len > n && strcmp(name + len - n, units[i].suffix) == 0)
			return units[i].ms;
	}
	return 0;
}

static int take_number(const struct where_parser *p, const struct where_token *t, const struct where_field *f,
                       double *ret_number)
{
	char *end;
	double number = strtod(t->word, &end);
	int64_t ms;

	/* A digit, a sign or a point first: strtod would take "nan", "inf" and "0x10" too. */
	if (strspn(t->word, "0123456789+-.eE") == strlen(t->word) && end != t->word && *end == '\0' && isfinite(number)) {
		*ret_number = number;
		return 0;
	}
	if (unit_ms(f->name) > 0 && gf_duration_parse(t->word, &ms) == 0) {
		*ret_number = (double)ms / unit_ms(f->name);
		return 0;
	}
	return where_fail(p, t->at, "'%s' is a number%s; '%s' is not", f->name,
	                  unit_ms(f->name) > 0 ? " (or write a duration, such as 30m)" : "", t->word);
}

/* "2026-11-20": its beginning is another moment in each zone, and which one is meant isn't known here. */
static bool is_day(const char *word)
{
	char time[GF_RFC3339_MAX];
	int64_t ms;

	return strlen(word) == strlen("2026-11-20") &&
	       snprintf(time, sizeof(time), "%sT00:00:00Z", word) < (int)sizeof(time) && gf_time_parse(time, &ms) == 0;
}

static int take_time(const struct where_parser *p, const struct where_token *t, const struct where_field *f,
                     double *ret_number)
{
	int64_t ms;

	if ((t->word[0] == '-' || t->word[0] == '+') && gf_duration_parse(t->word + 1, &ms) == 0) {
		*ret_number = (double)p->now_ms + (t->word[0] == '-' ? -(double)ms : (double)ms);
		return 0;
	}
	if (gf_time_parse(t->word, &ms) == 0) {
		*ret_number = (double)ms;
		return 0;
	}
	if (gf_duration_parse(t->word, &ms) == 0)
		return where_fail(p, t->at, "'%s' is a time; write -%s for that long ago or +%s for in that long", f->name,
		                  t->word, t->word);
	if (is_day(t->word))
		return where_fail(p, t->at, "'%s' is a time; write the day's beginning as %sT00:00:00Z or %sT00:00:00+01:00",
		                  f->name, t->word, t->word);
	return where_fail(p, t->at, "'%s' is a time; expected -7d, +30d or 2026-11-20T17:42:00Z, not '%s'", f->name,
	                  t->word);
}

static int take_bool(const struct where_parser *p, const struct where_token *t, const struct where_field *f,
                     bool *ret_boolean)
{
	bool yes = strcasecmp(t->word, "true") == 0 || strcasecmp(t->word, "yes") == 0;
	if (!yes && strcasecmp(t->word, "false") != 0 && strcasecmp(t->word, "no") != 0)
		return where_fail(p, t->at, "'%s' is true or false; '%s' is neither", f->name, t->word);
	*ret_boolean = yes;
	return 0;
}

/* No row has this word: all that there are, since two of them read as if there were no third. */
static int never(const struct where_parser *p, const struct where_token *t, const struct where_field *f)
{
	enum { ALL_MAX = 512 };
	char all[ALL_MAX] = "";
	size_t count = 0, len = 0;

	while (f->words[count] != NULL)
		count++;
	const char *near = gf_nearest(t->word, f->words, count);
	if (near != NULL)
		return where_fail(p, t->at, "'%s' is never '%s'; did you mean '%s'?", f->name, t->word, near);
	for (size_t i = 0; i < count && len < sizeof(all); i++)
		len += (size_t)snprintf(all + len, sizeof(all) - len, "%s'%s'",
		                        i == 0           ? ""
		                        : i + 1 == count ? " or "
		                                         : ", ",
		                        f->words[i]);
	return where_fail(p, t->at, "'%s' is never '%s'; it may be %s", f->name, t->word, all);
}

/* Keeps a text literal; a word outside a closed set is refused, because it could never match anything. */
static int take_text(const struct where_parser *p, const struct where_token *t, enum where_op op,
                     const struct where_field *f, const char **ret_text)
{
	struct where *w = p->where;
	size_t size = strlen(t->word) + 1, words = 0;

	for (; f->words != NULL && f->words[words] != NULL; words++)
		if (strcmp(f->words[words], t->word) == 0)
			break;
	if (f->words != NULL && f->words[words] == NULL && op != OP_GLOB) {
		return never(p, t, f);
	}
	/* A literal is shorter than its place in the text but for the NUL, and there are at most WHERE_TERMS_MAX. */
	char *copy = w->words + w->words_used;
	memcpy(copy, t->word, size);
	w->words_used += size;
	*ret_text = copy;
	return 0;
}

int where_literal(struct where_parser *p, enum where_op op, const struct where_field *f, struct where_value *ret_value)
{
	const struct where_token *t = &p->token;
	struct where_value v = {.type = f->type};
	int r;

	if (t->kind != TOKEN_WORD && t->kind != TOKEN_QUOTED)
		return t->kind == TOKEN_OPERATOR && op == OP_EQ && t->op == OP_EQ
		           ? where_fail(p, t->at, "equality is written with one '='")
		           : where_fail(p, t->at, "expected a value for '%s' (%s) here", f->name, type_names[f->type]);
	if (where_is(t, "null")) {
		if (op != OP_EQ && op != OP_NE)
			return where_fail(p, t->at, "null can only be compared by = and !=");
		*ret_value = (struct where_value){.type = WHERE_NULL};
		return 0;
	}
	if (op == OP_GLOB && f->type != WHERE_TEXT)
		return where_fail(p, t->at, "'~' compares texts; '%s' is %s", f->name, type_names[f->type]);
	switch (f->type) {
	case WHERE_TEXT:
		r = take_text(p, t, op, f, &v.text);
		break;
	case WHERE_NUMBER:
		r = take_number(p, t, f, &v.number);
		break;
	case WHERE_TIME:
		r = take_time(p, t, f, &v.number);
		break;
	case WHERE_BOOL:
		if (op != OP_EQ && op != OP_NE)
			return where_fail(p, t->at, "'%s' is true or false; compare it by = or !=", f->name);
		r = take_bool(p, t, f, &v.boolean);
		break;
	case WHERE_NULL:
	default:
		r = where_fail(p, t->at, "'%s' can't be compared", f->name);
		break;
	}
	if (r == 0)
		*ret_value = v;
	return r;
}
