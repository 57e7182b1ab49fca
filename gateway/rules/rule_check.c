/* What can be wrong with a condition, then with a whole rule. */
#include <ctype.h>
#include <errno.h>
#include <math.h>

#include "gateway/rules/metric_kind.h"
#include "gateway/rules/rule_sense.h"
#include "proto/base/clock.h"

#define MINUTE_MS (INT64_C(60) * 1000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

enum { SESSION_MAX_H = 24, READINGS_MAX_H = 50 };

/* ---- saying what is wrong ---- */

struct check {
	const struct rule *rule;
	char *key;
	struct gf_diag *diag;
};

/* The key is a condition's, or of the rule itself (OF_WHOLE_RULE). */
static int refused_at(const struct check *k, size_t condition, const char *key)
{
	char index[] = "[0].";
	size_t len;

	k->key[0] = '\0';
	if (condition != OF_WHOLE_RULE && k->rule->conditions_count > 1) {
		index[1] = (char)('0' + condition);
		gf_strcpy(k->key, GF_NAME_MAX, k->rule->any ? "any" : "all");
		gf_strcpy(k->key + 3, GF_NAME_MAX - 3, index);
	}
	len = strlen(k->key);
	gf_strcpy(k->key + len, GF_NAME_MAX - len, key);
	return -EINVAL;
}
_Static_assert(RULE_CONDITIONS_MAX <= 10, "an index is one digit");

#define FAIL(k, key, ...) (gf_diag_set((k)->diag, __VA_ARGS__), refused_at(k, OF_WHOLE_RULE, key))
#define FAIL_IN(k, condition, key, ...) (gf_diag_set((k)->diag, __VA_ARGS__), refused_at(k, condition, key))

/* The names whose bits are set: "device, person". */
struct names {
	char text[160];
};

static void add_name(struct names *n, const char *name)
{
	size_t len = strlen(n->text);

	if (len > 0) {
		gf_strcpy(n->text + len, sizeof(n->text) - len, ", ");
		len = strlen(n->text);
	}
	gf_strcpy(n->text + len, sizeof(n->text) - len, name);
}

static struct names subjects_of(unsigned bits)
{
	struct names n = {""};

	for (int s = 0; s < RULE_SUBJECT_COUNT; s++)
		if (bits >> s & 1)
			add_name(&n, rule_subject_name((enum rule_subject)s));
	return n;
}

static struct names aggregates_of(unsigned bits)
{
	struct names n = {""};

	for (int a = 0; a < RULE_AGGREGATE_COUNT; a++)
		if (bits >> a & 1)
			add_name(&n, rule_aggregate_name((enum rule_aggregate)a));
	return n;
}

/* ---- a condition ---- */

static bool upwards(const struct rule_condition *c)
{
	return c->comparison == RULE_COMPARISON_AT_LEAST || c->comparison == RULE_COMPARISON_ABOVE;
}

static int check_metric(const struct check *k, size_t i)
{
	const struct rule_condition *c = &k->rule->conditions[i];
	const struct metric_kind *kind;
	const char *name;

	if ((unsigned)c->metric >= RULE_METRIC_COUNT || (unsigned)c->aggregate >= RULE_AGGREGATE_COUNT ||
	    (unsigned)c->comparison >= RULE_COMPARISON_COUNT)
		return FAIL_IN(k, i, "metric", "no such metric, aggregate or comparison");
	kind = metric_kind(c->metric);
	name = rule_metric_name(c->metric);
	if ((kind->subjects >> k->rule->subject & 1) == 0)
		return FAIL_IN(k, i, "metric", "%s isn't known of a %s, so the rule would never fire; it is of: %s", name,
		               rule_subject_name(k->rule->subject), subjects_of(kind->subjects).text);
	if ((kind->aggregates >> c->aggregate & 1) == 0)
		return FAIL_IN(k, i, "aggregate", "the %s of %s says nothing; possible: %s", rule_aggregate_name(c->aggregate),
		               name, aggregates_of(kind->aggregates).text);
	if (c->metric == RULE_METRIC_GAP_H && upwards(c))
		return FAIL_IN(k, i, "is",
		               "a gap is judged when the next session ends it, by `is: below` or `at_most`; for a"
		               " machine that isn't heard take silent_min");
	if (c->metric == RULE_METRIC_SILENT_MIN && c->comparison != RULE_COMPARISON_AT_LEAST)
		return FAIL_IN(k, i, "is", "silence only grows: `is: at_least`, or leave it out");
	return 0;
}

