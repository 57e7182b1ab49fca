#include "proto/told.h"

enum { ACTIONS_MAX = 5 };

static const struct {
	const char *limit, *actions[ACTIONS_MAX];
} limits[] = {
    {"D1", {"warn", "stop", "refuse"}},
    {"P1", {"warn", "skip_step", "refuse"}},
    {"P3", {"skip_step"}},
    {"P6", {"clamp"}},
    {"P7", {"clamp"}},
    {"P8", {"clamp", "skip_step", "stop", "refuse", "open"}},
};

static const char *const *actions_of(const char *limit)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (strcmp(limits[i].limit, limit) == 0)
			return limits[i].actions;
	return NULL;
}

bool gf_limit_is_told(const char *limit)
{
	return actions_of(limit) != NULL;
}

bool gf_limit_does(const char *limit, const char *action)
{
	const char *const *actions = actions_of(limit);

	for (size_t i = 0; actions != NULL && i < ACTIONS_MAX && actions[i] != NULL; i++)
		if (strcmp(actions[i], action) == 0)
			return true;
	return false;
}

#define BIT(name) (UINT32_C(1) << GF_SEVERITY_##name)

/* Beside a stop: a machine's own controller may stop it by any of them. */
static const uint32_t severities[GF_FAULT_COUNT] = {
    [GF_FAULT_OVERTEMP_MOTOR] = BIT(DERATE) | BIT(LATCH),
    [GF_FAULT_OVERTEMP_SURFACE] = BIT(DERATE),
    [GF_FAULT_STALL] = BIT(LATCH),
    [GF_FAULT_OVERPRESSURE] = BIT(LATCH),
    [GF_FAULT_ENDSTOP_TIMEOUT] = BIT(LATCH),
    [GF_FAULT_BATTERY_LOW] = BIT(INFO),
    [GF_FAULT_STORAGE] = BIT(INFO),
    [GF_FAULT_WATCHDOG] = BIT(INFO),
};

uint32_t gf_fault_severities(enum gf_fault code)
{
	if (code <= GF_FAULT_UNSPECIFIED || code >= GF_FAULT_COUNT)
		return 0;
	return severities[code] | BIT(STOP);
}
