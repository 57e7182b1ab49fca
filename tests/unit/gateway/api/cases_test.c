/* Faults as cases, and what staff says of machines and does to them: acknowledgements, reports, tags, services. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/gateway/api/server.h"

#define CHAIR "/v1/devices/chair-berlin-01"
#define NOTE(x) "{\"note\":\"" x "\"}"

static json_t *first_of(const json_t *list)
{
	return json_array_get(json_object_get(list, "items"), 0);
}

static void says(const json_t *row, const char *key, const char *expected)
{
	if (strstr(text(row, key), expected) == NULL)
		fail_msg("%s is \"%s\", without \"%s\"", key, text(row, key), expected);
}

/* Clears the chair's latched fault and raises it twice more. */
static void raise_again(struct server *s)
{
	struct gf_record more[] = {
	    record(7, GF_RECORD_FAULT_CLEARED, NOON + 20 * MINUTE),
	    fault(8, 2, GF_FAULT_OVERTEMP_MOTOR, GF_SEVERITY_DERATE, NOON + 30 * MINUTE),
	    record(9, GF_RECORD_FAULT_CLEARED, NOON + 35 * MINUTE),
	};

	more[0].fault_cleared = (struct gf_fault_cleared){1, GF_FAULT_OVERTEMP_MOTOR, GF_CLEARED_BY_STAFF, 10 * MINUTE};
	more[2].fault_cleared = (struct gf_fault_cleared){2, GF_FAULT_OVERTEMP_MOTOR, GF_CLEARED_BY_RECOVERED, 5 * MINUTE};
	(void)send_report(s->store, "chair-berlin-01", 1, more, 3, NOON + 55 * MINUTE);
}

static void a_case_says_what_since_when_why_and_what_to_do(void **state)
{
	json_t *list = ask(*state, "GET", "/v1/faults", NULL, 200), *row = first_of(list);

	assert_int_equal(json_array_size(json_object_get(list, "items")), 1);
	assert_string_equal(text(row, "device"), "chair-berlin-01");
	assert_string_equal(text(row, "site"), "berlin");
	assert_string_equal(text(row, "class"), "chair");
	assert_string_equal(text(row, "code"), "overtemp_motor");
	assert_string_equal(text(row, "severity"), "latch");
	assert_string_equal(text(row, "state"), "active");
	assert_int_equal(whole(row, "times"), 1);
	assert_int_equal(whole(row, "fault_no"), 1);
	assert_string_equal(text(row, "first"), "2026-11-20T12:10:00Z");
	assert_true(json_is_null(json_object_get(row, "cleared")));
	assert_int_equal((int)json_number_value(json_object_get(row, "lasted_s")), 50 * 60);
	assert_true(json_is_false(json_object_get(row, "reported")));
	says(row, "text", "fault overtemp_motor since 2026-11-20T12:10:00Z (50 min): ");
	says(row, "text", "it is stopped");
	says(row, "action", "hold the staff key on the machine for 3 s");
	json_decref(list);
}

static void repeats_are_one_case_with_a_count(void **state)
{
	raise_again(*state);
	json_t *list = ask(*state, "GET", "/v1/faults", NULL, 200), *row = first_of(list);

	assert_int_equal(json_array_size(json_object_get(list, "items")), 1);
	assert_int_equal(whole(row, "times"), 2);
	assert_string_equal(text(row, "state"), "cleared");
	assert_string_equal(text(row, "severity"), "latch");
	assert_string_equal(text(row, "cleared"), "2026-11-20T12:35:00Z");
	assert_int_equal((int)json_number_value(json_object_get(row, "lasted_s")), 15 * 60);
	says(row, "text", "fault overtemp_motor from 2026-11-20T12:10:00Z to 2026-11-20T12:35:00Z (25 min): ");
	says(row, "text", "; raised 2 times, the last time at 2026-11-20T12:30:00Z; it went away by itself");
	says(row, "action", "it came 2 times: ");
	assert_null(strstr(text(row, "action"), "staff key"));
	json_decref(list);
	assert_int_equal(rows(*state, "/v1/faults/occurrences"), 2);
	assert_int_equal(rows(*state, "/v1/faults?open=1"), 0);
	assert_int_equal(rows(*state, "/v1/faults?until=2026-11-20T12:30:00Z"), 0);
	assert_int_equal(rows(*state, "/v1/faults?device=gun-paris-01"), 0);
	assert_int_equal(rows(*state, "/v1/faults?where=times%3E1%20and%20class%3Dchair"), 1);
}

