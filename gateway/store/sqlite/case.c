/*
 * Faults become cases. What is new is a case of its own first, which takes in those it touches in time: none for a fault that wasn't there lately, one
 * for a repeated one, more when something late fills the time between them. Then the lowest number stays, the one that people have known longest, and
 * the others lead to it.
 *
 * The cases of a device and code never overlap, so that those touched are found from their end backwards, and each step costs the same however
 * many faults they hold.
 */
#include "gateway/store/sqlite/case.h"

static int64_t max64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Until when a fault that is raised belongs to it. */
static int64_t reach_of(const struct case_row *c)
{
	return max64(c->last_ms, c->cleared_ms) + STORE_CASE_AGAIN_MS;
}

/* ---- folding ---- */

static bool newer(const struct case_row *a, const struct case_row *b)
{
	if (a->last_ms != b->last_ms)
		return a->last_ms > b->last_ms;
	if (a->stream != b->stream)
		return a->stream > b->stream;
	return a->fault_no > b->fault_no;
}

static void take_newest(struct case_row *into, const struct case_row *from)
{
	if (!newer(from, into))
		return;
	into->last_ms = from->last_ms;
	into->stream = from->stream;
	into->fault_no = from->fault_no;
	into->session_no = from->session_no;
	into->observed = from->observed;
	into->limit = from->limit;
	gf_strcpy(into->detail, sizeof(into->detail), from->detail);
}

static void take_clearing(struct case_row *into, const struct case_row *from)
{
	if (from->cleared_ms > into->cleared_ms)
		into->cleared_by = from->cleared_by;
	else if (from->cleared_ms == into->cleared_ms)
		into->cleared_by = max64(into->cleared_by, from->cleared_by);
	if (from->cleared_ms > into->cleared_ms || (from->cleared_ms == into->cleared_ms && !into->person[0]))
		gf_strcpy(into->person, sizeof(into->person), from->person);
	into->cleared_ms = max64(into->cleared_ms, from->cleared_ms);
}

static void fold(struct case_row *into, const struct case_row *from)
{
	take_newest(into, from);
	take_clearing(into, from);
	into->severity = max64(into->severity, from->severity);
	into->times += from->times;
	into->open += from->open;
	into->lasted_ms += from->lasted_ms;
	if (from->first_ms < into->first_ms)
		into->first_ms = from->first_ms;
	if (from->acked_ms > into->acked_ms) {
		into->acked_ms = from->acked_ms;
		gf_strcpy(into->acked_by, sizeof(into->acked_by), from->acked_by);
		gf_strcpy(into->ack_note, sizeof(into->ack_note), from->ack_note);
	}
}

/* ---- rows ---- */

#define CASE_COLUMNS                                                                                               \
	"device, code, severity, times, open, first_ms, last_ms, cleared_ms, cleared_by, lasted_ms, stream, fault_no," \
	" session_no, observed, limit_value, detail, person, acked_ms, acked_by, ack_note"

