/* Waves: who is in one, when it is over, and what halts it. Counts are taken anew each time: what they count is the only truth. */
#include <inttypes.h>

#include "gateway/rollout/plan_impl.h"
#include "proto/base/clock.h"

static const double ppm = 1e6;

/* ---- counting ---- */

struct census {
	size_t machines; /* not LEFT */
	size_t held;     /* on their way, or there: those that failed, were missed or left hold no place */
	size_t open;
	size_t installed; /* told, and took it */
	size_t failed;    /* since it was resumed last */
	const struct rollout_device *last_failed;
};

static void count(const struct rollout *r, const struct rollout_device *d, struct census *c)
{
	bool failed = d->step == ROLLOUT_STEP_FAILED || d->step == ROLLOUT_STEP_EXPIRED;

	c->machines += d->step != ROLLOUT_STEP_LEFT;
	c->held += !failed && d->step != ROLLOUT_STEP_MISSED && d->step != ROLLOUT_STEP_LEFT;
	c->open += !rollout_step_ends(d->step);
	c->installed += d->installed_ms > 0;
	if (failed && d->since_ms > r->forgiven_ms) {
		c->failed++;
		if (!c->last_failed || d->since_ms >= c->last_failed->since_ms)
			c->last_failed = d;
	}
}

/* Of one wave; with `wave` 0 of all waves together. */
static struct census census_of(const struct rollout *r, uint32_t wave)
{
	struct census c = {0};

	for (size_t i = 0; i < r->devices_count; i++)
		if (wave ? r->devices[i].wave == wave : r->devices[i].wave > 0)
			count(r, &r->devices[i], &c);
	return c;
}

/* Who isn't in a wave yet. */
static size_t waiting(const struct rollout *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->devices_count; i++)
		n += r->devices[i].wave == 0 && r->devices[i].step == ROLLOUT_STEP_WAITING;
	return n;
}

/* ---- choosing ---- */

/* FNV-1a over the id, begun and finished with the rollout's number: another order in each rollout. */
static uint64_t rank(const struct rollout *r, const struct rollout_device *d)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ (r->id * UINT64_C(0x9e3779b97f4a7c15));

	for (const char *c = d->id; *c; c++)
		h = (h ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
	h ^= h >> 33;
	h *= UINT64_C(0xff51afd7ed558ccd);
	return h ^ (h >> 33);
}

static bool may_be_chosen(const struct rollout_device *d)
{
	return d->wave == 0 && d->step == ROLLOUT_STEP_WAITING && d->facts.online;
}

static size_t count_below(const struct rollout *r, uint64_t limit)
{
	size_t n = 0;

	for (size_t i = 0; i < r->devices_count; i++)
		n += may_be_chosen(&r->devices[i]) && rank(r, &r->devices[i]) <= limit;
	return n;
}

/* Takes the `want` of lowest rank; where the line is, is found by halving, which needs no memory. Returns how many it took. */
static size_t choose(struct plan *p, size_t want)
{
	struct rollout *r = p->r;
	uint64_t low = 0, high = UINT64_MAX;
	size_t taken = 0;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (count_below(r, middle) >= want)
			high = middle;
		else
			low = middle + 1;
	}
	for (size_t i = 0; i < r->devices_count && taken < want; i++) {
		struct rollout_device *d = &r->devices[i];

		if (!may_be_chosen(d) || rank(r, d) > low)
			continue;
		d->wave = r->wave;
		d->since_ms = p->now_ms;
		d->changed = true;
		taken++;
	}
	return taken;
}

/* How many the wave reaches together with those before it, of `machines`. */
static size_t size_of(const struct rollout_wave_size *size, size_t machines)
{
	uint64_t n = size->value;

	if (size->percent)
		n = ((uint64_t)machines * size->value + 99) / 100;
	return n < machines ? (size_t)n : machines;
}

/* ---- moving ---- */

