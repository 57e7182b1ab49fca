#include "gateway/rules/metric_kind.h"

#define VIBRATION_MAX_MS2 100.0 /* in the hand; machines say no more */
#define BIT(value) (1U << (value))
#define DEVICE BIT(RULE_SUBJECT_DEVICE)
#define SITE BIT(RULE_SUBJECT_SITE)
#define PEOPLE (BIT(RULE_SUBJECT_PERSON) | BIT(RULE_SUBJECT_STAFF))
#define EVERYBODY (DEVICE | SITE | PEOPLE)
#define SUM BIT(RULE_AGGREGATE_SUM)
#define MAX BIT(RULE_AGGREGATE_MAX)
#define MIN BIT(RULE_AGGREGATE_MIN)
#define LAST BIT(RULE_AGGREGATE_LAST)
#define AMOUNT (SUM | MAX | MIN | BIT(RULE_AGGREGATE_MEAN) | LAST)
#define READING (AMOUNT & ~SUM)
#define SESSION (BY_CLASS | BY_SESSION)
#define SESSIONS BIT(FACT_SESSION)

static const struct metric_kind kinds[RULE_METRIC_COUNT] = {
    [RULE_METRIC_SESSIONS] = {SESSIONS, EVERYBODY, SUM, SESSION, WINDOW_ANY, 1, 1e6, 0},
    [RULE_METRIC_RUNNING_MIN] = {SESSIONS, EVERYBODY, AMOUNT, SESSION, WINDOW_ANY, 0, 1e9, 60},
    [RULE_METRIC_MOTOR_H] = {SESSIONS, EVERYBODY, AMOUNT, SESSION, WINDOW_ANY, 0, 1e9, 1},
    [RULE_METRIC_USE_PCT] = {SESSIONS, DEVICE, SUM, SESSION, WINDOW_DAY, 0, 100, 0},
    [RULE_METRIC_AREA_S] = {SESSIONS, BIT(RULE_SUBJECT_AREA), AMOUNT, SESSION | BY_TECHNIQUE, WINDOW_ANY, 1e-3, 1e9,
                            3600},
    [RULE_METRIC_GAP_H] = {SESSIONS, DEVICE | PEOPLE, MIN, SESSION | BY_SAME_CLASS, WINDOW_ANY, 0,
                           RULE_WINDOW_MAX_D * 24, 0},
    [RULE_METRIC_PAIN_PRESSES] = {SESSIONS, EVERYBODY, AMOUNT, SESSION, WINDOW_ANY, 0, 1e6, 0},
    [RULE_METRIC_VIBRATION_POINTS] = {SESSIONS, BIT(RULE_SUBJECT_STAFF), AMOUNT, SESSION, WINDOW_ANY, 0, 1e6,
                                      2 * VIBRATION_MAX_MS2 *VIBRATION_MAX_MS2},
    [RULE_METRIC_PART_LIFE_PCT] = {SESSIONS | BIT(FACT_SERVICE), DEVICE, LAST, BY_CLASS | BY_PART, WINDOW_NONE, 0, 1e3,
                                   0},
    [RULE_METRIC_FAULTS] = {BIT(FACT_FAULT), DEVICE | SITE, SUM, BY_CLASS | BY_FAULT, WINDOW_ANY, 1, 1e6, 0},
    [RULE_METRIC_LIMIT_HITS] = {BIT(FACT_LIMIT), DEVICE | SITE, SUM, BY_CLASS | BY_LIMIT, WINDOW_ANY, 1, 1e6, 0},
    [RULE_METRIC_MOTOR_TEMP_C] = {BIT(FACT_HEARTBEAT), DEVICE, READING, BY_CLASS, WINDOW_ANY, -60, 300, 0},
    [RULE_METRIC_SURFACE_TEMP_C] = {BIT(FACT_HEARTBEAT), DEVICE, READING, BY_CLASS, WINDOW_ANY, -60, 300, 0},
    [RULE_METRIC_CURRENT_MA] = {BIT(FACT_HEARTBEAT), DEVICE, READING, BY_CLASS, WINDOW_ANY, 0, 1e6, 0},
    [RULE_METRIC_PRESSURE_MMHG] = {BIT(FACT_HEARTBEAT), DEVICE, READING, BY_CLASS, WINDOW_ANY, 0, 1e3, 0},
    [RULE_METRIC_BATTERY_PCT] = {BIT(FACT_HEARTBEAT), DEVICE, READING, BY_CLASS, WINDOW_ANY, 0, 100, 0},
    [RULE_METRIC_SILENT_MIN] = {0, DEVICE, LAST, BY_CLASS, WINDOW_NONE, 1, EXPIRES_MAX_D * 24 * 60, 0},
};

enum rule_aggregate rule_metric_aggregate(enum rule_metric metric)
{
	static const enum rule_aggregate by_liking[] = {RULE_AGGREGATE_SUM, RULE_AGGREGATE_MAX, RULE_AGGREGATE_MIN};

	for (size_t i = 0; i < sizeof(by_liking) / sizeof(by_liking[0]); i++)
		if (kinds[metric].aggregates >> by_liking[i] & 1)
			return by_liking[i];
	return RULE_AGGREGATE_LAST;
}

bool rule_metric_has_window(enum rule_metric metric)
{
	return kinds[metric].window != WINDOW_NONE;
}

const struct metric_kind *metric_kind(enum rule_metric metric)
{
	return &kinds[metric];
}

bool metric_is_reading(enum rule_metric metric)
{
	return kinds[metric].aggregates == READING;
}