static int check_window(const struct check *k, size_t i)
{
	const struct rule_condition *c = &k->rule->conditions[i];
	const enum window_kind kind = metric_kind(c->metric)->window;
	const char *name = rule_metric_name(c->metric);

	if (kind == WINDOW_NONE)
		return c->window_ms == 0 ? 0 : FAIL_IN(k, i, "window", "%s is what it is now: leave the window out", name);
	if (c->window_ms < 0)
		return FAIL_IN(k, i, "window", "the window is missing: %s",
		               kind == WINDOW_DAY ? "window: day" : "such as day, 24h or 7d");
	if (kind == WINDOW_DAY && c->window_ms != 0)
		return FAIL_IN(k, i, "window", "%s is a share of the day's opening hours: window: day", name);
	if (c->window_ms > 0 && c->window_ms < MINUTE_MS)
		return FAIL_IN(k, i, "window", "the window is shorter than a minute, the time between two heartbeats");
	if (c->window_ms > RULE_WINDOW_MAX_D * DAY_MS)
		return FAIL_IN(k, i, "window", "the window is longer than %d days; older tokens are forgotten",
		               RULE_WINDOW_MAX_D);
	return 0;
}

/* Above what no value can be: sessions of a window may have begun before it, but not long. */
static double highest(const struct rule *rule, const struct rule_condition *c)
{
	const struct metric_kind *kind = metric_kind(c->metric);
	double window_h = (double)(c->window_ms > 0 ? c->window_ms : 25 * HOUR_MS) / (double)HOUR_MS;

	if (kind->hour > 0 && c->aggregate == RULE_AGGREGATE_SUM && rule->subject != RULE_SUBJECT_SITE)
		return kind->hour * (window_h + SESSION_MAX_H);
	return kind->max;
}

static int check_reach(const struct check *k, size_t i, const char *key, double threshold)
{
	const struct rule_condition *c = &k->rule->conditions[i];
	const double lowest = metric_kind(c->metric)->min, top = highest(k->rule, c), always = lowest < 0 ? lowest : 0;
	const char *name = rule_metric_name(c->metric);
	const char *unit = rule_metric_unit(c->metric), *blank = unit[0] != '\0' ? " " : "";

	if (!isfinite(threshold))
		return FAIL_IN(k, i, key, "%s is no number", key);
	if (upwards(c) && (c->comparison == RULE_COMPARISON_ABOVE ? threshold >= top : threshold > top))
		return FAIL_IN(k, i, key, "%s is %g%s%s, but %s never gets beyond %g: the rule would never fire", key,
		               threshold, blank, unit, name, top);
	if (!upwards(c) && (c->comparison == RULE_COMPARISON_BELOW ? threshold <= lowest : threshold < lowest))
		return FAIL_IN(k, i, key, "%s is %g%s%s, but %s is never less than %g: the rule would never fire", key,
		               threshold, blank, unit, name, lowest);
	if (upwards(c) && (c->comparison == RULE_COMPARISON_ABOVE ? threshold < always : threshold <= always))
		return FAIL_IN(k, i, key, "%s is %g%s%s: that holds whenever there is anything; give a number above %g", key,
		               threshold, blank, unit, always);
	if (!upwards(c) && (c->comparison == RULE_COMPARISON_BELOW ? threshold > top : threshold >= top))
		return FAIL_IN(k, i, key, "%s is %g%s%s, but %s never gets beyond %g: that holds whenever there is anything",
		               key, threshold, blank, unit, name, top);
	return 0;
}

