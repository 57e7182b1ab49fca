/* The first of yaml.c's passes; nobody else calls it. */
#ifndef GF_BASE_YAML_SYNTAX_H
#define GF_BASE_YAML_SYNTAX_H

#include <stddef.h>

#include "proto/base/err.h"

/*
 * One document of YAML 1.1 in UTF-8, nested at most GF_YAML_DEPTH_MAX levels, without anchors, aliases and NUL. Returns 0,
 * -EINVAL with file, line and column, or -ENOMEM.
 */
GF_MUST_CHECK int yaml_syntax_check(const char *path, const char *text, size_t len, struct gf_diag *diag);

#endif
