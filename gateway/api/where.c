/*
 * The happy path: the parser walks the text once and emits the expression in postfix order, comparisons pushing a truth value
 * and not/and/or working on the top of the stack. where_match runs that list on a stack of bits, so no row can cost more than
 * WHERE_TERMS_MAX comparisons, and nothing recurses at run time.
 *
 * What can fail is found while compiling: a wrong character, a missing operand, nesting beyond WHERE_DEPTH_MAX, an unknown field,
 * a literal that the field's type can't hold. Every message names the column (counted in characters from 1).
 */
#include "gateway/api/where_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int emit(struct where_parser *p, const struct where_instruction *instruction)
{
	struct where *w = p->where;
	if (w->count == INSTRUCTIONS_MAX)
		return where_fail(p, p->token.at, "an expression of more than %d parts", INSTRUCTIONS_MAX);
	w->list[w->count++] = *instruction;
	return 0;
}

static int find_field(const struct where_parser *p, const struct where_token *t, const struct where_field **ret_field)
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
		return where_fail(p, t->at, "unknown field '%s'; did you mean '%s'?", t->word, near);
	return where_fail(p, t->at, "unknown field '%s'; the fields are what -o json prints, such as '%s' and '%s'",
	                  t->word, p->fields[0].name, p->fields[count - 1].name);
}

static int parse_comparison(struct where_parser *p)
{
	struct where_instruction in = {.op = OP_TRUE};
	size_t at = p->token.at;
	int r;

	if (p->terms++ == WHERE_TERMS_MAX)
		return where_fail(p, at, "more than %d comparisons", WHERE_TERMS_MAX);
	if ((r = find_field(p, &p->token, &in.field)) != 0 || (r = where_next(p)) != 0)
		return r;
	if (p->token.kind == TOKEN_OPERATOR) {
		in.op = p->token.op;
		if ((r = where_next(p)) != 0 || (r = where_literal(p, in.op, in.field, &in.literal)) != 0 ||
		    (r = where_next(p)) != 0)
			return r;
	} else if (in.field->type != WHERE_BOOL) {
		return where_fail(p, p->token.at, "expected = != < <= > >= or ~ after '%s'", in.field->name);
	}
	return emit(p, &in);
}

static int parse_or(struct where_parser *p);

static int parse_factor(struct where_parser *p)
{
	int r;

	if (where_is(&p->token, "not")) {
		if (p->depth++ == WHERE_DEPTH_MAX)
			return where_fail(p, p->token.at, "nested more than %d deep", WHERE_DEPTH_MAX);
		if ((r = where_next(p)) != 0 || (r = parse_factor(p)) != 0)
			return r;
		p->depth--;
		return emit(p, &(struct where_instruction){.op = OP_NOT});
	}
	if (p->token.kind == TOKEN_OPEN) {
		size_t open = p->token.at;
		if (p->depth++ == WHERE_DEPTH_MAX)
			return where_fail(p, open, "nested more than %d deep", WHERE_DEPTH_MAX);
		if ((r = where_next(p)) != 0 || (r = parse_or(p)) != 0)
			return r;
		if (p->token.kind != TOKEN_CLOSE)
			return p->token.kind == TOKEN_END ? where_fail(p, open, "the ( here is never closed")
			                                  : where_fail(p, p->token.at, "expected and, or, or ) here");
		p->depth--;
		return where_next(p);
	}
	if (p->token.kind == TOKEN_WORD && !where_is(&p->token, "and") && !where_is(&p->token, "or"))
		return parse_comparison(p);
	return where_fail(p, p->token.at, "expected a field's name, not or ( here");
}

static int parse_and(struct where_parser *p)
{
	int r = parse_factor(p);
	while (r == 0 && where_is(&p->token, "and"))
		if ((r = where_next(p)) == 0 && (r = parse_factor(p)) == 0)
			r = emit(p, &(struct where_instruction){.op = OP_AND});
	return r;
}

static int parse_or(struct where_parser *p)
{
	int r = parse_and(p);
	while (r == 0 && where_is(&p->token, "or"))
		if ((r = where_next(p)) == 0 && (r = parse_and(p)) == 0)
			r = emit(p, &(struct where_instruction){.op = OP_OR});
	return r;
}

int where_compile(const char *text, const struct where_field *fields, size_t fields_count, int64_t now_wall_ms,
                  struct where **ret_where, struct gf_diag *diag)
{
	struct where_parser p = {
	    .text = text, .fields = fields, .fields_count = fields_count, .now_ms = now_wall_ms, .diag = diag};
	int r;

	if (strlen(text) > WHERE_LENGTH_MAX)
		return where_fail(&p, 0, "an expression longer than %d bytes", WHERE_LENGTH_MAX);
	if (!gf_utf8_valid(text, strlen(text)))
		return where_fail(&p, 0, "the expression is not UTF-8");
	p.where = calloc(1, sizeof(*p.where));
	if (p.where == NULL)
		return -ENOMEM;
	if ((r = where_next(&p)) == 0 && (r = parse_or(&p)) == 0 && p.token.kind != TOKEN_END)
		r = p.token.kind == TOKEN_CLOSE ? where_fail(&p, p.token.at, "a ) without its (")
		                                : where_fail(&p, p.token.at, "expected and or or here");
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

static bool holds(enum where_op op, int order)
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

static bool compare(const struct where_instruction *in, const struct where_value *value)
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
		const struct where_instruction *in = &where->list[i];
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

void where_texts(const struct where *where, where_text_fn text, void *ctx)
{
	for (size_t i = 0; where != NULL && i < where->count; i++) {
		const struct where_instruction *in = &where->list[i];
		if (in->op == OP_EQ && in->literal.type == WHERE_TEXT)
			text(ctx, in->field, in->literal.text);
	}
}