static int check_thresholds(const struct check *k, size_t i)
{
	const struct rule_condition *c = &k->rule->conditions[i];
	const char *beyond = upwards(c) ? "above" : "below";
	double lower;
	int r = 0;

	if (!c->has_warn && !c->has_act)
		return FAIL_IN(k, i, "metric", "no threshold: give warn, act, or both");
	lower = c->has_warn ? c->warn : c->act;
	if (c->has_warn)
		r = check_reach(k, i, "warn", c->warn);
	if (r == 0 && c->has_act)
		r = check_reach(k, i, "act", c->act);
	if (r != 0)
		return r;
	if (c->has_warn && c->has_act && (upwards(c) ? c->act <= c->warn : c->act >= c->warn))
		return FAIL_IN(k, i, "act", "act (%g) must be %s warn (%g): with `is: %s` it would come first", c->act, beyond,
		               c->warn, rule_comparison_name(c->comparison));
	if (!c->has_clear)
		return 0;
	if (c->metric == RULE_METRIC_SILENT_MIN)
		return FAIL_IN(k, i, "clear", "silence is over when the machine is heard: leave clear out");
	if (!isfinite(c->clear) || (upwards(c) ? c->clear > lower : c->clear < lower))
		return FAIL_IN(k, i, "clear", "clear (%g) must not be %s %s (%g): the flag would be clear when it opens",
		               c->clear, beyond, c->has_warn ? "warn" : "act", lower);
	if (c->metric == RULE_METRIC_GAP_H && c->clear > metric_kind(c->metric)->max)
		return FAIL_IN(k, i, "clear", "clear (%g h) is longer than %g h", c->clear, metric_kind(c->metric)->max);
	return 0;
}

/* Machines tell these by a LimitHit; what other rules of theirs do is a fault. */
static const char *const told_limits[] = {"D1", "P1", "P3", "P6", "P7", "P8"};
static const char *const faulty_limits[] = {"D2", "D3", "D4", "D7"};

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}
#define IS_ONE_OF(word, words) is_one_of(word, words, sizeof(words) / sizeof((words)[0]))

static int check_limits(const struct check *k, size_t i)
{
	const struct rule_filter *f = &k->rule->conditions[i].filter;

	for (size_t n = 0; n < RULE_LIST_MAX && f->limits[n][0] != '\0'; n++) {
		if (IS_ONE_OF(f->limits[n], faulty_limits))
			return FAIL_IN(k, i, "limits", "machines tell of %s by a fault: take the metric faults and its codes",
			               f->limits[n]);
		if (!IS_ONE_OF(f->limits[n], told_limits))
			return FAIL_IN(k, i, "limits",
			               "machines know no limit '%s', so nothing would count; known: D1, P1, P3, P6, P7, P8",
			               f->limits[n]);
	}
	return 0;
}

static int check_filter(const struct check *k, size_t i)
{
	const struct rule_condition *c = &k->rule->conditions[i];
	const struct rule_filter *f = &c->filter;
	const struct {
		const char *key;
		bool given;
		enum filter_kind kind;
	} keys[] = {
	    {"classes", f->classes != 0, BY_CLASS},
	    {"techniques", f->techniques != 0, BY_TECHNIQUE},
	    {"outcomes", f->outcomes != 0, BY_SESSION},
	    {"depth", f->depth_min != FACT_DEPTH_NONE, BY_SESSION},
	    {"routines", f->routines[0][0] != '\0', BY_SESSION},
	    {"codes", f->codes != 0, BY_FAULT},
	    {"severities", f->severities != 0, BY_FAULT},
	    {"limits", f->limits[0][0] != '\0', BY_LIMIT},
	    {"actions", f->actions != 0, BY_LIMIT},
	    {"part", f->part != FACT_PART_MOTOR, BY_PART},
	    {"same_class", f->same_class, BY_SAME_CLASS},
	};

	for (size_t n = 0; n < sizeof(keys) / sizeof(keys[0]); n++)
		if (keys[n].given && (metric_kind(c->metric)->filters & keys[n].kind) == 0)
			return FAIL_IN(k, i, keys[n].key, "%s has no %s to choose by, so nothing would count; leave %s out",
			               rule_metric_name(c->metric), keys[n].key, keys[n].key);
	return check_limits(k, i);
}

