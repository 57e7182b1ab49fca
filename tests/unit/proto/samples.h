/* Messages with a different value in every field, for the tests and the golden bytes. */
#ifndef GF_TEST_SAMPLES_H
#define GF_TEST_SAMPLES_H

#include <math.h>

#include "proto/codec.h"

static const struct gf_stream_id sample_stream = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
static const struct gf_digest sample_digest = {{0xa0, 1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                                16,   17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 0xbf}};
static const struct gf_odometer sample_odometer = {.motor_ms = 7200000, .sessions = 12, .cycles = 345678};

static struct gf_heartbeat sample_heartbeat(void)
{
	struct gf_heartbeat h = {
	    .interval_ms = 60000,
	    .motor_ms = 45000,
	    .in_session = true,
	    .derated = true,
	    .odometer = sample_odometer,
	    .spool_records = 7,
	    .spool_bytes = 65536,
	    .spool_dropped = 3,
	    .link_connects = 2,
	    .tick_p99_us = 180,
	    .tick_worst_us = 950,
	    .tick_overruns = 1,
	    .duty_ms = 600000,
	    .duty_max_ms = 1800000,
	    .rest_left_ms = 900000,
	    .bus_timeouts = 5,
	    .bus_crc_errors = 6,
	    .bus_exceptions = 7,
	    .bus_reconnects = 8,
	};

	h.sensors[GF_SENSOR_MOTOR_TEMP_C] = (struct gf_stat){true, 21.5F, 40.25F, 55.0F, 54.5F};
	h.sensors[GF_SENSOR_BATTERY_PCT] = (struct gf_stat){true, 80.0F, 81.0F, 82.0F, 80.5F};
	return h;
}

static struct gf_session_started sample_started(void)
{
	return (struct gf_session_started){
	    .session_no = 12,
	    .routine = "post_run_cooldown",
	    .catalog = "percussion",
	    .catalog_version = 8,
	    .planned_s = 790,
	    .subject_token = UINT64_MAX,
	    .staff_token = 77,
	};
}

static struct gf_session_ended sample_ended(void)
{
	struct gf_session_ended e = {
	    .start = sample_started(),
	    .started_boot = 4,
	    .started_uptime_ms = 1000,
	    .started_wall_ms = 1700000000000,
	    .started_clock_synced = true,
	    .duration_ms = 790000,
	    .paused_ms = 5000,
	    .motor_ms = 780000,
	    .outcome = GF_OUTCOME_USER_STOPPED,
	    .areas_count = 2,
	    .peak_motor_temp_c = 55.5F,
	    .peak_surface_temp_c = NAN,
	    .peak_current_ma = 0.0F, /* measured, and nothing: unlike NaN it must arrive */
	    .peak_pressure_mmhg = NAN,
	    .pain_presses = 1,
	    .odometer = sample_odometer,
	};

	e.areas[0] = (struct gf_area_use){GF_AREA_GLUTES, GF_SIDE_LEFT, GF_TECHNIQUE_ROLL, 60000, 35.5F, 40.0F};
	e.areas[1] = (struct gf_area_use){GF_AREA_LEGS, GF_SIDE_BOTH, GF_TECHNIQUE_WATER, 30000, 30.0F, 31.0F};
	return e;
}

static struct gf_lost sample_lost(void)
{
	struct gf_lost l = {.through_seq = 199, .first_wall_ms = 1700000000001, .last_wall_ms = 1700000000002};

	l.counts[GF_RECORD_HEARTBEAT] = 95;
	l.counts[GF_RECORD_LOST] = 2;
	return l;
}

/* A record of the given kind, UNSPECIFIED among them, with seq 100. */
static inline struct gf_record sample_record(enum gf_record_kind kind)
{
	struct gf_record r = {
	    .seq = 100,
	    .boot = 5,
	    .uptime_ms = 123456,
	    .wall_ms = 1700000001234,
	    .clock_synced = true,
	    .kind = kind,
	};

	switch (kind) {
	case GF_RECORD_HEARTBEAT:
		r.heartbeat = sample_heartbeat();
		break;
	case GF_RECORD_SESSION_STARTED:
		r.session_started = sample_started();
		break;
	case GF_RECORD_SESSION_ENDED:
		r.session_ended = sample_ended();
		break;
	case GF_RECORD_FAULT_RAISED:
		r.fault_raised =
		    (struct gf_fault_raised){9, GF_FAULT_STORAGE, GF_SEVERITY_LATCH, 71.5F, 70.25F, 12, "motor at 71.5 °C"};
		break;
	case GF_RECORD_FAULT_CLEARED:
		r.fault_cleared = (struct gf_fault_cleared){9, GF_FAULT_STORAGE, GF_CLEARED_BY_RESTART, 123456789};
		break;
	case GF_RECORD_LIMIT_HIT:
		r.limit_hit = (struct gf_limit_hit){"P3", GF_AREA_ARCH, GF_SIDE_RIGHT, 15.5F, 15.0F, 12, "skip_step", 86400000};
		break;
	case GF_RECORD_CATALOG_CHANGED:
		r.catalog_changed = (struct gf_catalog_changed){"percussion", 8, 7, GF_CATALOG_CAUSE_BY_HAND, sample_digest};
		break;
	case GF_RECORD_DESIRED_APPLIED:
		r.desired_applied = (struct gf_desired_applied){
		    77, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_ENVELOPE, "too strong", "percussion", 8, sample_digest};
		break;
	case GF_RECORD_LOST:
		r.lost = sample_lost();
		break;
	case GF_RECORD_UNSPECIFIED:
	case GF_RECORD_COUNT:
		break;
	}
	return r;
}

static inline struct gf_status sample_birth(void)
{
	return (struct gf_status){
	    .presence = GF_PRESENCE_BIRTH,
	    .boot = 5,
	    .connection = 3,
	    .uptime_ms = 123456,
	    .wall_ms = 1700000001234,
	    .clock_synced = true,
	    .class = GF_CLASS_CHAIR,
	    .model = "MX-2",
	    .serial = "SN-0042",
	    .agent_version = "0.1.0",
	    .driver = "sim",
	    .location = {"berlin", "cardio", "b4"},
	    .odometer = sample_odometer,
	    .catalog = "chair",
	    .catalog_version = 9,
	    .stream = sample_stream,
	    .next_seq = 200,
	    .acked_seq = 198,
	    .cert_not_after_ms = 1800000000000,
	    .rated_motor_h = 2000.0F,
	    .motor_temp_stop_c = 70.0F,
	    .surface_temp_stop_c = 43.0F,
	    .desired_revision = 78,
	    .catalog_digest = sample_digest,
	    .catalog_on_trial = true,
	    .vibration_ms2 = 4.5F,
	    .hour_meter_ms = 7200000000,
	    .motor_before_ms = 5940000000,
	};
}

static inline struct gf_desired sample_desired(void)
{
	return (struct gf_desired){
	    .revision = 78,
	    .issued_ms = 1700000001234,
	    .has_catalog = true,
	    .catalog = {"percussion", 8, sample_digest, 20000, 3600000},
	    .limits = {60.5F, 40.25F, 70.0F, 38.5F, 900000},
	    .locked = true,
	    .lock_reason = "torn cover",
	};
}

#endif
