/* Open faults: every code in every severity has a sentence and a remedy that a technician understands. */
#include <math.h>
#include <stdio.h>

#include "tests/unit/gateway/health/facts.h"

static struct health_reason judge(enum gf_fault code, enum gf_severity severity, float observed, float limit,
                                  const char *detail)
{
	struct health_facts f = well();

	f.faults_count = 1;
	f.faults[0] = (struct health_fault){.code = code,
	                                    .severity = severity,
	                                    .since_ms = NOON - HOUR,
	                                    .observed = observed,
	                                    .limit = limit,
	                                    .detail = detail};
	return only(&f);
}

static void a_fault_says_what_it_is_with_numbers_and_what_it_means(void **state)
{
	struct health_reason r = judge(GF_FAULT_OVERTEMP_MOTOR, GF_SEVERITY_STOP, 71.25f, 70.0f, NULL);

	(void)state;
	assert_int_equal(r.code, HEALTH_CODE_FAULT_OPEN);
	assert_int_equal(r.severity, HEALTH_CRITICAL);
	assert_int_equal(r.since_ms, NOON - HOUR);
	assert_string_equal(
	    r.text, "fault overtemp_motor since 2026-11-20T11:00:00Z (60 min): the motor is too hot (71.25 °C, limit"
	            " 70 °C); it is stopped");
	assert_string_equal(r.action, "let it cool, check the fan and the vents");
	r = judge(GF_FAULT_OVERTEMP_MOTOR, GF_SEVERITY_DERATE, 62, 60, "the motor is warm");
	assert_int_equal(r.severity, HEALTH_ATTENTION);
	assert_string_equal(
	    r.text, "fault overtemp_motor since 2026-11-20T11:00:00Z (60 min): the motor is warm (62 °C, limit 60 °C); it"
	            " gives less");
	assert_non_null(strstr(r.action, "nothing yet"));
}

static void what_needs_nobody_at_once_works_on(void **state)
{
	static const enum gf_fault codes[] = {GF_FAULT_WATCHDOG, GF_FAULT_STORAGE, GF_FAULT_BATTERY_LOW};
	static const char *const expected[] = {"journalctl", "free space", "charge the battery"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct health_reason r = judge(codes[i], GF_SEVERITY_INFO, NAN, NAN, "");
		assert_int_equal(r.severity, HEALTH_ATTENTION);
		assert_non_null(strstr(r.text, "; it works on"));
		assert_null(strstr(r.text, "nan"));
		assert_non_null(strstr(r.action, expected[i]));
	}
}

static void what_is_latched_is_out_of_service_until_staff_comes(void **state)
{
	struct health_reason r = judge(GF_FAULT_STALL, GF_SEVERITY_LATCH, 3, 3,
	                               "three over-currents or stalls in 24 h: out of service until staff clears it");

	(void)state;
	assert_int_equal(r.code, HEALTH_CODE_OUT_OF_SERVICE);
	assert_int_equal(r.severity, HEALTH_CRITICAL);
	assert_string_equal(r.text, "out of service: three over-currents or stalls in 24 h, latched since"
	                            " 2026-11-20T11:00:00Z (60 min)");
	assert_string_equal(
	    r.action,
	    "look at the drive (belt, bearings, foreign objects); then hold the staff key on the machine for 3 s");
	r = judge(GF_FAULT_LEAK, GF_SEVERITY_LATCH, NAN, NAN, NULL);
	assert_string_equal(r.text, "out of service: the pressure doesn't build up, latched since 2026-11-20T11:00:00Z"
	                            " (60 min)");
	assert_string_equal(r.action, "find the leak: sleeves, hoses, connectors; then hold the staff key on the machine"
	                              " for 3 s");
}

static void a_stop_outdoes_the_derating_of_the_same_cause(void **state)
{
	struct health_facts f = well();
	struct health_reason reasons[HEALTH_REASONS_MAX];
	size_t count;

	(void)state;
	f.faults_count = 3;
	f.faults[0] = (struct health_fault){.code = GF_FAULT_OVERTEMP_MOTOR,
	                                    .severity = GF_SEVERITY_DERATE,
	                                    .since_ms = NOON,
	                                    .observed = NAN,
	                                    .limit = NAN,
	                                    .detail = NULL};
	f.faults[1] = (struct health_fault){.code = GF_FAULT_OVERTEMP_MOTOR,
	                                    .severity = GF_SEVERITY_STOP,
	                                    .since_ms = NOON,
	                                    .observed = NAN,
	                                    .limit = NAN,
	                                    .detail = NULL};
	f.faults[2] = (struct health_fault){.code = GF_FAULT_OVERTEMP_SURFACE,
	                                    .severity = GF_SEVERITY_DERATE,
	                                    .since_ms = NOON,
	                                    .observed = NAN,
	                                    .limit = NAN,
	                                    .detail = NULL};
	assert_int_equal(health_judge(&f, reasons, &count), HEALTH_CRITICAL);
	assert_int_equal(count, 2);
	assert_non_null(strstr(reasons[0].text, "it is stopped"));
	assert_non_null(strstr(reasons[1].text, "overtemp_surface"));
	f.faults[1].code = GF_FAULT_STALL;
	(void)health_judge(&f, reasons, &count);
	assert_int_equal(count, 3);
}

