/*
 * The facts of a subject, by index: what it costs depends on how many there are in the time asked for, not on how many there are.
 */
#include "gateway/store/sqlite/place.h"
#include "gateway/store/sqlite/row.h"
#include "gateway/store/sqlite/schema.h"
#include "gateway/store/sqlite/writer.h"

struct facts {
	struct store *s;
	const struct store_subject *subject;
	unsigned needs;
	int64_t since_ms, until_ms;
	store_fact_fn row;
	void *ctx;
	struct gf_diag *diag;
};

/* `site`: where it was at the fact's time. */
#define MACHINE_COLUMNS(site)                                             \
	"d.device, d.class, d.model, " site ", coalesce(d.rated_motor_h, 0)," \
	" d.motor_before_ms, coalesce(d.vibration_ms2, 0)"
#define MACHINE_COLUMNS_AT(at) MACHINE_COLUMNS(PLACE_SITE("d.device", at))
/* The machines of a site while they were there, as far as that reaches into the time asked for; then the facts of each (?1 site, ?2 since, ?3 until). */
#define AT_SITE "sites t CROSS JOIN places p ON p.site = t.name AND p.until_ms > ?2 CROSS JOIN "
#define AT_SITE_WHILE(device, at) \
	"t.site = ?1 AND " device " = p.device AND " at " >= max(?2, p.from_ms) AND " at " < min(?3, p.until_ms)"

static void machine_columns(struct query *q, struct store_fact *f, float *ret_vibration_ms2)
{
	f->fact.device = col_i64(q);
	f->fact.class = (enum gf_class)col_i64(q);
	col_text(q, f->model, sizeof(f->model));
	col_text(q, f->site, sizeof(f->site));
	f->rated_motor_h = col_real(q);
	f->motor_before_ms = col_u64(q);
	*ret_vibration_ms2 = (float)col_real(q);
}

static void ask(struct query *q, const struct facts *f)
{
	query_i64(q, f->subject->key);
	query_i64(q, f->since_ms);
	query_i64(q, f->until_ms);
}

/* ---- sessions ---- */

#define SESSION_COLUMNS                                                                                               \
	", s.session_no, s.started_ms, s.ended_ms, s.routine, s.outcome,"                                                 \
	" max(s.duration_ms - s.paused_ms, 0), s.motor_ms, s.pain_presses, s.odo_motor_ms, s.odo_sessions, s.odo_cycles " \
	"FROM "
#define SESSION_MACHINE "sessions s CROSS JOIN devices d ON d.device = s.device WHERE s.outcome <> 0 AND "
#define SESSION_SELECT "SELECT " MACHINE_COLUMNS_AT("s.ended_ms") SESSION_COLUMNS SESSION_MACHINE
#define SESSION_ORDER " ORDER BY s.ended_ms DESC, s.device DESC, s.session_no DESC"
#define SESSION_TIME " AND s.ended_ms >= ?2 AND s.ended_ms < ?3" SESSION_ORDER

static const char *const session_texts[RULE_SUBJECT_COUNT] = {
    [RULE_SUBJECT_DEVICE] = SESSION_SELECT "s.device = ?1" SESSION_TIME,
    [RULE_SUBJECT_PERSON] = SESSION_SELECT "s.subject_token = ?1 AND s.subject_token <> 0" SESSION_TIME,
    [RULE_SUBJECT_AREA] = SESSION_SELECT "s.subject_token = ?1 AND s.subject_token <> 0" SESSION_TIME,
    [RULE_SUBJECT_STAFF] = SESSION_SELECT "s.staff_token = ?1 AND s.staff_token <> 0" SESSION_TIME,
    [RULE_SUBJECT_SITE] = "SELECT " MACHINE_COLUMNS("p.site")
        SESSION_COLUMNS AT_SITE SESSION_MACHINE AT_SITE_WHILE("s.device", "s.ended_ms") SESSION_ORDER,
};

static enum fact_depth depth_of(const struct gf_area_use *areas, size_t count)
{
	float max = 0;

	for (size_t i = 0; i < count; i++)
		max = areas[i].max_intensity_pct > max ? areas[i].max_intensity_pct : max;
	return fact_depth_of(max);
}

