/*
 * Records. Each kind has a row in `kinds`: the message's descriptor, the table of its plain fields, and, where it has more
 * than plain fields, a function for each direction. A kind's field number in Record is RECORD_FIELD_BASE + kind.
 */
#include "proto/codec_wire.h"

#include <string.h>

enum { RECORD_FIELD_BASE = 10 };

_Static_assert((int)GYMFLEET__V1__RECORD__BODY_HEARTBEAT == RECORD_FIELD_BASE + (int)GF_RECORD_HEARTBEAT &&
                   (int)GYMFLEET__V1__RECORD__BODY_LOST == RECORD_FIELD_BASE + (int)GF_RECORD_LOST,
               "field numbers of the bodies follow the kinds");

static const struct gf_field record_fields[] = {
    GF_U64(Record, record, seq, 1, GF_COUNT_MAX),
    GF_U64(Record, record, boot, 0, GF_COUNT_MAX),
    GF_U64(Record, record, uptime_ms, 0, GF_SPAN_MS_MAX),
    GF_U64(Record, record, wall_ms, 0, GF_WALL_MS_MAX),
    GF_BOOL(Record, record, clock_synced),
};
static const struct gf_table record_table = GF_TABLE(record_fields);

static const struct gf_field heartbeat_fields[] = {
    GF_U32(Heartbeat, heartbeat, interval_ms),
    GF_U32(Heartbeat, heartbeat, motor_ms),
    GF_BOOL(Heartbeat, heartbeat, in_session),
    GF_BOOL(Heartbeat, heartbeat, derated),
    GF_U32(Heartbeat, heartbeat, spool_records),
    GF_U64(Heartbeat, heartbeat, spool_bytes, 0, GF_COUNT_MAX),
    GF_U64(Heartbeat, heartbeat, spool_dropped, 0, GF_COUNT_MAX),
    GF_U32(Heartbeat, heartbeat, link_connects),
    GF_U32(Heartbeat, heartbeat, tick_p99_us),
    GF_U32(Heartbeat, heartbeat, tick_worst_us),
    GF_U32(Heartbeat, heartbeat, tick_overruns),
    GF_U32(Heartbeat, heartbeat, duty_ms),
    GF_U32(Heartbeat, heartbeat, duty_max_ms),
    GF_U32(Heartbeat, heartbeat, rest_left_ms),
    GF_U32(Heartbeat, heartbeat, bus_timeouts),
    GF_U32(Heartbeat, heartbeat, bus_crc_errors),
    GF_U32(Heartbeat, heartbeat, bus_exceptions),
    GF_U32(Heartbeat, heartbeat, bus_reconnects),
};

static const struct gf_field session_started_fields[] = {
    GF_U64(SessionStarted, session_started, session_no, 1, GF_COUNT_MAX),
    GF_TEXT(SessionStarted, session_started, routine),
    GF_TEXT(SessionStarted, session_started, catalog),
    GF_U64(SessionStarted, session_started, catalog_version, 0, GF_COUNT_MAX),
    GF_U32(SessionStarted, session_started, planned_s),
    GF_U64(SessionStarted, session_started, subject_token, 0, GF_U64_MAX),
    GF_U64(SessionStarted, session_started, staff_token, 0, GF_U64_MAX),
};
static const struct gf_table session_started_table = GF_TABLE(session_started_fields);

static const struct gf_field session_ended_fields[] = {
    GF_U64(SessionEnded, session_ended, started_boot, 0, GF_COUNT_MAX),
    GF_U64(SessionEnded, session_ended, started_uptime_ms, 0, GF_SPAN_MS_MAX),
    GF_U64(SessionEnded, session_ended, started_wall_ms, 0, GF_WALL_MS_MAX),
    GF_BOOL(SessionEnded, session_ended, started_clock_synced),
    GF_U32(SessionEnded, session_ended, duration_ms),
    GF_U32(SessionEnded, session_ended, paused_ms),
    GF_U64(SessionEnded, session_ended, motor_ms, 0, GF_SPAN_MS_MAX),
    GF_ENUM(SessionEnded, session_ended, outcome, 1, GF_OUTCOME_COUNT),
    GF_OPTIONAL(SessionEnded, session_ended, peak_motor_temp_c, peak_motor_temp, 11, GF_TEMP_MIN_C, GF_TEMP_MAX_C),
    GF_OPTIONAL(SessionEnded, session_ended, peak_surface_temp_c, peak_surface_temp, 12, GF_TEMP_MIN_C, GF_TEMP_MAX_C),
    GF_OPTIONAL(SessionEnded, session_ended, peak_current_ma, peak_current, 13, -GF_CURRENT_MAX_MA, GF_CURRENT_MAX_MA),
    GF_OPTIONAL(SessionEnded, session_ended, peak_pressure_mmhg, peak_pressure, 14, -GF_PRESSURE_MAX_MMHG,
                GF_PRESSURE_MAX_MMHG),
    GF_U32(SessionEnded, session_ended, pain_presses),
};

