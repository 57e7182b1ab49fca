/* What comes with a machine: open flags, open cases, the tag, renewed parts, how it is used, its incident. */
#include <stdio.h>
#include <string.h>

#include "gateway/store/cases.h"
#include "gateway/store/incidents.h"
#include "tests/unit/gateway/store/fixture.h"

#define ID "chair-1"
#define DAY (24 * HOUR)

static const struct store_actor anna = {.who = "anna"};

static struct store_care care_of(struct fixture *f)
{
	return get_device(f, ID, NOON + 40 * DAY).care;
}

static int arrive(void **state)
{
	int r = fixture_setup(state);

	if (r == 0)
		send_status(*state, ID, birth(1, 1, 1), false, NOON);
	return r;
}

static uint64_t flag(struct fixture *f, const char *rule, enum rule_severity severity, int64_t opened_ms,
                     int64_t ended_ms)
{
	struct store_flag flag = {.subject = {RULE_SUBJECT_DEVICE, 1},
	                          .episode = {.opened_ms = opened_ms,
	                                      .last_ms = opened_ms,
	                                      .ended_ms = ended_ms,
	                                      .end = ended_ms ? EPISODE_CLEARED : EPISODE_OPEN,
	                                      .level = RULE_LEVEL_WARN,
	                                      .times = 1},
	                          .end = ended_ms ? STORE_FLAG_CLEARED : STORE_FLAG_OPEN,
	                          .severity = severity};
	uint64_t id = 0;

	gf_strcpy(flag.rule, sizeof(flag.rule), rule);
	gf_strcpy(flag.device, sizeof(flag.device), ID);
	gf_strcpy(flag.title, sizeof(flag.title), "in use too much");
	gf_strcpy(flag.text, sizeof(flag.text), "82 %");
	gf_strcpy(flag.metric, sizeof(flag.metric), "use_pct");
	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_int_equal(store_flag_save(f->store, &flag, false, 0, false, opened_ms, &id, NULL), 0);
	assert_int_equal(store_commit(f->store, NULL), 0);
	return id;
}

static void a_machine_of_which_nothing_is_said(void **state)
{
	struct store_care care = care_of(*state);

	assert_int_equal(care.flags_open, 0);
	assert_int_equal(care.cases_count, 0);
	assert_true(care.tag.since_ms == 0);
	assert_true(care.use.last_ms == 0);
	assert_int_equal(care.incident, 0);
	for (size_t p = 0; p < FACT_PART_COUNT; p++)
		assert_true(care.parts[p].at_ms == 0);
}

static void open_flags_come_worst_first_then_unseen_then_oldest(void **state)
{
	struct fixture *f = *state;
	uint64_t seen = flag(f, "A", RULE_SEVERITY_ATTENTION, NOON, 0),
	         fresh = flag(f, "B", RULE_SEVERITY_ATTENTION, NOON + 2, 0),
	         worst = flag(f, "C", RULE_SEVERITY_CRITICAL, NOON + 3, 0);
	struct store_care care;

	(void)flag(f, "D", RULE_SEVERITY_CRITICAL, NOON, NOON + 1);
	assert_int_equal(store_flag_ack(f->store, seen, "I know", false, &anna, NOON + HOUR, NULL, NULL), 0);
	care = care_of(f);
	assert_int_equal(care.flags_open, 3);
	assert_int_equal(care.flags[0].id, worst);
	assert_int_equal(care.flags[0].severity, RULE_SEVERITY_CRITICAL);
	assert_int_equal(care.flags[1].id, fresh);
	assert_int_equal(care.flags[1].opened_ms, NOON + 2);
	assert_int_equal(care.flags[2].id, seen);
	assert_int_equal(care.flags[2].acked_ms, NOON + HOUR);
	assert_string_equal(care.flags[2].acked_by, "anna");
	assert_string_equal(care.flags[2].title, "in use too much");
	assert_string_equal(care.flags[2].text, "82 %");
	assert_string_equal(care.flags[2].metric, "use_pct");
	for (int i = 0; i < 3; i++)
		(void)flag(f, (const char *[]){"E", "F", "G"}[i], RULE_SEVERITY_OK, NOON, 0);
	assert_int_equal(care_of(f).flags_open, 6);
}

static void open_cases_come_with_their_count_and_who_knows(void **state)
{
	struct fixture *f = *state;
	struct gf_record raised[] = {fault(1, 1, GF_FAULT_ESTOP, GF_SEVERITY_STOP, NOON)};
	struct store_care care;
	uint64_t id = 0;

	send_report(f, ID, 1, raised, 1, NOON);
	assert_int_equal(store_case_report(f->store, ID, "a tear in the armrest", &anna, NOON + HOUR, &id, NULL), 0);
	assert_int_equal(store_case_ack(f->store, id, "ordered", &anna, NOON + 2 * HOUR, NULL, NULL), 0);
	care = care_of(f);
	assert_int_equal(care.cases_count, 2);
	assert_true(care.cases[0].reported);
	assert_int_equal(care.cases[0].id, id);
	assert_string_equal(care.cases[0].detail, "a tear in the armrest");
	assert_string_equal(care.cases[0].by, "anna");
	assert_string_equal(care.cases[0].acked_by, "anna");
	assert_false(care.cases[1].reported);
	assert_int_equal(care.cases[1].code, GF_FAULT_ESTOP);
	assert_int_equal(care.cases[1].times, 1);
	assert_int_equal(care.cases[1].first_ms, NOON);
	assert_int_equal(store_case_clear(f->store, id, "mended", &anna, NOON + 3 * HOUR, NULL), 0);
	assert_int_equal(care_of(f).cases_count, 1);
}