static void read_row(struct query *q, struct case_row *c)
{
	int64_t *const numbers[] = {
	    &c->id,       &c->device,  &c->code,       &c->severity,   &c->times,     &c->open,
	    &c->first_ms, &c->last_ms, &c->cleared_ms, &c->cleared_by, &c->lasted_ms, &c->stream,
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		*numbers[i] = col_i64(q);
	c->fault_no = col_u64(q);
	c->session_no = col_u64(q);
	c->observed = col_real(q);
	c->limit = col_real(q);
	col_text(q, c->detail, sizeof(c->detail));
	col_text(q, c->person, sizeof(c->person));
	c->acked_ms = col_i64(q);
	col_text(q, c->acked_by, sizeof(c->acked_by));
	col_text(q, c->ack_note, sizeof(c->ack_note));
}

static void give_row(struct query *q, const struct case_row *c)
{
	const int64_t numbers[] = {c->device,  c->code,       c->severity,   c->times,     c->open,  c->first_ms,
	                           c->last_ms, c->cleared_ms, c->cleared_by, c->lasted_ms, c->stream};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		query_i64(q, numbers[i]);
	query_u64(q, c->fault_no);
	query_u64(q, c->session_no);
	query_real(q, c->observed);
	query_real(q, c->limit);
	query_text(q, c->detail);
	query_text(q, c->person);
	query_i64(q, c->acked_ms);
	query_text(q, c->acked_by);
	query_text(q, c->ack_note);
}

int case_insert(struct store *s, struct case_row *c, struct gf_diag *diag)
{
	struct query q;
	int r;

	query_begin(&q, &s->db,
	            "INSERT INTO cases (" CASE_COLUMNS ", reported) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
	            " ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)");
	give_row(&q, c);
	/* No fault has number 0. */
	query_i64(&q, c->stream == 0);
	r = query_run(&q, diag);
	if (!r)
		c->id = sqlite3_last_insert_rowid(s->db.handle);
	return r;
}

static int update(struct store *s, const struct case_row *c, struct gf_diag *diag)
{
	struct query q;

	query_begin(&q, &s->db,
	            "UPDATE cases SET (" CASE_COLUMNS ") = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	            " WHERE id = ?");
	give_row(&q, c);
	query_i64(&q, c->id);
	return query_run(&q, diag);
}

/* The last one of this device and code that began before `before_ms`; id 0 = none. */
static int load_before(struct store *s, const struct case_row *c, int64_t before_ms, struct case_row *ret_row,
                       struct gf_diag *diag)
{
	struct case_row row = {.id = 0};
	struct query q;
	int rc, r;

	query_begin(&q, &s->db,
	            "SELECT id, " CASE_COLUMNS " FROM cases WHERE device = ? AND code = ? AND reported = 0 AND first_ms < ?"
	            " ORDER BY first_ms DESC LIMIT 1");
	query_i64(&q, c->device);
	query_i64(&q, c->code);
	query_i64(&q, before_ms);
	rc = query_step(&q);
	if (rc == QUERY_ROW)
		read_row(&q, &row);
	r = query_end(&q, rc, diag);
	if (!r)
		*ret_row = row;
	return r;
}

/* `gone` is part of `id` now: who knows its number finds it. */
static int lead_to(struct store *s, int64_t gone, int64_t id, struct gf_diag *diag)
{
	static const char *const texts[] = {
	    "UPDATE case_aliases SET id = ?2 WHERE id = ?1",
	    "INSERT INTO case_aliases (old, id) VALUES (?1, ?2)",
	    "UPDATE tags SET case_id = ?2 WHERE case_id = ?1 AND case_id <> 0",
	    "DELETE FROM cases WHERE id = ?1 AND id <> ?2",
	};
	int r = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && !r; i++) {
		struct query q;

		query_begin(&q, &s->db, texts[i]);
		query_i64(&q, gone);
		query_i64(&q, id);
		r = query_run(&q, diag);
	}
	return r;
}

/* ---- what is new ---- */

/* Takes `other` in, and one of both numbers goes. */
static int take_in(struct store *s, struct case_row *c, const struct case_row *other, struct gf_diag *diag)
{
	int64_t low = other->id, high = c->id;
	int r = 0;

	if (c->id && c->id < low) {
		low = c->id;
		high = other->id;
	}
	if (high)
		r = lead_to(s, high, low, diag);
	fold(c, other);
	c->id = low;
	return r;
}

/* `fault` is what is new, with its own times; then the case that it is part of. */
static int join(struct store *s, struct case_row *fault, struct gf_diag *diag)
{
	struct case_row c = *fault, other;
	int64_t before_ms = reach_of(&c) + 1;
	int r;

	for (;;) {
		r = load_before(s, &c, before_ms, &other, diag);
		if (r || !other.id || reach_of(&other) < fault->first_ms)
			break;
		r = take_in(s, &c, &other, diag);
		/* Those before it don't touch it. */
		if (r || other.first_ms <= fault->first_ms)
			break;
		before_ms = other.first_ms;
	}
	if (!r && c.id)
		r = update(s, &c, diag);
	else if (!r && c.times) /* the clearing of a fault that no case knows makes none */
		r = case_insert(s, &c, diag);
	if (!r)
		*fault = c;
	return r;
}

int case_add(struct store *s, struct case_row *fault, struct gf_diag *diag)
{
	return join(s, fault, diag);
}

int case_find(struct store *s, int64_t device, int64_t code, int64_t raised_ms, int64_t *ret_id, struct gf_diag *diag)
{
	struct case_row c = {.device = device, .code = code};
	int r = load_before(s, &c, raised_ms + 1, &c, diag);

	if (!r)
		*ret_id = c.id;
	return r;
}

int case_clear(struct store *s, const struct case_cleared *cleared, int64_t *ret_id, struct gf_diag *diag)
{
	/* No occurrence more, one less that is open; any fault is newer than this. */
	struct case_row c = {
	    .device = cleared->device,
	    .code = cleared->code,
	    .open = -1,
	    .first_ms = cleared->raised_ms,
	    .last_ms = cleared->raised_ms,
	    .cleared_ms = max64(cleared->cleared_ms, cleared->raised_ms),
	    .cleared_by = cleared->by,
	    .lasted_ms = cleared->lasted_ms,
	    .stream = -1,
	};
	int r;

	gf_strcpy(c.person, sizeof(c.person), cleared->person ? cleared->person : "");
	r = join(s, &c, diag);
	if (!r)
		*ret_id = c.id;
	return r;
}
