/* To another catalog, its trial, and back. The state on the disk is always the first to change. */
#include "agent/catalog/update_impl.h"

#include <stdio.h>
#include <string.h>

enum update_phase update_rest(const struct update *u)
{
	return u->state.trial ? UPDATE_TRIAL : UPDATE_IDLE;
}

uint64_t update_trial_limit(const struct update *u)
{
	return u->config.trial_ms > 0 ? u->config.trial_ms : UPDATE_TRIAL_MS;
}

/* ---- there ---- */

static void begin(struct update *u, bool back)
{
	u->phase = UPDATE_SWITCHING;
	u->going_back = back;
	u->handed = NULL;
	u->taken = false;
	u->switch_due_ms = u->now_ms + UPDATE_SWITCH_MS;
}

/* The state as it is once u->next is active: on trial, unless it is what another's trial would go back to. */
static void state_forward(struct update *u)
{
	struct shelf_state *s = &u->state;
	s->previous = s->trial ? SHELF_NONE : s->active;
	s->active = u->next.slot;
	s->trial = s->previous != SHELF_NONE;
	s->trial_starts = s->trial ? 1 : 0;
	s->trial_faults = 0;
	s->trial_ms = 0;
	s->cause = GF_CATALOG_CAUSE_OVER_THE_AIR;
	update_raise_highest(u, u->next.catalog, update_home_digest(u));
	update_take_keys(u, u->next.catalog);
}

int update_switch(struct update *u, struct gf_diag *diag)
{
	const struct catalog_facts facts = update_facts(u);
	int r = catalog_fresh(u->next.catalog, &facts, diag);
	if (r != 0)
		return r;
	u->before = u->state;
	state_forward(u);
	if (update_save(u, diag) != 0) {
		u->state = u->before;
		return GF_REFUSAL_STORAGE;
	}
	u->counted = u->state.trial;
	u->no_way_back = false;
	begin(u, false);
	return 0;
}

/* ---- back ---- */

void update_state_back(struct update *u, enum shelf_slot slot, enum gf_catalog_cause cause)
{
	struct shelf_state *s = &u->state;
	s->active = slot;
	s->previous = SHELF_NONE;
	s->trial = false;
	s->trial_starts = s->trial_faults = 0;
	s->trial_ms = 0;
	s->cause = cause;
	u->counted = false;
	u->dirty = true;
	u->save_due_ms = u->now_ms;
}

/* What was before, or the file, if that is another one. */
static int load_way_back(struct update *u)
{
	const struct gf_digest *home = update_home_digest(u);
	if (update_load(u, u->state.previous, &u->next, NULL) == 0)
		return 0;
	if (u->starved || u->state.active == SHELF_FILE || update_load_file(u, &u->next, NULL) != 0)
		return -1;
	if (!gf_digest_equal(&u->state.digests[SHELF_FILE], home))
		return 0;
	update_release(u, &u->next);
	return -1;
}

void update_never_again(struct update *u, enum gf_refusal refusal)
{
	struct shelf_rolled_back *list = u->state.rolled_back;
	memmove(list + 1, list, (SHELF_ROLLED_BACK_MAX - 1) * sizeof(*list));
	list[0] = (struct shelf_rolled_back){.digest = *update_home_digest(u), .refusal = refusal};
}

static void roll_back(struct update *u, enum gf_refusal refusal, const char *text)
{
	update_release(u, &u->next);
	u->starved = false;
	if (load_way_back(u) != 0) {
		u->no_way_back = !u->starved; /* else it is tried again */
		u->phase = update_rest(u);
		return;
	}
	update_never_again(u, refusal);
	u->gone = refusal;
	gf_diag_set(&u->gone_text, "%s", text);
	update_state_back(u, u->next.slot, GF_CATALOG_CAUSE_ROLLED_BACK);
	update_save_soon(u);
	begin(u, true);
}

/* ---- the switch itself ---- */

/* The control core has what the state says. */
static void settle(struct update *u)
{
	update_release(u, &u->next);
	u->recalling = false;
	u->phase = update_rest(u);
}

/* It didn't take it in time. What it was given last may still be taken, so it is asked for the one of the state until it has that. */
static void give_up(struct update *u)
{
	u->recalling = true;
	u->handed = NULL;
	u->taken = false;
	if (!u->going_back) {
		struct shelf_state *s = &u->state;
		const struct shelf_state *before = &u->before;
		s->active = before->active;
		s->previous = before->previous;
		s->trial = before->trial;
		s->trial_starts = before->trial_starts;
		s->trial_faults = before->trial_faults;
		s->trial_ms = before->trial_ms;
		s->cause = before->cause;
		u->counted = s->trial;
		u->dirty = true;
		u->save_due_ms = u->now_ms;
		/* Else another one is desired by now, whose turn comes. */
		if (gf_digest_equal(&s->digests[u->next.slot], &s->desired.digest))
			update_answer(u, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_IN_USE,
			              "the control core did not take it, though no session ran");
	}
	u->phase = update_rest(u);
}

static void hand(struct update *u)
{
	const struct gf_catalog *home = u->playing.slot == u->state.active ? u->playing.catalog : u->next.catalog;
	u->taken = false;
	if (u->ops.use(u->ops.ctx, home) == 0)
		u->handed = home;
}

void update_switch_step(struct update *u)
{
	if (u->phase != UPDATE_SWITCHING && !u->recalling)
		return;
	if (u->handed == NULL)
		hand(u);
	/* Else the control core hasn't said so since it was handed over. */
	if (u->handed != NULL && u->taken) {
		settle(u);
		return;
	}
	if (u->phase != UPDATE_SWITCHING)
		return;
	if (u->in_session)
		u->switch_due_ms = u->now_ms + UPDATE_SWITCH_MS;
	else if (u->now_ms >= u->switch_due_ms)
		give_up(u);
}

/* ---- the trial ---- */

void update_trial_step(struct update *u)
{
	struct shelf_state *s = &u->state;
	char text[GF_TEXT_MAX];
	if (!s->trial || u->phase == UPDATE_SWITCHING)
		return;
	if (s->trial_faults >= UPDATE_TRIAL_FAULTS && !u->no_way_back) {
		if (u->in_session || u->recalling)
			return;
		snprintf(text, sizeof(text), "%u sessions ended in a fault while it was on trial", s->trial_faults);
		roll_back(u, GF_REFUSAL_FAULTS, text);
		return;
	}
	if (s->trial_ms < update_trial_limit(u))
		return;
	s->trial = false;
	s->trial_starts = s->trial_faults = 0;
	u->counted = false;
	u->dirty = true;
	u->save_due_ms = u->now_ms;
	if (u->phase == UPDATE_TRIAL)
		u->phase = UPDATE_IDLE;
}
