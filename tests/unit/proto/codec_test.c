#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proto/gymfleet.pb-c.h"
#include "tests/unit/proto/samples.h"

enum { COUNT_MAX_BITS = 53 };
static const uint64_t count_max = (UINT64_C(1) << COUNT_MAX_BITS) - 1;

static size_t encode(const struct gf_record *record, unsigned char buf[static GF_RECORD_MAX])
{
	size_t len;

	assert_int_equal(gf_record_encode(record, buf, GF_RECORD_MAX, &len), 0);
	return len;
}

static struct gf_record decode(const unsigned char *data, size_t len)
{
	struct gf_record record;
	struct gf_diag diag = {0};

	if (gf_record_decode(data, len, &record, &diag) != 0)
		fail_msg("%s", diag.text);
	return record;
}

/* The record, encoded as it is, must be refused with a sentence that contains `because`. */
static void assert_refused(const struct gf_record *record, const char *because)
{
	unsigned char buf[GF_RECORD_MAX];
	struct gf_record untouched = {.seq = 4711};
	struct gf_diag diag = {0};
	size_t len = encode(record, buf);

	assert_int_equal(gf_record_decode(buf, len, &untouched, &diag), GF_CODEC_E_INVALID);
	assert_int_equal(untouched.seq, 4711);
	if (!strstr(diag.text, because))
		fail_msg("\"%s\" does not say \"%s\"", diag.text, because);
}

static void assert_accepted(const struct gf_record *record)
{
	unsigned char buf[GF_RECORD_MAX], again[GF_RECORD_MAX];
	size_t len = encode(record, buf);
	struct gf_record back = decode(buf, len);

	assert_int_equal(encode(&back, again), len);
	assert_memory_equal(buf, again, len);
}

static void the_fullest_session_fits_and_returns(void **state)
{
	struct gf_record r = sample_record(GF_RECORD_SESSION_ENDED), back;
	struct gf_session_ended *e = &r.session_ended;
	unsigned char buf[GF_RECORD_MAX];

	(void)state;
	r.seq = r.boot = count_max;
	e->start.session_no = e->start.catalog_version = count_max;
	memset(e->start.routine, 'r', GF_NAME_MAX - 1);
	memset(e->start.catalog, 'c', GF_NAME_MAX - 1);
	e->start.planned_s = e->duration_ms = e->paused_ms = e->pain_presses = UINT32_MAX;
	e->odometer.sessions = e->odometer.cycles = count_max;
	e->odometer.motor_ms = e->motor_ms = 3155760000000;
	e->peak_surface_temp_c = -60.0F;
	e->peak_pressure_mmhg = 10000.0F;
	e->areas_count = GF_SESSION_AREAS_MAX;
	for (size_t i = 0; i < e->areas_count; i++)
		e->areas[i] = (struct gf_area_use){GF_AREA_LEGS, GF_SIDE_BOTH, GF_TECHNIQUE_WATER, UINT32_MAX, 100.0F, 100.0F};
	back = decode(buf, encode(&r, buf));
	assert_int_equal(back.session_ended.areas_count, GF_SESSION_AREAS_MAX);
	assert_int_equal(back.session_ended.areas[47].ms, UINT32_MAX);
	assert_int_equal(back.session_ended.start.subject_token, UINT64_MAX);
	assert_int_equal(strlen(back.session_ended.start.routine), GF_NAME_MAX - 1);
	assert_accepted(&r);
}

static void what_was_not_measured_stays_nan_and_zero_stays_zero(void **state)
{
	struct gf_record r = sample_record(GF_RECORD_SESSION_ENDED);
	unsigned char buf[GF_RECORD_MAX];
	struct gf_record back = decode(buf, encode(&r, buf));

	(void)state;
	assert_true(isnan(back.session_ended.peak_surface_temp_c));
	assert_true(isnan(back.session_ended.peak_pressure_mmhg));
	assert_false(isnan(back.session_ended.peak_current_ma));
	assert_true(back.session_ended.peak_current_ma == 0.0F);

	r = sample_record(GF_RECORD_FAULT_RAISED);
	r.fault_raised.observed = r.fault_raised.limit = NAN;
	back = decode(buf, encode(&r, buf));
	assert_true(isnan(back.fault_raised.observed) && isnan(back.fault_raised.limit));
}