static void every_fault_in_every_severity_has_words(void **state)
{
	(void)state;
	for (int code = GF_FAULT_UNSPECIFIED + 1; code < GF_FAULT_COUNT; code++) {
		for (int severity = GF_SEVERITY_UNSPECIFIED + 1; severity < GF_SEVERITY_COUNT; severity++) {
			struct health_reason r = judge((enum gf_fault)code, (enum gf_severity)severity, 1, 2, NULL);
			assert_string_not_equal(r.action, "look at the machine");
			assert_null(strstr(r.text, "doesn't know"));
			assert_null(strstr(r.text, "(null)"));
			assert_true(strlen(r.text) < HEALTH_TEXT_MAX - 1 && strlen(r.action) < HEALTH_TEXT_MAX - 1);
		}
	}
}

static void a_code_of_a_newer_machine_is_told_too(void **state)
{
	struct health_reason r = judge((enum gf_fault)99, (enum gf_severity)99, NAN, NAN, NULL);

	(void)state;
	assert_int_equal(r.severity, HEALTH_CRITICAL);
	assert_non_null(strstr(r.text, "doesn't know"));
	r = judge((enum gf_fault)99, GF_SEVERITY_LATCH, NAN, NAN, NULL);
	assert_string_equal(r.action, "look at the machine; then hold the staff key on the machine for 3 s");
}

static void i10_the_longest_detail_fits_whole(void **state)
{
	char detail[GF_TEXT_MAX];
	struct health_facts f = well();

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(detail); i += 2)
		memcpy(detail + i, "é", 3);
	f.faults_count = 1;
	f.faults[0] = (struct health_fault){.code = GF_FAULT_COMMS_LOST,
	                                    .severity = GF_SEVERITY_STOP,
	                                    .since_ms = NOON - 1000 * DAY,
	                                    .observed = -1.234e-30f,
	                                    .limit = 1e30f,
	                                    .detail = detail};
	f.bus = (struct health_bus){UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
	struct health_reason r = only(&f);
	assert_non_null(strstr(r.text, detail));
	assert_non_null(strstr(r.text, "4294967295 reconnects"));
	assert_true(gf_utf8_valid(r.text, strlen(r.text)));
}

/* ---- the wire ---- */

static struct health_reason silent_wire(struct health_bus bus)
{
	struct health_facts f = well();

	f.faults_count = 1;
	f.faults[0] = (struct health_fault){.code = GF_FAULT_COMMS_LOST,
	                                    .severity = GF_SEVERITY_STOP,
	                                    .since_ms = NOON,
	                                    .observed = NAN,
	                                    .limit = NAN,
	                                    .detail = NULL};
	f.bus = bus;
	return only(&f);
}

static void a_lost_controller_is_explained_by_the_counters_of_its_wire(void **state)
{
	struct health_reason r = silent_wire((struct health_bus){0});

	(void)state;
	assert_null(strstr(r.text, "timeouts"));
	assert_string_equal(
	    r.action,
	    "check the cable to the controller and its power; else stop the agent and run gymfleet-agent --check");
	r = silent_wire((struct health_bus){40, 2, 0, 3});
	assert_non_null(strstr(r.text, "since its start 40 timeouts, 2 damaged answers, 0 refusals, 3 reconnects"));
	assert_non_null(strstr(r.action, "check the controller's power"));
	assert_non_null(strstr(silent_wire((struct health_bus){2, 40, 0, 3}).action, "shielding"));
	assert_non_null(strstr(silent_wire((struct health_bus){2, 0, 40, 3}).action, "gymfleet-agent --check"));
}

static void a_fault_is_told_in_pieces_too(void **state)
{
	const struct health_fault hot = {.code = GF_FAULT_OVERTEMP_MOTOR,
	                                 .severity = GF_SEVERITY_LATCH,
	                                 .observed = 71.5f,
	                                 .limit = 70.0f,
	                                 .detail = ""};
	struct health_fault derated = hot;
	struct health_fault_words w;

	(void)state;
	health_fault_say(&hot, &w);
	assert_string_equal(w.what, "the motor is too hot (71.5 \302\260C, limit 70 \302\260C)");
	assert_string_equal(w.effect, "it is stopped");
	assert_string_equal(w.action, "clean the vents, check the fan and whether the motor turns freely; then hold the "
	                              "staff key on the machine for 3 s");
	derated.severity = GF_SEVERITY_DERATE;
	derated.observed = NAN;
	health_fault_say(&derated, &w);
	assert_string_equal(w.what, "the motor is too hot");
	assert_string_equal(w.effect, "it gives less");
	assert_non_null(strstr(w.action, "nothing yet"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_fault_says_what_it_is_with_numbers_and_what_it_means),
	    cmocka_unit_test(what_needs_nobody_at_once_works_on),
	    cmocka_unit_test(a_fault_is_told_in_pieces_too),
	    cmocka_unit_test(what_is_latched_is_out_of_service_until_staff_comes),
	    cmocka_unit_test(a_stop_outdoes_the_derating_of_the_same_cause),
	    cmocka_unit_test(every_fault_in_every_severity_has_words),
	    cmocka_unit_test(a_code_of_a_newer_machine_is_told_too),
	    cmocka_unit_test(i10_the_longest_detail_fits_whole),
	    cmocka_unit_test(a_lost_controller_is_explained_by_the_counters_of_its_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
