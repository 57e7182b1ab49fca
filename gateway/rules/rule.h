/*
 * A rule of config/rules.yaml, checked: what is measured of whom, over which window, where it is too much, and what happens then. Pure.
 *
 *     value(t)   what the metric says of the facts in the window that ends at t; none when there are none
 *     held(t)    value beyond `warn` (or `act`); with `all`, all conditions; with `any`, one of them
 *     a flag     opens when held long enough (`for`, `days`) or often enough (`times` in `within`); clears when it hasn't held,
 *                by the clear threshold, for `clear_after`; expires when nothing was heard of its subject for `expires`
 *
 * judge.h has it to the moment.
 */
#ifndef GW_RULES_RULE_H
#define GW_RULES_RULE_H

#include "gateway/rules/fact.h"

enum {
	RULES_MAX = 128,
	RULE_CONDITIONS_MAX = 8,
	RULE_LIST_MAX = 8,      /* entries of a filter */
	RULE_WINDOW_MAX_D = 31, /* what is known of people is forgotten then */
	RULE_DAYS_MAX = 14,
	RULE_TIMES_MAX = 64,
	RULE_TEXT_MAX = 256,
};

/* In an advice it stands for the machine's id. */
#define RULE_ADVICE_DEVICE "{device}"

/* Whom a rule looks at. An area is one person's muscle group on one side. */
#define RULE_SUBJECTS(X) \
	X(DEVICE, "device") X(PERSON, "person") X(AREA, "person_area") X(STAFF, "staff") X(SITE, "site")
/* name, unit */
#define RULE_METRICS(X)                               \
	X(SESSIONS, "sessions", "")                       \
	X(RUNNING_MIN, "running_min", "min")              \
	X(MOTOR_H, "motor_h", "h")                        \
	X(USE_PCT, "use_pct", "%")                        \
	X(AREA_S, "area_s", "s")                          \
	X(GAP_H, "gap_h", "h")                            \
	X(PAIN_PRESSES, "pain_presses", "")               \
	X(VIBRATION_POINTS, "vibration_points", "points") \
	X(PART_LIFE_PCT, "part_life_pct", "%")            \
	X(FAULTS, "faults", "")                           \
	X(LIMIT_HITS, "limit_hits", "")                   \
	X(MOTOR_TEMP_C, "motor_temp_c", "\302\260C")      \
	X(SURFACE_TEMP_C, "surface_temp_c", "\302\260C")  \
	X(CURRENT_MA, "current_ma", "mA")                 \
	X(PRESSURE_MMHG, "pressure_mmhg", "mmHg")         \
	X(BATTERY_PCT, "battery_pct", "%")                \
	X(SILENT_MIN, "silent_min", "min")
/* Of the values in the window. */
#define RULE_AGGREGATES(X) X(SUM, "sum") X(MAX, "max") X(MIN, "min") X(MEAN, "mean") X(LAST, "last")
#define RULE_COMPARISONS(X) X(AT_LEAST, "at_least") X(ABOVE, "above") X(AT_MOST, "at_most") X(BELOW, "below")
#define RULE_LEVELS(X) X(NONE, "none") X(WARN, "warn") X(ACT, "act")
#define RULE_HOURS(X) X(ANY, "any") X(OPEN, "open") X(CLOSED, "closed")
/* What machines do when a limit acts (gf_limit_hit). */
#define RULE_ACTIONS(X) \
	X(WARN, "warn") X(CLAMP, "clamp") X(SKIP_STEP, "skip_step") X(STOP, "stop") X(REFUSE, "refuse") X(OPEN, "open")
#define RULE_SEVERITIES(X) X(OK, "ok") X(ATTENTION, "attention") X(CRITICAL, "critical")

#define RULE_DECLARE(lower, UPPER, LIST, ENTRY)          \
	enum rule_##lower{LIST(ENTRY) RULE_##UPPER##_COUNT}; \
	const char *rule_##lower##_name(enum rule_##lower value)
#define RULE_SUBJECT_ENTRY(s, n) RULE_SUBJECT_##s,
#define RULE_METRIC_ENTRY(s, n, u) RULE_METRIC_##s,
#define RULE_AGGREGATE_ENTRY(s, n) RULE_AGGREGATE_##s,
#define RULE_COMPARISON_ENTRY(s, n) RULE_COMPARISON_##s,
#define RULE_LEVEL_ENTRY(s, n) RULE_LEVEL_##s,
#define RULE_HOURS_ENTRY(s, n) RULE_HOURS_##s,
#define RULE_SEVERITY_ENTRY(s, n) RULE_SEVERITY_##s,
#define RULE_ACTION_ENTRY(s, n) RULE_ACTION_##s,
RULE_DECLARE(subject, SUBJECT, RULE_SUBJECTS, RULE_SUBJECT_ENTRY);
RULE_DECLARE(metric, METRIC, RULE_METRICS, RULE_METRIC_ENTRY);
RULE_DECLARE(aggregate, AGGREGATE, RULE_AGGREGATES, RULE_AGGREGATE_ENTRY);
RULE_DECLARE(comparison, COMPARISON, RULE_COMPARISONS, RULE_COMPARISON_ENTRY);
RULE_DECLARE(level, LEVEL, RULE_LEVELS, RULE_LEVEL_ENTRY);
RULE_DECLARE(hours, HOURS, RULE_HOURS, RULE_HOURS_ENTRY);
RULE_DECLARE(severity, SEVERITY, RULE_SEVERITIES, RULE_SEVERITY_ENTRY);
RULE_DECLARE(action, ACTION, RULE_ACTIONS, RULE_ACTION_ENTRY);
const char *rule_metric_unit(enum rule_metric metric);
enum rule_aggregate rule_metric_aggregate(enum rule_metric metric); /* where none is said */
bool rule_metric_has_window(enum rule_metric metric);

