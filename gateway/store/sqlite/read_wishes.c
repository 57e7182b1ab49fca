/* Reading what is wanted of the machines: desired states, commands, and who did what. */
#include <errno.h>
#include <inttypes.h>

#include "gateway/store/sqlite/desired.h"
#include "gateway/store/sqlite/reader.h"

void desired_columns(struct query *q, struct gf_desired *ret_desired)
{
	struct gf_desired *d = ret_desired;

	d->issued_ms = col_u64(q);
	col_text(q, d->catalog.name, sizeof(d->catalog.name));
	d->catalog.version = col_u64(q);
	col_digest(q, &d->catalog.digest);
	d->has_catalog = !gf_digest_none(&d->catalog.digest);
	d->catalog.size = (uint32_t)col_i64(q);
	d->catalog.within_ms = (uint32_t)col_i64(q);
	d->limits.intensity_max_pct = (float)col_real(q);
	d->limits.frequency_max_hz = (float)col_real(q);
	d->limits.pressure_max_mmhg = (float)col_real(q);
	d->limits.heat_max_c = (float)col_real(q);
	d->limits.session_max_ms = (uint32_t)col_i64(q);
	d->locked = col_i64(q);
	col_text(q, d->lock_reason, sizeof(d->lock_reason));
}

void answer_columns(struct query *q, struct gf_desired_applied *ret_answer)
{
	struct gf_desired_applied *a = ret_answer;

	a->revision = col_u64(q);
	a->step = (enum gf_desired_step)col_i64(q);
	a->refusal = (enum gf_refusal)col_i64(q);
	col_text(q, a->detail, sizeof(a->detail));
	col_text(q, a->catalog, sizeof(a->catalog));
	a->version = col_u64(q);
	col_digest(q, &a->digest);
}

#define DESIRED_SELECT                                                                                         \
	"SELECT d.id, d.device, w.revision, " DESIRED_COLUMNS ", w.published, w.applied_revision, " ANSWER_COLUMNS \
	", w.answered_ms, w.own_intensity_max_pct FROM "

static void read_desired_row(struct query *q, struct store_desired *ret_desired)
{
	struct store_desired *d = ret_desired;

	col_text(q, d->device, sizeof(d->device));
	d->key = col_i64(q);
	d->desired.revision = col_u64(q);
	desired_columns(q, &d->desired);
	d->published = col_u64(q);
	d->applied = col_u64(q);
	answer_columns(q, &d->answer);
	d->answered_ms = col_i64(q);
	d->own_limits = d->desired.limits;
	d->own_limits.intensity_max_pct = col_null(q) ? 0.0F : (float)col_real(q);
}

int store_read_desired(struct store_reader *reader, bool all, int64_t after_key, size_t limit, store_desired_fn row,
                       void *ctx, struct gf_diag *diag)
{
	struct query q;
	int rc = QUERY_DONE, stopped = 0;

	query_begin(&q, &reader->db,
	            all ? DESIRED_SELECT "desired w CROSS JOIN devices d USING (device) WHERE w.device > ?"
	                                 " ORDER BY w.device LIMIT ?"
	                : DESIRED_SELECT "desired w CROSS JOIN devices d USING (device) WHERE w.device > ?"
	                                 " AND w.published < w.revision ORDER BY w.device LIMIT ?");
	query_i64(&q, after_key);
	query_u64(&q, limit);
	while (!stopped && (rc = query_step(&q)) == QUERY_ROW) {
		struct store_desired d = {.key = 0};

		read_desired_row(&q, &d);
		stopped = row(ctx, &d);
	}
	return query_stop(&q, rc, stopped, diag);
}

int store_read_desired_of(struct store_reader *reader, const char *device, struct store_desired *ret_desired,
                          struct gf_diag *diag)
{
	struct store_desired d = {.key = 0};
	struct query q;
	int rc, r;

