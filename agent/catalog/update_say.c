/* What is saved and what is told. Told first, then saved: after a crash in between something may be told twice, never not at all. */
#include "agent/catalog/update_impl.h"
#include "proto/base/span.h"

#include <string.h>

const struct gf_digest *update_home_digest(const struct update *u)
{
	return &u->state.digests[u->state.active];
}

static uint32_t left_ms(const struct update *u)
{
	const int64_t left = u->deadline_ms - u->now_ms;
	return left <= 0 ? 0 : left > UINT32_MAX ? UINT32_MAX : (uint32_t)left;
}

int update_save(struct update *u, struct gf_diag *diag)
{
	u->state.desired.left_ms = left_ms(u);
	if (u->wall_ms > u->state.not_before_wall_ms)
		u->state.not_before_wall_ms = u->wall_ms;
	const int r = shelf_save(u->shelf, &u->state, diag);
	u->dirty = r != 0;
	if (r != 0) {
		u->save_due_ms = u->now_ms + UPDATE_RETRY_MS;
		return r;
	}
	u->saved_wall_ms = u->state.not_before_wall_ms;
	u->keep_due_ms = u->now_ms + UPDATE_KEEP_MS;
	u->trial_save_due_ms = u->now_ms + UPDATE_TRIAL_SAVE_MS;
	return 0;
}

void update_save_soon(struct update *u)
{
	const bool in_flight = u->state.revision > 0 && !gf_digest_none(&u->state.desired.digest) && !update_answered(u);
	if (u->wall_ms > u->saved_wall_ms + GF_DAY_MS || (in_flight && u->now_ms >= u->keep_due_ms) ||
	    (u->state.trial && u->now_ms >= u->trial_save_due_ms)) {
		if (!u->dirty)
			u->save_due_ms = u->now_ms;
		u->dirty = true;
	}
	if (u->dirty && u->now_ms >= u->save_due_ms && update_save(u, NULL) != 0)
		return; /* its time comes again */
}

/* The sentence as a record has room for it: cut, but not within a letter. */
static void set_detail(char detail[static GF_TEXT_MAX], const char *text)
{
	gf_strcpy(detail, GF_TEXT_MAX, text);
	size_t len = strlen(detail);
	while (len > 0 && !gf_utf8_valid(detail, len))
		len--;
	detail[len] = '\0';
}

void update_answer(struct update *u, enum gf_desired_step step, enum gf_refusal refusal, const char *text)
{
	struct shelf_state *s = &u->state;
	if (s->answered_revision == s->revision && s->answered_step >= step)
		return;
	struct gf_desired_applied applied = {.revision = s->revision,
	                                     .step = step,
	                                     .refusal = refusal,
	                                     .version = s->desired.version,
	                                     .digest = s->desired.digest};
	set_detail(applied.detail, text);
	gf_strcpy(applied.catalog, sizeof(applied.catalog), s->desired.name);
	u->ops.applied(u->ops.ctx, &applied);
	s->answered_revision = s->revision;
	s->answered_step = step;
	u->dirty = true;
	u->save_due_ms = u->now_ms;
}

void update_tell(struct update *u)
{
	struct shelf_state *s = &u->state;
	const struct held *home = u->playing.slot == s->active ? &u->playing : &u->next;
	if (gf_digest_equal(&s->told, update_home_digest(u)) || home->catalog == NULL || home->slot != s->active)
		return;
	struct gf_catalog_changed changed = {.version = home->catalog->version,
	                                     .previous_version = s->told_version,
	                                     .cause = s->cause,
	                                     .digest = *update_home_digest(u)};
	gf_strcpy(changed.catalog, sizeof(changed.catalog), home->catalog->name);
	u->ops.changed(u->ops.ctx, &changed);
	s->told = changed.digest;
	s->told_version = changed.version;
	u->dirty = true;
	u->save_due_ms = u->now_ms;
}

bool update_answered(const struct update *u)
{
	const struct shelf_state *s = &u->state;
	return s->answered_revision == s->revision && s->answered_step >= GF_DESIRED_STEP_CONFIRMED;
}
