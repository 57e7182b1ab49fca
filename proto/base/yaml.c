/*
 * Three passes over one text, each with errors of its own:
 *
 *     syntax    nesting, anchors, aliases             (libyaml's events; yaml_syntax.c)
 *     document  keys, types, lengths by the schema    (the tree keeps each node's position)
 *     values    into the caller's struct              (libcyaml, which has nothing left to complain about)
 */
#include "proto/base/yaml.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "proto/base/file.h"
#include "proto/base/text.h"
#include "proto/base/yaml_syntax.h"

enum { NAMES_MAX = 64, EXPECTED_MAX = 400 };

struct gf_yaml {
	char *path;
	yaml_document_t document;
	bool has_document;
	const cyaml_schema_value_t *schema;
	void *data;
};

static const cyaml_config_t cyaml_settings = {
    .log_fn = NULL,
    .mem_fn = cyaml_mem,
    .log_level = CYAML_LOG_ERROR,
    .flags = CYAML_CFG_NO_ALIAS,
};

static int fail_at(const struct gf_yaml *doc, yaml_mark_t mark, struct gf_diag *diag, const char *fmt, ...)
    GF_PRINTF(4, 5);

static int GF_PRINTF(4, 0)
    vfail_at(const struct gf_yaml *doc, yaml_mark_t mark, struct gf_diag *diag, const char *fmt, va_list args)
{
	char sentence[GF_DIAG_MAX];
	vsnprintf(sentence, sizeof(sentence), fmt, args);
	gf_diag_set(diag, "%s:%zu:%zu: %s", doc->path, mark.line + 1, mark.column + 1, sentence);
	return -EINVAL;
}

static int fail_at(const struct gf_yaml *doc, yaml_mark_t mark, struct gf_diag *diag, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vfail_at(doc, mark, diag, fmt, args);
	va_end(args);
	return -EINVAL;
}

/* What is no YAML has been refused before: only memory can be short here. */
static int load_document(struct gf_yaml *doc, const char *text, size_t len, struct gf_diag *diag)
{
	yaml_parser_t parser;
	if (yaml_parser_initialize(&parser) != 0) {
		yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
		doc->has_document = yaml_parser_load(&parser, &doc->document) != 0;
		yaml_parser_delete(&parser);
	}
	if (doc->has_document)
		return 0;
	gf_diag_set(diag, "%s: out of memory", doc->path);
	return -ENOMEM;
}

/* ---- document ---- */

/* Where the check stands: the key that leads here, for the sentences. */
struct place {
	const struct gf_yaml *doc;
	struct gf_diag *diag;
	const char *key;
};

static yaml_node_t *node_of(const struct gf_yaml *doc, int index)
{
	return yaml_document_get_node((yaml_document_t *)(uintptr_t)&doc->document, index);
}

static const char *scalar(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static int wrong(const struct place *at, const yaml_node_t *node, const char *expected)
{
	const char *value = scalar(node);
	const char *kind = node->type == YAML_MAPPING_NODE ? "a mapping" : "a list";
	char subject[NAMES_MAX + 8] = "the file";
	if (at->key[0] != '\0')
		snprintf(subject, sizeof(subject), "'%s'", at->key);
	if (value == NULL)
		return fail_at(at->doc, node->start_mark, at->diag, "%s is %s; expected %s", subject, kind, expected);
	if (value[0] == '\0')
		return fail_at(at->doc, node->start_mark, at->diag, "%s has no value; expected %s", subject, expected);
	return fail_at(at->doc, node->start_mark, at->diag, "%s is '%.60s'; expected %s", subject, value, expected);
}

static int check_node(struct place at, const yaml_node_t *node, const cyaml_schema_value_t *schema);

static const cyaml_schema_field_t *find_field(const cyaml_schema_field_t *fields, const char *key)
{
	for (; fields->key != NULL; fields++) {
		if (strcmp(fields->key, key) == 0)
			return fields;
	}
	return NULL;
}

static int unknown_key(const struct place *at, const yaml_node_t *key, const cyaml_schema_field_t *fields)
{
	const char *names[NAMES_MAX] = {0};
	size_t count = 0;
	for (; fields->key != NULL && count < NAMES_MAX; fields++)
		names[count++] = fields->key;
	const char *nearest = gf_nearest(scalar(key), names, count);
	char where[128] = "";
	if (at->key[0] != '\0')
		snprintf(where, sizeof(where), " in '%s'", at->key);
	if (nearest != NULL)
		return fail_at(at->doc, key->start_mark, at->diag, "unknown key '%.60s'%s; did you mean '%s'?", scalar(key),
		               where, nearest);
	char known[EXPECTED_MAX] = "";
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(known);
		snprintf(known + len, sizeof(known) - len, "%s%s", i == 0 ? "" : ", ", names[i]);
	}
	return fail_at(at->doc, key->start_mark, at->diag, "unknown key '%.60s'%s; known are: %s", scalar(key), where,
	               known);
}

