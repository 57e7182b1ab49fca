/*
 * The happy path: the parser walks the text once and emits the expression in postfix order, comparisons pushing a truth value
 * and not/and/or working on the top of the stack. where_match runs that list on a stack of bits, so no row can cost more than
 * WHERE_TERMS_MAX comparisons, and nothing recurses at run time.
 *
 * What can fail is found while compiling: a wrong character, a missing operand, nesting beyond WHERE_DEPTH_MAX, an unknown field,
 * a literal that the field's type can't hold. Every message names the column (counted in characters from 1).
 */
#include "gateway/api/where.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "proto/base/clock.h"
#include "proto/base/text.h"

enum op { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_GLOB, OP_TRUE, OP_NOT, OP_AND, OP_OR };

struct instruction {
	enum op op;
	const struct where_field *field; /* comparisons only */
	struct where_value literal;
};

enum {
	/* Each level of nesting holds at most the left side of an "or", the left side of an "and" and its own result. */
	STACK_MAX = 64,
	INSTRUCTIONS_MAX = 4 * WHERE_TERMS_MAX,
	WORD_MAX = 256,
};
_Static_assert(3 * (WHERE_DEPTH_MAX + 1) <= STACK_MAX, "the evaluation stack is one 64-bit word");

struct where {
	size_t count;
	struct instruction list[INSTRUCTIONS_MAX];
	char words[WHERE_LENGTH_MAX + WHERE_TERMS_MAX + 1]; /* the text literals, one after another */
	size_t words_used;
};

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_QUOTED, TOKEN_OPERATOR, TOKEN_OPEN, TOKEN_CLOSE };

struct token {
	enum token_kind kind;
	enum op op;          /* TOKEN_OPERATOR */
	size_t at;           /* where it begins, in bytes */
	char word[WORD_MAX]; /* TOKEN_WORD, TOKEN_QUOTED */
};

struct parser {
	const char *text;
	size_t at;
	struct token token; /* the one looked at */
	const struct where_field *fields;
	size_t fields_count;
	int64_t now_ms;
	unsigned depth, terms;
	struct where *where;
	struct gf_diag *diag;
};

static const struct {
	char text[3];
	enum op op;
} operators[] = {
    /* Longer ones first. */
    {"!=", OP_NE}, {"<=", OP_LE}, {">=", OP_GE}, {"=", OP_EQ}, {"<", OP_LT}, {">", OP_GT}, {"~", OP_GLOB},
};

