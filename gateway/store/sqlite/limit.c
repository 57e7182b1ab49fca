/*
 * Rules that acted on the machine: kept, told as events, and what goes on because of them: a rest (D1) is of the machine's present,
 * corrected by its heartbeats; closed areas (P8) are found by the reader.
 */
#include <stdio.h>

#include "gateway/store/sqlite/writer.h"
#include "proto/base/clock.h"

/* An end told again differs by the reading's moment; the one known stays. */
enum { REST_SLACK_MS = 5000 };

/* ---- rest ---- */

/* Within a stream records come in their order; another one is of a later life when its number is higher. */
static bool newest_of_rest(struct apply *a)
{
	if (a->stream < a->dev->rest_stream)
		return false;
	a->dev->rest_stream = a->stream;
	return true;
}

void limit_rests(struct apply *a, uint32_t left_ms)
{
	struct device *d = a->dev;
	int64_t until_ms = a->at_ms + left_ms;

	if (!newest_of_rest(a))
		return;
	if (!left_ms) {
		d->rest_since_ms = d->rest_until_ms = 0;
		return;
	}
	if (d->rest_until_ms <= a->at_ms)
		d->rest_since_ms = a->at_ms;
	if (until_ms - d->rest_until_ms > REST_SLACK_MS || d->rest_until_ms - until_ms > REST_SLACK_MS)
		d->rest_until_ms = until_ms;
}

/* ---- the sentence ---- */

/* What each rule's numbers are; of others nothing but the numbers is known. */
enum unit { UNIT_NONE, UNIT_TIME, UNIT_SECONDS, UNIT_PERCENT, UNIT_STEEPNESS, UNIT_MMHG };

static const struct device_rule {
	const char *id, *what;
	enum unit unit;
} rules[] = {
    {"D1", "run without rest", UNIT_TIME},
    {"D7", "pressure", UNIT_MMHG},
    {"P1", "time on an area", UNIT_SECONDS},
    {"P3", "time on one spot", UNIT_SECONDS},
    {"P6", "too much too early", UNIT_STEEPNESS},
    {"P7", "effort not declared", UNIT_PERCENT},
    {"P8", "pain", UNIT_PERCENT},
};

static const struct device_rule *find_rule(const char *id)
{
	static const struct device_rule unknown = {"", "", UNIT_NONE};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (strcmp(rules[i].id, id) == 0)
			return &rules[i];
	return &unknown;
}

struct number {
	char text[32];
};

static struct number number(enum unit unit, double value)
{
	struct number p = {""};
	char duration[GF_DURATION_MAX];

	switch (unit) {
	case UNIT_TIME:
		snprintf(p.text, sizeof(p.text), "%s",
		         gf_duration_format(value < 1e9 ? (int64_t)(value * 1000) : INT64_MAX, duration));
		break;
	case UNIT_SECONDS:
		snprintf(p.text, sizeof(p.text), "%.4g s", value);
		break;
	case UNIT_PERCENT:
		snprintf(p.text, sizeof(p.text), "%.4g %%", value);
		break;
	case UNIT_STEEPNESS:
		snprintf(p.text, sizeof(p.text), "%.4g %%/s", value);
		break;
	case UNIT_MMHG:
		snprintf(p.text, sizeof(p.text), "%.4g mmHg", value);
		break;
	case UNIT_NONE:
		snprintf(p.text, sizeof(p.text), "%.4g", value);
		break;
	}
	return p;
}

struct phrase {
	char text[96];
};

/* A start and a cap are percent, a ramp is percent a second: no ramp is allowed to be that steep. */
static enum unit unit_of(const struct gf_limit_hit *h)
{
	enum unit unit = find_rule(h->rule)->unit;

	return unit == UNIT_STEEPNESS && h->limit >= 10.0f ? UNIT_PERCENT : unit;
}