/* Two equal keys: the second would silently win or lose. */
static int check_duplicate(const struct place *at, const yaml_node_t *mapping, const yaml_node_pair_t *pair)
{
	const yaml_node_t *key = node_of(at->doc, pair->key);
	for (const yaml_node_pair_t *other = mapping->data.mapping.pairs.start; other < pair; other++) {
		const yaml_node_t *earlier = node_of(at->doc, other->key);
		if (strcmp(scalar(earlier), scalar(key)) == 0)
			return fail_at(at->doc, key->start_mark, at->diag, "key '%s' stands twice; the first is in line %zu",
			               scalar(key), earlier->start_mark.line + 1);
	}
	return 0;
}

static int check_missing(const struct place *at, const yaml_node_t *mapping, const cyaml_schema_field_t *fields)
{
	for (; fields->key != NULL; fields++) {
		bool found = (fields->value.flags & CYAML_FLAG_OPTIONAL) != 0;
		const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
		for (; pair < mapping->data.mapping.pairs.top && !found; pair++)
			found = strcmp(scalar(node_of(at->doc, pair->key)), fields->key) == 0;
		if (!found)
			return fail_at(at->doc, mapping->start_mark, at->diag, "missing key '%s'%s%s%s", fields->key,
			               at->key[0] != '\0' ? " in '" : "", at->key, at->key[0] != '\0' ? "'" : "");
	}
	return 0;
}

static int check_mapping(struct place at, const yaml_node_t *node, const cyaml_schema_value_t *schema)
{
	const cyaml_schema_field_t *fields = schema->mapping.fields;
	if (node->type != YAML_MAPPING_NODE)
		return wrong(&at, node, "a mapping (keys with values)");
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = node_of(at.doc, pair->key);
		if (scalar(key) == NULL)
			return fail_at(at.doc, key->start_mark, at.diag, "a key must be a word");
		const cyaml_schema_field_t *field = find_field(fields, scalar(key));
		if (field == NULL)
			return unknown_key(&at, key, fields);
		int r = check_duplicate(&at, node, pair);
		if (r == 0)
			r = check_node((struct place){at.doc, at.diag, field->key}, node_of(at.doc, pair->value), &field->value);
		if (r != 0)
			return r;
	}
	return check_missing(&at, node, fields);
}

static int check_sequence(struct place at, const yaml_node_t *node, const cyaml_schema_value_t *schema)
{
	if (node->type != YAML_SEQUENCE_NODE)
		return wrong(&at, node, "a list");
	size_t count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	if (count < schema->sequence.min || count > schema->sequence.max)
		return fail_at(at.doc, node->start_mark, at.diag, "'%s' has %zu entries; expected %u to %u", at.key, count,
		               schema->sequence.min, schema->sequence.max);
	for (size_t i = 0; i < count; i++) {
		int r = check_node(at, node_of(at.doc, node->data.sequence.items.start[i]), schema->sequence.entry);
		if (r != 0)
			return r;
	}
	return 0;
}

static int check_int(const struct place *at, const yaml_node_t *node, const cyaml_schema_value_t *schema)
{
	char expected[96], *end;
	const char *text = scalar(node);
	unsigned bits = (unsigned)schema->data_size * 8;
	bool is_signed = schema->type == CYAML_INT;
	uint64_t max = bits >= 64 ? UINT64_MAX : (1ULL << bits) - 1;
	if (is_signed)
		max /= 2;

	errno = 0;
	bool negative = text[0] == '-';
	const char *digits = negative ? text + 1 : text;
	uint64_t value = strtoull(digits, &end, 0);
	bool ok = isdigit((unsigned char)digits[0]) && *end == '\0' && errno == 0;
	ok = ok && (negative ? is_signed && value <= max + 1 : value <= max);
	/* 010 would be 8, which nobody means. */
	if (ok && digits[0] == '0' && isdigit((unsigned char)digits[1]))
		return wrong(at, node, "a whole number without leading zeros");
	if (ok)
		return 0;
	if (is_signed)
		snprintf(expected, sizeof(expected), "a whole number from -%llu to %llu", (unsigned long long)max + 1,
		         (unsigned long long)max);
	else
		snprintf(expected, sizeof(expected), "a whole number from 0 to %llu", (unsigned long long)max);
	return wrong(at, node, expected);
}

