#include "gateway/api/where_impl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	char text[3];
	enum where_op op;
} operators[] = {
    /* Longer ones first. */
    {"!=", OP_NE}, {"<=", OP_LE}, {">=", OP_GE}, {"=", OP_EQ}, {"<", OP_LT}, {">", OP_GT}, {"~", OP_GLOB},
};

int where_fail(const struct where_parser *p, size_t at, const char *fmt, ...)
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

static int next_quoted(struct where_parser *p, struct where_token *t)
{
	char quote = p->text[p->at++];
	size_t n = 0;

	t->kind = TOKEN_QUOTED;
	while (p->text[p->at] != quote) {
		if (p->text[p->at] == '\0')
			return where_fail(p, t->at, "the text that begins here has no closing %c", quote);
		if (n == WORD_MAX - 1)
			return where_fail(p, t->at, "a text longer than %d bytes", WORD_MAX - 1);
		t->word[n++] = p->text[p->at++];
	}
	p->at++;
	t->word[n] = '\0';
	return 0;
}

static int next_word(struct where_parser *p, struct where_token *t)
{
	size_t n = 0;

	t->kind = TOKEN_WORD;
	while (is_word_char((unsigned char)p->text[p->at])) {
		if (n == WORD_MAX - 1)
			return where_fail(p, t->at, "a word longer than %d bytes", WORD_MAX - 1);
		t->word[n++] = p->text[p->at++];
	}
	t->word[n] = '\0';
	return 0;
}

int where_next(struct where_parser *p)
{
	struct where_token *t = &p->token;

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
		return where_fail(p, t->at, "'%c' is no operator; write and, or, not", *s);
	return where_fail(p, t->at, "an unexpected character%s; put texts with special characters in quotes",
	                  *s == ',' ? " ','" : "");
}

bool where_is(const struct where_token *t, const char *keyword)
{
	return t->kind == TOKEN_WORD && strcasecmp(t->word, keyword) == 0;
}