static void a_named_person_has_seen_it_and_staff_at_the_machine_clears_it(void **state)
{
	json_t *row = ask(*state, "POST", "/v1/faults/1/ack", NOTE("ordered a fan"), 200);

	assert_string_equal(text(row, "state"), "acknowledged");
	assert_string_equal(text(row, "ack_note"), "ordered a fan");
	says(row, "acked_by", "uid ");
	says(row, "text", ": ordered a fan");
	assert_true(json_is_null(json_object_get(row, "acked_before")));
	json_decref(row);
	row = ask(*state, "POST", "/v1/faults/1/ack", NOTE("it came"), 200);
	assert_string_equal(text(json_object_get(row, "acked_before"), "note"), "ordered a fan");
	says(json_object_get(row, "acked_before"), "by", "uid ");
	json_decref(row);
	row = ask(*state, "GET", "/v1/faults/1", NULL, 200);
	assert_string_equal(text(row, "state"), "acknowledged");
	assert_null(json_object_get(row, "acked_before"));
	json_decref(row);
	refuses(*state, "POST", "/v1/faults/1/clear", NOTE("looks fine"), 409, "staff");
	refuses(*state, "POST", "/v1/faults/1/ack", NULL, 400, "note is missing");
	refuses(*state, "POST", "/v1/faults/1/ack", "{\"not\":\"x\"}", 400, "did you mean 'note'?");
	refuses(*state, "POST", "/v1/faults/99/ack", NOTE("x"), 404, "there is no fault 99");
	refuses(*state, "POST", "/v1/faults/99/clear", NOTE("x"), 404, "there is no fault 99");
	refuses(*state, "GET", "/v1/faults/99", NULL, 404, "there is no fault 99");
	refuses(*state, "GET", "/v1/faults/0", NULL, 404, "there is no fault 0");
	refuses(*state, "GET", "/v1/faults/x@1", NULL, 400, "a fault has a number");
}

static void damage_that_no_sensor_sees_is_reported_and_cleared(void **state)
{
	char path[64];
	json_t *answer = ask(*state, "POST", "/v1/devices/gun-paris-01/report", "{\"text\":\"the head is cracked\"}", 201);
	json_int_t id = whole(answer, "id");

	json_decref(answer);
	snprintf(path, sizeof(path), "/v1/faults/%lld", (long long)id);
	json_t *row = ask(*state, "GET", path, NULL, 200);
	assert_string_equal(text(row, "code"), "damage");
	assert_true(json_is_true(json_object_get(row, "reported")));
	assert_true(json_is_null(json_object_get(row, "fault_no")));
	assert_string_equal(text(row, "detail"), "the head is cracked");
	says(row, "by", "uid ");
	says(row, "text", "damage reported by ");
	says(row, "text", " since 2026-11-20T13:00:00Z (just now)");
	says(row, "text", ": the head is cracked");
	says(row, "action", "gymfleet faults clear ");
	says(row, "action", "gymfleet device tag gun-paris-01 ");
	json_decref(row);
	assert_int_equal(rows(*state, "/v1/faults?where=code%3Ddamage%20and%20reported"), 1);
	snprintf(path, sizeof(path), "/v1/faults/%lld/clear", (long long)id);
	row = ask(*state, "POST", path, NOTE("new head"), 200);
	assert_string_equal(text(row, "state"), "cleared");
	assert_string_equal(text(row, "action"), "nothing to do: it is over");
	json_decref(row);
	refuses(*state, "POST", path, NOTE("again"), 409, "cleared");
}

static const json_t *tag_of(const json_t *device)
{
	return json_object_get(device, "tag");
}

static void out_of_service_hangs_until_it_is_taken_off(void **state)
{
	json_t *device =
	    ask(*state, "POST", CHAIR "/tag", "{\"reason\":\"torn cover\",\"owner\":\"anna\",\"back\":\"3d\"}", 200);

	assert_string_equal(text(device, "id"), "chair-berlin-01");
	assert_true(json_is_null(json_object_get(device, "tag_before")));
	json_decref(device);
	device =
	    ask(*state, "POST", CHAIR "/tag", "{\"reason\":\"torn cover\",\"back\":\"2026-12-01T08:00:00+01:00\"}", 200);
	assert_string_equal(text(json_object_get(device, "tag_before"), "owner"), "anna");
	json_decref(device);
	device = ask(*state, "POST", CHAIR "/untag", NULL, 200);
	assert_null(json_object_get(device, "tag_before"));
	assert_true(json_is_null(tag_of(device)) || tag_of(device) == NULL);
	json_decref(device);
	refuses(*state, "POST", CHAIR "/untag", NULL, 409, "");
	refuses(*state, "POST", CHAIR "/untag", NOTE("x"), 400, "nothing is to be said here");
	refuses(*state, "POST", CHAIR "/tag", "{}", 400, "reason is missing");
	refuses(*state, "POST", CHAIR "/tag", "{\"reason\":\"x\",\"back\":\"yesterday\"}", 400, "expected when");
	refuses(*state, "POST", CHAIR "/tag", "{\"reason\":\"x\",\"back\":\"2026-11-19T08:00:00Z\"}", 400, "expected when");
	refuses(*state, "POST", CHAIR "/tag", "{\"reason\":\"x\",\"back\":\"99999999999d\"}", 400, "expected when");
	refuses(*state, "POST", CHAIR "/tag", "{\"reason\":\"x\",\"owns\":\"a\"}", 400, "did you mean 'owner'?");
	refuses(*state, "POST", "/v1/devices/nobody/tag", "{\"reason\":\"x\"}", 404, "there is no machine 'nobody'");
	refuses(*state, "POST", "/v1/devices/nobody/untag", NULL, 404, "there is no machine 'nobody'");
}