static void the_tag_hangs_until_it_is_taken_off(void **state)
{
	struct fixture *f = *state;
	struct store_tag tag = {.back_ms = NOON + DAY}, found;

	gf_strcpy(tag.reason, sizeof(tag.reason), "the seat is torn");
	gf_strcpy(tag.owner, sizeof(tag.owner), "ben");
	assert_int_equal(store_tag_set(f->store, ID, &tag, &anna, NOON + HOUR, NULL, NULL), 0);
	found = care_of(f).tag;
	assert_int_equal(found.since_ms, NOON + HOUR);
	assert_int_equal(found.back_ms, NOON + DAY);
	assert_string_equal(found.reason, "the seat is torn");
	assert_string_equal(found.owner, "ben");
	assert_string_equal(found.by, "anna");
	assert_int_equal(store_tag_set(f->store, ID, NULL, &anna, NOON + 2 * HOUR, NULL, NULL), 0);
	assert_true(care_of(f).tag.since_ms == 0);
}

static struct gf_record ended(uint64_t no, int64_t ended_ms)
{
	struct gf_record r = session(no, no, ended_ms);

	r.session_ended.motor_ms = 600000;
	r.session_ended.odometer = (struct gf_odometer){.motor_ms = no * 600000, .sessions = no};
	return r;
}

static void each_parts_newest_service_counts(void **state)
{
	struct fixture *f = *state;
	struct gf_record used[] = {ended(1, NOON + HOUR), ended(2, NOON + 2 * HOUR)};
	struct store_care care;

	send_report(f, ID, 1, used, 1, NOON + HOUR);
	assert_int_equal(store_service_add(f->store, ID, FACT_PART_HEAD, "", &anna, NOON + HOUR + 1, NULL), 0);
	assert_int_equal(store_service_add(f->store, ID, FACT_PART_MOTOR, "", &anna, NOON + HOUR + 2, NULL), 0);
	send_report(f, ID, 1, used + 1, 1, NOON + 2 * HOUR);
	assert_int_equal(store_service_add(f->store, ID, FACT_PART_HEAD, "", &anna, NOON + 2 * HOUR + 1, NULL), 0);
	care = care_of(f);
	assert_int_equal(care.parts[FACT_PART_HEAD].at_ms, NOON + 2 * HOUR + 1);
	assert_int_equal(care.parts[FACT_PART_HEAD].odometer.sessions, 2);
	assert_int_equal(care.parts[FACT_PART_MOTOR].at_ms, NOON + HOUR + 2);
	assert_int_equal(care.parts[FACT_PART_MOTOR].odometer.motor_ms, 600000);
	assert_true(care.parts[FACT_PART_COVER].at_ms == 0);
}

static void its_use_is_of_the_28_days_before_its_last_session(void **state)
{
	struct fixture *f = *state;
	struct store_care care;

	for (uint64_t no = 1; no <= 60; no++) {
		struct gf_record r = ended(no, NOON + (int64_t)no * 12 * HOUR);

		send_report(f, ID, 1, &r, 1, NOON + (int64_t)no * 12 * HOUR);
		if (no == 10) { /* all since it was first seen */
			care = care_of(f);
			assert_int_equal(care.use.sessions, 10);
			assert_int_equal(care.use.from_ms, NOON);
		}
	}
	care = care_of(f);
	assert_int_equal(care.use.last_ms, NOON + 30 * DAY);
	assert_int_equal(care.use.from_ms, NOON + 2 * DAY);
	assert_int_equal(care.use.sessions, 57); /* both ends count */
	assert_int_equal(care.use.motor_ms, 57 * 600000);
}

static void a_missed_machine_knows_its_incident(void **state)
{
	struct fixture *f = *state;
	unsigned opened = 0, closed = 0;

	for (int i = 1; i <= 4; i++) {
		struct gf_status s = birth(1, 2, 1);
		char id[GF_ID_MAX];

		snprintf(id, sizeof(id), "chair-%d", i);
		gf_strcpy(s.location.site, sizeof(s.location.site), "berlin");
		send_status(f, id, s, false, NOON);
		send_status(f, id, gone(GF_PRESENCE_LOST, 1, 2), false, NOON + MINUTE);
	}
	assert_int_equal(store_incidents(f->store, NULL, NOON + MINUTE, &opened, &closed, NULL), 0);
	assert_int_equal(opened, 1);
	assert_int_equal(care_of(f).incident, 1);
	send_status(f, ID, birth(1, 3, 1), false, NOON + HOUR);
	assert_int_equal(care_of(f).incident, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, arrive, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_machine_of_which_nothing_is_said),
	    TEST(open_flags_come_worst_first_then_unseen_then_oldest),
	    TEST(open_cases_come_with_their_count_and_who_knows),
	    TEST(the_tag_hangs_until_it_is_taken_off),
	    TEST(each_parts_newest_service_counts),
	    TEST(its_use_is_of_the_28_days_before_its_last_session),
	    TEST(a_missed_machine_knows_its_incident),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