static void an_empty_heartbeat_returns(void **state)
{
	struct gf_record r = {.seq = 1, .kind = GF_RECORD_HEARTBEAT};
	unsigned char buf[GF_RECORD_MAX];
	struct gf_record back = decode(buf, encode(&r, buf));

	(void)state;
	assert_int_equal(back.kind, GF_RECORD_HEARTBEAT);
	for (int i = 0; i < GF_SENSOR_COUNT; i++)
		assert_false(back.heartbeat.sensors[i].present);
}

static void a_buffer_too_small_is_said_and_left_alone(void **state)
{
	struct gf_record r = sample_record(GF_RECORD_SESSION_ENDED);
	unsigned char buf[GF_RECORD_MAX];
	size_t len = encode(&r, buf), untouched = 4711;

	(void)state;
	for (size_t size = 0; size < len; size++) {
		unsigned char small[GF_RECORD_MAX] = {0};
		assert_int_equal(gf_record_encode(&r, small, size, &untouched), -ENOSPC);
		assert_int_equal(small[0], 0);
	}
	assert_int_equal(untouched, 4711);
}

/* Cutting may leave a shorter message that is well-formed; what must not happen is a crash or a touched output. */
static void i10_a_cut_at_any_byte_is_survived(void **state)
{
	(void)state;
	for (int kind = 0; kind < GF_RECORD_COUNT; kind++) {
		struct gf_record r = sample_record((enum gf_record_kind)kind);
		unsigned char buf[GF_RECORD_MAX];
		size_t len = encode(&r, buf);

		for (size_t cut = 0; cut < len; cut++) {
			struct gf_record out = {.seq = 4711};
			struct gf_diag diag = {0};
			int result = gf_record_decode(buf, cut, &out, &diag);

			assert_true(result >= 0);
			if (result != 0) {
				assert_int_equal(out.seq, 4711);
				assert_true(diag.text[0] != '\0');
			}
		}
		assert_int_equal(decode(buf, len).kind, kind);
	}
}

static void i10_any_flipped_bit_is_survived(void **state)
{
	(void)state;
	for (int kind = 0; kind < GF_RECORD_COUNT; kind++) {
		struct gf_record r = sample_record((enum gf_record_kind)kind);
		unsigned char buf[GF_RECORD_MAX];
		size_t len = encode(&r, buf);

		for (size_t bit = 0; bit < 8 * len; bit++) {
			struct gf_record out;

			buf[bit / 8] ^= (unsigned char)(1U << bit % 8);
			if (gf_record_decode(buf, len, &out, NULL) == 0)
				assert_accepted(&out);
			buf[bit / 8] ^= (unsigned char)(1U << bit % 8);
		}
	}
}

static void unknown_fields_are_skipped(void **state)
{
	/* Field 500: a number; field 501: three bytes. */
	static const unsigned char extra[] = {0xa0, 0x1f, 0x2a, 0xaa, 0x1f, 3, 'n', 'e', 'w'};
	struct gf_record r = sample_record(GF_RECORD_FAULT_CLEARED);
	unsigned char buf[GF_RECORD_MAX];
	size_t len = encode(&r, buf);

	(void)state;
	memcpy(buf + len, extra, sizeof(extra));
	assert_int_equal(decode(buf, len + sizeof(extra)).fault_cleared.lasted_ms, r.fault_cleared.lasted_ms);
}

static void an_unknown_kind_of_record_is_unspecified(void **state)
{
	/* Field 42, a body of two bytes. */
	static const unsigned char body[] = {0xd2, 0x02, 2, 0x08, 0x01};
	struct gf_record r = sample_record(GF_RECORD_UNSPECIFIED), back;
	unsigned char buf[GF_RECORD_MAX];
	size_t len = encode(&r, buf);

	(void)state;
	memcpy(buf + len, body, sizeof(body));
	back = decode(buf, len + sizeof(body));
	assert_int_equal(back.kind, GF_RECORD_UNSPECIFIED);
	assert_int_equal(back.seq, 100);
	assert_int_equal(back.wall_ms, r.wall_ms);
}

