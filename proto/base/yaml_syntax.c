#include "proto/base/yaml_syntax.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "proto/base/yaml.h"

struct syntax {
	const char *path, *text;
	size_t len;
	int depth, documents;
	struct gf_diag *diag;
};

static int refuse(const struct syntax *s, yaml_mark_t mark, const char *sentence)
{
	gf_diag_set(s->diag, "%s:%zu:%zu: %s", s->path, mark.line + 1, mark.column + 1, sentence);
	return -EINVAL;
}

/* A byte that begins a character; columns count characters, as libyaml's marks do. */
static bool begins(char byte)
{
	return ((unsigned char)byte & 0xc0) != 0x80;
}

/* libyaml's reader knows only how many bytes it has read. */
static yaml_mark_t mark_of_byte(const struct syntax *s, size_t offset)
{
	yaml_mark_t mark = {0};
	for (size_t i = 0; i < offset && i < s->len; i++) {
		if (s->text[i] == '\n') {
			mark.line++;
			mark.column = 0;
		} else if (begins(s->text[i])) {
			mark.column++;
		}
	}
	return mark;
}

static bool is_tab(const struct syntax *s, yaml_mark_t mark)
{
	size_t characters = 0, i = 0;
	while (i < s->len && (characters += begins(s->text[i]) ? 1 : 0) <= mark.index)
		i++;
	return i < s->len && s->text[i] == '\t';
}

/* What the words of libyaml mean for who wrote the line; "" when nothing is known. */
static const char *remedy_of(const char *problem, const char *context)
{
	static const struct {
		const char *problem, *context, *remedy;
	} known[] = {
	    {"mapping values are not allowed", "",
	     "; a text that has ': ' in it belongs in quotes, and the keys of one block begin in one column"},
	    {"did not find expected '-'", "", "; the entries of one list begin in one column, and so do the keys of each"},
	    {"did not find expected key", "",
	     "; the keys of one block begin in one column, and nothing follows a closing quote"},
	    {"could not find expected ':'", "", "; a key is followed by ':' and a space"},
	    {"found unexpected end of stream", "quoted scalar", "; the closing quote is missing"},
	    {"did not find expected ','", "flow sequence", "; entries are parted by ',' and the list ends with ']'"},
	    {"did not find expected ','", "flow mapping", "; keys are parted by ',' and the block ends with '}'"},
	    {"found character that cannot start", "", "; a text that begins with @, ` or % belongs in quotes"},
	    {"found unknown escape character", "", "; within \"...\" a backslash is written twice, within '...' once"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strstr(problem, known[i].problem) != NULL && strstr(context, known[i].context) != NULL)
			return known[i].remedy;
	return "";
}

/* What libyaml didn't see the end of, and where that begins: a quote is missed at the end of the file, however far up it stands. */
static int parsing_error(const struct syntax *s, const yaml_parser_t *parser)
{
	const char *problem = parser->problem != NULL ? parser->problem : "not YAML",
	           *context = parser->context != NULL ? parser->context : "";
	const yaml_mark_t mark = parser->problem_mark;
	char begins_in[48] = "";

	if (*context != '\0' && parser->context_mark.line != mark.line)
		(void)snprintf(begins_in, sizeof(begins_in), " that begins in line %zu", parser->context_mark.line + 1);
	gf_diag_set(s->diag, "%s:%zu:%zu: %s%s%s%s%s", s->path, mark.line + 1, mark.column + 1, problem,
	            *context != '\0' ? ", " : "", context, begins_in, remedy_of(problem, context));
	return -EINVAL;
}

static int parser_error(const struct syntax *s, const yaml_parser_t *parser)
{
	if (parser->error == YAML_MEMORY_ERROR) {
		gf_diag_set(s->diag, "%s: out of memory", s->path);
		return -ENOMEM;
	}
	if (parser->error == YAML_READER_ERROR) {
		const yaml_mark_t mark = mark_of_byte(s, parser->problem_offset);
		gf_diag_set(s->diag, "%s:%zu:%zu: %s (0x%02X); expected UTF-8 text", s->path, mark.line + 1, mark.column + 1,
		            parser->problem != NULL ? parser->problem : "not text", (unsigned)parser->problem_value);
		return -EINVAL;
	}
	if (is_tab(s, parser->problem_mark))
		return refuse(s, parser->problem_mark, "a tab; YAML is indented with spaces");
	return parsing_error(s, parser);
}

static int check_start(struct syntax *s, const yaml_event_t *event, const yaml_char_t *anchor)
{
	if (anchor != NULL)
		return refuse(s, event->start_mark,
		              "an anchor (&name) is not allowed here; write the value out where it is used");
	if (event->type == YAML_SCALAR_EVENT) {
		if (memchr(event->data.scalar.value, '\0', event->data.scalar.length) != NULL)
			return refuse(s, event->start_mark, "a NUL (\\0) in a text");
		return 0;
	}
	if (++s->depth <= GF_YAML_DEPTH_MAX)
		return 0;
	gf_diag_set(s->diag, "%s:%zu:%zu: nested deeper than %d levels", s->path, event->start_mark.line + 1,
	            event->start_mark.column + 1, GF_YAML_DEPTH_MAX);
	return -EINVAL;
}

static int check_event(struct syntax *s, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return refuse(s, event->start_mark, "an alias (*name) is not allowed here; write the value out");
	case YAML_DOCUMENT_START_EVENT:
		if (++s->documents > 1)
			return refuse(s, event->start_mark, "a second document begins here; expected one a file");
		return 0;
	case YAML_SCALAR_EVENT:
		return check_start(s, event, event->data.scalar.anchor);
	case YAML_MAPPING_START_EVENT:
		return check_start(s, event, event->data.mapping_start.anchor);
	case YAML_SEQUENCE_START_EVENT:
		return check_start(s, event, event->data.sequence_start.anchor);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		--s->depth;
		return 0;
	default:
		return 0;
	}
}

int yaml_syntax_check(const char *path, const char *text, size_t len, struct gf_diag *diag)
{
	struct syntax s = {.path = path, .text = text, .len = len, .diag = diag};
	yaml_parser_t parser;
	yaml_event_t event;
	int r = 0;
	bool more = true;

	if (yaml_parser_initialize(&parser) == 0) {
		gf_diag_set(diag, "%s: out of memory", path);
		return -ENOMEM;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	while (more && r == 0) {
		if (yaml_parser_parse(&parser, &event) == 0) {
			r = parser_error(&s, &parser);
			break;
		}
		more = event.type != YAML_STREAM_END_EVENT;
		r = check_event(&s, &event);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	if (r == 0 && s.documents == 0)
		r = refuse(&s, (yaml_mark_t){0}, "the file is empty");
	return r;
}
