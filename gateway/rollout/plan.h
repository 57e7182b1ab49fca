/*
 * What happens next in a rollout. Pure: no store, no clock, no network; time and facts are arguments, so that its whole behaviour is
 * tested in virtual time. The same rollout, facts and time always give the same changes.
 *
 *     choose a wave's machines ──window open──> offer ──> installed ──> confirmed ──all answered──> soak, gates ──> next wave ──> completed
 *                                                  └─ too many failures, a gate ──> halted ──(a person)──> rolling back ──> rolled back
 *
 * Waves: sizes are of the machines selected when the wave begins, together with the waves before it; failed, missed and left machines hold no place.
 * A wave but the last takes machines that are online, spread by a hash of rollout and id, so that canaries aren't all neighbours;
 * it chooses more as they come online until it has its size, and others while all it had came to nothing, until the deadline has passed. Then it
 * goes on with those it has; when it brought the catalog to nobody the rollout halts. The last wave takes everybody; who is offline then
 * is ABSENT and catches up. A wave that finds nobody left is passed over.
 *
 * A machine is told while its window is open; one in use then takes it when its session ends. It is told once; a second time only when the first offer
 * was withdrawn (halted, then resumed). One that has the catalog already is CONFIRMED, one that has a newer version LEFT, without being told. One that
 * no longer is selected is LEFT unless it took it; should it be selected again before it was told, it takes part again. A later rollout's
 * machine is LEFT to that. Latecomers wait for the next wave or join the last; COMPLETED rollouts serve them, and those that come
 * back, with a deadline each.
 *
 * Failures: halted as soon as more than max_failures of a wave's machines FAILED or EXPIRED. Machines that have not taken it are then
 * WITHDRAWN. MISSED ones are not held against it. A halted one that is resumed goes on where it was: what failed stays failed but is
 * forgiven, WITHDRAWN machines wait again, a soak begins anew, and gates look at what happens from then on.
 *
 * A pause stops the clock of the soak; machines that were told go on, and are judged.
 *
 * Gates compare two rates as two Poisson counts: halted when the machines with the new catalog have a rate above the limit, from at
 * least two events, and a rate within the limit would show that many or more with a probability below PLAN_CHANCE (the conditional binomial test of
 * Przyborowski and Wilenski, 1940). Judged from the first installation on and once more at each soak's end. Without use there is nothing to judge; the
 * reason says so.
 *
 * Rolling back: machines that took it, or may have, are told what they had before, windows or not, as far as the catalog's rollback_floor allows;
 * others are STUCK. Who did not take it is WITHDRAWN.
 *
 * Deadlines (I9): WAITING ends with its wave's; a window opens within 24 h (48 h when a clock change takes it away); ABSENT, OFFERED, INSTALLED,
 * REVERTING after spec.deadline_ms; SOAKING after spec.soak_ms; PAUSED after ROLLOUT_PAUSE_MAX_MS; ROLLING_BACK when its last machine's
 * deadline has passed. The runner lets no time pass here while the gateway hears nobody (runner.h).
 */
#ifndef GW_ROLLOUT_PLAN_H
#define GW_ROLLOUT_PLAN_H

#include "gateway/rollout/rollout.h"

#define PLAN_CHANCE 0.10

/* What is to be desired of a machine because of a step; at most one for each machine. */
enum plan_wish_kind { PLAN_OFFER, PLAN_WITHDRAW, PLAN_REVERT };
struct plan_wish {
	size_t device; /* index in rollout->devices */
	enum plan_wish_kind kind;
};

/* What a step changed, for the store to write in one transaction. Arrays are the caller's: room for devices_count each. */
struct plan_changes {
	bool rollout;    /* the rollout's own row */
	size_t *devices; /* indices of changed machines, each once */
	size_t devices_count;
	struct plan_wish *wishes;
	size_t wishes_count;
};

/* Moves everything that is due at `now_ms` (wall). Returns when to be called again at the latest (wall ms); INT64_MAX: only when facts change.
 * New machines of the selection were added before, WAITING with wave 0. */
int64_t plan_step(struct rollout *rollout, int64_t now_ms, struct plan_changes *ret_changes);

/* A person's order. 0, or -EINVAL with the reason in diag (it is over; it allows no way back; …): nothing changed then. Follow with plan_step. */
GF_MUST_CHECK int plan_order(struct rollout *rollout, enum rollout_order order, const char *by, int64_t now_ms,
                             struct plan_changes *ret_changes, struct gf_diag *diag);

/* Checks a spec: waves rising and ending with 100 %, spans within bounds, gates sensible. 0 or -EINVAL with diag. */
GF_MUST_CHECK int plan_check(const struct rollout_spec *spec, struct gf_diag *diag);

/* Is the window open at this minute of a site's day. */
bool plan_window_open(const struct rollout_spec *spec, int64_t now_ms, int32_t utc_offset_s);
/* When it opens next (now when open), as long as the site's clock isn't changed before. */
int64_t plan_window_opens_ms(const struct rollout_spec *spec, int64_t now_ms, int32_t utc_offset_s);

/* Does the gate fail on these outcomes? `why` gets the numbers as a sentence either way. */
bool plan_gate_fails(const struct rollout_gate *gate, const struct rollout_outcome *updated,
                     const struct rollout_outcome *others, char why[static GF_TEXT_MAX]);

#endif