/* A sensor of a later version is skipped like an unknown field, and so is a kind that was lost. */
static void unknown_sensors_and_lost_kinds_do_no_harm(void **state)
{
	Gymfleet__V1__Record record = GYMFLEET__V1__RECORD__INIT;
	Gymfleet__V1__Heartbeat heartbeat = GYMFLEET__V1__HEARTBEAT__INIT;
	Gymfleet__V1__Odometer odometer = GYMFLEET__V1__ODOMETER__INIT;
	Gymfleet__V1__Stat stat = GYMFLEET__V1__STAT__INIT, *stats[] = {&stat};
	Gymfleet__V1__Lost lost = GYMFLEET__V1__LOST__INIT;
	Gymfleet__V1__LostCount count = GYMFLEET__V1__LOST_COUNT__INIT, *counts[] = {&count};
	unsigned char buf[GF_RECORD_MAX];

	(void)state;
	record.seq = 100;
	record.body_case = GYMFLEET__V1__RECORD__BODY_HEARTBEAT;
	record.heartbeat = &heartbeat;
	heartbeat.odometer = &odometer;
	heartbeat.n_sensors = 1;
	heartbeat.sensors = stats;
	stat.sensor = (Gymfleet__V1__Sensor)99;
	assert_int_equal(decode(buf, gymfleet__v1__record__pack(&record, buf)).kind, GF_RECORD_HEARTBEAT);

	record.body_case = GYMFLEET__V1__RECORD__BODY_LOST;
	record.lost = &lost;
	lost.through_seq = 104;
	lost.n_counts = 1;
	lost.counts = counts;
	count.kind = (Gymfleet__V1__RecordKind)99;
	count.count = 5;
	struct gf_record back = decode(buf, gymfleet__v1__record__pack(&record, buf));
	assert_int_equal(back.lost.counts[GF_RECORD_UNSPECIFIED], 5);
	assert_accepted(&back);
}

static void parts_that_must_not_be_missing(void **state)
{
	Gymfleet__V1__Record record = GYMFLEET__V1__RECORD__INIT;
	Gymfleet__V1__Heartbeat heartbeat = GYMFLEET__V1__HEARTBEAT__INIT;
	Gymfleet__V1__SessionEnded ended = GYMFLEET__V1__SESSION_ENDED__INIT;
	unsigned char buf[GF_RECORD_MAX];
	struct gf_record out;
	struct gf_diag diag = {0};

	(void)state;
	record.seq = 1;
	record.body_case = GYMFLEET__V1__RECORD__BODY_HEARTBEAT;
	record.heartbeat = &heartbeat;
	size_t len = gymfleet__v1__record__pack(&record, buf);
	assert_int_equal(gf_record_decode(buf, len, &out, &diag), GF_CODEC_E_INVALID);
	assert_string_equal(diag.text, "heartbeat: odometer is missing");

	record.body_case = GYMFLEET__V1__RECORD__BODY_SESSION_ENDED;
	record.session_ended = &ended;
	ended.outcome = GYMFLEET__V1__OUTCOME__OUTCOME_COMPLETED;
	len = gymfleet__v1__record__pack(&record, buf);
	assert_int_equal(gf_record_decode(buf, len, &out, &diag), GF_CODEC_E_INVALID);
	assert_string_equal(diag.text, "session_ended: start is missing");
}

