/* Moments at which a value may change, or something may happen. */
#include <stdlib.h>

#include "tests/unit/gateway/rules/model_impl.h"

static int by_time(const void *a, const void *b)
{
	int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;

	return (one > other) - (one < other);
}

static size_t sort_unique(int64_t *moments, size_t count)
{
	size_t kept = 0;

	qsort(moments, count, sizeof(*moments), by_time);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || moments[kept - 1] != moments[i])
			moments[kept++] = moments[i];
	return kept;
}

void model_find_moments(struct model *m)
{
	const struct judge_input *in = m->in;
	size_t n = 0;

	for (size_t i = 0; i < in->facts_count; i++)
		for (size_t k = 0; k < m->rule->conditions_count; k++) {
			const struct rule_condition *c = &m->rule->conditions[k];
			bool known;

			(void)model_worth(m, c, &in->facts[i], &known);
			if (!known || in->facts[i].at_ms > in->now_ms)
				continue;
			m->changes[n++] = in->facts[i].at_ms;
			m->changes[n++] = model_ends(m, c, &in->facts[i]);
		}
	m->changes_count = sort_unique(m->changes, n);
	n = 0;
	for (size_t i = 0; i < m->changes_count; i++) {
		int32_t day = calendar_day(in->calendar, m->changes[i]);

		/* Days elsewhere begin within a day of ours. */
		m->moments[n++] = m->changes[i];
		m->moments[n++] = m->changes[i] + m->rule->for_ms;
		m->moments[n++] = m->changes[i] + m->rule->clear_after_ms;
		if (m->rule->days > 0)
			for (int32_t d = 1; d <= 4; d++) {
				m->moments[n++] = calendar_day_start_ms(in->calendar, day + d);
				for (size_t k = 0; k < in->before_count; k++)
					m->moments[n++] = calendar_day_start_ms(in->before[k].calendar, day + d - 1);
			}
	}
	for (size_t i = 0; i < in->before_count; i++) {
		m->moments[n++] = in->before[i].until_ms;
		for (int32_t d = 1; d <= 4; d++)
			for (size_t k = 0; k <= in->before_count; k++) {
				const struct calendar *c = k < in->before_count ? in->before[k].calendar : in->calendar;

				m->moments[n++] = calendar_day_start_ms(c, calendar_day(c, in->before[i].until_ms) + d);
			}
	}
	m->moments_count = sort_unique(m->moments, n);
}
