/*
 * YAML files, read through libcyaml's declarative schemas, with errors that name file, line, column and what was
 * expected. A document keeps the positions of its nodes, so that a check that comes after loading (a range that
 * depends on another key, a name that doesn't exist) can point at the right place too.
 *
 * Limits: GF_YAML_FILE_MAX bytes a file; nesting GF_YAML_DEPTH_MAX; anchors, aliases and NUL are refused.
 */
#ifndef GF_BASE_YAML_H
#define GF_BASE_YAML_H

#include <cyaml/cyaml.h>
#include <stdbool.h>
#include <stddef.h>

#include "proto/base/err.h"

enum { GF_YAML_FILE_MAX = 1 << 20, GF_YAML_DEPTH_MAX = 16 };

struct gf_yaml;

/*
 * Loads `path` by `schema` (a mapping pointer as cyaml_load_file wants it). Unknown keys are errors that name the
 * nearest known key; a missing key, a wrong type and a value out of the schema's range are errors too:
 *     agent.yaml:12:3: unknown key 'brokr' in 'link'; did you mean 'broker'?
 * On success *ret_data is freed by gf_yaml_free together with the document.
 * Returns 0, -EINVAL for a mistake in the file, or a negative errno; `diag` always set on failure.
 */
GF_MUST_CHECK int gf_yaml_load(const char *path, const cyaml_schema_value_t *schema, struct gf_yaml **ret_doc,
                               void **ret_data, struct gf_diag *diag);
/* The same for a text in memory; `name` stands for the path in the errors. */
GF_MUST_CHECK int gf_yaml_load_text(const char *name, const char *text, size_t len, const cyaml_schema_value_t *schema,
                                    struct gf_yaml **ret_doc, void **ret_data, struct gf_diag *diag);
void gf_yaml_free(struct gf_yaml *doc);

/* Whether there is a node at `at`: 0 that was written is another thing than a key that was left out. */
bool gf_yaml_has(const struct gf_yaml *doc, const char *at);
/* The line of the node at `at`, from 1 on; of the nearest existing ancestor when there is no such node. */
unsigned gf_yaml_line(const struct gf_yaml *doc, const char *at);

/*
 * Sets `diag` to "FILE:LINE:COL: <sentence>" for the node at `at`, e.g. "routines[2].steps[0].intensity"; the nearest
 * existing ancestor when there is no such node. Always returns -EINVAL, so that a check can end with it.
 */
int gf_yaml_fail(const struct gf_yaml *doc, const char *at, struct gf_diag *diag, const char *fmt, ...) GF_PRINTF(4, 5);

#endif