static const struct gf_field area_use_fields[] = {
    GF_ENUM(AreaUse, area_use, area, 1, GF_AREA_COUNT),
    GF_ENUM(AreaUse, area_use, side, 1, GF_SIDE_COUNT),
    GF_ENUM(AreaUse, area_use, technique, 1, GF_TECHNIQUE_COUNT),
    GF_U32(AreaUse, area_use, ms),
    GF_FLOAT(AreaUse, area_use, mean_intensity_pct, 0, GF_PCT_MAX),
    GF_FLOAT(AreaUse, area_use, max_intensity_pct, 0, GF_PCT_MAX),
};
static const struct gf_table area_use_table = GF_TABLE(area_use_fields);

static const struct gf_field fault_raised_fields[] = {
    GF_U64(FaultRaised, fault_raised, fault_no, 1, GF_COUNT_MAX),
    GF_ENUM(FaultRaised, fault_raised, code, 1, GF_FAULT_COUNT),
    GF_ENUM(FaultRaised, fault_raised, severity, 1, GF_SEVERITY_COUNT),
    GF_OPTIONAL(FaultRaised, fault_raised, observed, observed_number, 4, -GF_NUMBER_MAX, GF_NUMBER_MAX),
    GF_OPTIONAL(FaultRaised, fault_raised, limit, limit_number, 5, -GF_NUMBER_MAX, GF_NUMBER_MAX),
    GF_U64(FaultRaised, fault_raised, session_no, 0, GF_COUNT_MAX),
    GF_TEXT(FaultRaised, fault_raised, detail),
};

static const struct gf_field fault_cleared_fields[] = {
    GF_U64(FaultCleared, fault_cleared, fault_no, 1, GF_COUNT_MAX),
    GF_ENUM(FaultCleared, fault_cleared, code, 1, GF_FAULT_COUNT),
    GF_ENUM(FaultCleared, fault_cleared, by, 1, GF_CLEARED_BY_COUNT),
    GF_U64(FaultCleared, fault_cleared, lasted_ms, 0, GF_SPAN_MS_MAX),
};

static const struct gf_field limit_hit_fields[] = {
    GF_TEXT(LimitHit, limit_hit, rule),
    GF_ENUM(LimitHit, limit_hit, area, 0, GF_AREA_COUNT),
    GF_ENUM(LimitHit, limit_hit, side, 0, GF_SIDE_COUNT),
    GF_FLOAT(LimitHit, limit_hit, observed, -GF_NUMBER_MAX, GF_NUMBER_MAX),
    GF_FLOAT(LimitHit, limit_hit, limit, -GF_NUMBER_MAX, GF_NUMBER_MAX),
    GF_U64(LimitHit, limit_hit, session_no, 0, GF_COUNT_MAX),
    GF_TEXT(LimitHit, limit_hit, action),
    GF_U32(LimitHit, limit_hit, lasts_ms),
};

static const struct gf_field catalog_changed_fields[] = {
    GF_TEXT(CatalogChanged, catalog_changed, catalog),
    GF_U64(CatalogChanged, catalog_changed, version, 0, GF_COUNT_MAX),
    GF_U64(CatalogChanged, catalog_changed, previous_version, 0, GF_COUNT_MAX),
    GF_ENUM(CatalogChanged, catalog_changed, cause, 0, GF_CATALOG_CAUSE_COUNT),
    GF_DIGEST_AS(CatalogChanged, digest, catalog_changed, digest),
};

static const struct gf_field desired_applied_fields[] = {
    GF_U64(DesiredApplied, desired_applied, revision, 0, GF_COUNT_MAX),
    GF_ENUM(DesiredApplied, desired_applied, step, 0, GF_DESIRED_STEP_COUNT),
    GF_ENUM(DesiredApplied, desired_applied, refusal, 0, GF_REFUSAL_COUNT),
    GF_TEXT(DesiredApplied, desired_applied, detail),
    GF_TEXT(DesiredApplied, desired_applied, catalog),
    GF_U64(DesiredApplied, desired_applied, version, 0, GF_COUNT_MAX),
    GF_DIGEST_AS(DesiredApplied, digest, desired_applied, digest),
};

