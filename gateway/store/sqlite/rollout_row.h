/* The rows of a rollout, as its writer and its readers share them. */
#ifndef GW_STORE_ROLLOUT_ROW_H
#define GW_STORE_ROLLOUT_ROW_H

#include "gateway/store/rollouts.h"
#include "gateway/store/sqlite/db.h"

/* The rollout without its machines. -ENOENT with a sentence. */
GF_MUST_CHECK int rollout_row(struct db *db, uint64_t id, struct rollout *ret_rollout, struct gf_diag *diag);
/* What its machines did with the new catalog, and with the old one. */
GF_MUST_CHECK int rollout_outcomes(struct db *db, struct rollout *rollout, struct gf_diag *diag);

/* What rollout_device_columns reads, from r (rollout_devices), d (devices) and w (desired), in their order. A later rollout
 * has a machine that it is under way with, that it still serves should it come back (MISSED), or that took its catalog and didn't go back from it. */
#define ROLLOUT_DEVICE_SELECT                                                                                     \
	"SELECT r.device, d.id, d.class, r.wave, r.step, r.since_ms, r.deadline_ms, r.revision, r.told_ms,"           \
	" r.installed_ms, r.previous, r.previous_catalog, r.previous_version, r.refusal, r.detail, d.online,"         \
	" d.running_session <> 0, d.catalog, d.catalog_version, d.catalog_digest, d.catalog_on_trial,"                \
	" coalesce(d.site_set, d.site), w.answer_revision, w.answer_step, w.answer_refusal, w.answer_detail,"         \
	" w.answer_digest, w.answered_ms, EXISTS (SELECT 1 FROM rollout_devices o CROSS JOIN rollouts l ON l.id ="    \
	" o.rollout WHERE o.device = r.device AND o.rollout > r.rollout AND (o.step IN (0, 1, 2, 3, 4, 10, 12) OR"    \
	" (o.step = 7 AND l.state IN (0, 1, 3)))) FROM rollout_devices r CROSS JOIN devices d ON d.device = r.device" \
	" LEFT JOIN desired w ON w.device = r.device WHERE r.rollout = ?1"
void rollout_device_columns(struct query *q, const struct rollout_spec *spec, struct rollout_device *ret_device);

#endif