static const char *const type_names[] = {
    [WHERE_NULL] = "nothing",       [WHERE_TEXT] = "a text", [WHERE_NUMBER] = "a number",
    [WHERE_BOOL] = "true or false", [WHERE_TIME] = "a time",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int fail(const struct parser *p, size_t at, const char *fmt, ...) GF_PRINTF(3, 4);
static int fail(const struct parser *p, size_t at, const char *fmt, ...)
{
	char sentence[512];
	size_t column = 1;
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(sentence, sizeof(sentence), fmt, args);
	va_end(args);
	for (size_t i = 0; i < at; i++)
		column += ((unsigned char)p->text[i] & 0xC0) != 0x80;
	gf_diag_set(p->diag, "where, column %zu: %s", column, sentence);
	return -EINVAL;
}

/* Letters, digits, and what stands in ids, versions, times, globs and bytes of UTF-8. */
static bool is_word_char(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80 ||
	       (c != 0 && strchr("_-+.:*?@/#%", c) != NULL);
}

static int next_quoted(struct parser *p, struct token *t)
{
	char quote = p->text[p->at++];
	size_t n = 0;

	t->kind = TOKEN_QUOTED;
	while (p->text[p->at] != quote) {
		if (p->text[p->at] == '\0')
			return fail(p, t->at, "the text that begins here has no closing %c", quote);
		if (n == WORD_MAX - 1)
			return fail(p, t->at, "a text longer than %d bytes", WORD_MAX - 1);
		t->word[n++] = p->text[p->at++];
	}
	p->at++;
	t->word[n] = '\0';
	return 0;
}

static int next_word(struct parser *p, struct token *t)
{
	size_t n = 0;

	t->kind = TOKEN_WORD;
	while (is_word_char((unsigned char)p->text[p->at])) {
		if (n == WORD_MAX - 1)
			return fail(p, t->at, "a word longer than %d bytes", WORD_MAX - 1);
		t->word[n++] = p->text[p->at++];
	}
	t->word[n] = '\0';
	return 0;
}

static int next(struct parser *p)
{
	struct token *t = &p->token;

	while (p->text[p->at] == ' ' || p->text[p->at] == '\t' || p->text[p->at] == '\n' || p->text[p->at] == '\r')
		p->at++;
	t->at = p->at;
	const char *s = p->text + p->at;
	if (*s == '\0') {
		t->kind = TOKEN_END;
		return 0;
	}
	if (*s == '(' || *s == ')') {
		t->kind = *s == '(' ? TOKEN_OPEN : TOKEN_CLOSE;
		p->at++;
		return 0;
	}
	for (size_t i = 0; i < COUNT(operators); i++)
		if (strncmp(s, operators[i].text, strlen(operators[i].text)) == 0) {
			t->kind = TOKEN_OPERATOR;
			t->op = operators[i].op;
			p->at += strlen(operators[i].text);
			return 0;
		}
	if (*s == '\'' || *s == '"')
		return next_quoted(p, t);
	if (is_word_char((unsigned char)*s))
		return next_word(p, t);
	if (*s == '&' || *s == '|' || *s == '!')
		return fail(p, t->at, "'%c' is no operator; write and, or, not", *s);
	return fail(p, t->at, "an unexpected character%s; put texts with special characters in quotes",
	            *s == ',' ? " ','" : "");
}

static bool is_keyword(const struct token *t, const char *keyword)
{
	return t->kind == TOKEN_WORD && strcasecmp(t->word, keyword) == 0;
}

static int emit(struct parser *p, const struct instruction *instruction)
{
	struct where *w = p->where;
	if (w->count == INSTRUCTIONS_MAX)
		return fail(p, p->token.at, "an expression of more than %d parts", INSTRUCTIONS_MAX);
	w->list[w->count++] = *instruction;
	return 0;
}

static int find_field(const struct parser *p, const struct token *t, const struct where_field **ret_field)
{
	const char *names[64];
	size_t count = p->fields_count < COUNT(names) ? p->fields_count : COUNT(names);

	for (size_t i = 0; i < p->fields_count; i++)
		if (strcmp(p->fields[i].name, t->word) == 0) {
			*ret_field = &p->fields[i];
			return 0;
		}
	for (size_t i = 0; i < count; i++)
		names[i] = p->fields[i].name;
	const char *near = gf_nearest(t->word, names, count);
	if (near != NULL)
		return fail(p, t->at, "unknown field '%s'; did you mean '%s'?", t->word, near);
	return fail(p, t->at, "unknown field '%s'; the fields are what -o json prints, such as '%s' and '%s'", t->word,
	            p->fields[0].name, p->fields[count - 1].name);
}

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

static int take_number(const struct parser *p, const struct token *t, const struct where_field *f, double *ret_number)
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
	return fail(p, t->at, "'%s' is a number%s; '%s' is not", f->name,
	            unit_ms(f->name) > 0 ? " (or write a duration, such as 30m)" : "", t->word);
}

static int take_time(const struct parser *p, const struct token *t, const struct where_field *f, double *ret_number)
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
		return fail(p, t->at, "'%s' is a time; write -%s for that long ago or +%s for in that long", f->name, t->word,
		            t->word);
	return fail(p, t->at, "'%s' is a time; expected -7d, +30d or 2026-11-20T17:42:00Z, not '%s'", f->name, t->word);
}

static int take_bool(const struct parser *p, const struct token *t, const struct where_field *f, bool *ret_boolean)
{
	bool yes = strcasecmp(t->word, "true") == 0 || strcasecmp(t->word, "yes") == 0;
	if (!yes && strcasecmp(t->word, "false") != 0 && strcasecmp(t->word, "no") != 0)
		return fail(p, t->at, "'%s' is true or false; '%s' is neither", f->name, t->word);
	*ret_boolean = yes;
	return 0;
}

