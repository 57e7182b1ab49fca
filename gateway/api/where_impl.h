/*
 * The parts of where.c: words and signs (where_token.c), what a field is compared with (where_literal.c), and the rest, which puts them
 * together.
 */
#ifndef GATEWAY_API_WHERE_IMPL_H
#define GATEWAY_API_WHERE_IMPL_H

#include "gateway/api/where.h"

enum where_op { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_GLOB, OP_TRUE, OP_NOT, OP_AND, OP_OR };

struct where_instruction {
	enum where_op op;
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
	struct where_instruction list[INSTRUCTIONS_MAX];
	char words[WHERE_LENGTH_MAX + WHERE_TERMS_MAX + 1]; /* the text literals, one after another */
	size_t words_used;
};

enum where_token_kind { TOKEN_END, TOKEN_WORD, TOKEN_QUOTED, TOKEN_OPERATOR, TOKEN_OPEN, TOKEN_CLOSE };

struct where_token {
	enum where_token_kind kind;
	enum where_op op;    /* TOKEN_OPERATOR */
	size_t at;           /* where it begins, in bytes */
	char word[WORD_MAX]; /* TOKEN_WORD, TOKEN_QUOTED */
};

struct where_parser {
	const char *text;
	size_t at;
	struct where_token token; /* the one looked at */
	const struct where_field *fields;
	size_t fields_count;
	int64_t now_ms;
	unsigned depth, terms;
	struct where *where;
	struct gf_diag *diag;
};

/* "where, column N: ..." in p->diag; -EINVAL. `at` in bytes, N in characters. */
int where_fail(const struct where_parser *p, size_t at, const char *fmt, ...) GF_PRINTF(3, 4);

/* The next token. 0 or -EINVAL. */
GF_MUST_CHECK int where_next(struct where_parser *p);
bool where_is(const struct where_token *token, const char *keyword);

/* The token as what `field` is compared with by `op`. 0 or -EINVAL. */
GF_MUST_CHECK int where_literal(struct where_parser *p, enum where_op op, const struct where_field *field,
                                struct where_value *ret_value);

#endif
