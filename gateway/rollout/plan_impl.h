/* What the parts of the plan share. Private to gateway/rollout. */
#ifndef GW_ROLLOUT_PLAN_IMPL_H
#define GW_ROLLOUT_PLAN_IMPL_H

#include "gateway/rollout/plan.h"

/* A step in hand. */
struct plan {
	struct rollout *r;
	int64_t now_ms, due_ms;
	bool changed; /* the rollout's own row */
};

/* Sets a sentence; the old one may be among the arguments. */
#define PLAN_SET(field, size, ...)                         \
	do {                                                   \
		struct gf_diag line_;                              \
		gf_diag_set(&line_, __VA_ARGS__);                  \
		(void)gf_strcpy_utf8((field), (size), line_.text); \
	} while (0)

/* To be called again at `at_ms` at the latest. */
static inline void plan_due(struct plan *p, int64_t at_ms)
{
	if (at_ms < p->due_ms)
		p->due_ms = at_ms;
}

/* ---- plan_device.c: one machine ---- */

/* Moves it as far as time and facts allow. */
void plan_device(struct plan *p, struct rollout_device *d);
/* The rollout was halted: what was not taken is taken back. */
void plan_device_withdraw(struct plan *p, struct rollout_device *d);
/* Halted, then resumed: it waits again. */
void plan_device_again(struct plan *p, struct rollout_device *d);
/* Back to what it had, or why not. */
void plan_device_back(struct plan *p, struct rollout_device *d);
/* It took the catalog because it was told, as far as anybody knows. */
bool plan_device_took(const struct rollout *r, const struct rollout_device *d);
/* The catalog's floor lets it go back to what it had. */
bool plan_device_may_go_back(const struct rollout *r, const struct rollout_device *d);

/* ---- plan_wave.c: all of them ---- */

/* Begins, ends and chooses waves; true when something moved, so that machines may move in turn. */
bool plan_wave_step(struct plan *p);
/* Halts when too many failed or a gate fails; true when it did. */
bool plan_judge(struct plan *p);

/* ---- plan.c ---- */

void plan_state(struct plan *p, enum rollout_state state);
void plan_halt(struct plan *p);
/* Why it is as it is; changes the row only when it says something else. */
void plan_reason(struct plan *p, const char *text);
#define PLAN_REASON(p, ...)                 \
	do {                                    \
		struct gf_diag reason_;             \
		gf_diag_set(&reason_, __VA_ARGS__); \
		plan_reason((p), reason_.text);     \
	} while (0)

#endif