static int check_condition(const struct check *k, size_t i)
{
	int r = check_metric(k, i);

	if (r == 0)
		r = check_window(k, i);
	if (r == 0)
		r = check_thresholds(k, i);
	return r != 0 ? r : check_filter(k, i);
}

/* ---- how long, how often ---- */

static int check_for(const struct check *k)
{
	char keeps[GF_DURATION_MAX];

	if (k->rule->for_ms < 0 || k->rule->for_ms > RULE_WINDOW_MAX_D * DAY_MS)
		return FAIL(k, "for", "for is longer than %d days", RULE_WINDOW_MAX_D);
	for (size_t i = 0; i < k->rule->conditions_count; i++) {
		const struct rule_condition *c = &k->rule->conditions[i];
		/* Midnight takes all of a day away at once, and a day may have 23 hours; heartbeats follow each other. */
		int64_t keeps_ms = c->window_ms > 0 ? c->window_ms : 23 * HOUR_MS;

		if (metric_kind(c->metric)->window == WINDOW_NONE || (c->window_ms > 0 && metric_is_reading(c->metric)) ||
		    k->rule->for_ms < keeps_ms)
			continue;
		return FAIL(k, "for", "for is as long as what the window of %s keeps (%s), so it would never fire",
		            rule_metric_name(c->metric), gf_duration_format(keeps_ms, keeps));
	}
	return 0;
}

static int check_days(const struct check *k)
{
	const struct rule *rule = k->rule;

	if (rule->days < 2 || rule->days > RULE_DAYS_MAX)
		return FAIL(k, "days", "days is %u; allowed: 2 to %d in a row", rule->days, RULE_DAYS_MAX);
	if (rule->subject != RULE_SUBJECT_DEVICE && rule->subject != RULE_SUBJECT_SITE)
		return FAIL(k, "days", "days are open days of a site: of rules about a device or a site alone");
	for (size_t i = 0; i < rule->conditions_count; i++)
		if (metric_kind(rule->conditions[i].metric)->window == WINDOW_NONE || rule->conditions[i].window_ms != 0)
			return FAIL(k, "days", "days in a row need window: day, else one day would be counted on the next one too");
	return 0;
}

static int check_times(const struct check *k)
{
	if (k->rule->times < 2 || k->rule->times > RULE_TIMES_MAX)
		return FAIL(k, "times", "times is %u; allowed: 2 to %d", k->rule->times, RULE_TIMES_MAX);
	if (k->rule->within_ms <= 0)
		return FAIL(k, "times", "times needs within, such as within: 24h");
	if (k->rule->within_ms > RULE_WINDOW_MAX_D * DAY_MS)
		return FAIL(k, "within", "within is longer than %d days; older tokens are forgotten", RULE_WINDOW_MAX_D);
	return 0;
}

static int check_duration(const struct check *k)
{
	const struct rule *rule = k->rule;

	if ((rule->for_ms > 0) + (rule->days > 0) + (rule->times > 0) > 1)
		return FAIL(k, rule->for_ms > 0 ? "for" : "days", "only one of for, days and times: make two rules");
	if (rule->times == 0 && rule->within_ms != 0)
		return FAIL(k, "within", "within belongs to times, such as times: 3");
	if (rule->for_ms != 0)
		return check_for(k);
	if (rule->days > 0)
		return check_days(k);
	return rule->times > 0 ? check_times(k) : 0;
}

