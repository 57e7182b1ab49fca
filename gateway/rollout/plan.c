/*
 * The plan's order of things. Each step first lets machines answer, then judges, then lets waves move, and again while something moved: what one
 * machine's answer makes possible happens in the same step, so that the next one finds nothing left to do at that time.
 */
#include "gateway/rollout/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "gateway/rollout/plan_impl.h"

static const int64_t day_ms = INT64_C(24) * 3600 * 1000;
enum { SPAN_MAX_DAYS = 30, DEADLINE_MIN_MS = 1000, DAY_MIN = 24 * 60, PPM = 1000 * 1000 };

/* ---- what the parts share ---- */

void plan_reason(struct plan *p, const char *text)
{
	char line[sizeof(p->r->reason)];
	size_t i = 0;

	gf_strcpy_utf8(line, sizeof(line), text);
	while (line[i] != '\0' && line[i] == p->r->reason[i])
		i++;
	if (line[i] == p->r->reason[i])
		return;
	gf_strcpy(p->r->reason, sizeof(p->r->reason), line);
	p->changed = true;
}

void plan_state(struct plan *p, enum rollout_state state)
{
	p->r->state = state;
	p->r->state_since_ms = p->now_ms;
	p->changed = true;
	p->r->reason[0] = '\0';
}

static void each(struct plan *p, void (*move)(struct plan *p, struct rollout_device *d))
{
	for (size_t i = 0; i < p->r->devices_count; i++)
		move(p, &p->r->devices[i]);
}

void plan_halt(struct plan *p)
{
	plan_state(p, ROLLOUT_HALTED);
	each(p, plan_device_withdraw);
}

/* ---- a step ---- */

static void begin(struct plan *p)
{
	for (size_t i = 0; i < p->r->devices_count; i++)
		p->r->devices[i].changed = p->r->devices[i].wished = false;
}

static void collect(const struct plan *p, struct plan_changes *ret)
{
	const struct rollout *r = p->r;

	ret->rollout = p->changed;
	ret->devices_count = ret->wishes_count = 0;
	for (size_t i = 0; i < r->devices_count; i++) {
		const struct rollout_device *d = &r->devices[i];

		if (d->changed)
			ret->devices[ret->devices_count++] = i;
		if (d->wished)
			ret->wishes[ret->wishes_count++] = (struct plan_wish){i, (enum plan_wish_kind)d->wish};
	}
}

int64_t plan_step(struct rollout *r, int64_t now_ms, struct plan_changes *ret_changes)
{
	struct plan p = {.r = r, .now_ms = now_ms};

	begin(&p);
	do {
		p.due_ms = INT64_MAX;
		each(&p, plan_device);
	} while (plan_judge(&p) || plan_wave_step(&p));
	collect(&p, ret_changes);
	return p.due_ms;
}

/* ---- orders ---- */

static int pause(struct plan *p, struct gf_diag *diag)
{
	(void)diag;
	plan_state(p, ROLLOUT_PAUSED);
	return 0;
}

static int resume(struct plan *p, struct gf_diag *diag)
{
	struct rollout *r = p->r;
	int64_t stood_ms = p->now_ms - r->state_since_ms;

	(void)diag;
	if (r->state == ROLLOUT_HALTED) {
		r->forgiven_ms = p->now_ms;
		each(p, plan_device_again);
		r->wave_since_ms[r->wave - 1] = p->now_ms;
		r->phase_since_ms = p->now_ms;
		r->updated = r->others = (struct rollout_outcome){0};
	} else if (r->phase == ROLLOUT_PHASE_OFFERING)
		r->wave_since_ms[r->wave - 1] += stood_ms;
	else
		r->phase_since_ms += stood_ms;
	plan_state(p, ROLLOUT_RUNNING);
	return 0;
}

static int halt(struct plan *p, struct gf_diag *diag)
{
	(void)diag;
	plan_halt(p);
	return 0;
}

static int roll_back(struct plan *p, struct gf_diag *diag)
{
	const struct rollout *r = p->r;
	size_t took = 0, may = 0, taken = 0;

	for (size_t i = 0; i < r->devices_count; i++) {
		const struct rollout_device *d = &r->devices[i];

		/* What it plays by now is the later one's business. */
		taken += d->facts.taken && d->installed_ms > 0;
		if (d->facts.taken || !plan_device_took(r, d))
			continue;
		took++;
		may += plan_device_may_go_back(r, d);
	}
	if (took == 0 && taken > 0) {
		gf_diag_set(diag, "a later rollout has all %zu machines that took %s@%" PRIu64 ": roll that one back", taken,
		            r->spec.catalog, r->spec.version);
		return -EINVAL;
	}
	if (took > 0 && may == 0) {
		gf_diag_set(diag,
		            "none of the %zu machines that have it may go back: %s@%" PRIu64
		            " allows no way back: sign the old routines as a newer version",
		            took, r->spec.catalog, r->spec.version);
		return -EINVAL;
	}
	plan_state(p, ROLLOUT_ROLLING_BACK);
	each(p, plan_device_back);
	return 0;
}