static const struct gf_field lost_fields[] = {
    GF_U64(Lost, lost, through_seq, 1, GF_COUNT_MAX),
    GF_U64(Lost, lost, first_wall_ms, 0, GF_WALL_MS_MAX),
    GF_U64(Lost, lost, last_wall_ms, 0, GF_WALL_MS_MAX),
};

/* What each sensor can show, with room for one that is broken but not absurd. */
static const struct {
	double min, max;
} sensor_ranges[GF_SENSOR_COUNT] = {
    [GF_SENSOR_MOTOR_TEMP_C] = {GF_TEMP_MIN_C, GF_TEMP_MAX_C},
    [GF_SENSOR_SURFACE_TEMP_C] = {GF_TEMP_MIN_C, GF_TEMP_MAX_C},
    [GF_SENSOR_CURRENT_MA] = {-GF_CURRENT_MAX_MA, GF_CURRENT_MAX_MA},
    [GF_SENSOR_SPEED_RPM] = {-1e5, 1e5},
    [GF_SENSOR_PRESSURE_MMHG] = {-GF_PRESSURE_MAX_MMHG, GF_PRESSURE_MAX_MMHG},
    [GF_SENSOR_SUPPLY_MV] = {-1e6, 1e6},
    [GF_SENSOR_BATTERY_PCT] = {0, GF_PCT_MAX},
};
_Static_assert(GF_SENSOR_COUNT == 8, "a range for each sensor");

/* What a record points at while it is being packed. */
struct pieces {
	union {
		ProtobufCMessage base;
		Gymfleet__V1__Heartbeat heartbeat;
		Gymfleet__V1__SessionStarted session_started;
		Gymfleet__V1__SessionEnded session_ended;
		Gymfleet__V1__FaultRaised fault_raised;
		Gymfleet__V1__FaultCleared fault_cleared;
		Gymfleet__V1__LimitHit limit_hit;
		Gymfleet__V1__CatalogChanged catalog_changed;
		Gymfleet__V1__DesiredApplied desired_applied;
		Gymfleet__V1__Lost lost;
	} body;
	Gymfleet__V1__Odometer odometer;
	Gymfleet__V1__SessionStarted start;
	Gymfleet__V1__Stat stats[GF_SENSOR_COUNT], *stat_list[GF_SENSOR_COUNT];
	Gymfleet__V1__AreaUse areas[GF_SESSION_AREAS_MAX], *area_list[GF_SESSION_AREAS_MAX];
	Gymfleet__V1__LostCount counts[GF_RECORD_COUNT], *count_list[GF_RECORD_COUNT];
};

static Gymfleet__V1__Odometer *odometer_to_wire(const struct gf_odometer *odometer, struct pieces *p)
{
	gymfleet__v1__odometer__init(&p->odometer);
	gf_fields_to_wire(&gf_odometer_table, odometer, &p->odometer);
	return &p->odometer;
}

static void heartbeat_to_wire(const struct gf_record *record, struct pieces *p)
{
	Gymfleet__V1__Heartbeat *wire = &p->body.heartbeat;

	for (int i = 1; i < GF_SENSOR_COUNT; i++) {
		const struct gf_stat *from = &record->heartbeat.sensors[i];
		Gymfleet__V1__Stat *stat = &p->stats[i];

		if (!from->present)
			continue;
		gymfleet__v1__stat__init(stat);
		stat->sensor = (Gymfleet__V1__Sensor)i;
		stat->min = from->min;
		stat->mean = from->mean;
		stat->max = from->max;
		stat->last = from->last;
		p->stat_list[wire->n_sensors++] = stat;
	}
	wire->sensors = p->stat_list;
	wire->odometer = odometer_to_wire(&record->heartbeat.odometer, p);
}

static int stat_from_wire(const Gymfleet__V1__Stat *wire, struct gf_heartbeat *heartbeat, struct gf_diag *diag)
{
	int sensor = (int)wire->sensor;

	/* A sensor this build doesn't know is like an unknown field. */
	if (sensor >= GF_SENSOR_COUNT)
		return 0;
	if (sensor <= GF_SENSOR_UNSPECIFIED || heartbeat->sensors[sensor].present) {
		gf_diag_set(diag, "sensor %d is unspecified or given twice", sensor);
		return GF_CODEC_E_INVALID;
	}
	const float values[] = {wire->min, wire->mean, wire->max, wire->last};
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		int r = gf_number_check(gf_sensor_name((enum gf_sensor)sensor), (double)values[i], sensor_ranges[sensor].min,
		                        sensor_ranges[sensor].max, diag);
		if (r != 0)
			return r;
	}
	heartbeat->sensors[sensor] = (struct gf_stat){
	    .present = true,
	    .min = wire->min,
	    .mean = wire->mean,
	    .max = wire->max,
	    .last = wire->last,
	};
	return 0;
}

