/* The key `log_level` of both daemons' YAML files: one of the log's levels by its name; left out, it is info. */
#ifndef GF_BASE_LOG_YAML_H
#define GF_BASE_LOG_YAML_H

#include <cyaml/cyaml.h>

#include "proto/base/log.h"

/* For CYAML_FIELD_ENUM of an int: a level's number + 1, as 0 is a key that was left out. */
extern const cyaml_strval_t gf_log_yaml_levels[GF_LOG_LEVEL_COUNT];
/* What such an int says. */
enum gf_log_level gf_log_yaml_level(int value);

#endif