/* Which facts count; empty lists take all. */
struct rule_filter {
	uint32_t classes, techniques, outcomes, codes, severities, actions; /* bits (1 << enum); 0 = all */
	enum fact_depth depth_min;                                          /* NONE = any */
	char routines[RULE_LIST_MAX][GF_NAME_MAX];
	unsigned routines_line;                  /* in the file */
	char limits[RULE_LIST_MAX][GF_NAME_MAX]; /* device-side rules: "P3" */
	enum fact_part part;                     /* of part_life_pct */
	bool same_class;                         /* of gap_h: since the last session on a machine of the same class */
};

/* A window is a span that ends now (window_ms), or the local day (window_ms 0); part_life_pct and silent_min have none. */
struct rule_condition {
	enum rule_metric metric;
	unsigned line; /* of the metric, in the file */
	enum rule_aggregate aggregate;
	struct rule_filter filter;
	int64_t window_ms;
	enum rule_comparison comparison;
	bool has_warn, has_act; /* one at least */
	double warn, act;
	/* Held for clearing's sake until the value is on the other side of it; else of the lower of warn and act. */
	bool has_clear;
	double clear;
};

struct rule {
	char id[GF_NAME_MAX]; /* "P2" */
	char title[GF_NAME_MAX * 2];
	char advice[RULE_TEXT_MAX]; /* what to do, for a technician; RULE_ADVICE_DEVICE in device rules alone */
	enum rule_subject subject;
	bool any; /* one condition is enough; else all */
	size_t conditions_count;
	struct rule_condition conditions[RULE_CONDITIONS_MAX];
	enum rule_hours hours; /* which facts count, and which minutes of silence */
	int64_t for_ms;        /* held so long without a break; 0 = at once */
	unsigned days;         /* held at some moment of so many days in a row on which the site opened; 0 = no such */
	unsigned times;        /* risen so often ... */
	int64_t within_ms;     /* ... within this; times 0 = no such */
	int64_t clear_after_ms;
	int64_t expires_ms;
	enum rule_severity severity[RULE_LEVEL_COUNT]; /* of the machine's health; device rules alone */
	enum rule_level notify, lock, cap; /* from this level on; NONE = never. lock and cap: device rules alone */
	float cap_intensity_pct;
	unsigned line, hours_line, days_line; /* in the file; 0 = not written */
};

struct rules {
	size_t count;
	struct rule items[]; /* by id */
};

/*
 * Whether a rule can be: -EINVAL with `key` (a key of the rule: "metric", "all[1].warn", borrowed text) and why not: a metric that its subject
 * doesn't have, act on the wrong side of warn, a window that the metric needs or can't have, a threshold that no value can reach, a filter that
 * no fact passes, a `for` longer than its window keeps a fact, ...
 */
GF_MUST_CHECK int rule_check(const struct rule *rule, char key[static GF_NAME_MAX], struct gf_diag *diag);

/* What is measured only by looking at the clock: such a rule has that one condition, and neither facts nor a history. */
bool rule_is_silence(const struct rule *rule);
/* The condition's threshold of a level, where the rule needs one of it: a condition that has no `act` must hold by its `warn` while others
 * reach theirs (`all`). False = it doesn't reach this level. */
bool rule_threshold(const struct rule *rule, const struct rule_condition *condition, enum rule_level level,
                    double *ret_threshold);
/* Does a list of a filter take this: it is among them, or there are none. */
bool rule_takes(uint32_t bits, int value);
bool rule_takes_name(const char (*list)[GF_NAME_MAX], const char *name);
/* The highest of warn, act and clear. */
double rule_highest_threshold(const struct rule_condition *condition);
/* Is more of it worse: at_least, above. */
bool rule_upwards(enum rule_comparison comparison);
/* Is `value` beyond `threshold`, as the condition compares. */
bool rule_beyond(enum rule_comparison comparison, double value, double threshold);
/* How many days back a row of rule->days may begin, the present day counted: sites that open once a week are known, others not. */
unsigned rule_days_span(const struct rule *rule);
/* From which moment on days must be known to tell such a row from from_ms on: as many as hold one open day more than rule->days. `calendar` NULL:
 * of more than one calendar, so all that may be. */
int64_t rule_days_since_ms(const struct rule *rule, const struct calendar *calendar, int64_t from_ms);
/* How far back the facts of a window may lie, ms. */
int64_t rule_window_ms(const struct rule_condition *condition);

/* How far back facts may matter for what holds at a moment, ms: windows, for, days, within, clear_after. */
int64_t rule_lookback_ms(const struct rule *rule);
/* From which moment on a rule must be looked at, so that it is right from from_ms on; `open`: it is flagged then. `calendar` NULL: the
 * subject has several. */
int64_t rule_begin_ms(const struct rule *rule, const struct calendar *calendar, bool open, int64_t from_ms);
/* The moment from which on facts may matter for what holds from from_ms on: as rule_lookback_ms, but by the subject's calendar (NULL: it has
 * several) no more days than are needed. */
int64_t rule_since_ms(const struct rule *rule, const struct calendar *calendar, int64_t from_ms);
/* Which kinds of facts it needs: bits (1 << enum fact_kind). */
unsigned rule_needs(const struct rule *rule);
/* Have a site's days or opening hours a say in it? */
bool rule_by_calendar(const struct rule *rule);
/* The same number for the same rule: 64 bits over everything but its lines, to notice a changed one. */
uint64_t rule_digest(const struct rule *rule);

const struct rule *rules_find(const struct rules *rules, const char *id);
#endif
