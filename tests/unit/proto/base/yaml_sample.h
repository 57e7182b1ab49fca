/* A schema with one key of every type, for the tests and the fuzzer of the YAML reader. */
#ifndef TESTS_YAML_SAMPLE_H
#define TESTS_YAML_SAMPLE_H

#include <stdbool.h>

#include "proto/base/yaml.h"

struct sample_entry {
	int colour;
	double share;
};

struct sample_inner {
	char *host;
	uint16_t port;
};

struct sample {
	char name[8];
	int8_t level;
	uint64_t seed;
	float limit;
	bool on;
	struct sample_inner inner;
	struct sample_entry *entries;
	unsigned entries_count;
};

static const cyaml_strval_t sample_colours[] = {{"red", 1}, {"green", 2}, {"blue", 3}};

static const cyaml_schema_field_t sample_entry_fields[] = {
    CYAML_FIELD_ENUM("colour", CYAML_FLAG_STRICT, struct sample_entry, colour, sample_colours, 3),
    CYAML_FIELD_FLOAT("share", CYAML_FLAG_OPTIONAL, struct sample_entry, share),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t sample_entry_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct sample_entry, sample_entry_fields),
};

static const cyaml_schema_field_t sample_inner_fields[] = {
    CYAML_FIELD_STRING_PTR("host", CYAML_FLAG_POINTER, struct sample_inner, host, 1, 20),
    CYAML_FIELD_UINT("port", CYAML_FLAG_OPTIONAL, struct sample_inner, port),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t sample_fields[] = {
    CYAML_FIELD_STRING("name", CYAML_FLAG_DEFAULT, struct sample, name, 1),
    CYAML_FIELD_INT("level", CYAML_FLAG_OPTIONAL, struct sample, level),
    CYAML_FIELD_UINT("seed", CYAML_FLAG_OPTIONAL, struct sample, seed),
    CYAML_FIELD_FLOAT("limit", CYAML_FLAG_OPTIONAL, struct sample, limit),
    CYAML_FIELD_BOOL("on", CYAML_FLAG_OPTIONAL, struct sample, on),
    CYAML_FIELD_MAPPING("inner", CYAML_FLAG_OPTIONAL, struct sample, inner, sample_inner_fields),
    CYAML_FIELD_SEQUENCE("entries", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, struct sample, entries,
                         &sample_entry_schema, 1, 3),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t sample_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct sample, sample_fields),
};

#endif