/* ", 180 s of at most 180 s"; empty without numbers. */
static struct phrase numbers(const struct gf_limit_hit *h)
{
	struct number observed = number(unit_of(h), (double)h->observed), limit = number(unit_of(h), (double)h->limit);
	bool hurts = strcmp(h->rule, "P8") == 0, clamps = strcmp(h->action, "clamp") == 0;
	struct phrase p = {""};

	if (isnan(h->observed) || isnan(h->limit) || (h->observed == 0.0f && h->limit == 0.0f))
		return p;
	if (hurts && clamps)
		snprintf(p.text, sizeof(p.text), " at %s, now at most %s", observed.text, limit.text);
	else if (hurts)
		snprintf(p.text, sizeof(p.text), " at %s", observed.text);
	else if (strcmp(h->action, "warn") == 0)
		snprintf(p.text, sizeof(p.text), ", %s, warns from %s", observed.text, limit.text);
	else
		snprintf(p.text, sizeof(p.text), ", %s of at most %s", observed.text, limit.text);
	return p;
}

static struct phrase where(const struct gf_limit_hit *h)
{
	struct phrase p = {""};

	if (h->area != GF_AREA_UNSPECIFIED)
		snprintf(p.text, sizeof(p.text), " on %s%s%s", gf_area_name(h->area), h->side != GF_SIDE_UNSPECIFIED ? " " : "",
		         h->side != GF_SIDE_UNSPECIFIED ? gf_side_name(h->side) : "");
	return p;
}

/* Not the press that only lowers the intensity. */
static bool closes(const struct gf_limit_hit *h)
{
	return strcmp(h->rule, "P8") == 0 && strcmp(h->action, "clamp") != 0 && h->area != GF_AREA_UNSPECIFIED;
}

static struct phrase how_long(const struct gf_limit_hit *h)
{
	struct phrase p = {""};
	char duration[GF_DURATION_MAX];
	const char *what = strcmp(h->rule, "D1") == 0 ? "rests for " : closes(h) ? "closed for " : "for ";

	if (h->lasts_ms)
		snprintf(p.text, sizeof(p.text), ", %s%s", what, gf_duration_format(h->lasts_ms, duration));
	return p;
}

static int tell(struct apply *a, const struct gf_limit_hit *h)
{
	const struct device_rule *rule = find_rule(h->rule);
	struct phrase session = {""};

	if (h->session_no)
		snprintf(session.text, sizeof(session.text), ", session %llu", (unsigned long long)h->session_no);
	return event_add(a->store, a->at_ms, STORE_EVENT_LIMIT, a->dev->id, h->session_no, h->rule, a->diag,
	                 "limit %s%s%s%s: %s%s%s%s%s", h->rule, *rule->what ? " (" : "", rule->what, *rule->what ? ")" : "",
	                 h->action, where(h).text, numbers(h).text, how_long(h).text, session.text);
}

/* ---- the record ---- */

int limit_hit_apply(struct apply *a)
{
	const struct gf_limit_hit *h = &a->rec->limit_hit;
	struct query q;
	int r;

	query_begin(
	    &q, a->db,
	    "INSERT OR REPLACE INTO limit_hits (device, stream, seq, at_ms, rule, area, side, observed, limit_value,"
	    " session_no, action, lasts_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	query_i64(&q, a->dev->key);
	query_i64(&q, a->stream);
	query_u64(&q, a->rec->seq);
	query_i64(&q, a->at_ms);
	query_text(&q, h->rule);
	query_i64(&q, h->area);
	query_i64(&q, h->side);
	query_real(&q, (double)h->observed);
	query_real(&q, (double)h->limit);
	query_u64(&q, h->session_no);
	query_text(&q, h->action);
	query_i64(&q, h->lasts_ms);
	r = query_run(&q, a->diag);
	if (!r)
		r = judge_mark(a->store, FACT_LIMIT, a->dev->key, a->at_ms, 0, 0, a->diag);
	if (r)
		return r;
	if (strcmp(h->rule, "D1") == 0 && h->lasts_ms)
		limit_rests(a, h->lasts_ms);
	return tell(a, h);
}