static int check_float(const struct place *at, const yaml_node_t *node, const cyaml_schema_value_t *schema)
{
	char *end;
	const char *text = scalar(node);
	double value = strtod(text, &end), max = schema->data_size == sizeof(float) ? (double)FLT_MAX : DBL_MAX;
	if (end != text && *end == '\0' && fabs(value) <= max && strpbrk(text, "xXpP") == NULL)
		return 0;
	return wrong(at, node, "a number");
}

static int check_bool(const struct place *at, const yaml_node_t *node)
{
	static const char *const words[] = {"true", "false", "yes", "no", "on", "off"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(scalar(node), words[i]) == 0)
			return 0;
	}
	return wrong(at, node, "true or false");
}

static int check_enum(const struct place *at, const yaml_node_t *node, const cyaml_schema_value_t *schema)
{
	const char *names[NAMES_MAX] = {0}, *nearest;
	char expected[EXPECTED_MAX] = "";
	size_t count = 0, len = 0;
	for (uint32_t i = 0; i < schema->enumeration.count && count < NAMES_MAX; i++) {
		names[count++] = schema->enumeration.strings[i].str;
		if (strcmp(names[i], scalar(node)) == 0)
			return 0;
	}
	nearest = gf_nearest(scalar(node), names, count);
	for (size_t i = 0; i < count && len < sizeof(expected); i++)
		len += (size_t)snprintf(expected + len, sizeof(expected) - len, "%s%s", i == 0 ? "one of: " : ", ", names[i]);
	if (nearest == NULL)
		return wrong(at, node, expected);
	return fail_at(at->doc, node->start_mark, at->diag, "'%s' is '%.60s'; did you mean '%s'? Expected %s", at->key,
	               scalar(node), nearest, expected);
}

static int check_string(const struct place *at, const yaml_node_t *node, const cyaml_schema_value_t *schema)
{
	size_t len = node->data.scalar.length;
	/* A field inside the struct holds its NUL too. */
	size_t max =
	    (schema->flags & CYAML_FLAG_POINTER) != 0 || schema->string.max < schema->data_size || schema->data_size == 0
	        ? schema->string.max
	        : schema->data_size - 1;
	/* The codec takes none either: better said here than by a gateway that never hears of the machine. */
	if (gf_has_controls(scalar(node), len))
		return fail_at(at->doc, node->start_mark, at->diag,
		               "'%s' has a control character, such as a tab or a line break; expected plain text", at->key);
	if (len >= schema->string.min && len <= max)
		return 0;
	if (len == 0)
		return wrong(at, node, "some text");
	return fail_at(at->doc, node->start_mark, at->diag, "'%s' has %zu bytes; expected %u to %zu", at->key, len,
	               schema->string.min, max);
}

static int check_scalar(const struct place *at, const yaml_node_t *node, const cyaml_schema_value_t *schema)
{
	switch (schema->type) {
	case CYAML_INT:
	case CYAML_UINT:
		return scalar(node) != NULL ? check_int(at, node, schema) : wrong(at, node, "a whole number");
	case CYAML_FLOAT:
		return scalar(node) != NULL ? check_float(at, node, schema) : wrong(at, node, "a number");
	case CYAML_BOOL:
		return scalar(node) != NULL ? check_bool(at, node) : wrong(at, node, "true or false");
	case CYAML_ENUM:
		return scalar(node) != NULL ? check_enum(at, node, schema) : wrong(at, node, "a word");
	case CYAML_STRING:
		return scalar(node) != NULL ? check_string(at, node, schema) : wrong(at, node, "text");
	default:
		return 0;
	}
}

static int check_node(struct place at, const yaml_node_t *node, const cyaml_schema_value_t *schema)
{
	switch (schema->type) {
	case CYAML_MAPPING:
		return check_mapping(at, node, schema);
	case CYAML_SEQUENCE:
		return check_sequence(at, node, schema);
	default:
		return check_scalar(&at, node, schema);
	}
}

/* ---- values ---- */

static int load_values(struct gf_yaml *doc, const char *text, size_t len, struct gf_diag *diag)
{
	cyaml_err_t error = cyaml_load_data((const uint8_t *)text, len, &cyaml_settings, doc->schema, &doc->data, NULL);
	if (error == CYAML_OK)
		return 0;
	gf_diag_set(diag, "%s: %s", doc->path, cyaml_strerror(error));
	return error == CYAML_ERR_OOM ? -ENOMEM : -EINVAL;
}