static void session_columns(struct query *q, struct store_fact *s)
{
	struct fact *f = &s->fact;

	f->kind = FACT_SESSION;
	machine_columns(q, s, &f->session.vibration_ms2);
	f->no = col_u64(q);
	f->session.started_ms = col_i64(q);
	f->at_ms = col_i64(q);
	col_text(q, f->session.routine, sizeof(f->session.routine));
	f->session.outcome = (enum gf_outcome)col_i64(q);
	f->session.running_ms = (uint32_t)col_i64(q);
	f->session.motor_ms = col_u64(q);
	f->session.pain_presses = (uint32_t)col_i64(q);
	s->odometer.motor_ms = col_u64(q);
	s->odometer.sessions = col_u64(q);
	s->odometer.cycles = col_u64(q);
}

/* Runs a query of sessions to its end, or to the first that the caller refuses. */
static int give_sessions(const struct facts *f, struct query *q)
{
	struct gf_area_use areas[GF_SESSION_AREAS_MAX];
	int rc = QUERY_DONE, r = 0;

	while (!r && (rc = query_step(q)) == QUERY_ROW) {
		struct store_fact s = {.fact = {.kind = FACT_SESSION}};

		session_columns(q, &s);
		if (f->needs & STORE_NEEDS_AREAS) {
			r = row_areas(&f->s->db, s.fact.device, s.fact.no, areas, &s.fact.session.areas_count, f->diag);
			s.fact.session.areas = areas;
			s.fact.session.depth = depth_of(areas, s.fact.session.areas_count);
		}
		if (!r)
			r = f->row(f->ctx, &s);
	}
	return query_stop(q, rc, r, f->diag);
}

static int newest_session_before(const struct facts *f)
{
	struct query q;

	query_begin(&q, &f->s->db,
	            SESSION_SELECT "s.device = ?1 AND s.ended_ms < ?2 ORDER BY s.ended_ms DESC, s.session_no DESC LIMIT 1");
	query_i64(&q, f->subject->key);
	query_i64(&q, f->since_ms);
	return give_sessions(f, &q);
}

static int give_all_sessions(const struct facts *f)
{
	struct query q;
	int r;

	query_begin(&q, &f->s->db, session_texts[f->subject->kind]);
	ask(&q, f);
	r = give_sessions(f, &q);
	return r || f->subject->kind != RULE_SUBJECT_DEVICE ? r : newest_session_before(f);
}

/* ---- what machines said ---- */

/* A text for a machine, and one for a site, of a table's facts: their columns after the machine's, when they were, and their order. */
#define TOLD_DEVICE(table, at, columns, order)                                                                    \
	"SELECT " MACHINE_COLUMNS_AT("x." at) columns " FROM " table " x CROSS JOIN devices d ON d.device = x.device" \
	                                              " WHERE x.device = ?1 AND x." at " >= ?2 AND x." at             \
	                                              " < ?3 ORDER BY x." at " DESC" order
#define TOLD_SITE(table, at, columns, order)                                    \
	"SELECT " MACHINE_COLUMNS("p.site") columns                                 \
	    " FROM " AT_SITE table " x CROSS JOIN devices d ON d.device = x.device" \
	    " WHERE " AT_SITE_WHILE("x.device", "x." at) " ORDER BY x." at " DESC" order
#define TOLD(table, at, columns, order) TOLD_DEVICE(table, at, columns, order), TOLD_SITE(table, at, columns, order)

#define FAULT_COLUMNS ", x.raised_ms, x.fault_no, x.code, x.severity"
#define FAULT_ORDER ", x.device DESC, x.fault_no DESC"
#define LIMIT_COLUMNS ", x.at_ms, x.stream, x.seq, x.rule, x.action, x.session_no"
#define BEAT_SENSOR(s) ", x." #s "_min, x." #s "_mean, x." #s "_max, x." #s "_last"
#define BEAT_COLUMNS ", x.at_ms, x.stream, x.seq, x.interval_ms" SCHEMA_SENSORS(BEAT_SENSOR)
#define STREAM_ORDER ", x.device DESC, x.stream DESC, x.seq DESC"

static void fault_columns(struct query *q, struct fact *f)
{
	f->at_ms = col_i64(q);
	f->no = col_u64(q);
	f->fault.code = (enum gf_fault)col_i64(q);
	f->fault.severity = (enum gf_severity)col_i64(q);
}

static void place_columns(struct query *q, struct fact *f)
{
	uint64_t stream;

	f->at_ms = col_i64(q);
	stream = col_u64(q);
	f->no = stream << ROW_STREAM_SHIFT | col_u64(q);
}

