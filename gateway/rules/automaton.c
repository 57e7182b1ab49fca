#include "gateway/rules/automaton.h"

/* ---- the subject's days ---- */

static const struct calendar *calendar_at(const struct judge_input *in, int64_t moment_ms)
{
	for (size_t i = 0; i < in->before_count; i++)
		if (moment_ms < in->before[i].until_ms)
			return in->before[i].calendar;
	return in->calendar != NULL ? in->calendar : &calendar_always;
}

/* Was the site open on a day before, where the machine was as it began. */
static bool was_open(const struct judge_input *in, const struct calendar *today, int32_t day)
{
	const struct calendar *then = in->before_count > 0 ? calendar_at(in, calendar_day_start_ms(today, day)) : today;

	return calendar_has_hours(then, day);
}

/* ---- one level ---- */

static void note_day(struct automaton_level *level, int32_t day)
{
	int32_t passed = day - level->day;

	if (passed < 0) {
		level->days |= passed > -64 ? UINT64_C(1) << -passed : 0;
		return;
	}
	level->days = passed < 64 ? level->days << passed : 0;
	level->days |= 1;
	level->day = day;
}

static bool level_see(const struct automaton *a, struct automaton_level *level, bool held, int64_t moment_ms,
                      bool first)
{
	bool rises = held && !level->held && !first;

	if (held && (!level->held || first))
		level->since_ms = moment_ms;
	level->held = held;
	if (rises && a->rule->times > 0) {
		level->rises[level->rises_next] = moment_ms;
		level->rises_next = (level->rises_next + 1) % RULE_TIMES_MAX;
		level->rises_count += level->rises_count < RULE_TIMES_MAX;
	}
	if (held && a->rule->days > 0)
		note_day(level, calendar_day(calendar_at(a->in, moment_ms), moment_ms));
	return rises;
}

static bool often_enough(const struct rule *rule, const struct automaton_level *level, int64_t moment_ms)
{
	unsigned oldest = (level->rises_next + RULE_TIMES_MAX - rule->times) % RULE_TIMES_MAX;

	return level->rises_count >= rule->times && level->rises[oldest] > moment_ms - rule->within_ms;
}

static bool days_enough(const struct automaton *a, const struct automaton_level *level, int64_t moment_ms)
{
	const struct calendar *calendar = calendar_at(a->in, moment_ms);
	const int32_t today = calendar_day(calendar, moment_ms);
	const uint64_t days = level->days >> (level->day > today ? level->day - today : 0);
	unsigned missing = a->rule->days;

	if (!calendar_has_hours(calendar, today))
		return false;
	for (unsigned back = 0; back < rule_days_span(a->rule) && missing > 0; back++) {
		if (back > 0 && !was_open(a->in, calendar, today - (int32_t)back))
			continue;
		if ((days >> back & 1) == 0)
			return false;
		missing--;
	}
	return missing == 0;
}

static bool triggers(const struct automaton *a, enum rule_level which, int64_t moment_ms)
{
	const struct automaton_level *level = &a->levels[which];

	if (!level->held || moment_ms - level->since_ms < a->rule->for_ms)
		return false;
	if (a->rule->times > 0 && !often_enough(a->rule, level, moment_ms))
		return false;
	return a->rule->days == 0 || days_enough(a, level, moment_ms);
}

/* ---- all of it ---- */

const struct calendar *automaton_calendar(const struct judge_input *in)
{
	return in->before_count > 0 ? NULL : calendar_at(in, in->from_ms);
}

void automaton_begin(struct automaton *a, const struct judge_input *in)
{
	*a = (struct automaton){.rule = in->rule, .in = in};
}

bool automaton_see(struct automaton *a, const struct automaton_view *view, int64_t moment_ms, bool first)
{
	bool rises = false;

	for (int which = RULE_LEVEL_WARN; which <= RULE_LEVEL_ACT; which++)
		rises |= level_see(a, &a->levels[which], view->held[which], moment_ms, first) && which == RULE_LEVEL_WARN;
	if (!view->keeps && (a->keeps || first))
		a->quiet_ms = moment_ms;
	a->keeps = view->keeps;
	a->stale = view->stale;
	return rises;
}

enum automaton_word automaton_asks(const struct automaton *a, const struct episode *open, int64_t moment_ms)
{
	if (open == NULL)
		return triggers(a, RULE_LEVEL_WARN, moment_ms) ? AUTOMATON_OPENS : AUTOMATON_NOTHING;
	if (!a->keeps && a->stale)
		return AUTOMATON_EXPIRES;
	if (!a->keeps && moment_ms - a->quiet_ms >= a->rule->clear_after_ms)
		return AUTOMATON_CLEARS;
	if (open->level == RULE_LEVEL_WARN && triggers(a, RULE_LEVEL_ACT, moment_ms))
		return AUTOMATON_ACTS;
	return AUTOMATON_NOTHING;
}

static void sooner(int64_t *next_ms, int64_t moment_ms, int64_t candidate_ms)
{
	if (candidate_ms > moment_ms && candidate_ms < *next_ms)
		*next_ms = candidate_ms;
}

int64_t automaton_next_ms(const struct automaton *a, bool open, int64_t moment_ms)
{
	int64_t next_ms = INT64_MAX;

	for (int which = RULE_LEVEL_WARN; which <= RULE_LEVEL_ACT; which++)
		if (a->levels[which].held)
			sooner(&next_ms, moment_ms, a->levels[which].since_ms + a->rule->for_ms);
	if (a->levels[RULE_LEVEL_WARN].held && a->rule->days > 0) {
		const struct calendar *calendar = calendar_at(a->in, moment_ms);

		sooner(&next_ms, moment_ms, calendar_day_start_ms(calendar, calendar_day(calendar, moment_ms) + 1));
		for (size_t i = 0; i < a->in->before_count; i++)
			sooner(&next_ms, moment_ms, a->in->before[i].until_ms);
	}
	if (open && !a->keeps)
		sooner(&next_ms, moment_ms, a->quiet_ms + a->rule->clear_after_ms);
	return next_ms;
}
