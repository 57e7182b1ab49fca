#include "proto/base/log_yaml.h"

const cyaml_strval_t gf_log_yaml_levels[GF_LOG_LEVEL_COUNT] = {
#define LEVEL(s, name, priority) {name, GF_LOG_##s + 1},
    GF_LOG_LEVELS(LEVEL)
#undef LEVEL
};

enum gf_log_level gf_log_yaml_level(int value)
{
	return value != 0 ? (enum gf_log_level)(value - 1) : GF_LOG_INFO;
}
