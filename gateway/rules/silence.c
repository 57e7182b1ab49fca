#include "gateway/rules/silence.h"

#include <errno.h>
#include <stdlib.h>

/* When the silence that began with heard_ms has lasted for `minutes`; INT64_MAX = never. */
static int64_t lasted_ms(const struct judge_input *in, double minutes)
{
	const int64_t ms = (int64_t)(minutes * 60000);

	if (in->rule->hours == RULE_HOURS_OPEN)
		return calendar_after_open_ms(in->calendar, in->heard_ms, ms);
	return in->heard_ms + ms;
}

struct silence {
	int64_t opens_ms, acts_ms, expires_ms;
};

static struct silence silence_of(const struct judge_input *in)
{
	const struct rule_condition *c = &in->rule->conditions[0];
	struct silence s = {INT64_MAX, INT64_MAX, INT64_MAX};

	if (in->heard_ms == 0)
		return s;
	s.opens_ms = lasted_ms(in, c->has_warn ? c->warn : c->act);
	s.acts_ms = c->has_act ? lasted_ms(in, c->act) : INT64_MAX;
	s.expires_ms = in->heard_ms + in->rule->expires_ms;
	return s;
}

static void act(const struct judge_input *in, const struct silence *s, struct episode *e)
{
	if (e->level == RULE_LEVEL_ACT || s->acts_ms > in->now_ms || s->acts_ms >= s->expires_ms)
		return;
	e->level = RULE_LEVEL_ACT;
	e->acted_ms = e->last_ms = s->acts_ms > e->opened_ms ? s->acts_ms : e->opened_ms;
	e->observed = e->limit = in->rule->conditions[0].act;
}

static void end(struct episode *e, int64_t ended_ms, enum episode_end how)
{
	e->ended_ms = ended_ms > e->opened_ms ? ended_ms : e->opened_ms;
	e->end = how;
}

static void sooner(int64_t *due_ms, const struct judge_input *in, int64_t moment_ms)
{
	if (moment_ms > in->now_ms && moment_ms < *due_ms)
		*due_ms = moment_ms;
}

int silence_judge(const struct judge_input *in, struct judgement *ret_judgement)
{
	const struct rule_condition *c = &in->rule->conditions[0];
	const struct silence s = silence_of(in);
	const bool goes_on = in->open != NULL && in->heard_ms < in->open->opened_ms;
	struct judgement j = {.due_ms = INT64_MAX};
	struct episode *e = NULL;

	j.episodes = calloc(2, sizeof(*j.episodes));
	if (j.episodes == NULL)
		return -ENOMEM;
	if (in->open != NULL) {
		e = &j.episodes[j.count++];
		*e = *in->open;
		e->ended_ms = 0;
		e->end = EPISODE_OPEN;
		if (!goes_on)
			end(e, in->heard_ms, EPISODE_CLEARED);
	}
	/* What has gone by unjudged opens from where judging begins. */
	int64_t opens_ms = s.opens_ms > in->from_ms ? s.opens_ms : in->from_ms;
	if (!goes_on && s.opens_ms != INT64_MAX && opens_ms <= in->now_ms && opens_ms < s.expires_ms) {
		double warn = c->has_warn ? c->warn : c->act;

		e = &j.episodes[j.count++];
		*e = (struct episode){.opened_ms = opens_ms, .last_ms = opens_ms, .level = RULE_LEVEL_WARN, .times = 1};
		e->observed = e->limit = warn;
	}
	if (e != NULL && e->end == EPISODE_OPEN) {
		int64_t expires_ms = in->heard_ms != 0 ? s.expires_ms : e->opened_ms + in->rule->expires_ms;

		act(in, &s, e);
		if (expires_ms <= in->now_ms)
			end(e, expires_ms, EPISODE_EXPIRED);
		else
			sooner(&j.due_ms, in, expires_ms);
		if (e->end == EPISODE_OPEN && e->level == RULE_LEVEL_WARN)
			sooner(&j.due_ms, in, s.acts_ms);
	} else if (opens_ms < s.expires_ms)
		sooner(&j.due_ms, in, opens_ms);
	*ret_judgement = j;
	return 0;
}