static int heartbeat_from_wire(const void *message, struct gf_record *record, struct gf_diag *diag)
{
	const Gymfleet__V1__Heartbeat *wire = message;

	for (size_t i = 0; i < wire->n_sensors; i++) {
		int r = stat_from_wire(wire->sensors[i], &record->heartbeat, diag);
		if (r != 0)
			return r;
	}
	return gf_odometer_from_wire(wire->odometer, &record->heartbeat.odometer, diag);
}

static void session_ended_to_wire(const struct gf_record *record, struct pieces *p)
{
	const struct gf_session_ended *ended = &record->session_ended;
	Gymfleet__V1__SessionEnded *wire = &p->body.session_ended;

	gymfleet__v1__session_started__init(&p->start);
	gf_fields_to_wire(&session_started_table, &ended->start, &p->start);
	wire->start = &p->start;
	for (size_t i = 0; i < ended->areas_count; i++) {
		gymfleet__v1__area_use__init(&p->areas[i]);
		gf_fields_to_wire(&area_use_table, &ended->areas[i], &p->areas[i]);
		p->area_list[i] = &p->areas[i];
	}
	wire->n_areas = ended->areas_count;
	wire->areas = p->area_list;
	wire->odometer = odometer_to_wire(&ended->odometer, p);
}

static int areas_from_wire(const Gymfleet__V1__SessionEnded *wire, struct gf_session_ended *ended, struct gf_diag *diag)
{
	int r = gf_number_check("areas", (double)wire->n_areas, 0, GF_SESSION_AREAS_MAX, diag);

	for (size_t i = 0; r == 0 && i < wire->n_areas; i++)
		r = gf_fields_from_wire(&area_use_table, wire->areas[i], &ended->areas[i], diag);
	ended->areas_count = wire->n_areas;
	return r;
}

static int session_ended_from_wire(const void *message, struct gf_record *record, struct gf_diag *diag)
{
	const Gymfleet__V1__SessionEnded *wire = message;
	struct gf_session_ended *ended = &record->session_ended;

	if (!wire->start) {
		gf_diag_set(diag, "start is missing");
		return GF_CODEC_E_INVALID;
	}
	int r = gf_fields_from_wire(&session_started_table, wire->start, &ended->start, diag);
	if (r == 0)
		r = areas_from_wire(wire, ended, diag);
	if (r == 0)
		r = gf_odometer_from_wire(wire->odometer, &ended->odometer, diag);
	/* Readers subtract the two to get the odometer before the session. */
	if (r == 0 && ended->motor_ms > ended->odometer.motor_ms) {
		gf_diag_set(diag, "motor_ms is more than the odometer's");
		r = GF_CODEC_E_INVALID;
	}
	return r;
}

static void lost_to_wire(const struct gf_record *record, struct pieces *p)
{
	Gymfleet__V1__Lost *wire = &p->body.lost;

	for (int kind = 0; kind < GF_RECORD_COUNT; kind++) {
		Gymfleet__V1__LostCount *count = &p->counts[kind];

		if (record->lost.counts[kind] == 0)
			continue;
		gymfleet__v1__lost_count__init(count);
		count->kind = (Gymfleet__V1__RecordKind)kind;
		count->count = record->lost.counts[kind];
		p->count_list[wire->n_counts++] = count;
	}
	wire->counts = p->count_list;
}

static int lost_from_wire(const void *message, struct gf_record *record, struct gf_diag *diag)
{
	const Gymfleet__V1__Lost *wire = message;
	struct gf_lost *lost = &record->lost;

	if (lost->through_seq < record->seq) {
		gf_diag_set(diag, "through_seq is below seq");
		return GF_CODEC_E_INVALID;
	}
	uint64_t left = lost->through_seq - record->seq + 1;
	for (size_t i = 0; i < wire->n_counts; i++) {
		unsigned kind = (unsigned)wire->counts[i]->kind;
		uint64_t count = wire->counts[i]->count;

		if (count > left) {
			gf_diag_set(diag, "counts add up to more than seq..through_seq");
			return GF_CODEC_E_INVALID;
		}
		left -= count;
		/* What was lost of a kind this build doesn't know is still counted. */
		lost->counts[kind < GF_RECORD_COUNT ? kind : GF_RECORD_UNSPECIFIED] += count;
	}
	return 0;
}