static int load(struct gf_yaml *doc, const char *text, size_t len, struct gf_diag *diag)
{
	int r = yaml_syntax_check(doc->path, text, len, diag);
	if (r == 0)
		r = load_document(doc, text, len, diag);
	if (r == 0)
		r = check_node((struct place){doc, diag, ""}, yaml_document_get_root_node(&doc->document), doc->schema);
	return r == 0 ? load_values(doc, text, len, diag) : r;
}

int gf_yaml_load_text(const char *name, const char *text, size_t len, const cyaml_schema_value_t *schema,
                      struct gf_yaml **ret_doc, void **ret_data, struct gf_diag *diag)
{
	struct gf_yaml *doc = calloc(1, sizeof(*doc));
	if (doc != NULL)
		doc->path = strdup(name);
	if (doc == NULL || doc->path == NULL) {
		free(doc);
		gf_diag_set(diag, "%s: out of memory", name);
		return -ENOMEM;
	}
	doc->schema = schema;
	/* Some editors begin a file with a byte order mark. All of them, or the passes would not see the same text. */
	while (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	int r = load(doc, text, len, diag);
	if (r != 0) {
		gf_yaml_free(doc);
		return r;
	}
	*ret_data = doc->data;
	*ret_doc = doc;
	return 0;
}

int gf_yaml_load(const char *path, const cyaml_schema_value_t *schema, struct gf_yaml **ret_doc, void **ret_data,
                 struct gf_diag *diag)
{
	char *text;
	size_t len;
	int r = gf_file_read(path, GF_YAML_FILE_MAX, &text, &len, diag);
	if (r != 0)
		return r;
	r = gf_yaml_load_text(path, text, len, schema, ret_doc, ret_data, diag);
	free(text);
	return r;
}

void gf_yaml_free(struct gf_yaml *doc)
{
	if (doc == NULL)
		return;
	if (doc->data != NULL)
		cyaml_free(&cyaml_settings, doc->schema, doc->data, 0);
	if (doc->has_document)
		yaml_document_delete(&doc->document);
	free(doc->path);
	free(doc);
}

/* ---- positions ---- */

static const yaml_node_t *child_by_key(const struct gf_yaml *doc, const yaml_node_t *node, const char *key, size_t len)
{
	if (node->type != YAML_MAPPING_NODE)
		return NULL;
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
		const char *name = scalar(node_of(doc, pair->key));
		if (name != NULL && strlen(name) == len && memcmp(name, key, len) == 0)
			return node_of(doc, pair->value);
	}
	return NULL;
}

static const yaml_node_t *child_by_index(const struct gf_yaml *doc, const yaml_node_t *node, size_t index)
{
	if (node->type != YAML_SEQUENCE_NODE)
		return NULL;
	size_t count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	return index < count ? node_of(doc, node->data.sequence.items.start[index]) : NULL;
}

/* The node at "a.b[2].c"; when it doesn't exist, the one as far as the path leads, and *ret_exact is false. */
static const yaml_node_t *locate(const struct gf_yaml *doc, const char *at, bool *ret_exact)
{
	*ret_exact = true;
	const yaml_node_t *node = yaml_document_get_root_node((yaml_document_t *)(uintptr_t)&doc->document);
	while (*at != '\0') {
		const yaml_node_t *child;
		if (*at == '[') {
			char *end;
			child = child_by_index(doc, node, strtoul(at + 1, &end, 10));
			at = *end == ']' ? end + 1 : end;
		} else {
			size_t len = strcspn(at, ".[");
			child = child_by_key(doc, node, at, len);
			at += len;
		}
		if (child == NULL) {
			*ret_exact = false;
			break;
		}
		node = child;
		at += *at == '.' ? 1 : 0;
	}
	return node;
}

bool gf_yaml_has(const struct gf_yaml *doc, const char *at)
{
	bool exact;
	locate(doc, at, &exact);
	return exact;
}

unsigned gf_yaml_line(const struct gf_yaml *doc, const char *at)
{
	bool exact;
	return (unsigned)locate(doc, at, &exact)->start_mark.line + 1;
}

int gf_yaml_fail(const struct gf_yaml *doc, const char *at, struct gf_diag *diag, const char *fmt, ...)
{
	va_list args;
	bool exact;
	va_start(args, fmt);
	vfail_at(doc, locate(doc, at, &exact)->start_mark, diag, fmt, args);
	va_end(args);
	return -EINVAL;
}
