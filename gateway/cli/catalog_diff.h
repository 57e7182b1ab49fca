/*
 * What changes for a machine that goes from one catalog to another, as rows of JSON. Pure.
 *
 * A row is {"change": "added", "removed" or "changed", "what": "catalog", "routine" or "step", "routine", "steps", "area", "side",
 * "technique", "field", "before", "after"}; what doesn't belong to a row is null. Steps are counted from 1: those of the catalog
 * before, and where they are added those of the one after. Steps that change in the same way share a row.
 */
#ifndef GATEWAY_CLI_CATALOG_DIFF_H
#define GATEWAY_CLI_CATALOG_DIFF_H

#include <jansson.h>

#include "proto/catalog.h"

/* The caller's to json_decref; NULL without memory. */
json_t *catalog_diff(const struct gf_catalog *before, const struct gf_catalog *after);

/* How a field is written for people: "duration" and "s" for "duration_s"; the field itself and "" where it is a word already. */
void catalog_diff_words(const char *field, const char **ret_label, const char **ret_unit);

#endif