static void wave_done(struct plan *p, const char *why)
{
	struct rollout *r = p->r;
	size_t last = r->spec.waves_count;

	r->wave_done_ms[r->wave - 1] = p->now_ms;
	r->phase = ROLLOUT_PHASE_OFFERING;
	r->phase_since_ms = p->now_ms;
	p->changed = true;
	if (r->wave < last) {
		r->wave++;
		r->wave_since_ms[r->wave - 1] = p->now_ms;
		PLAN_REASON(p, "wave %u of %zu begins: %s", (unsigned)r->wave, last, why);
		return;
	}
	plan_state(p, ROLLOUT_COMPLETED);
	PLAN_REASON(p, "all waves are done: %s", why);
}

/* The wave has nobody on its way: choose. True when somebody was chosen, or the wave is over. */
static bool begin(struct plan *p, const struct census *wave)
{
	struct rollout *r = p->r;
	struct census all = census_of(r, 0);
	size_t left = waiting(r), chosen, size = size_of(&r->spec.waves[r->wave - 1], all.held + left);
	int64_t until_ms = r->wave_since_ms[r->wave - 1] + r->spec.deadline_ms;
	char span[GF_DURATION_MAX];

	if (left == 0 || size <= all.held) {
		wave_done(p, left == 0 ? "nobody is left to choose" : "the waves before reach as many machines");
		return true;
	}
	if (p->now_ms >= until_ms) {
		plan_halt(p);
		PLAN_REASON(p, "wave %u brought it to nobody within %s: %s", (unsigned)r->wave,
		            gf_duration_format(r->spec.deadline_ms, span),
		            wave->machines > 0 ? "none of its machines took it" : "no machine was online");
		return true;
	}
	plan_due(p, until_ms);
	chosen = choose(p, size - all.held);
	if (chosen == 0)
		PLAN_REASON(p, "wave %u of %zu waits for a machine that is online; %zu are not", (unsigned)r->wave,
		            r->spec.waves_count, left);
	else
		PLAN_REASON(p, "wave %u of %zu: brings it to %zu of %zu machines", (unsigned)r->wave, r->spec.waves_count,
		            chosen, all.held + left);
	return chosen > 0;
}

/* A wave but the last that found fewer machines online than it is to have: more are told as they come, until its deadline. True when some
 * were chosen; *ret_waits: it isn't to end yet. One that failed keeps its place: it isn't to cost another one. */
static bool fill(struct plan *p, bool *ret_waits)
{
	struct rollout *r = p->r;
	struct census all = census_of(r, 0);
	size_t left = waiting(r), size = size_of(&r->spec.waves[r->wave - 1], all.held + left);
	int64_t until_ms = r->wave_since_ms[r->wave - 1] + r->spec.deadline_ms;
	char until[GF_RFC3339_MAX];

	*ret_waits = r->wave < r->spec.waves_count && left > 0 && size > all.machines && p->now_ms < until_ms;
	if (!*ret_waits)
		return false;
	plan_due(p, until_ms);
	const size_t missing = size - all.machines, chosen = choose(p, missing);
	if (chosen < missing)
		PLAN_REASON(p, "wave %u of %zu waits for %zu more machine%s to come online, until %s; then it goes on without",
		            (unsigned)r->wave, r->spec.waves_count, missing - chosen, missing - chosen == 1 ? "" : "s",
		            gf_time_format(until_ms, until));
	else
		PLAN_REASON(p, "wave %u of %zu: brings it to %zu of %zu machines", (unsigned)r->wave, r->spec.waves_count, size,
		            all.held + left);
	return chosen > 0;
}

static bool offering(struct plan *p)
{
	struct rollout *r = p->r;
	struct census wave = census_of(r, r->wave);
	char until[GF_RFC3339_MAX];
	bool waits;

	if (wave.held == 0)
		return begin(p, &wave);
	if (fill(p, &waits))
		return true;
	if (wave.open > 0 || waits)
		return false;
	if (wave.installed == 0 || r->spec.soak_ms == 0) {
		wave_done(p, wave.installed == 0 ? "nobody had to be told in the one before" : "without a soak");
		return true;
	}
	r->phase = ROLLOUT_PHASE_SOAKING;
	r->phase_since_ms = p->now_ms;
	p->changed = true;
	PLAN_REASON(p, "wave %u of %zu: all have answered, watched until %s", (unsigned)r->wave, r->spec.waves_count,
	            gf_time_format(p->now_ms + r->spec.soak_ms, until));
	return true;
}

