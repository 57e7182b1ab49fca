/* What can be wrong with a whole rule, each condition looked at first. */
#include <ctype.h>
#include <errno.h>

#include "gateway/rules/rule_check_impl.h"
#include "proto/base/clock.h"
#include "proto/catalog.h"

enum { READINGS_MAX_H = 50 };

/* ---- saying what is wrong ---- */

int rule_refused(const struct rule_check *k, int condition, const char *key)
{
	char index[] = "[0].";
	size_t len;

	k->key[0] = '\0';
	if (condition != RULE_WHOLE && k->rule->conditions_count > 1) {
		index[1] = (char)('0' + condition);
		gf_strcpy(k->key, GF_NAME_MAX, k->rule->any ? "any" : "all");
		gf_strcpy(k->key + 3, GF_NAME_MAX - 3, index);
	}
	len = strlen(k->key);
	gf_strcpy(k->key + len, GF_NAME_MAX - len, key);
	return -EINVAL;
}
_Static_assert(RULE_CONDITIONS_MAX <= 10, "an index is one digit");

void rule_words_add(struct rule_words *words, const char *word)
{
	size_t len = strlen(words->text);

	if (len > 0) {
		gf_strcpy(words->text + len, sizeof(words->text) - len, ", ");
		len = strlen(words->text);
	}
	gf_strcpy(words->text + len, sizeof(words->text) - len, word);
}

/* ---- how long, how often ---- */

static int check_for(const struct rule_check *k)
{
	const struct rule_condition *daily = NULL;
	char keeps[GF_DURATION_MAX];
	size_t count = 0;

	if (k->rule->for_ms < 0 || k->rule->for_ms > RULE_WINDOW_MAX_D * RULE_DAY_MS)
		return REFUSE(k, "for", "for is longer than %d days", RULE_WINDOW_MAX_D);
	for (size_t i = 0; i < k->rule->conditions_count; i++)
		if (metric_kind(k->rule->conditions[i].metric)->window != WINDOW_NONE &&
		    k->rule->conditions[i].window_ms == 0) {
			daily = &k->rule->conditions[i];
			count++;
		}
	/* Midnight takes all of a day away at once. In a span that rolls on new facts come before the old ones leave. */
	if (daily != NULL && k->rule->for_ms >= RULE_DAY_MS && (!k->rule->any || count == k->rule->conditions_count))
		return REFUSE(k, "for", "for is as long as what the window of %s keeps (%s), so it would never fire",
		              rule_metric_name(daily->metric), gf_duration_format(RULE_DAY_MS, keeps));
	return 0;
}

static int check_days(const struct rule_check *k)
{
	const struct rule *rule = k->rule;

	if (rule->days < 2 || rule->days > RULE_DAYS_MAX)
		return REFUSE(k, "days", "days is %u; allowed: 2 to %d in a row", rule->days, RULE_DAYS_MAX);
	if (rule->subject != RULE_SUBJECT_DEVICE && rule->subject != RULE_SUBJECT_SITE)
		return REFUSE(k, "days", "days are open days of a site: of rules about a device or a site alone");
	for (size_t i = 0; i < rule->conditions_count; i++)
		if (metric_kind(rule->conditions[i].metric)->window == WINDOW_NONE || rule->conditions[i].window_ms != 0)
			return REFUSE(k, "days",
			              "days in a row need window: day, else one day would be counted on the next one too");
	return 0;
}

static int check_times(const struct rule_check *k)
{
	if (k->rule->times < 2 || k->rule->times > RULE_TIMES_MAX)
		return REFUSE(k, "times", "times is %u; allowed: 2 to %d", k->rule->times, RULE_TIMES_MAX);
	if (k->rule->within_ms <= 0)
		return REFUSE(k, "times", "times needs within, such as within: 24h");
	if (k->rule->within_ms > RULE_WINDOW_MAX_D * RULE_DAY_MS)
		return REFUSE(k, "within", "within is longer than %d days; older tokens are forgotten", RULE_WINDOW_MAX_D);
	return 0;
}

