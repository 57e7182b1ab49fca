#include "proto/model.h"

#include <errno.h>
#include <string.h>

#define NAME_OF(symbol, name) name,

/* The two name functions of one list; entry 0 of the table is "unspecified". */
#define DEFINE_ENUM(lower, UPPER, LIST)                                                                              \
	static const char *const lower##_names[] = {"unspecified", LIST(NAME_OF)};                                       \
	_Static_assert(sizeof(lower##_names) / sizeof(lower##_names[0]) == GF_##UPPER##_COUNT, "a name for each value"); \
	const char *gf_##lower##_name(enum gf_##lower value)                                                             \
	{                                                                                                                \
		return name_of(lower##_names, GF_##UPPER##_COUNT, (unsigned)value);                                          \
	}                                                                                                                \
	int gf_##lower##_parse(const char *name, enum gf_##lower *ret_value)                                             \
	{                                                                                                                \
		unsigned value = value_of(lower##_names, GF_##UPPER##_COUNT, name);                                          \
		if (value == 0)                                                                                              \
			return -EINVAL;                                                                                          \
		*ret_value = (enum gf_##lower)value;                                                                         \
		return 0;                                                                                                    \
	}

static const char *name_of(const char *const *names, unsigned count, unsigned value)
{
	return value < count ? names[value] : "unknown";
}

/* 0 when no value has that name. */
static unsigned value_of(const char *const *names, unsigned count, const char *name)
{
	for (unsigned i = 1; i < count; i++) {
		if (strcmp(names[i], name) == 0)
			return i;
	}
	return 0;
}

DEFINE_ENUM(class, CLASS, GF_CLASSES)
DEFINE_ENUM(area, AREA, GF_AREAS)
DEFINE_ENUM(side, SIDE, GF_SIDES)
DEFINE_ENUM(technique, TECHNIQUE, GF_TECHNIQUES)
DEFINE_ENUM(outcome, OUTCOME, GF_OUTCOMES)
DEFINE_ENUM(fault, FAULT, GF_FAULTS)
DEFINE_ENUM(severity, SEVERITY, GF_SEVERITIES)
DEFINE_ENUM(sensor, SENSOR, GF_SENSORS)
DEFINE_ENUM(record_kind, RECORD, GF_RECORD_KINDS)
DEFINE_ENUM(presence, PRESENCE, GF_PRESENCES)
DEFINE_ENUM(cleared_by, CLEARED_BY, GF_CLEARED_BYS)
DEFINE_ENUM(catalog_cause, CATALOG_CAUSE, GF_CATALOG_CAUSES)
DEFINE_ENUM(desired_step, DESIRED_STEP, GF_DESIRED_STEPS)
DEFINE_ENUM(refusal, REFUSAL, GF_REFUSALS)
DEFINE_ENUM(command, COMMAND, GF_COMMANDS)
DEFINE_ENUM(command_outcome, COMMAND_OUTCOME, GF_COMMAND_OUTCOMES)