/* Keeps a text literal; a word outside a closed set is refused, because it could never match anything. */
static int take_text(const struct parser *p, const struct token *t, enum op op, const struct where_field *f,
                     const char **ret_text)
{
	struct where *w = p->where;
	size_t size = strlen(t->word) + 1, words = 0;

	for (; f->words != NULL && f->words[words] != NULL; words++)
		if (strcmp(f->words[words], t->word) == 0)
			break;
	if (f->words != NULL && f->words[words] == NULL && op != OP_GLOB) {
		const char *near = gf_nearest(t->word, f->words, words);
		return near != NULL ? fail(p, t->at, "'%s' is never '%s'; did you mean '%s'?", f->name, t->word, near)
		                    : fail(p, t->at, "'%s' is never '%s'; it may be '%s' or '%s'", f->name, t->word,
		                           f->words[0], f->words[words - 1]);
	}
	/* A literal is shorter than its place in the text but for the NUL, and there are at most WHERE_TERMS_MAX. */
	char *copy = w->words + w->words_used;
	memcpy(copy, t->word, size);
	w->words_used += size;
	*ret_text = copy;
	return 0;
}

static int take_literal(struct parser *p, enum op op, const struct where_field *f, struct where_value *ret_value)
{
	const struct token *t = &p->token;
	struct where_value v = {.type = f->type};
	int r;

	if (t->kind != TOKEN_WORD && t->kind != TOKEN_QUOTED)
		return t->kind == TOKEN_OPERATOR && op == OP_EQ && t->op == OP_EQ
		           ? fail(p, t->at, "equality is written with one '='")
		           : fail(p, t->at, "expected a value for '%s' (%s) here", f->name, type_names[f->type]);
	if (is_keyword(t, "null")) {
		if (op != OP_EQ && op != OP_NE)
			return fail(p, t->at, "null can only be compared by = and !=");
		*ret_value = (struct where_value){.type = WHERE_NULL};
		return 0;
	}
	if (op == OP_GLOB && f->type != WHERE_TEXT)
		return fail(p, t->at, "'~' compares texts; '%s' is %s", f->name, type_names[f->type]);
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
			return fail(p, t->at, "'%s' is true or false; compare it by = or !=", f->name);
		r = take_bool(p, t, f, &v.boolean);
		break;
	case WHERE_NULL:
	default:
		r = fail(p, t->at, "'%s' can't be compared", f->name);
		break;
	}
	if (r == 0)
		*ret_value = v;
	return r;
}

static int parse_comparison(struct parser *p)
{
	struct instruction in = {.op = OP_TRUE};
	size_t at = p->token.at;
	int r;

	if (p->terms++ == WHERE_TERMS_MAX)
		return fail(p, at, "more than %d comparisons", WHERE_TERMS_MAX);
	if ((r = find_field(p, &p->token, &in.field)) != 0 || (r = next(p)) != 0)
		return r;
	if (p->token.kind == TOKEN_OPERATOR) {
		in.op = p->token.op;
		if ((r = next(p)) != 0 || (r = take_literal(p, in.op, in.field, &in.literal)) != 0 || (r = next(p)) != 0)
			return r;
	} else if (in.field->type != WHERE_BOOL) {
		return fail(p, p->token.at, "expected = != < <= > >= or ~ after '%s'", in.field->name);
	}
	return emit(p, &in);
}

static int parse_or(struct parser *p);

static int parse_factor(struct parser *p)
{
	int r;

	if (is_keyword(&p->token, "not")) {
		if (p->depth++ == WHERE_DEPTH_MAX)
			return fail(p, p->token.at, "nested more than %d deep", WHERE_DEPTH_MAX);
		if ((r = next(p)) != 0 || (r = parse_factor(p)) != 0)
			return r;
		p->depth--;
		return emit(p, &(struct instruction){.op = OP_NOT});
	}
	if (p->token.kind == TOKEN_OPEN) {
		size_t open = p->token.at;
		if (p->depth++ == WHERE_DEPTH_MAX)
			return fail(p, open, "nested more than %d deep", WHERE_DEPTH_MAX);
		if ((r = next(p)) != 0 || (r = parse_or(p)) != 0)
			return r;
		if (p->token.kind != TOKEN_CLOSE)
			return p->token.kind == TOKEN_END ? fail(p, open, "the ( here is never closed")
			                                  : fail(p, p->token.at, "expected and, or, or ) here");
		p->depth--;
		return next(p);
	}
	if (p->token.kind == TOKEN_WORD && !is_keyword(&p->token, "and") && !is_keyword(&p->token, "or"))
		return parse_comparison(p);
	return fail(p, p->token.at, "expected a field's name, not or ( here");
}