static int check_duration(const struct rule_check *k)
{
	const struct rule *rule = k->rule;

	if ((rule->for_ms > 0) + (rule->days > 0) + (rule->times > 0) > 1)
		return REFUSE(k, rule->for_ms > 0 ? "for" : "days", "only one of for, days and times: make two rules");
	if (rule->times == 0 && rule->within_ms != 0)
		return REFUSE(k, "within", "within belongs to times, such as times: 3");
	if (rule->for_ms != 0)
		return check_for(k);
	if (rule->days > 0)
		return check_days(k);
	return rule->times > 0 ? check_times(k) : 0;
}

static int check_end(const struct rule_check *k)
{
	const struct rule *rule = k->rule;
	char text[GF_DURATION_MAX];
	int64_t longest_ms = rule->for_ms;

	if (rule->clear_after_ms < 0 || rule->clear_after_ms > RULE_WINDOW_MAX_D * RULE_DAY_MS)
		return REFUSE(k, "clear_after", "clear_after is longer than %d days", RULE_WINDOW_MAX_D);
	if (rule->expires_ms > EXPIRES_MAX_D * RULE_DAY_MS)
		return REFUSE(k, "expires", "expires is longer than %d days", EXPIRES_MAX_D);
	for (size_t i = 0; i < rule->conditions_count; i++)
		if (rule_window_ms(&rule->conditions[i]) > longest_ms)
			longest_ms = rule_window_ms(&rule->conditions[i]);
	longest_ms += rule->clear_after_ms;
	if (rule_is_silence(rule)) {
		const struct rule_condition *c = &rule->conditions[0];

		longest_ms = (int64_t)((c->has_act ? c->act : c->warn) * RULE_MINUTE_MS);
	}
	if (rule->expires_ms <= longest_ms)
		return REFUSE(k, "expires", "expires must be longer than %s, what the rule itself looks back or waits",
		              gf_duration_format(longest_ms, text));
	return 0;
}

/* Heartbeats come every minute, and all that a rule looks back on is read for each of them. */
static int check_readings(const struct rule_check *k)
{
	char text[GF_DURATION_MAX];

	for (size_t i = 0; i < k->rule->conditions_count; i++)
		if (metric_is_reading(k->rule->conditions[i].metric) &&
		    metric_kind(k->rule->conditions[i].metric)->window != WINDOW_NONE &&
		    rule_lookback_ms(k->rule) > READINGS_MAX_H * RULE_HOUR_MS)
			return REFUSE_IN(
			    k, i, "metric",
			    "%s comes every minute: window and for, within, days or clear_after together may look back "
			    "%d h, not %s",
			    rule_metric_name(k->rule->conditions[i].metric), READINGS_MAX_H,
			    gf_duration_format(rule_lookback_ms(k->rule), text));
	return 0;
}

/* ---- the whole rule ---- */

static int check_hours(const struct rule_check *k)
{
	const struct rule *rule = k->rule;

	if (rule->hours == RULE_HOURS_ANY)
		return 0;
	if (rule_is_silence(rule))
		return rule->hours == RULE_HOURS_OPEN
		           ? 0
		           : REFUSE(k, "hours", "silence of a closed site is nothing: hours: open, or leave it out");
	for (size_t i = 0; i < rule->conditions_count; i++)
		if (metric_kind(rule->conditions[i].metric)->window == WINDOW_NONE)
			return REFUSE(k, "hours", "%s doesn't depend on the hour: leave hours out",
			              rule_metric_name(rule->conditions[i].metric));
	return 0;
}