/* Sets one member of the sample to a value that must be refused, with the words that the refusal must contain. */
#define REFUSE(KIND, member, value, because)                        \
	do {                                                            \
		struct gf_record refused = sample_record(GF_RECORD_##KIND); \
		refused.member = (value);                                   \
		assert_refused(&refused, because);                          \
	} while (0)

static void i10_numbers_out_of_range_are_refused(void **state)
{
	(void)state;
	REFUSE(UNSPECIFIED, seq, 0, "seq is 0");
	REFUSE(UNSPECIFIED, seq, count_max + 1, "seq");
	REFUSE(UNSPECIFIED, wall_ms, UINT64_MAX, "wall_ms");
	REFUSE(UNSPECIFIED, uptime_ms, UINT64_MAX, "uptime_ms");
	REFUSE(HEARTBEAT, heartbeat.odometer.motor_ms, UINT64_MAX, "heartbeat: motor_ms");
	REFUSE(HEARTBEAT, heartbeat.sensors[GF_SENSOR_BATTERY_PCT].last, 100.5F, "battery_pct is 100.5, must be 0..100");
	REFUSE(HEARTBEAT, heartbeat.sensors[GF_SENSOR_MOTOR_TEMP_C].min, -60.5F, "motor_temp_c");
	REFUSE(HEARTBEAT, heartbeat.sensors[GF_SENSOR_MOTOR_TEMP_C].max, 400.5F, "motor_temp_c");
	REFUSE(SESSION_STARTED, session_started.session_no, 0, "session_no");
	REFUSE(SESSION_ENDED, session_ended.areas[1].mean_intensity_pct, 100.5F, "mean_intensity_pct");
	REFUSE(SESSION_ENDED, session_ended.areas[0].max_intensity_pct, -1.0F, "max_intensity_pct");
	REFUSE(SESSION_ENDED, session_ended.peak_motor_temp_c, 1000.0F, "peak_motor_temp_c");
	REFUSE(SESSION_ENDED, session_ended.motor_ms, 7200001, "motor_ms is more than the odometer's");
	REFUSE(FAULT_RAISED, fault_raised.fault_no, 0, "fault_no");
	REFUSE(LOST, lost.through_seq, 99, "through_seq is below seq");
	REFUSE(LOST, lost.counts[GF_RECORD_HEARTBEAT], 99, "counts add up");
	REFUSE(LOST, lost.counts[GF_RECORD_HEARTBEAT], UINT64_MAX, "counts add up");
}

static void i10_numbers_that_are_none_are_refused(void **state)
{
	(void)state;
	REFUSE(HEARTBEAT, heartbeat.sensors[GF_SENSOR_MOTOR_TEMP_C].mean, NAN, "motor_temp_c is nan");
	REFUSE(HEARTBEAT, heartbeat.sensors[GF_SENSOR_MOTOR_TEMP_C].max, INFINITY, "motor_temp_c is inf");
	REFUSE(SESSION_ENDED, session_ended.areas[0].mean_intensity_pct, NAN, "mean_intensity_pct");
	REFUSE(SESSION_ENDED, session_ended.peak_current_ma, -INFINITY, "peak_current_ma");
	REFUSE(FAULT_RAISED, fault_raised.observed, INFINITY, "observed");
	REFUSE(LIMIT_HIT, limit_hit.observed, NAN, "observed");
	REFUSE(LIMIT_HIT, limit_hit.limit, INFINITY, "limit");
}

static void i10_enum_values_out_of_range_are_refused(void **state)
{
	(void)state;
	REFUSE(SESSION_ENDED, session_ended.outcome, GF_OUTCOME_UNSPECIFIED, "outcome is 0, must be 1..6");
	REFUSE(SESSION_ENDED, session_ended.outcome, GF_OUTCOME_COUNT, "outcome is 7");
	REFUSE(SESSION_ENDED, session_ended.outcome, (enum gf_outcome)(-1), "outcome is -1");
	REFUSE(SESSION_ENDED, session_ended.areas[0].area, GF_AREA_COUNT, "area");
	REFUSE(SESSION_ENDED, session_ended.areas[0].side, GF_SIDE_COUNT, "side");
	REFUSE(SESSION_ENDED, session_ended.areas[0].technique, GF_TECHNIQUE_COUNT, "technique");
	REFUSE(FAULT_RAISED, fault_raised.code, GF_FAULT_COUNT, "code");
	REFUSE(FAULT_RAISED, fault_raised.severity, GF_SEVERITY_UNSPECIFIED, "severity");
	REFUSE(FAULT_CLEARED, fault_cleared.by, GF_CLEARED_BY_COUNT, "by");
	REFUSE(LIMIT_HIT, limit_hit.area, GF_AREA_COUNT, "area");

	struct gf_record whole_body = sample_record(GF_RECORD_LIMIT_HIT);
	whole_body.limit_hit.area = GF_AREA_UNSPECIFIED;
	whole_body.limit_hit.side = GF_SIDE_UNSPECIFIED;
	assert_accepted(&whole_body);
}

static void refuse_detail(const char *detail, const char *because)
{
	struct gf_record r = sample_record(GF_RECORD_FAULT_RAISED);

	snprintf(r.fault_raised.detail, sizeof(r.fault_raised.detail), "%s", detail);
	assert_refused(&r, because);
}

static void i10_texts_are_printable_utf8(void **state)
{
	(void)state;
	refuse_detail("\xff", "detail is not UTF-8");
	refuse_detail("\xc0\x80", "detail is not UTF-8");
	refuse_detail("\xed\xa0\x80", "detail is not UTF-8");
	refuse_detail("cut \xe2\x82", "detail is not UTF-8");
	refuse_detail("\x1b[2J", "detail has control characters");
	refuse_detail("\xc2\x9b"
	              "2J",
	              "detail has control characters");
	refuse_detail("two\nlines", "detail has control characters");
	refuse_detail("\x7f", "detail has control characters");

	struct gf_record r = sample_record(GF_RECORD_FAULT_RAISED);
	snprintf(r.fault_raised.detail, sizeof(r.fault_raised.detail), "%s", "70 °C, Größe, 温度, 🙂");
	assert_accepted(&r);
}

static void i10_a_text_too_long_or_with_a_nul_is_refused(void **state)
{
	Gymfleet__V1__Record record = GYMFLEET__V1__RECORD__INIT;
	Gymfleet__V1__CatalogChanged changed = GYMFLEET__V1__CATALOG_CHANGED__INIT;
	char name[GF_NAME_MAX + 1] = "";
	unsigned char buf[GF_RECORD_MAX];
	struct gf_record out;
	struct gf_diag diag = {0};

	(void)state;
	memset(name, 'n', GF_NAME_MAX);
	record.seq = 1;
	record.body_case = GYMFLEET__V1__RECORD__BODY_CATALOG_CHANGED;
	record.catalog_changed = &changed;
	changed.catalog = name;
	size_t len = gymfleet__v1__record__pack(&record, buf);
	assert_int_equal(gf_record_decode(buf, len, &out, &diag), GF_CODEC_E_INVALID);
	assert_string_equal(diag.text, "catalog_changed: catalog is too long (at most 47 bytes of printable UTF-8)");

	name[GF_NAME_MAX - 1] = '\0';
	len = gymfleet__v1__record__pack(&record, buf);
	assert_int_equal(strlen(decode(buf, len).catalog_changed.catalog), GF_NAME_MAX - 1);
	for (size_t nul = 1; nul <= GF_NAME_MAX - 1; nul++) {
		buf[len - nul] = '\0';
		assert_int_equal(gf_record_decode(buf, len, &out, &diag), GF_CODEC_E_INVALID);
		assert_non_null(strstr(diag.text, "has a NUL inside"));
	}
}

static void i8_a_packet_over_its_cap_is_too_large(void **state)
{
	static unsigned char buf[GF_REPORT_MAX + 1];
	struct gf_record record;
	struct gf_status status;
	struct gf_gateway_status gateway;
	struct gf_ack ack;
	struct gf_diag diag = {0};

	(void)state;
	assert_int_equal(gf_record_decode(buf, GF_RECORD_MAX + 1, &record, &diag), GF_CODEC_E_TOO_LARGE);
	assert_string_equal(diag.text, "Record has 4097 bytes, more than 4096");
	assert_int_equal(gf_status_decode(buf, GF_STATUS_MAX + 1, &status, NULL), GF_CODEC_E_TOO_LARGE);
	assert_int_equal(gf_gateway_status_decode(buf, GF_STATUS_MAX + 1, &gateway, NULL), GF_CODEC_E_TOO_LARGE);
	assert_int_equal(gf_ack_decode(buf, GF_ACK_MAX + 1, &ack, NULL), GF_CODEC_E_TOO_LARGE);
}

static void refuse_status(const struct gf_status *status, const char *because)
{
	unsigned char buf[GF_STATUS_MAX];
	struct gf_status out = {.boot = 4711};
	struct gf_diag diag = {0};
	size_t len;

	assert_int_equal(gf_status_encode(status, buf, sizeof(buf), &len), 0);
	assert_int_equal(gf_status_decode(buf, len, &out, &diag), GF_CODEC_E_INVALID);
	assert_int_equal(out.boot, 4711);
	if (!strstr(diag.text, because))
		fail_msg("\"%s\" does not say \"%s\"", diag.text, because);
}

#define REFUSE_STATUS(member, value, because)      \
	do {                                           \
		struct gf_status refused = sample_birth(); \
		refused.member = (value);                  \
		refuse_status(&refused, because);          \
	} while (0)

static void i10_a_birth_is_checked(void **state)
{
	/* A Status of presence 1 and nothing else. */
	static const unsigned char bare[] = {0x08, 0x01};
	struct gf_status out;
	struct gf_diag diag = {0};

	(void)state;
	REFUSE_STATUS(presence, GF_PRESENCE_UNSPECIFIED, "presence");
	REFUSE_STATUS(presence, GF_PRESENCE_COUNT, "presence");
	REFUSE_STATUS(class, GF_CLASS_UNSPECIFIED, "device_class");
	REFUSE_STATUS(location.site[0], '\x1b', "site has control characters");
	REFUSE_STATUS(acked_seq, 200, "acked_seq is not below next_seq");
	REFUSE_STATUS(next_seq, 0, "next_seq");
	REFUSE_STATUS(rated_motor_h, NAN, "rated_motor_h");
	REFUSE_STATUS(motor_temp_stop_c, 401.0F, "motor_temp_stop_c");
	assert_int_equal(gf_status_decode(bare, sizeof(bare), &out, &diag), GF_CODEC_E_INVALID);
	assert_string_equal(diag.text, "birth is missing");
}

static void a_will_fits_where_a_will_must_fit(void **state)
{
	struct gf_status lost = {.presence = GF_PRESENCE_LOST, .boot = count_max, .connection = count_max}, back;
	unsigned char buf[128];
	size_t len;

	(void)state;
	assert_int_equal(gf_status_encode(&lost, buf, sizeof(buf), &len), 0);
	assert_int_equal(gf_status_decode(buf, len, &back, NULL), 0);
	assert_int_equal(back.boot, count_max);
	assert_int_equal(back.connection, count_max);
}

static void i10_garbage_is_malformed(void **state)
{
	static const unsigned char garbage[] = {0xff, 0xff, 0xff, 0xff, 0x07, 0x00};
	struct gf_record record;
	struct gf_status status;
	struct gf_ack ack;
	struct gf_diag diag = {0};

	(void)state;
	assert_int_equal(gf_record_decode(garbage, sizeof(garbage), &record, &diag), GF_CODEC_E_MALFORMED);
	assert_string_equal(diag.text, "the bytes are not a Record");
	assert_int_equal(gf_status_decode(garbage, sizeof(garbage), &status, NULL), GF_CODEC_E_MALFORMED);
	assert_int_equal(gf_ack_decode(garbage, sizeof(garbage), &ack, NULL), GF_CODEC_E_MALFORMED);
	/* Nothing at all is a message without fields, which an Ack may not be. */
	assert_int_equal(gf_ack_decode(garbage, 0, &ack, &diag), GF_CODEC_E_INVALID);
	assert_string_equal(diag.text, "stream_id has 0 bytes, must be 16");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_fullest_session_fits_and_returns),
	    cmocka_unit_test(what_was_not_measured_stays_nan_and_zero_stays_zero),
	    cmocka_unit_test(an_empty_heartbeat_returns),
	    cmocka_unit_test(a_buffer_too_small_is_said_and_left_alone),
	    cmocka_unit_test(i10_a_cut_at_any_byte_is_survived),
	    cmocka_unit_test(i10_any_flipped_bit_is_survived),
	    cmocka_unit_test(unknown_fields_are_skipped),
	    cmocka_unit_test(an_unknown_kind_of_record_is_unspecified),
	    cmocka_unit_test(unknown_sensors_and_lost_kinds_do_no_harm),
	    cmocka_unit_test(parts_that_must_not_be_missing),
	    cmocka_unit_test(i10_numbers_out_of_range_are_refused),
	    cmocka_unit_test(i10_numbers_that_are_none_are_refused),
	    cmocka_unit_test(i10_enum_values_out_of_range_are_refused),
	    cmocka_unit_test(i10_texts_are_printable_utf8),
	    cmocka_unit_test(i10_a_text_too_long_or_with_a_nul_is_refused),
	    cmocka_unit_test(i8_a_packet_over_its_cap_is_too_large),
	    cmocka_unit_test(i10_a_birth_is_checked),
	    cmocka_unit_test(a_will_fits_where_a_will_must_fit),
	    cmocka_unit_test(i10_garbage_is_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
