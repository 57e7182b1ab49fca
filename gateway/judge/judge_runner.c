/*
 * A step is one batch: the subjects whose time has come, one after the other, until the batch is full or the step has taken long enough. Whatever
 * fails leaves nothing behind, and is judged again. A subject that can't be judged waits; when it is only the commit that fails, it is found by judging
 * one at a time.
 */
#include "gateway/judge/judge_runner.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/judge/judge_impl.h"
#include "proto/base/fnv.h"
#include "proto/base/now.h"

enum {
	RETRY_MS = 1000,
	LOOK_MS = 60 * 1000,     /* the clock may have been set */
	POISON_MS = 3600 * 1000, /* a subject that can't be judged is tried again then */
	/* One that takes longer than LONG_MS rests so many times as long: somebody's machine that tells too much isn't to hold up all others. */
	LONG_MS = 200,
	RESTS = 20,
	LOG_MS = 60 * 1000,
};

/* ---- rules ---- */

static void take_plan(struct gf_fnv *d, const struct wear_plan *plan)
{
	gf_fnv_int(d, plan->class);
	gf_fnv_text(d, plan->model);
	for (size_t part = 0; part < FACT_PART_COUNT; part++) {
		gf_fnv_real(d, plan->parts[part].motor_h);
		gf_fnv_int(d, (int64_t)plan->parts[part].sessions);
	}
}

/* Of all that a rule judges by, beside the facts: parts wear by the service plans, days and hours are the sites'. */
static uint64_t digest_of(const struct judge_runner *r, const struct judgement_config *config, const struct rule *rule)
{
	struct gf_fnv d = {rule_digest(rule)};

	if (rule_needs(rule) & 1U << FACT_SERVICE)
		for (size_t i = 0; i < config->plans_count; i++)
			take_plan(&d, &config->plans[i]);
	if (rule_by_calendar(rule))
		gf_fnv_int(&d, (int64_t)sites_digest(r->config.sites));
	return d.value;
}

/* Of the changed rules about one kind of subject, how far back they look; -1: none changed. */
static int take_changed(const struct judge_runner *r, const struct judgement_config *config,
                        int64_t lookback_ms[static RULE_SUBJECT_COUNT], struct gf_diag *diag)
{
	int err = 0;

	for (size_t i = 0; i < config->rules->count && !err; i++) {
		const struct rule *rule = &config->rules->items[i];
		uint64_t known = 0, digest = digest_of(r, config, rule);
		int64_t back_ms = rule_lookback_ms(rule);

		err = store_rule_digest(r->config.store, rule->id, &known, diag);
		if (err || known == digest)
			continue;
		if (back_ms > lookback_ms[rule->subject])
			lookback_ms[rule->subject] = back_ms;
		err = store_rule_digest_set(r->config.store, rule->id, digest, diag);
	}
	return err;
}

static int keep_rules(const struct judge_runner *r, const struct rules *rules, int64_t now_ms, struct gf_diag *diag)
{
	struct store_rule_kept *kept = calloc(rules->count ? rules->count : 1, sizeof(*kept));
	int err;

	if (kept == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->items[i];

		gf_strcpy(kept[i].id, sizeof(kept[i].id), rule->id);
		kept[i].subject = rule->subject;
		kept[i].conditions_count = rule->conditions_count;
		for (size_t c = 0; c < rule->conditions_count; c++)
			gf_strcpy(kept[i].metrics[c], sizeof(kept[i].metrics[c]), rule_metric_name(rule->conditions[c].metric));
	}
	err = store_flags_keep_rules(r->config.store, kept, rules->count, now_ms, diag);
	free(kept);
	return err;
}

/* What the rules look at, those of `more` too. Inside a batch. */
static void ask_for(const struct judge_runner *r, const struct rules *rules, const struct rules *more)
{
	unsigned needs[RULE_SUBJECT_COUNT];

	for (enum rule_subject s = 0; s < RULE_SUBJECT_COUNT; s++)
		needs[s] = judge_needs(rules, s) | judge_needs(more, s);
	store_judge_needs(r->config.store, needs);
}

static int take_rules(const struct judge_runner *r, const struct judgement_config *config, int64_t now_ms,
                      struct gf_diag *diag)
{
	int64_t lookback_ms[RULE_SUBJECT_COUNT];
	int err;

	for (enum rule_subject s = 0; s < RULE_SUBJECT_COUNT; s++)
		lookback_ms[s] = -1;
	err = keep_rules(r, config->rules, now_ms, diag);
	if (!err)
		err = take_changed(r, config, lookback_ms, diag);
	for (enum rule_subject s = 0; s < RULE_SUBJECT_COUNT && !err; s++)
		if (lookback_ms[s] >= 0)
			err = store_judge_again(r->config.store, s, now_ms - lookback_ms[s], diag);
	/* Nobody is forgotten whichever of them are in force then. */
	if (!err)
		ask_for(r, config->rules, r->config.config->rules);
	return err;
}