static int check_silence(const struct rule_check *k)
{
	const struct rule *rule = k->rule;

	for (size_t i = 0; i < rule->conditions_count && rule->conditions_count > 1; i++)
		if (rule->conditions[i].metric == RULE_METRIC_SILENT_MIN)
			return REFUSE_IN(k, i, "metric", "silent_min stands alone: it is no fact, but the lack of them");
	if (rule_is_silence(rule) && (rule->for_ms > 0 || rule->days > 0 || rule->times > 0 || rule->clear_after_ms > 0))
		return REFUSE(k, "metric", "silent_min says itself how long: leave for, days, times and clear_after out");
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

static int check_actions(const struct rule_check *k)
{
	const struct rule *rule = k->rule;
	const bool device = rule->subject == RULE_SUBJECT_DEVICE;
	const struct {
		const char *key;
		enum rule_level level;
	} actions[] = {{"notify", rule->notify}, {"lock", rule->lock}, {"cap", rule->cap}};

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (i > 0 && actions[i].level != RULE_LEVEL_NONE && !device)
			return REFUSE(k, actions[i].key,
			              "%s is of a machine; this rule is about a %s: say in advice what staff does", actions[i].key,
			              rule_subject_name(rule->subject));
		if (actions[i].level == RULE_LEVEL_ACT && !reaches(rule, RULE_LEVEL_ACT))
			return REFUSE(k, actions[i].key, "%s: act never happens: no condition has act", actions[i].key);
	}
	if ((rule->cap != RULE_LEVEL_NONE) != (rule->cap_intensity_pct != 0))
		return REFUSE(k, rule->cap != RULE_LEVEL_NONE ? "cap" : "cap_intensity_pct",
		              "cap and cap_intensity_pct belong together");
	if (rule->cap != RULE_LEVEL_NONE && !(rule->cap_intensity_pct > 0 && rule->cap_intensity_pct < 100))
		return REFUSE(k, "cap_intensity_pct", "cap_intensity_pct is %g; allowed: above 0, below 100",
		              (double)rule->cap_intensity_pct);
	if (rule->cap != RULE_LEVEL_NONE && rule->cap_intensity_pct >= GF_INTENSITY_MAX_PCT)
		return REFUSE(k, "cap_intensity_pct",
		              "cap_intensity_pct is %g, but no machine goes beyond %d %%: the cap would change nothing",
		              (double)rule->cap_intensity_pct, GF_INTENSITY_MAX_PCT);
	if (!device && rule->severity[RULE_LEVEL_WARN] != RULE_SEVERITY_OK)
		return REFUSE(k, "warn_is", "the health is a machine's; this rule is about a %s: leave warn_is out",
		              rule_subject_name(rule->subject));
	if (!device && rule->severity[RULE_LEVEL_ACT] != RULE_SEVERITY_OK)
		return REFUSE(k, "act_is", "the health is a machine's; this rule is about a %s: leave act_is out",
		              rule_subject_name(rule->subject));
	if (rule->severity[RULE_LEVEL_ACT] < rule->severity[RULE_LEVEL_WARN])
		return REFUSE(k, "act_is", "act_is is milder than warn_is");
	if (!device && strstr(rule->advice, RULE_ADVICE_DEVICE) != NULL)
		return REFUSE(k, "advice", RULE_ADVICE_DEVICE " is a machine's id; this rule is about a %s",
		              rule_subject_name(rule->subject));
	return 0;
}

static int check_id(const struct rule_check *k)
{
	const char *id = k->rule->id;

	for (size_t i = 0; id[i] != '\0'; i++)
		if (!isalnum((unsigned char)id[i]) && (i == 0 || strchr("-_.", id[i]) == NULL))
			return REFUSE(k, "id", "'%s' is no id: letters, digits, '-', '_' and '.', the first a letter or a digit",
			              id);
	return id[0] != '\0' ? 0 : REFUSE(k, "id", "the id is empty");
}

int rule_check(const struct rule *rule, char key[static GF_NAME_MAX], struct gf_diag *diag)
{
	static int (*const checks[])(const struct rule_check *k) = {
	    check_silence, check_hours, check_duration, check_readings, check_end, check_actions, rule_check_sense,
	};
	const struct rule_check k = {rule, key, diag};
	int r = check_id(&k);

	if (r == 0 && (rule->conditions_count == 0 || rule->conditions_count > RULE_CONDITIONS_MAX))
		r = REFUSE(&k, "metric", "what is measured is missing: give metric, or conditions in all or any");
	if (r == 0 && (unsigned)rule->subject >= RULE_SUBJECT_COUNT)
		r = REFUSE(&k, "subject", "no such subject");
	for (size_t i = 0; r == 0 && i < rule->conditions_count; i++) {
		r = rule_check_condition(&k, i);
		if (r == 0)
			r = rule_check_filter(&k, i);
	}
	for (size_t i = 0; r == 0 && i < sizeof(checks) / sizeof(checks[0]); i++)
		r = checks[i](&k);
	return r;
}
