/* What each fact is worth (worth.c) is looked up once; then the entries are walked in order of time, each coming in and going out once. */
#include "gateway/rules/metric.h"

#include <math.h>

#include "gateway/rules/worth.h"

/* ---- entries ---- */

/* The local day that was asked for last: facts that follow each other are mostly of one day. */
struct day {
	const struct calendar *calendar;
	int64_t start_ms, end_ms;
};

static int64_t day_end_ms(struct day *day, const struct fact *fact)
{
	if (day->calendar != fact->calendar || fact->at_ms < day->start_ms || fact->at_ms >= day->end_ms) {
		int32_t date = calendar_day(fact->calendar, fact->at_ms);

		*day = (struct day){fact->calendar, calendar_day_start_ms(fact->calendar, date),
		                    calendar_day_start_ms(fact->calendar, date + 1)};
	}
	return day->end_ms;
}

static bool in_hours(enum rule_hours hours, const struct fact *fact)
{
	return hours == RULE_HOURS_ANY || calendar_is_open(fact->calendar, fact->at_ms) == (hours == RULE_HOURS_OPEN);
}

size_t metric_entries(const struct metric_entries_input *input, struct metric_entry *ret_entries)
{
	const struct judge_input *judge = input->judge;
	const struct rule_condition *c = input->condition;
	const bool lasts = c->metric == RULE_METRIC_PART_LIFE_PCT;
	struct worth worth = {.condition = c, .muscle = judge->muscle, .side = judge->side};
	struct day day = {0};
	size_t count = 0;

	for (size_t i = 0; i < judge->facts_count && judge->facts[i].at_ms <= judge->now_ms; i++) {
		const struct fact *fact = &judge->facts[i];
		struct metric_entry entry = {.at_ms = fact->at_ms, .fact = fact};
		int64_t keeps_ms = lasts ? judge->rule->expires_ms : c->window_ms;

		if (!worth_of(&worth, fact, &entry.value) || !in_hours(judge->rule->hours, fact))
			continue;
		entry.end_ms = keeps_ms > 0 ? fact->at_ms + keeps_ms : day_end_ms(&day, fact);
		if (entry.end_ms > input->since_ms || lasts)
			ret_entries[count++] = entry;
	}
	return count;
}

/* ---- the walk ---- */

void metric_begin(struct metric *metric, const struct rule_condition *condition, const struct metric_entry *entries,
                  size_t count)
{
	*metric =
	    (struct metric){.condition = condition, .entries = entries, .count = count, .ends_ms = INT64_MAX, .value = NAN};
	metric->ordered = true;
	for (size_t i = 1; i < count && metric->ordered; i++)
		metric->ordered = entries[i].end_ms >= entries[i - 1].end_ms;
}

/* Sums of what is counted or measured in whole milliseconds are exact in a double, whatever their order. */
struct sums {
	size_t count;
	double sum, min, max, last;
	const struct fact *newest;
};

static void sum_up(struct metric *m, int64_t moment_ms, struct sums *s)
{
	m->ends_ms = INT64_MAX;
	m->visits += m->next - m->head;
	for (size_t i = m->head; i < m->next; i++) {
		const struct metric_entry *e = &m->entries[i];

		if (e->end_ms <= moment_ms) {
			m->head += i == m->head;
			continue;
		}
		if (e->end_ms < m->ends_ms)
			m->ends_ms = e->end_ms;
		s->sum += e->value;
		s->min = s->count == 0 || e->value < s->min ? e->value : s->min;
		s->max = s->count == 0 || e->value > s->max ? e->value : s->max;
		s->last = e->value;
		s->newest = e->fact;
		s->count++;
	}
}

static double share_of_day(struct metric *m, const struct fact *newest, double running_ms)
{
	int32_t day = calendar_day(newest->calendar, newest->at_ms);

	if (m->day_calendar != newest->calendar || m->day != day) {
		m->day_calendar = newest->calendar;
		m->day = day;
		m->day_open_ms = (double)calendar_open_ms(newest->calendar, calendar_day_start_ms(newest->calendar, day),
		                                          calendar_day_start_ms(newest->calendar, day + 1));
	}
	if (m->day_open_ms <= 0)
		return NAN;
	return running_ms >= m->day_open_ms ? 100 : 100 * running_ms / m->day_open_ms;
}

static double value_of(struct metric *m, const struct sums *s)
{
	double value = NAN;

	if (s->count == 0)
		return NAN;
	switch (m->condition->aggregate) {
	case RULE_AGGREGATE_SUM:
		value = s->sum;
		break;
	case RULE_AGGREGATE_MAX:
		value = s->max;
		break;
	case RULE_AGGREGATE_MIN:
		value = s->min;
		break;
	case RULE_AGGREGATE_MEAN:
		value = s->sum / (double)s->count;
		break;
	case RULE_AGGREGATE_LAST:
		value = s->last;
		break;
	case RULE_AGGREGATE_COUNT:
		break;
	}
	return m->condition->metric == RULE_METRIC_USE_PCT ? share_of_day(m, s->newest, value)
	                                                   : value / worth_unit(m->condition->metric);
}