/* Where there is no batch just now, more is asked for than has to be. */
static void ask_for_these_alone(const struct judge_runner *r)
{
	const struct rules *rules = r->config.config->rules;

	if (store_begin(r->config.store, NULL) != 0)
		return;
	ask_for(r, rules, rules);
	store_rollback(r->config.store);
}

int judge_runner_rules(struct judge_runner *r, const struct judgement_config *config, struct gf_time now,
                       struct gf_diag *diag)
{
	int err = store_begin(r->config.store, diag);

	if (err)
		return err;
	err = take_rules(r, config, now.wall_ms, diag);
	if (err) {
		store_rollback(r->config.store);
		return err;
	}
	err = store_commit(r->config.store, diag);
	if (!err)
		r->config.config = config;
	ask_for_these_alone(r);
	if (err)
		return err;
	r->due_ms = 0;
	if (r->config.wake != NULL)
		r->config.wake(r->config.wake_ctx);
	return 0;
}

int judge_runner_new(const struct judge_runner_config *config, struct gf_time now, struct judge_runner **ret_runner,
                     struct gf_diag *diag)
{
	struct judge_runner *r = calloc(1, sizeof(*r));
	int err;

	if (r == NULL)
		return -ENOMEM;
	r->config = *config;
	r->config.facts_max = config->facts_max ? config->facts_max : JUDGE_FACTS_MAX;
	r->config.work_max = config->work_max ? config->work_max : JUDGE_WORK_MAX;
	r->log = (struct gf_log_limit){.interval_ms = LOG_MS, .burst = 1};
	err = judge_runner_rules(r, config->config, now, diag);
	if (err) {
		judge_runner_free(r);
		return err;
	}
	*ret_runner = r;
	return 0;
}

void judge_runner_free(struct judge_runner *r)
{
	if (r == NULL)
		return;
	judge_facts_deinit(&r->facts);
	free(r);
}

/* ---- a step ---- */

/* What one batch came to. */
struct batch {
	size_t count;
	uint64_t opened, cleared;
	struct store_unsettled last; /* that was judged, or failed */
	bool failed;                 /* it did, by itself */
	bool more;
};

static int judge_one(struct judge_runner *r, int64_t now_ms, struct batch *b, struct gf_diag *diag)
{
	struct judging j = {.runner = r, .subject = &b->last, .now_ms = now_ms, .diag = diag};
	int64_t took_ms = gf_now_ms(CLOCK_THREAD_CPUTIME_ID);
	int err = store_judge_next(r->config.store, now_ms, &b->last, diag);

	if (err)
		return err;
	err = judge_subject(&j);
	judge_facts_done(&r->facts);
	took_ms = gf_now_ms(CLOCK_THREAD_CPUTIME_ID) - took_ms;
	if (!err && took_ms > LONG_MS)
		err = store_judge_rest(r->config.store, &b->last.subject, now_ms + RESTS * took_ms, diag);
	b->failed = err != 0;
	/* -ENOENT is said by the queue alone: nobody is due. */
	if (err == -ENOENT)
		err = -EINVAL;
	b->count += !err;
	b->opened += j.opened;
	b->cleared += j.cleared;
	return err;
}

/* 0 also when nothing was due. */
static int judge_some(struct judge_runner *r, int64_t now_ms, struct batch *b, struct gf_diag *diag)
{
	const size_t most = r->one_by_one ? 1 : JUDGE_BATCH_MAX;
	const int64_t end_ms = gf_now_ms(CLOCK_MONOTONIC) + JUDGE_STEP_MS;
	int err = 0;

	while (!err && b->count < most && gf_now_ms(CLOCK_MONOTONIC) < end_ms)
		err = judge_one(r, now_ms, b, diag);
	b->more = !err;
	return err == -ENOENT ? 0 : err;
}

static int put_off_flagged(struct judge_runner *r, const struct batch *b, int64_t now_ms, const char *why, bool flagged)
{
	struct gf_diag diag = {{0}};
	struct judging j = {.runner = r, .subject = &b->last, .now_ms = now_ms, .diag = &diag};
	int err = store_begin(r->config.store, &diag);

	if (err)
		return err;
	err = store_judge_later(r->config.store, &b->last.subject, now_ms + POISON_MS, &diag);
	if (!err && flagged)
		err = judge_flag_failed(&j, why);
	if (!err)
		return store_commit(r->config.store, &diag);
	store_rollback(r->config.store);
	return err;
}

