/*
 * Gates: two rates compared as two Poisson counts.
 *
 * With a events in exposure A on the new catalog and b in B on the old one, and a ratio of rates of at most L, each of the a + b events
 * falls on the new catalog with a chance of at most p = LA / (LA + B): a is at most binomial (a + b, p). An absolute limit has no other
 * side: a is at most Poisson (L A). Only tails above the mean are asked for, where the terms fall and the first one can't underflow
 * unless the sum is nothing.
 */
#include <inttypes.h>
#include <math.h>

#include "gateway/rollout/plan_impl.h"

enum { EVENTS_MIN = 2 };
static const double exposure_min = 1e-3; /* machines that fault at once run for no time at all */

/* log(n!) without the global that lgamma writes. */
static double log_factorial(double n)
{
	int sign;

	return lgamma_r(n + 1, &sign);
}

/* P(X >= a), X binomial (n, p), for a > n p. */
static double binomial_tail(double a, double n, double p)
{
	double term, sum = 0;

	if (p <= 0)
		return 0;
	if (p >= 1)
		return 1;
	term = exp(log_factorial(n) - log_factorial(a) - log_factorial(n - a) + a * log(p) + (n - a) * log1p(-p));
	while (term > sum * 1e-15) {
		sum += term;
		term *= (n - a) / (a + 1) * (p / (1 - p));
		a++;
	}
	return sum;
}

/* P(X >= a), X Poisson (mean), for a > mean. */
static double poisson_tail(double a, double mean)
{
	double term, sum = 0;

	if (mean <= 0)
		return 0;
	term = exp(a * log(mean) - mean - log_factorial(a));
	while (term > sum * 1e-15) {
		sum += term;
		term *= mean / (a + 1);
		a++;
	}
	return sum;
}

struct side {
	double events, exposure;
	struct gf_diag text;
};

static struct side side_of(enum rollout_gate_kind kind, const struct rollout_outcome *o, bool first)
{
	struct side s = {0};

	if (kind == ROLLOUT_GATE_FAULTS) {
		s.events = (double)o->faults;
		s.exposure = o->motor_hours;
		gf_diag_set(&s.text, "%" PRIu64 "%s in %.3g h", o->faults,
		            !first           ? ""
		            : o->faults == 1 ? " fault"
		                             : " faults",
		            o->motor_hours);
	} else {
		s.events = (double)o->user_stops;
		s.exposure = (double)o->sessions;
		gf_diag_set(&s.text, "%" PRIu64 " of %" PRIu64 "%s", o->user_stops, o->sessions,
		            first ? " sessions stopped by their users" : "");
	}
	return s;
}

static double rate(const struct side *s)
{
	return 100 * s->events / fmax(s->exposure, exposure_min);
}

/* What a rate is per: sessions need no unit. */
static const char *unit(enum rollout_gate_kind kind)
{
	return kind == ROLLOUT_GATE_FAULTS ? " h" : "";
}

bool plan_gate_fails(const struct rollout_gate *gate, const struct rollout_outcome *updated,
                     const struct rollout_outcome *others, char why[static GF_TEXT_MAX])
{
	struct side new = side_of(gate->kind, updated, true), old = side_of(gate->kind, others, false);
	double exposure = fmax(new.exposure, exposure_min), limit, chance;
	const char *u = unit(gate->kind);
	struct gf_diag against = {""};
	bool above;

	if (new.events == 0 && new.exposure <= 0) {
		PLAN_SET(why, GF_TEXT_MAX, "no use with the new catalog yet: nothing to judge by %s",
		         rollout_gate_name(gate->kind));
		return false;
	}
	if (gate->relative && old.exposure <= 0) {
		PLAN_SET(why, GF_TEXT_MAX, "%s (%.3g per 100%s), and no use with the old catalog to compare with",
		         new.text.text, rate(&new), u);
		return false;
	}
	limit = gate->relative ? gate->limit * rate(&old) : gate->limit;
	above = rate(&new) > limit;
	if (!above || new.events < EVENTS_MIN)
		chance = 1;
	else if (gate->relative)
		chance = binomial_tail(new.events, new.events + old.events,
		                       gate->limit * exposure / (gate->limit * exposure + old.exposure));
	else
		chance = poisson_tail(new.events, gate->limit * exposure / 100);
	if (gate->relative)
		gf_diag_set(&against, " against %s (%.3g per 100%s)", old.text.text, rate(&old), u);
	PLAN_SET(why, GF_TEXT_MAX, "%s (%.3g per 100%s)%s: %s %.3g%s%s", new.text.text, rate(&new), u, against.text,
	         above ? "above" : "within", gate->limit, gate->relative ? "x" : "",
	         above && chance >= PLAN_CHANCE ? ", too few to tell from chance" : "");
	return chance < PLAN_CHANCE;
}