static int check_end(const struct check *k)
{
	const struct rule *rule = k->rule;
	char text[GF_DURATION_MAX];
	int64_t longest_ms = rule->for_ms;

	if (rule->clear_after_ms < 0 || rule->clear_after_ms > RULE_WINDOW_MAX_D * DAY_MS)
		return FAIL(k, "clear_after", "clear_after is longer than %d days", RULE_WINDOW_MAX_D);
	if (rule->expires_ms > EXPIRES_MAX_D * DAY_MS)
		return FAIL(k, "expires", "expires is longer than %d days", EXPIRES_MAX_D);
	for (size_t i = 0; i < rule->conditions_count; i++)
		if (rule_window_ms(&rule->conditions[i]) > longest_ms)
			longest_ms = rule_window_ms(&rule->conditions[i]);
	longest_ms += rule->clear_after_ms;
	if (rule_is_silence(rule)) {
		const struct rule_condition *c = &rule->conditions[0];

		longest_ms = (int64_t)((c->has_act ? c->act : c->warn) * MINUTE_MS);
	}
	if (rule->expires_ms <= longest_ms)
		return FAIL(k, "expires", "expires must be longer than %s, what the rule itself looks back or waits",
		            gf_duration_format(longest_ms, text));
	return 0;
}

/* Heartbeats come every minute, and all that a rule looks back on is read for each of them. */
static int check_readings(const struct check *k)
{
	char text[GF_DURATION_MAX];

	for (size_t i = 0; i < k->rule->conditions_count; i++)
		if (metric_is_reading(k->rule->conditions[i].metric) &&
		    metric_kind(k->rule->conditions[i].metric)->window != WINDOW_NONE &&
		    rule_lookback_ms(k->rule) > READINGS_MAX_H * HOUR_MS)
			return FAIL_IN(k, i, "metric",
			               "%s comes every minute: window and for, within, days or clear_after together may look back "
			               "%d h, not %s",
			               rule_metric_name(k->rule->conditions[i].metric), READINGS_MAX_H,
			               gf_duration_format(rule_lookback_ms(k->rule), text));
	return 0;
}

/* ---- the whole rule ---- */

static int check_hours(const struct check *k)
{
	const struct rule *rule = k->rule;

	if (rule->hours == RULE_HOURS_ANY)
		return 0;
	if (rule_is_silence(rule))
		return rule->hours == RULE_HOURS_OPEN
		           ? 0
		           : FAIL(k, "hours", "silence of a closed site is nothing: hours: open, or leave it out");
	for (size_t i = 0; i < rule->conditions_count; i++)
		if (metric_kind(rule->conditions[i].metric)->window == WINDOW_NONE)
			return FAIL(k, "hours", "%s doesn't depend on the hour: leave hours out",
			            rule_metric_name(rule->conditions[i].metric));
	return 0;
}

static int check_silence(const struct check *k)
{
	const struct rule *rule = k->rule;

	for (size_t i = 0; i < rule->conditions_count && rule->conditions_count > 1; i++)
		if (rule->conditions[i].metric == RULE_METRIC_SILENT_MIN)
			return FAIL_IN(k, i, "metric", "silent_min stands alone: it is no fact, but the lack of them");
	if (rule_is_silence(rule) && (rule->for_ms > 0 || rule->days > 0 || rule->times > 0 || rule->clear_after_ms > 0))
		return FAIL(k, "metric", "silent_min says itself how long: leave for, days, times and clear_after out");
	return 0;
}

static bool reaches(const struct rule *rule, enum rule_level level)
{
	double threshold;

	for (size_t i = 0; i < rule->conditions_count; i++)
		if (rule_threshold(rule, &rule->conditions[i], level, &threshold))
			return true;
	return false;
}