#define IN(state) (1u << ROLLOUT_##state)
static const struct {
	unsigned from;
	int (*carry_out)(struct plan *p, struct gf_diag *diag);
	const char *done;
} order_table[ROLLOUT_ORDER_COUNT] = {
    [ROLLOUT_ORDER_PAUSE] = {IN(RUNNING), pause, "paused"},
    [ROLLOUT_ORDER_RESUME] = {IN(PAUSED) | IN(HALTED), resume, "resumed"},
    [ROLLOUT_ORDER_HALT] = {IN(RUNNING) | IN(PAUSED), halt, "halted"},
    [ROLLOUT_ORDER_ROLLBACK] = {IN(RUNNING) | IN(PAUSED) | IN(HALTED) | IN(COMPLETED), roll_back, "rolled back"},
};

int plan_order(struct rollout *r, enum rollout_order order, const char *by, int64_t now_ms,
               struct plan_changes *ret_changes, struct gf_diag *diag)
{
	struct plan p = {.r = r, .now_ms = now_ms, .due_ms = INT64_MAX};
	int err;

	if ((unsigned)order >= ROLLOUT_ORDER_COUNT || !(order_table[order].from & (1u << r->state))) {
		gf_diag_set(diag, "rollout %" PRIu64 " of %s@%" PRIu64 " is %s: %s is not possible", r->id, r->spec.catalog,
		            r->spec.version, rollout_state_name(r->state), rollout_order_name(order));
		return -EINVAL;
	}
	begin(&p);
	err = order_table[order].carry_out(&p, diag);
	if (err)
		return err;
	PLAN_REASON(&p, "%s by %s", order_table[order].done, by);
	collect(&p, ret_changes);
	return 0;
}

/* ---- checking ---- */

static int check_waves(const struct rollout_spec *s, struct gf_diag *diag)
{
	uint32_t highest[2] = {0, 0}; /* of machines, of per cent */
	const struct rollout_wave_size *last;

	if (s->waves_count == 0 || s->waves_count > ROLLOUT_WAVES_MAX) {
		gf_diag_set(diag, "a rollout has 1 to %d waves, not %zu", ROLLOUT_WAVES_MAX, s->waves_count);
		return -EINVAL;
	}
	for (size_t i = 0; i < s->waves_count; i++) {
		const struct rollout_wave_size *w = &s->waves[i];
		uint32_t most = w->percent ? 100 : ROLLOUT_DEVICES_MAX;

		if (w->value < 1 || w->value > most) {
			gf_diag_set(diag, "wave %zu: %" PRIu32 "%s is not within 1 .. %" PRIu32, i + 1, w->value,
			            w->percent ? "%" : " machines", most);
			return -EINVAL;
		}
		if (w->value < highest[w->percent]) {
			gf_diag_set(
			    diag, "wave %zu: %" PRIu32 "%s is less than a wave before it: waves grow, each counts those before it",
			    i + 1, w->value, w->percent ? "%" : " machines");
			return -EINVAL;
		}
		highest[w->percent] = w->value;
	}
	last = &s->waves[s->waves_count - 1];
	if (!last->percent || last->value != 100) {
		gf_diag_set(diag, "the last wave must be 100%%, so that nobody is left out");
		return -EINVAL;
	}
	return 0;
}

static int check_spans(const struct rollout_spec *s, struct gf_diag *diag)
{
	if (s->soak_ms < 0 || s->soak_ms > SPAN_MAX_DAYS * day_ms) {
		gf_diag_set(diag, "a soak lasts 0 s to %d d", SPAN_MAX_DAYS);
		return -EINVAL;
	}
	if (s->deadline_ms < DEADLINE_MIN_MS || s->deadline_ms > SPAN_MAX_DAYS * day_ms) {
		gf_diag_set(diag, "a deadline is %d s to %d d away", DEADLINE_MIN_MS / 1000, SPAN_MAX_DAYS);
		return -EINVAL;
	}
	if (s->max_failures_ppm > PPM) {
		gf_diag_set(diag, "more than 100 %% of the machines can't fail");
		return -EINVAL;
	}
	if (s->has_window &&
	    (s->window_from_min >= DAY_MIN || s->window_to_min >= DAY_MIN || s->window_from_min == s->window_to_min)) {
		gf_diag_set(diag, "a window is from one time of the day to another, such as 22:00-06:00");
		return -EINVAL;
	}
	return 0;
}

int plan_check(const struct rollout_spec *s, struct gf_diag *diag)
{
	int r;

	if (s->catalog[0] == '\0' || s->version == 0) {
		gf_diag_set(diag, "which catalog: NAME@VERSION, such as percussion@8");
		return -EINVAL;
	}
	r = check_waves(s, diag);
	if (r == 0)
		r = check_spans(s, diag);
	if (r == 0 && s->gates_count > ROLLOUT_GATES_MAX) {
		gf_diag_set(diag, "a rollout has at most %d gates", ROLLOUT_GATES_MAX);
		r = -EINVAL;
	}
	for (size_t i = 0; i < s->gates_count && r == 0; i++) {
		const struct rollout_gate *g = &s->gates[i];

		if ((unsigned)g->kind >= ROLLOUT_GATE_COUNT || !isfinite(g->limit) || g->limit < 0 || g->limit > PPM ||
		    (g->relative && g->limit <= 0)) {
			gf_diag_set(diag, "gate %zu: a limit is such as faults_per_100h<=1.5x, or user_stops_per_100<=5", i + 1);
			r = -EINVAL;
		}
	}
	return r;
}
