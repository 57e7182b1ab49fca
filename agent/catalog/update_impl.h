/*
 * What the parts of the update share: update.c, events and phases; update_open.c, the agent's start; update_take.c, from bytes to a
 * catalog in memory; update_switch.c, there, on trial, and back; update_say.c, what is saved and told. Private to agent/catalog/update*.c.
 */
#ifndef AGENT_CATALOG_UPDATE_IMPL_H
#define AGENT_CATALOG_UPDATE_IMPL_H

#include "agent/catalog/fetch.h"
#include "agent/catalog/update.h"

/* A decoded catalog. Owned, but for the simulator's. */
struct held {
	const struct gf_catalog *catalog; /* NULL: none */
	enum shelf_slot slot;
};

struct update {
	struct update_config config; /* catalog_file is a copy */
	struct update_ops ops;
	struct shelf *shelf;
	struct shelf_state state;
	bool dirty; /* the state on the disk is another one */
	int64_t save_due_ms, saved_wall_ms;
	int64_t now_ms, wall_ms; /* the last that was heard of; wall_ms 0: not synchronised */
	int64_t behind_ms;       /* since when the clock is behind the latest sure time; INT64_MAX: it isn't */
	enum update_phase phase;
	bool link_up, in_session;
	bool counted; /* this start, as one of the trial's */

	/* What the control core plays, and the other one: that it is to play, or, while `recalling`, should no longer. Never more. */
	struct held playing, next;
	const struct gf_catalog *handed; /* the last that the control core was given */
	bool taken;                      /* it plays that */
	bool recalling;                  /* to state.active, after it didn't take the other one in time */

	int64_t deadline_ms; /* for what is desired */
	int64_t keep_due_ms, trial_save_due_ms, switch_due_ms;

	struct fetch fetch;
	enum fetch_result fetched;
	bool asked, fetched_again;
	int64_t online_ms;   /* connected while fetching */
	int64_t progress_ms; /* of that, when it was asked for or a part came */

	struct shelf_state before; /* the switch */
	bool going_back;
	bool starved;     /* something was not there for want of memory alone */
	bool no_way_back; /* what was before the trial can't be read any more */
	/* Why what was active is no longer. */
	enum gf_refusal gone;
	struct gf_diag gone_text;
	struct update_stats stats;
	struct gf_diag notice;
};

/* ---- update_say.c ---- */

/* 0, or a negative errno with diag: then it is tried again later. */
GF_MUST_CHECK int update_save(struct update *u, struct gf_diag *diag);
/* The same where nothing depends on it. */
void update_save_soon(struct update *u);
/* Once for each revision and step. */
void update_answer(struct update *u, enum gf_desired_step step, enum gf_refusal refusal, const char *text);
/* That another one is active, if it is. */
void update_tell(struct update *u);
/* A final answer to what is desired was given. */
bool update_answered(const struct update *u);
/* The digest of what is active by the state: all zeros for none. */
const struct gf_digest *update_home_digest(const struct update *u);

/* ---- update_take.c ---- */

/* Whose signatures count now. */
const struct gf_keyset *update_keys(const struct update *u);
void update_take_keys(struct update *u, const struct gf_catalog *catalog);
struct catalog_facts update_facts(const struct update *u);
void update_raise_highest(struct update *u, const struct gf_catalog *catalog, const struct gf_digest *digest);
void update_release(struct update *u, struct held *held);
/* The bytes of the file that was installed by hand, and their digest. */
GF_MUST_CHECK int update_read_file(struct update *u, unsigned char **ret_data, size_t *ret_len,
                                   struct gf_digest *ret_digest, struct gf_diag *diag);
/* What was judged before, as it is in its place. 0 or a negative errno with diag. */
GF_MUST_CHECK int update_load(struct update *u, enum shelf_slot slot, struct held *ret_held, struct gf_diag *diag);
/* The file, whatever it holds now, if it is acceptable; the state then knows it. As update_load. */
GF_MUST_CHECK int update_load_file(struct update *u, struct held *ret_held, struct gf_diag *diag);
/* Where the desired one is on this machine already. */
enum shelf_slot update_find(const struct update *u, const struct gf_digest *digest);
/* Judges bytes of the desired one and puts them on the shelf, unless they are from there (`slot`). 0 and u->next is the catalog; or an enum
 * gf_refusal with diag. */
GF_MUST_CHECK int update_take(struct update *u, enum shelf_slot slot, const void *data, size_t len,
                              struct gf_diag *diag);
/* The same for one that is in `slot` already. -ENOENT: it is not. */
GF_MUST_CHECK int update_take_slot(struct update *u, enum shelf_slot slot, struct gf_diag *diag);
/* Before something that may kill its reader: false when it did so too often. Saves. */
bool update_mark(struct update *u, struct shelf_mark *mark, const struct gf_digest *digest, int *ret_saved,
                 struct gf_diag *diag);
/* It didn't. Saved at once: a start that fails for another reason saves nothing later, and a few of them are no crashes. */
void update_unmark(struct update *u, struct shelf_mark *mark);

/* ---- update_switch.c ---- */

/* The phase when nothing is under way. */
enum update_phase update_rest(const struct update *u);
/* To u->next. 0 and SWITCHING; or an enum gf_refusal with diag. */
GF_MUST_CHECK int update_switch(struct update *u, struct gf_diag *diag);
/* The next step of a switch. */
void update_switch_step(struct update *u);
/* Confirms, or rolls back, when it is time to. */
void update_trial_step(struct update *u);
/* The state with the one before as the active one; `held` is it. */
void update_state_back(struct update *u, enum shelf_slot slot, enum gf_catalog_cause cause);
/* What is active now is not taken again. */
void update_never_again(struct update *u, enum gf_refusal refusal);
uint64_t update_trial_limit(const struct update *u);

#endif