static int check_actions(const struct check *k)
{
	const struct rule *rule = k->rule;
	const bool device = rule->subject == RULE_SUBJECT_DEVICE;
	const struct {
		const char *key;
		enum rule_level level;
	} actions[] = {{"notify", rule->notify}, {"lock", rule->lock}, {"cap", rule->cap}};

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (i > 0 && actions[i].level != RULE_LEVEL_NONE && !device)
			return FAIL(k, actions[i].key, "%s is of a machine; this rule is about a %s: say in advice what staff does",
			            actions[i].key, rule_subject_name(rule->subject));
		if (actions[i].level == RULE_LEVEL_ACT && !reaches(rule, RULE_LEVEL_ACT))
			return FAIL(k, actions[i].key, "%s: act never happens: no condition has act", actions[i].key);
	}
	if ((rule->cap != RULE_LEVEL_NONE) != (rule->cap_intensity_pct > 0))
		return FAIL(k, rule->cap != RULE_LEVEL_NONE ? "cap" : "cap_intensity_pct",
		            "cap and cap_intensity_pct belong together");
	if (rule->cap != RULE_LEVEL_NONE && !(rule->cap_intensity_pct < 100))
		return FAIL(k, "cap_intensity_pct", "cap_intensity_pct is %g; allowed: above 0, below 100",
		            (double)rule->cap_intensity_pct);
	if (!device && rule->severity[RULE_LEVEL_WARN] != RULE_SEVERITY_OK)
		return FAIL(k, "warn_is", "the health is a machine's; this rule is about a %s: leave warn_is out",
		            rule_subject_name(rule->subject));
	if (!device && rule->severity[RULE_LEVEL_ACT] != RULE_SEVERITY_OK)
		return FAIL(k, "act_is", "the health is a machine's; this rule is about a %s: leave act_is out",
		            rule_subject_name(rule->subject));
	if (rule->severity[RULE_LEVEL_ACT] < rule->severity[RULE_LEVEL_WARN])
		return FAIL(k, "act_is", "act_is is milder than warn_is");
	if (!device && strstr(rule->advice, RULE_ADVICE_DEVICE) != NULL)
		return FAIL(k, "advice", RULE_ADVICE_DEVICE " is a machine's id; this rule is about a %s",
		            rule_subject_name(rule->subject));
	return 0;
}

static int check_id(const struct check *k)
{
	const char *id = k->rule->id;

	for (size_t i = 0; id[i] != '\0'; i++)
		if (!isalnum((unsigned char)id[i]) && (i == 0 || strchr("-_.", id[i]) == NULL))
			return FAIL(k, "id", "'%s' is no id: letters, digits, '-', '_' and '.', the first a letter or a digit", id);
	return id[0] != '\0' ? 0 : FAIL(k, "id", "the id is empty");
}

int rule_check(const struct rule *rule, char key[static GF_NAME_MAX], struct gf_diag *diag)
{
	const struct check k = {rule, key, diag};
	struct rule_sense wrong;
	int r = check_id(&k);

	if (r == 0 && (rule->conditions_count == 0 || rule->conditions_count > RULE_CONDITIONS_MAX))
		r = FAIL(&k, "metric", "what is measured is missing: give metric, or conditions in all or any");
	if (r == 0 && (unsigned)rule->subject >= RULE_SUBJECT_COUNT)
		r = FAIL(&k, "subject", "no such subject");
	for (size_t i = 0; r == 0 && i < rule->conditions_count; i++)
		r = check_condition(&k, i);
	if (r == 0)
		r = check_silence(&k);
	if (r == 0)
		r = check_hours(&k);
	if (r == 0)
		r = check_duration(&k);
	if (r == 0)
		r = check_readings(&k);
	if (r == 0)
		r = check_end(&k);
	if (r == 0)
		r = check_actions(&k);
	if (r == 0 && rule_sense_check(rule, &wrong, diag) != 0)
		r = refused_at(&k, wrong.condition, wrong.key);
	return r;
}
