/* What can be wrong with what a condition counts: a filter that nothing passes, or an entry of one that nothing has. */
#include <errno.h>

#include "gateway/rules/rule_check_impl.h"
#include "proto/catalog.h"
#include "proto/told.h"

/* ---- limits and what they do ---- */

/* What machines tell of by a fault instead. */
static const char *const faulty_limits[] = {"D2", "D3", "D4", "D7"};

static bool tells_by_a_fault(const char *limit)
{
	for (size_t i = 0; i < sizeof(faulty_limits) / sizeof(faulty_limits[0]); i++)
		if (strcmp(limit, faulty_limits[i]) == 0)
			return true;
	return false;
}

static struct rule_words actions_of(const char *limit)
{
	struct rule_words words = {""};

	for (int a = 0; a < RULE_ACTION_COUNT; a++)
		if (gf_limit_does(limit, rule_action_name((enum rule_action)a)))
			rule_words_add(&words, rule_action_name((enum rule_action)a));
	return words;
}

static bool does_one_of(const char *limit, uint32_t actions)
{
	for (int a = 0; a < RULE_ACTION_COUNT; a++)
		if (rule_takes(actions, a) && gf_limit_does(limit, rule_action_name((enum rule_action)a)))
			return true;
	return false;
}

static bool one_of_them_does(const struct rule_filter *f, enum rule_action action)
{
	for (size_t n = 0; n < RULE_LIST_MAX && f->limits[n][0] != '\0'; n++)
		if (gf_limit_does(f->limits[n], rule_action_name(action)))
			return true;
	return f->limits[0][0] == '\0';
}

static int check_limits(const struct rule_check *k, size_t i)
{
	const struct rule_filter *f = &k->rule->conditions[i].filter;

	for (size_t n = 0; n < RULE_LIST_MAX && f->limits[n][0] != '\0'; n++) {
		const char *limit = f->limits[n];

		if (tells_by_a_fault(limit))
			return REFUSE_IN(k, i, "limits", "machines tell of %s by a fault: take the metric faults and its codes",
			                 limit);
		if (!gf_limit_is_told(limit))
			return REFUSE_IN(k, i, "limits",
			                 "machines know no limit '%s', so nothing would count; known: D1, P1, P3, P6, P7, P8",
			                 limit);
		if (!does_one_of(limit, f->actions))
			return REFUSE_IN(k, i, "limits",
			                 "%s does none of the actions, so nothing of it would count; what it does: %s", limit,
			                 actions_of(limit).text);
	}
	for (int a = 0; a < RULE_ACTION_COUNT; a++)
		if ((f->actions >> a & 1) != 0 && !one_of_them_does(f, (enum rule_action)a))
			return REFUSE_IN(k, i, "actions", "none of the limits does '%s', so it would never count; leave it out",
			                 rule_action_name((enum rule_action)a));
	return 0;
}

/* ---- faults and how severe they are ---- */

static struct rule_words severities_of(enum gf_fault code)
{
	struct rule_words words = {""};

	for (int s = 1; s < GF_SEVERITY_COUNT; s++)
		if (gf_fault_severities(code) >> s & 1)
			rule_words_add(&words, gf_severity_name((enum gf_severity)s));
	return words;
}

static int check_faults(const struct rule_check *k, size_t i)
{
	const struct rule_filter *f = &k->rule->conditions[i].filter;
	uint32_t possible = 0;

	for (int code = 1; code < GF_FAULT_COUNT; code++) {
		const uint32_t severities = rule_takes(f->codes, code) ? gf_fault_severities((enum gf_fault)code) : 0;

		if (f->severities != 0 && (f->codes >> code & 1) != 0 && (severities & f->severities) == 0)
			return REFUSE_IN(k, i, "codes",
			                 "%s has none of the severities, so nothing of it would count; what it can be: %s",
			                 gf_fault_name((enum gf_fault)code), severities_of((enum gf_fault)code).text);
		possible |= severities;
	}
	for (int s = 1; s < GF_SEVERITY_COUNT; s++)
		if ((f->severities & ~possible) >> s & 1)
			return REFUSE_IN(k, i, "severities",
			                 "none of the codes is ever '%s', so it would never count; leave it out",
			                 gf_severity_name((enum gf_severity)s));
	return 0;
}

/* ---- sessions ---- */

static int check_sessions(const struct rule_check *k, size_t i)
{
	const struct rule_filter *f = &k->rule->conditions[i].filter;

	if (f->depth_min == FACT_DEPTH_BEYOND)
		return REFUSE_IN(k, i, "depth", "no machine goes beyond %d %%, so nothing would count; the deepest is deep",
		                 GF_INTENSITY_MAX_PCT);
	for (size_t n = 0; n < RULE_LIST_MAX && f->routines[n][0] != '\0'; n++)
		if (!gf_routine_id_valid(f->routines[n]))
			return REFUSE_IN(k, i, "routines",
			                 "no routine can be called '%s': lower-case letters, digits and '_', the first a letter",
			                 f->routines[n]);
	return 0;
}

/* ---- all of it ---- */

/* Keys of a filter, and of what they are. */
static const struct {
	const char *key;
	enum filter_kind kind;
} filter_keys[] = {
    {"classes", BY_CLASS},    {"techniques", BY_TECHNIQUE},  {"outcomes", BY_SESSION},
    {"depth", BY_SESSION},    {"routines", BY_SESSION},      {"codes", BY_FAULT},
    {"severities", BY_FAULT}, {"limits", BY_LIMIT},          {"actions", BY_LIMIT},
    {"part", BY_PART},        {"same_class", BY_SAME_CLASS},
};
enum { FILTER_KEYS = sizeof(filter_keys) / sizeof(filter_keys[0]) };

static struct rule_words keys_of(const struct metric_kind *kind)
{
	struct rule_words words = {""};

	for (size_t n = 0; n < FILTER_KEYS; n++)
		if ((kind->filters & filter_keys[n].kind) != 0)
			rule_words_add(&words, filter_keys[n].key);
	return words;
}

int rule_check_filter(const struct rule_check *k, size_t i)
{
	const struct rule_condition *c = &k->rule->conditions[i];
	const struct metric_kind *kind = metric_kind(c->metric);
	const struct rule_filter *f = &c->filter;
	const bool given[FILTER_KEYS] = {
	    f->classes != 0,
	    f->techniques != 0,
	    f->outcomes != 0,
	    f->depth_min != FACT_DEPTH_NONE,
	    f->routines[0][0] != '\0',
	    f->codes != 0,
	    f->severities != 0,
	    f->limits[0][0] != '\0',
	    f->actions != 0,
	    f->part != FACT_PART_MOTOR,
	    f->same_class,
	};
	int r;

	for (size_t n = 0; n < FILTER_KEYS; n++)
		if (given[n] && (kind->filters & filter_keys[n].kind) == 0)
			return REFUSE_IN(k, i, filter_keys[n].key,
			                 "%s has no %s to choose by, so nothing would count; leave it out, or choose by: %s",
			                 rule_metric_name(c->metric), filter_keys[n].key, keys_of(kind).text);
	r = check_limits(k, i);
	if (r == 0)
		r = check_faults(k, i);
	return r != 0 ? r : check_sessions(k, i);
}