	query_begin(&q, &reader->db, DESIRED_SELECT "devices d LEFT JOIN desired w USING (device) WHERE d.id = ?");
	query_text(&q, device);
	rc = query_step(&q);
	if (rc == QUERY_ROW)
		read_desired_row(&q, &d);
	r = query_end(&q, rc, diag);
	if (r)
		return r;
	if (!d.key) {
		gf_diag_set(diag, "there is no device '%s'", device);
		return -ENOENT;
	}
	*ret_desired = d;
	return 0;
}

/* ---- commands ---- */

#define COMMAND_SELECT                                                                                  \
	"SELECT c.id, d.id, c.kind, c.state, c.issued_ms, c.deadline_ms, c.ended_ms, c.published, c.detail" \
	" FROM commands c JOIN devices d USING (device)"

static void read_command_row(struct query *q, struct store_command *ret_command)
{
	struct store_command *c = ret_command;

	c->id = col_u64(q);
	col_text(q, c->device, sizeof(c->device));
	c->kind = (enum gf_command)col_i64(q);
	c->state = (enum store_command_state)col_i64(q);
	c->issued_ms = col_i64(q);
	c->deadline_ms = col_i64(q);
	c->ended_ms = col_i64(q);
	c->published = col_i64(q);
	col_text(q, c->detail, sizeof(c->detail));
}

int store_read_commands_unsent(struct store_reader *reader, uint64_t after, size_t limit, store_command_fn row,
                               void *ctx, struct gf_diag *diag)
{
	struct query q;
	int rc = QUERY_DONE, stopped = 0;

	query_begin(&q, &reader->db,
	            COMMAND_SELECT " WHERE c.state = 0 AND c.published = 0 AND c.id > ? ORDER BY c.id LIMIT ?");
	query_u64(&q, after);
	query_u64(&q, limit);
	while (!stopped && (rc = query_step(&q)) == QUERY_ROW) {
		struct store_command c = {.id = 0};

		read_command_row(&q, &c);
		stopped = row(ctx, &c);
	}
	return query_stop(&q, rc, stopped, diag);
}

int store_read_command(struct store_reader *reader, uint64_t id, struct store_command *ret_command,
                       struct gf_diag *diag)
{
	struct store_command c = {.id = 0};
	struct query q;
	int rc, r;

	query_begin(&q, &reader->db, COMMAND_SELECT " WHERE c.id = ?");
	query_u64(&q, id);
	rc = query_step(&q);
	if (rc == QUERY_ROW)
		read_command_row(&q, &c);
	r = query_end(&q, rc, diag);
	if (r)
		return r;
	if (!c.id) {
		gf_diag_set(diag, "there is no command %" PRIu64, id);
		return -ENOENT;
	}
	*ret_command = c;
	return 0;
}

/* ---- deeds ---- */

int store_read_deeds(struct store_reader *reader, uint64_t before, int64_t since_ms, store_deed_fn row, void *ctx,
                     struct gf_diag *diag)
{
	struct query q;
	int rc = QUERY_DONE, stopped = 0;

	query_begin(&q, &reader->db,
	            "SELECT id, at_ms, who, origin, action, subject, detail FROM deeds WHERE id < ? AND at_ms >= ?"
	            " ORDER BY id DESC");
	query_u64(&q, before ? before : INT64_MAX);
	query_i64(&q, since_ms);
	while (!stopped && (rc = query_step(&q)) == QUERY_ROW) {
		struct store_deed d = {.id = col_u64(&q)};

		d.at_ms = col_i64(&q);
		col_text(&q, d.actor.who, sizeof(d.actor.who));
		col_text(&q, d.actor.from, sizeof(d.actor.from));
		col_text(&q, d.action, sizeof(d.action));
		col_text(&q, d.subject, sizeof(d.subject));
		col_text(&q, d.detail, sizeof(d.detail));
		stopped = row(ctx, &d);
	}
	return query_stop(&q, rc, stopped, diag);
}