static int parse_and(struct parser *p)
{
	int r = parse_factor(p);
	while (r == 0 && is_keyword(&p->token, "and"))
		if ((r = next(p)) == 0 && (r = parse_factor(p)) == 0)
			r = emit(p, &(struct instruction){.op = OP_AND});
	return r;
}

static int parse_or(struct parser *p)
{
	int r = parse_and(p);
	while (r == 0 && is_keyword(&p->token, "or"))
		if ((r = next(p)) == 0 && (r = parse_and(p)) == 0)
			r = emit(p, &(struct instruction){.op = OP_OR});
	return r;
}

int where_compile(const char *text, const struct where_field *fields, size_t fields_count, int64_t now_wall_ms,
                  struct where **ret_where, struct gf_diag *diag)
{
	struct parser p = {
	    .text = text, .fields = fields, .fields_count = fields_count, .now_ms = now_wall_ms, .diag = diag};
	int r;

	if (strlen(text) > WHERE_LENGTH_MAX)
		return fail(&p, 0, "an expression longer than %d bytes", WHERE_LENGTH_MAX);
	if (!gf_utf8_valid(text, strlen(text)))
		return fail(&p, 0, "the expression is not UTF-8");
	p.where = calloc(1, sizeof(*p.where));
	if (p.where == NULL)
		return -ENOMEM;
	if ((r = next(&p)) == 0 && (r = parse_or(&p)) == 0 && p.token.kind != TOKEN_END)
		r = p.token.kind == TOKEN_CLOSE ? fail(&p, p.token.at, "a ) without its (")
		                                : fail(&p, p.token.at, "expected and or or here");
	if (r != 0) {
		where_free(p.where);
		return r;
	}
	*ret_where = p.where;
	return 0;
}

void where_free(struct where *where)
{
	free(where);
}

static bool holds(enum op op, int order)
{
	switch (op) {
	case OP_EQ:
		return order == 0;
	case OP_NE:
		return order != 0;
	case OP_LT:
		return order < 0;
	case OP_LE:
		return order <= 0;
	case OP_GT:
		return order > 0;
	default:
		return order >= 0;
	}
}

static bool compare(const struct instruction *in, const struct where_value *value)
{
	const struct where_value *literal = &in->literal;

	if (in->op == OP_TRUE)
		return value->type == WHERE_BOOL && value->boolean;
	if (literal->type == WHERE_NULL || value->type == WHERE_NULL)
		return in->op == (literal->type == value->type ? OP_EQ : OP_NE);
	if (in->op == OP_GLOB)
		return gf_glob(literal->text, value->text);
	switch (literal->type) {
	case WHERE_TEXT:
		return holds(in->op, strcmp(value->text, literal->text));
	case WHERE_BOOL:
		return holds(in->op, (int)value->boolean - (int)literal->boolean);
	default:
		return holds(in->op, (value->number > literal->number) - (value->number < literal->number));
	}
}

bool where_match(const struct where *where, where_lookup_fn lookup, const void *row)
{
	uint64_t stack = 1; /* the top is bit 0; the lowest value stays true */

	if (where == NULL)
		return true;
	for (size_t i = 0; i < where->count; i++) {
		const struct instruction *in = &where->list[i];
		switch (in->op) {
		case OP_NOT:
			stack ^= 1;
			break;
		case OP_AND:
			stack = (stack >> 1) & (stack | ~UINT64_C(1));
			break;
		case OP_OR:
			stack = (stack >> 1) | (stack & 1);
			break;
		default: {
			struct where_value value = lookup(row, in->field);
			stack = stack << 1 | compare(in, &value);
			break;
		}
		}
	}
	return (stack & 1) != 0;
}