static void limit_columns(struct query *q, struct fact *f)
{
	place_columns(q, f);
	col_text(q, f->limit.rule, sizeof(f->limit.rule));
	col_text(q, f->limit.action, sizeof(f->limit.action));
	f->limit.session_no = col_u64(q);
}

static void beat_columns(struct query *q, struct fact *f)
{
	place_columns(q, f);
	f->heartbeat.interval_ms = (uint32_t)col_i64(q);
	for (size_t i = 1; i < GF_SENSOR_COUNT; i++) {
		struct gf_stat *s = &f->heartbeat.sensors[i];

		s->present = !col_null(q);
		s->min = (float)col_real(q);
		s->mean = (float)col_real(q);
		s->max = (float)col_real(q);
		s->last = (float)col_real(q);
	}
}

static const struct {
	const char *device, *site;
	void (*columns)(struct query *q, struct fact *f);
} sources[FACT_KINDS] = {
    [FACT_HEARTBEAT] = {TOLD("heartbeats", "at_ms", BEAT_COLUMNS, STREAM_ORDER), beat_columns},
    [FACT_FAULT] = {TOLD("faults", "raised_ms", FAULT_COLUMNS, FAULT_ORDER), fault_columns},
    [FACT_LIMIT] = {TOLD("limit_hits", "at_ms", LIMIT_COLUMNS, STREAM_ORDER), limit_columns},
};

static int give_told(const struct facts *f, enum fact_kind kind)
{
	bool device = f->subject->kind == RULE_SUBJECT_DEVICE;
	struct query q;
	int rc = QUERY_DONE, r = 0;

	if (!device && f->subject->kind != RULE_SUBJECT_SITE)
		return 0;
	query_begin(&q, &f->s->db, device ? sources[kind].device : sources[kind].site);
	ask(&q, f);
	while (!r && (rc = query_step(&q)) == QUERY_ROW) {
		struct store_fact s = {.fact = {.kind = kind}};
		float vibration_ms2;

		machine_columns(&q, &s, &vibration_ms2);
		sources[kind].columns(&q, &s.fact);
		r = f->row(f->ctx, &s);
	}
	return query_stop(&q, rc, r, f->diag);
}

/* ---- parts renewed ---- */

#define SERVICE_MACHINE MACHINE_COLUMNS_AT("v.at_ms")
#define SERVICE_SELECT                                                                                \
	"SELECT " SERVICE_MACHINE ", v.id, v.part, v.at_ms, v.odo_motor_ms, v.odo_sessions, v.odo_cycles" \
	" FROM services v CROSS JOIN devices d USING (device) WHERE v.device = ?"                         \
	" ORDER BY v.at_ms DESC, v.id DESC"

/* All of them: a machine has few, and the newest before any time is wanted too. */
static int give_services(const struct facts *f)
{
	struct query q;
	int rc = QUERY_DONE, r = 0;

	if (f->subject->kind != RULE_SUBJECT_DEVICE)
		return 0;
	query_begin(&q, &f->s->db, SERVICE_SELECT);
	query_i64(&q, f->subject->key);
	while (!r && (rc = query_step(&q)) == QUERY_ROW) {
		struct store_fact s = {.fact = {.kind = FACT_SERVICE}};
		float vibration_ms2;

		machine_columns(&q, &s, &vibration_ms2);
		s.fact.no = col_u64(&q);
		s.fact.service.part = (enum fact_part)col_i64(&q);
		s.fact.at_ms = col_i64(&q);
		s.odometer.motor_ms = col_u64(&q);
		s.odometer.sessions = col_u64(&q);
		s.odometer.cycles = col_u64(&q);
		r = f->row(f->ctx, &s);
	}
	return query_stop(&q, rc, r, f->diag);
}

int store_judge_facts(struct store *store, const struct store_subject *subject, unsigned needs, int64_t since_ms,
                      int64_t until_ms, store_fact_fn row, void *ctx, struct gf_diag *diag)
{
	const struct facts f = {store, subject, needs, since_ms, until_ms, row, ctx, diag};
	int r = needs & 1U << FACT_SESSION ? give_all_sessions(&f) : 0;

	for (enum fact_kind kind = FACT_HEARTBEAT; kind <= FACT_LIMIT && !r; kind++)
		if (needs & 1U << kind)
			r = give_told(&f, kind);
	if (!r && (needs & 1U << FACT_SERVICE))
		r = give_services(&f);
	return r;
}
