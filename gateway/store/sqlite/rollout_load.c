/* A rollout with its machines and their facts, within a batch: what the plan works on. */
#include <errno.h>
#include <stdlib.h>

#include "gateway/store/sqlite/rollout_row.h"
#include "gateway/store/sqlite/writer.h"

static int load_devices(struct store *s, struct rollout *r, size_t room, struct gf_diag *diag)
{
	struct query q;
	int rc;

	query_begin(&q, &s->db, ROLLOUT_DEVICE_SELECT " ORDER BY r.device");
	query_u64(&q, r->id);
	while ((rc = query_step(&q)) == QUERY_ROW && r->devices_count < room)
		rollout_device_columns(&q, &r->spec, &r->devices[r->devices_count++]);
	return query_end(&q, rc, diag);
}

int store_rollout_load(struct store *s, uint64_t id, struct rollout *ret_rollout, struct gf_diag *diag)
{
	struct rollout r;
	struct query q;
	int64_t count = 0;
	int err = rollout_row(&s->db, id, &r, diag);

	if (err)
		return err;
	query_begin(&q, &s->db, "SELECT count(*) FROM rollout_devices WHERE rollout = ?");
	query_u64(&q, id);
	err = query_value(&q, 0, &count, diag);
	if (err)
		return err;
	r.devices = calloc(count > 0 ? (size_t)count : 1, sizeof(*r.devices));
	if (!r.devices)
		return -ENOMEM;
	err = load_devices(s, &r, (size_t)count, diag);
	if (!err && r.spec.gates_count > 0 && (r.state == ROLLOUT_RUNNING || r.state == ROLLOUT_PAUSED))
		err = rollout_outcomes(&s->db, &r, diag);
	if (err) {
		rollout_deinit(&r);
		return err;
	}
	*ret_rollout = r;
	return 0;
}

int store_rollouts_open(struct store *s, uint64_t **ret_ids, size_t *ret_count, struct gf_diag *diag)
{
	uint64_t *ids = NULL;
	size_t count = 0;
	struct query q;
	int rc, err = 0;

	query_begin(&q, &s->db,
	            "SELECT r.id FROM rollouts r WHERE r.state IN (0, 1, 4) OR EXISTS (SELECT 1 FROM rollout_devices d"
	            " WHERE d.rollout = r.id AND d.step IN (0, 1, 2, 3, 10)) OR (r.state = 3 AND NOT EXISTS (SELECT 1"
	            " FROM rollouts l WHERE l.id > r.id AND l.state = 3 AND l.selection = r.selection)) ORDER BY r.state "
	            "NOT IN (0, 1, 4), r.id");
	while ((rc = query_step(&q)) == QUERY_ROW) {
		uint64_t *more = realloc(ids, (count + 1) * sizeof(*ids));

		if (!more) {
			err = -ENOMEM;
			break;
		}
		ids = more;
		ids[count++] = col_u64(&q);
	}
	rc = query_end(&q, rc, diag);
	if (err || rc) {
		free(ids);
		return err ? err : rc;
	}
	*ret_ids = ids;
	*ret_count = count;
	return 0;
}