struct kind {
	const ProtobufCMessageDescriptor *type;
	struct gf_table table;
	void (*more_to_wire)(const struct gf_record *record, struct pieces *pieces); /* NULL: the table is all */
	int (*more_from_wire)(const void *message, struct gf_record *record, struct gf_diag *diag);
};

#define KIND(name) .type = &gymfleet__v1__##name##__descriptor, .table = GF_TABLE(name##_fields)

static const struct kind kinds[GF_RECORD_COUNT] = {
    [GF_RECORD_HEARTBEAT] = {KIND(heartbeat), heartbeat_to_wire, heartbeat_from_wire},
    [GF_RECORD_SESSION_STARTED] = {KIND(session_started), NULL, NULL},
    [GF_RECORD_SESSION_ENDED] = {KIND(session_ended), session_ended_to_wire, session_ended_from_wire},
    [GF_RECORD_FAULT_RAISED] = {KIND(fault_raised), NULL, NULL},
    [GF_RECORD_FAULT_CLEARED] = {KIND(fault_cleared), NULL, NULL},
    [GF_RECORD_LIMIT_HIT] = {KIND(limit_hit), NULL, NULL},
    [GF_RECORD_CATALOG_CHANGED] = {KIND(catalog_changed), NULL, NULL},
    [GF_RECORD_DESIRED_APPLIED] = {KIND(desired_applied), NULL, NULL},
    [GF_RECORD_LOST] = {KIND(lost), lost_to_wire, lost_from_wire},
};
_Static_assert(GF_RECORD_COUNT == 10, "a row for each kind");

/* All bodies of a record share one place in both structs. */
static void *body_of(struct gf_record *record)
{
	return &record->heartbeat;
}

int gf_record_encode(const struct gf_record *record, void *buf, size_t size, size_t *ret_len)
{
	Gymfleet__V1__Record wire = GYMFLEET__V1__RECORD__INIT;
	struct pieces p;
	const struct kind *kind = &kinds[record->kind];

	gf_fields_to_wire(&record_table, record, &wire);
	if (kind->type) {
		protobuf_c_message_init(kind->type, &p.body);
		gf_fields_to_wire(&kind->table, &record->heartbeat, &p.body);
		if (kind->more_to_wire)
			kind->more_to_wire(record, &p);
		wire.body_case = (Gymfleet__V1__Record__BodyCase)(RECORD_FIELD_BASE + (int)record->kind);
		wire.heartbeat = &p.body.heartbeat;
	}
	return gf_wire_pack(&wire.base, buf, size, ret_len);
}

static int record_from_wire(const Gymfleet__V1__Record *wire, struct gf_record *record, struct gf_diag *diag)
{
	int r = gf_fields_from_wire(&record_table, wire, record, diag);

	/* Another kind's body is an unknown field to protobuf: the record stays unspecified. */
	if (r != 0 || wire->body_case == GYMFLEET__V1__RECORD__BODY__NOT_SET)
		return r;
	record->kind = (enum gf_record_kind)((int)wire->body_case - RECORD_FIELD_BASE);
	const struct kind *kind = &kinds[record->kind];
	r = gf_fields_from_wire(&kind->table, wire->heartbeat, body_of(record), diag);
	if (r == 0 && kind->more_from_wire)
		r = kind->more_from_wire(wire->heartbeat, record, diag);
	if (r != 0)
		gf_diag_prefix(diag, "%s", gf_record_kind_name(record->kind));
	return r;
}

int gf_record_decode_in(struct gf_arena *arena, const void *data, size_t len, struct gf_record *ret_record,
                        struct gf_diag *diag)
{
	Gymfleet__V1__Record *wire;

	gf_arena_reset(arena);
	*ret_record = (struct gf_record){0};
	int r = gf_wire_unpack(arena, &gymfleet__v1__record__descriptor, data, len, GF_RECORD_MAX, &wire, diag);
	if (r == 0)
		r = record_from_wire(wire, ret_record, diag);
	if (r != 0)
		*ret_record = (struct gf_record){0};
	return r;
}

int gf_record_decode(const void *data, size_t len, struct gf_record *ret_record, struct gf_diag *diag)
{
	struct gf_arena arena;
	struct gf_record record;

	gf_arena_init(&arena, GF_CODEC_ARENA_BUDGET);
	int r = gf_record_decode_in(&arena, data, len, &record, diag);
	gf_arena_deinit(&arena);
	if (r == 0)
		*ret_record = record;
	return r;
}