/* It can't be judged, and nobody else is to wait for it. It may be that very flag that the store doesn't take. */
static int put_off(struct judge_runner *r, const struct batch *b, int64_t now_ms, const char *why)
{
	int err = put_off_flagged(r, b, now_ms, why, true);

	if (err)
		err = put_off_flagged(r, b, now_ms, why, false);
	/* Never whom: it may be a person. */
	if (!err)
		gf_log(GF_LOG_ERROR, "judge", "one %s can't be judged, tried again in an hour: %s",
		       b->last.subject.kind == RULE_SUBJECT_DEVICE ? b->last.device : rule_subject_name(b->last.subject.kind),
		       why);
	return err;
}

/* A full disk, a locked database and the like end by themselves. */
static bool is_its_own(int err)
{
	return err == -EINVAL || err == -ENOMEM;
}

static void note_failure(struct judge_runner *r, const struct batch *b, int err, struct gf_time now,
                         const struct gf_diag *diag)
{
	const char *why = diag->text[0] ? diag->text : strerror(err < 0 ? -err : EIO);

	if ((b->failed || r->one_by_one) && b->last.subject.key != 0 && is_its_own(err) &&
	    put_off(r, b, now.wall_ms, why) == 0)
		return;
	r->one_by_one = is_its_own(err);
	gf_log_limited(&r->log, now.mono_ms, GF_LOG_ERROR, "judge", "nobody is judged, tried again: %s", why);
	if (r->state.failing_since_ms == 0)
		r->state.failing_since_ms = now.wall_ms;
	r->state.last_error = *diag;
	r->retry_ms = now.mono_ms + RETRY_MS;
}

static int run_batch(struct judge_runner *r, int64_t now_ms, struct batch *b, struct gf_diag *diag)
{
	const bool set = r->clock_ms == 0 || now_ms < r->clock_ms - LOOK_MS;
	uint64_t marks = store_unsettled_marks(r->config.store), wishes = store_wishes(r->config.store);
	int err = store_begin(r->config.store, diag);

	if (err)
		return err;
	if (set)
		err = store_judge_clock(r->config.store, now_ms, diag);
	if (!err)
		err = judge_some(r, now_ms, b, diag);
	if (!err)
		err = store_judge_due_ms(r->config.store, &r->due_ms, diag);
	if (!err)
		err = store_judge_backlog(r->config.store, now_ms, &r->state.backlog, diag);
	if (err || (b->count == 0 && !set))
		store_rollback(r->config.store);
	else
		err = store_commit(r->config.store, diag);
	if (err)
		return err;
	r->clock_ms = now_ms;
	r->seen_marks = marks;
	if (store_wishes(r->config.store) != wishes && r->config.wake != NULL)
		r->config.wake(r->config.wake_ctx);
	return 0;
}

/* When to be called again: a due time is of the wall clock, which may be set. */
static int64_t next_ms(const struct judge_runner *r, const struct batch *b, struct gf_time now)
{
	if (b->more)
		return now.mono_ms;
	if (r->due_ms > now.wall_ms + LOOK_MS)
		return now.mono_ms + LOOK_MS;
	return now.mono_ms + (r->due_ms > now.wall_ms ? r->due_ms - now.wall_ms : 1);
}

/* After a jump of the clock all that was heard seems hours old, or still to come: listen anew. */
static void listen(struct judge_runner *r, bool hears, struct gf_time now)
{
	const int64_t steady_ms = steady_since_ms(&r->steady, now);

	if (!hears)
		r->heard_from_ms = 0;
	else if (r->heard_from_ms == 0)
		r->heard_from_ms = now.wall_ms;
	else if (r->heard_from_ms < steady_ms || r->heard_from_ms > now.wall_ms)
		r->heard_from_ms = steady_ms;
}

int64_t judge_runner_step(struct judge_runner *r, bool hears, struct gf_time now)
{
	struct batch b = {.count = 0};
	struct gf_diag diag = {{0}};
	int err;

	listen(r, hears, now);
	if (!now.synced)
		return now.mono_ms + RETRY_MS;
	if (now.mono_ms < r->retry_ms)
		return r->retry_ms;
	if (store_unsettled_marks(r->config.store) == r->seen_marks && r->due_ms > now.wall_ms &&
	    now.wall_ms >= r->clock_ms - LOOK_MS)
		return next_ms(r, &b, now);
	err = run_batch(r, now.wall_ms, &b, &diag);
	if (err) {
		note_failure(r, &b, err, now, &diag);
		return r->retry_ms > now.mono_ms ? r->retry_ms : now.mono_ms;
	}
	r->one_by_one = false;
	r->state.failing_since_ms = 0;
	r->state.judged += b.count;
	r->state.opened += b.opened;
	r->state.cleared += b.cleared;
	return next_ms(r, &b, now);
}

void judge_runner_state(const struct judge_runner *r, struct judge_state *ret_state)
{
	*ret_state = r->state;
}