static bool soaking(struct plan *p)
{
	struct rollout *r = p->r;
	char why[GF_TEXT_MAX] = "soaked, nothing spoke against it";

	if (p->now_ms < r->phase_since_ms + r->spec.soak_ms) {
		plan_due(p, r->phase_since_ms + r->spec.soak_ms);
		return false;
	}
	/* Judged just before: what is said is why they passed. */
	if (r->spec.gates_count > 0)
		(void)plan_gate_fails(&r->spec.gates[0], &r->updated, &r->others, why);
	wave_done(p, why);
	return true;
}

/* The last machine has gone back, or could not. */
static bool rolled_back(struct plan *p)
{
	const struct rollout *r = p->r;
	size_t back = 0, stuck = 0;

	for (size_t i = 0; i < r->devices_count; i++) {
		if (!rollout_step_ends(r->devices[i].step))
			return false;
		back += r->devices[i].step == ROLLOUT_STEP_REVERTED;
		stuck += r->devices[i].step == ROLLOUT_STEP_STUCK;
	}
	plan_state(p, ROLLOUT_ROLLED_BACK);
	if (stuck > 0)
		PLAN_REASON(p, "%zu of %zu machines went back, %zu could not", back, back + stuck, stuck);
	else
		PLAN_REASON(p, "%zu machine%s went back", back, back == 1 ? "" : "s");
	return true;
}

bool plan_wave_step(struct plan *p)
{
	struct rollout *r = p->r;

	if (r->state == ROLLOUT_PAUSED) {
		if (p->now_ms < r->state_since_ms + ROLLOUT_PAUSE_MAX_MS) {
			plan_due(p, r->state_since_ms + ROLLOUT_PAUSE_MAX_MS);
			return false;
		}
		plan_halt(p);
		PLAN_REASON(p, "paused for a week: resume it, or roll it back");
		return true;
	}
	if (r->state == ROLLOUT_ROLLING_BACK) {
		return rolled_back(p);
	}
	if (r->state != ROLLOUT_RUNNING)
		return false;
	return r->phase == ROLLOUT_PHASE_OFFERING ? offering(p) : soaking(p);
}

/* ---- judging ---- */

static bool too_many_failed(struct plan *p, uint32_t wave)
{
	const struct rollout *r = p->r;
	struct census c = census_of(r, wave);
	double limit = (double)r->spec.max_failures_ppm * (double)c.machines;
	struct gf_diag who = {""};

	if (c.failed == 0 || (double)c.failed * ppm <= limit)
		return false;
	gf_diag_set(&who, "%s %s%s%s", c.last_failed->id, rollout_step_name(c.last_failed->step),
	            c.last_failed->detail[0] ? ": " : "", c.last_failed->detail);
	plan_halt(p);
	PLAN_REASON(p, "wave %u: %zu of %zu machines failed (%.3g %%), more than %.3g %%; last %s", (unsigned)wave,
	            c.failed, c.machines, 100.0 * (double)c.failed / (double)c.machines,
	            (double)r->spec.max_failures_ppm / 1e4, who.text);
	return true;
}

bool plan_judge(struct plan *p)
{
	struct rollout *r = p->r;
	char why[GF_TEXT_MAX];

	if (r->state != ROLLOUT_RUNNING && r->state != ROLLOUT_PAUSED)
		return false;
	for (uint32_t wave = 1; wave <= r->wave; wave++)
		if (too_many_failed(p, wave))
			return true;
	if (census_of(r, 0).installed == 0)
		return false;
	for (size_t i = 0; i < r->spec.gates_count; i++)
		if (plan_gate_fails(&r->spec.gates[i], &r->updated, &r->others, why)) {
			plan_halt(p);
			PLAN_REASON(p, "wave %u: %s", (unsigned)r->wave, why);
			return true;
		}
	return false;
}