static void a_report_may_take_the_machine_out_of_service(void **state)
{
	struct server *s = *state;
	struct store_tag tag;
	json_t *answer = ask(s, "POST", CHAIR "/report",
	                     "{\"text\":\"a spring sticks out\",\"out_of_service\":{\"reason\":\"somebody may be "
	                     "hurt\",\"owner\":\"bert\",\"back\":\"2w\"}}",
	                     201);

	tag = get_device(s->store, "chair-berlin-01", NOON).care.tag;
	assert_string_equal(tag.reason, "somebody may be hurt");
	assert_string_equal(tag.owner, "bert");
	assert_non_null(strstr(tag.by, "uid "));
	assert_true(tag.since_ms == NOON + HOUR);
	assert_true(tag.back_ms == NOON + HOUR + 14 * DAY);
	assert_int_equal(tag.case_id, whole(answer, "id"));
	json_t *list = ask(s, "GET", "/v1/faults?where=reported", NULL, 200);
	assert_null(strstr(text(first_of(list), "action"), "device tag"));
	json_decref(list);
	json_decref(answer);
	answer = ask(s, "POST", CHAIR "/report", "{\"text\":\"and it squeaks\",\"out_of_service\":null}", 201);
	json_decref(answer);
	refuses(s, "POST", CHAIR "/report", "{\"text\":\"x\",\"out_of_service\":true}", 400, "must be an object, or null");
	refuses(s, "POST", CHAIR "/report", "{\"text\":\"x\",\"out_of_service\":{}}", 400,
	        "reason is missing in out_of_service");
	refuses(s, "POST", CHAIR "/report", "{\"text\":\"x\",\"out_of_service\":{\"reason\":\"y\",\"bak\":\"3d\"}}", 400,
	        "unknown key 'bak' in out_of_service; did you mean 'back'?");
	refuses(s, "POST", CHAIR "/report", "{\"text\":\"a\\nb\"}", 400, "a text of one line");
	refuses(s, "POST", "/v1/devices/nobody/report", "{\"text\":\"x\"}", 404, "there is no machine 'nobody'");
	/* What was refused left nothing. */
	assert_int_equal(rows(s, "/v1/faults?where=reported"), 2);
}

static void reliability_counts_what_stopped_a_machine(void **state)
{
	raise_again(*state);
	json_t *list = ask(*state, "GET", "/v1/reliability?by=device&since=7d", NULL, 200), *chair = first_of(list),
	       *gun = json_array_get(json_object_get(list, "items"), 1);

	assert_string_equal(text(chair, "key"), "chair-berlin-01");
	assert_int_equal(whole(chair, "machines"), 1);
	assert_int_equal(whole(chair, "cases"), 1);
	assert_int_equal(whole(chair, "occurrences"), 1); /* the other one only derated */
	assert_true(json_number_value(json_object_get(chair, "motor_h")) > 0.049);
	assert_true(json_number_value(json_object_get(chair, "mtbf_motor_h")) > 0.049);
	assert_int_equal((int)json_number_value(json_object_get(chair, "down_s")), 600);
	assert_int_equal((int)json_number_value(json_object_get(chair, "repair_mean_s")), 600);
	assert_int_equal(whole(gun, "cases"), 0);
	assert_true(json_is_null(json_object_get(gun, "mtbf_motor_h")));
	assert_true(json_is_null(json_object_get(gun, "repair_mean_s")));
	json_decref(list);
	list = ask(*state, "GET", "/v1/reliability?by=class", NULL, 200);
	assert_int_equal(json_array_size(json_object_get(list, "items")), 2);
	json_decref(list);
	refuses(*state, "GET", "/v1/reliability?by=site", NULL, 400, "device or class");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, server_setup, server_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_case_says_what_since_when_why_and_what_to_do),
	    TEST(repeats_are_one_case_with_a_count),
	    TEST(a_named_person_has_seen_it_and_staff_at_the_machine_clears_it),
	    TEST(damage_that_no_sensor_sees_is_reported_and_cleared),
	    TEST(out_of_service_hangs_until_it_is_taken_off),
	    TEST(a_report_may_take_the_machine_out_of_service),
	    TEST(reliability_counts_what_stopped_a_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