/* Whole numbers: each is added once and taken away once, in the order they came. */
static bool rolls(const struct metric *m)
{
	return m->ordered && m->condition->aggregate == RULE_AGGREGATE_SUM &&
	       m->condition->metric != RULE_METRIC_VIBRATION_POINTS;
}

static void roll(struct metric *m, size_t before, int64_t moment_ms)
{
	for (size_t i = before; i < m->next; i++)
		m->sum += m->entries[i].value;
	while (m->head < m->next && m->entries[m->head].end_ms <= moment_ms)
		m->sum -= m->entries[m->head++].value;
	m->ends_ms = m->head < m->next ? m->entries[m->head].end_ms : INT64_MAX;
	if (m->head == m->next)
		m->value = NAN;
	else if (m->condition->metric == RULE_METRIC_USE_PCT)
		m->value = share_of_day(m, m->entries[m->next - 1].fact, m->sum);
	else
		m->value = m->sum / worth_unit(m->condition->metric);
}

/* All before the newest is past: it ends before that one, or with it. */
static void take_newest(struct metric *m, int64_t moment_ms)
{
	m->head = m->next > 0 && m->entries[m->next - 1].end_ms > moment_ms ? m->next - 1 : m->next;
	m->ends_ms = m->head < m->next ? m->entries[m->head].end_ms : INT64_MAX;
	m->value = m->head < m->next ? m->entries[m->head].value / worth_unit(m->condition->metric) : NAN;
}

/* It is looked for again only when it has left. Of equals the newest stays longest. */
static void take_extreme(struct metric *m, size_t before, int64_t moment_ms)
{
	const bool max = m->condition->aggregate == RULE_AGGREGATE_MAX;
	size_t i = before;

	while (m->head < m->next && m->entries[m->head].end_ms <= moment_ms)
		m->head++;
	if (m->extreme < m->head || m->extreme >= before) {
		i = m->extreme = m->head;
		m->visits += m->next - m->head;
	}
	for (i = i > m->head ? i : m->head; i < m->next; i++)
		if (max ? m->entries[i].value >= m->entries[m->extreme].value
		        : m->entries[i].value <= m->entries[m->extreme].value)
			m->extreme = i;
	m->ends_ms = m->head < m->next ? m->entries[m->head].end_ms : INT64_MAX;
	m->value = m->head < m->next ? m->entries[m->extreme].value / worth_unit(m->condition->metric) : NAN;
}

void metric_move(struct metric *m, int64_t moment_ms)
{
	const size_t before = m->next;
	struct sums sums = {0};

	while (m->next < m->count && m->entries[m->next].at_ms <= moment_ms)
		m->next++;
	m->entered = m->next;
	if (before == m->next && m->ends_ms > moment_ms)
		return;
	while (m->entered > before && m->entries[m->entered - 1].at_ms == moment_ms)
		m->entered--;
	if (m->ordered && m->condition->aggregate == RULE_AGGREGATE_LAST) {
		take_newest(m, moment_ms);
		return;
	}
	if (m->ordered &&
	    (m->condition->aggregate == RULE_AGGREGATE_MAX || m->condition->aggregate == RULE_AGGREGATE_MIN)) {
		take_extreme(m, before, moment_ms);
		return;
	}
	if (rolls(m)) {
		roll(m, before, moment_ms);
		return;
	}
	sum_up(m, moment_ms, &sums);
	m->value = value_of(m, &sums);
}

int64_t metric_next_ms(const struct metric *m)
{
	int64_t next_ms = m->next < m->count ? m->entries[m->next].at_ms : INT64_MAX;

	return m->ends_ms < next_ms ? m->ends_ms : next_ms;
}

bool metric_is_stale(const struct metric *m, int64_t moment_ms)
{
	return m->condition->metric == RULE_METRIC_PART_LIFE_PCT && m->next > 0 &&
	       m->entries[m->next - 1].end_ms <= moment_ms;
}

bool metric_only_falls(const struct rule_condition *c)
{
	/* A share is of the newest fact's day: a machine that moved has facts of two. */
	if (!rule_upwards(c->comparison) || c->metric == RULE_METRIC_USE_PCT)
		return false;
	return c->aggregate == RULE_AGGREGATE_SUM || c->aggregate == RULE_AGGREGATE_MAX ||
	       c->metric == RULE_METRIC_PART_LIFE_PCT;
}
