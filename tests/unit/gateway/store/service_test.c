/* Out of service and back, and parts renewed: what machines are told, and what wear is counted from. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/store/sqlite/writer.h"
#include "tests/unit/gateway/store/case_rig.h"
#include "tests/unit/gateway/store/wish_rig.h"

#define ID "chair-1"

static struct store_tag get_tag(struct fixture *f, const char *device)
{
	return get_device(f, device, NOON).care.tag;
}

static int set_tag(struct fixture *f, const char *device, const struct store_tag *tag, int64_t now_ms,
                   struct gf_diag *diag)
{
	return store_tag_set(f->store, device, tag, &rig_anna, now_ms, NULL, diag);
}

/* ---- tags ---- */

static void a_tag_locks_the_machine_while_it_hangs(void **state)
{
	struct fixture *f = *state;
	struct store_tag tag = {.reason = "cover torn", .owner = "ben", .back_ms = NOON + 7 * DAY};
	struct store_deed deed;
	struct gf_diag diag = {""};

	rig_machine(f, ID);
	assert_int_equal(get_tag(f, ID).since_ms, 0);
	assert_int_equal(set_tag(f, ID, &tag, NOON, &diag), 0);
	assert_int_equal(get_tag(f, ID).since_ms, NOON);
	assert_string_equal(get_tag(f, ID).by, rig_anna.who);
	assert_string_equal(get_tag(f, ID).owner, "ben");
	assert_true(rig_desired(f, ID).desired.locked);
	assert_string_equal(rig_desired(f, ID).desired.lock_reason, "out of service: cover torn");
	assert_int_equal(number_of(f, "SELECT count(*) FROM tags WHERE until_ms = 0"), 1);
	assert_int_equal(rig_deeds(f, "device tag", &deed), 1);
	assert_string_equal(deed.detail, "cover torn (owner: ben, back 2026-11-27T12:00:00Z)");
	assert_int_equal(rig_events(f, STORE_EVENT_DEVICE, "out of service, by "), 1);
	/* Said anew it hangs on since it did. */
	gf_strcpy(tag.owner, sizeof(tag.owner), "carla");
	assert_int_equal(set_tag(f, ID, &tag, NOON + HOUR, &diag), 0);
	assert_int_equal(get_tag(f, ID).since_ms, NOON);
	assert_string_equal(get_tag(f, ID).owner, "carla");
	assert_int_equal(set_tag(f, ID, NULL, NOON + DAY, &diag), 0);
	assert_int_equal(get_tag(f, ID).since_ms, 0);
	assert_false(rig_desired(f, ID).desired.locked);
	assert_int_equal(rig_deeds(f, "device untag", NULL), 1);
	assert_int_equal(rig_events(f, STORE_EVENT_DEVICE, "back in service, by "), 1);
	assert_int_equal(set_tag(f, ID, NULL, NOON + DAY, &diag), STORE_E_NOT_ALLOWED);
	assert_string_equal(diag.text, "no tag hangs on 'chair-1': anna (uid 1000) took it off at 2026-11-21T12:00:00Z");
}

static void a_tag_is_one_event_that_says_all(void **state)
{
	struct fixture *f = *state;
	struct store_tag tag = {.reason = "cover torn"};
	const bool yes = true;
	struct gf_diag diag = {""};

	rig_machine(f, ID);
	assert_int_equal(set_tag(f, ID, NULL, NOON, &diag), STORE_E_NOT_ALLOWED);
	assert_string_equal(diag.text, "no tag hangs on 'chair-1'");
	assert_int_equal(set_tag(f, ID, &tag, NOON, NULL), 0);
	assert_int_equal(
	    rig_events(f, STORE_EVENT_DEVICE, "out of service, by anna (uid 1000): cover torn; no session starts"), 1);
	assert_int_equal(set_tag(f, ID, NULL, NOON + HOUR, NULL), 0);
	assert_int_equal(rig_events(f, STORE_EVENT_DEVICE, "back in service, by anna (uid 1000), after 60 min"), 1);
	assert_int_equal(rig_events(f, STORE_EVENT_DEVICE, "locked"), 0);
	/* That somebody else has locked it isn't forgotten. */
	assert_int_equal(store_desired_set(f->store, ID, NULL, &yes, "party", &rig_anna, NOON, NULL), 0);
	assert_int_equal(set_tag(f, ID, &tag, NOON, NULL), 0);
	assert_int_equal(set_tag(f, ID, NULL, NOON + 2 * HOUR, NULL), 0);
	assert_int_equal(
	    rig_events(f, STORE_EVENT_DEVICE, "back in service, by anna (uid 1000), after 2.0 h; still locked: party"), 1);
}

static void who_tags_again_is_told_whose_words_he_replaces(void **state)
{
	static const struct store_actor ben = {"ben (uid 1001)", "tcp"};
	struct fixture *f = *state;
	struct store_tag tag = {.reason = "cover torn", .owner = "carla"}, before = {.since_ms = 77};

	rig_machine(f, ID);
	assert_int_equal(store_tag_set(f->store, "nobody", &tag, &rig_anna, NOON, &before, NULL), -ENOENT);
	assert_int_equal(before.since_ms, 77);
	assert_int_equal(store_tag_set(f->store, ID, &tag, &rig_anna, NOON, &before, NULL), 0);
	assert_int_equal(before.since_ms, 0);
	gf_strcpy(tag.reason, sizeof(tag.reason), "belt gone");
	assert_int_equal(store_tag_set(f->store, ID, &tag, &ben, NOON + HOUR, &before, NULL), 0);
	assert_int_equal(before.since_ms, NOON);
	assert_string_equal(before.reason, "cover torn");
	assert_string_equal(before.owner, "carla");
	assert_string_equal(before.by, rig_anna.who);
	assert_string_equal(get_tag(f, ID).by, ben.who);
	assert_int_equal(rig_deeds(f, "device tag", NULL), 2);
}

static void the_operators_own_lock_outlives_the_tag(void **state)
{
	struct fixture *f = *state;
	struct store_tag tag = {.reason = "cover torn"};
	const bool yes = true;

	rig_machine(f, ID);
	assert_int_equal(store_desired_set(f->store, ID, NULL, &yes, "party", &rig_anna, NOON, NULL), 0);
	assert_int_equal(set_tag(f, ID, &tag, NOON, NULL), 0);
	assert_int_equal(set_tag(f, ID, NULL, NOON + HOUR, NULL), 0);
	assert_true(rig_desired(f, ID).desired.locked);
	assert_string_equal(rig_desired(f, ID).desired.lock_reason, "party");
}

static void damage_with_a_tag_stops_the_machine(void **state)
{
	struct fixture *f = *state;
	struct store_tag tag = {.reason = "cover torn"};
	struct gf_diag diag = {""};
	uint64_t id = 0, others = 0;

	rig_machine(f, ID);
	rig_machine(f, "chair-2");
	assert_int_equal(store_case_report(f->store, ID, "torn", &rig_anna, NOON, &id, &diag), 0);
	assert_int_equal(store_case_report(f->store, "chair-2", "torn", &rig_anna, NOON, &others, &diag), 0);
	tag.case_id = id;
	assert_int_equal(set_tag(f, ID, &tag, NOON, &diag), 0);
	assert_int_equal(get_tag(f, ID).case_id, id);
	assert_int_equal(get_cases(f, &(struct store_case_query){.id = id}).rows[0].severity, GF_SEVERITY_STOP);
	tag.case_id = others;
	assert_int_equal(set_tag(f, ID, &tag, NOON, &diag), STORE_E_NOT_ALLOWED);
	assert_non_null(strstr(diag.text, "is none of 'chair-1'"));
	assert_int_equal(get_tag(f, ID).case_id, id);
	assert_int_equal(set_tag(f, "nobody", &tag, NOON, &diag), -ENOENT);
}

/* ---- services ---- */

struct services {
	size_t count;
	struct store_service rows[8];
};

static int take_service(void *ctx, const struct store_service *row)
{
	struct services *list = ctx;

	assert_true(list->count < 8);
	list->rows[list->count++] = *row;
	return 0;
}

static void a_renewed_part_counts_from_the_odometer_of_that_moment(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {session(1, 1, NOON), session(2, 2, NOON + HOUR)};
	struct services list = {.count = 0};
	struct store_wear wear;
	struct gf_diag diag = {""};

	rig_machine(f, ID);
	send_report(f, ID, 1, rs, 1, NOON);
	assert_int_equal(store_service_add(f->store, ID, FACT_PART_HEAD, "soft one", &rig_anna, NOON + MINUTE, &diag), 0);
	send_report(f, ID, 1, &rs[1], 1, NOON + HOUR);
	assert_int_equal(store_service_add(f->store, ID, FACT_PART_SERVICE, "", &rig_anna, NOON + HOUR, &diag), 0);
	assert_int_equal(store_service_add(f->store, ID, FACT_PART_HEAD, "hard one", &rig_anna, NOON + HOUR, &diag), 0);
	assert_int_equal(store_read_wear(f->reader, ID, &wear, &diag), 0);
	assert_int_equal(wear.parts[FACT_PART_HEAD].at_ms, NOON + HOUR);
	assert_int_equal(wear.parts[FACT_PART_HEAD].odometer.motor_ms, 2 * MINUTE);
	assert_int_equal(wear.parts[FACT_PART_HEAD].odometer.sessions, 2);
	assert_int_equal(wear.parts[FACT_PART_MOTOR].at_ms, 0);
	assert_int_equal(store_read_services(f->reader, ID, take_service, &list, NULL), 0);
	assert_int_equal(list.count, 3);
	assert_string_equal(list.rows[0].note, "hard one");
	assert_string_equal(list.rows[0].by, rig_anna.who);
	assert_int_equal(list.rows[2].odometer.sessions, 1);
	assert_string_equal(list.rows[2].note, "soft one");
	assert_int_equal(rig_deeds(f, "device service", NULL), 3);
	assert_int_equal(rig_events(f, STORE_EVENT_SERVICE, "head by "), 2);
	assert_int_equal(rig_events(f, STORE_EVENT_SERVICE, "serviced by "), 1);
	assert_int_equal(store_service_add(f->store, "nobody", FACT_PART_HEAD, "", &rig_anna, NOON, &diag), -ENOENT);
	assert_int_equal(store_read_wear(f->reader, "nobody", &wear, &diag), -ENOENT);
}

/* Or a machine's row would forecast otherwise than its wear. */
static void wear_and_the_machines_row_have_one_source(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[3];
	struct store_device_query query = {.device = ID, .now_ms = NOON + 40 * DAY, .today_ms = NOON + 40 * DAY};
	struct store_device device;
	struct store_wear wear;

	rig_machine(f, ID);
	assert_int_equal(store_read_wear(f->reader, ID, &wear, NULL), 0);
	assert_int_equal(wear.use.last_ms, 0);
	for (uint64_t i = 0; i < 3; i++)
		rs[i] = session(i + 1, i + 1, NOON + (int64_t)i * 20 * DAY);
	send_report(f, ID, 1, rs, 3, NOON + 40 * DAY);
	assert_int_equal(store_service_add(f->store, ID, FACT_PART_HEAD, "", &rig_anna, NOON + 40 * DAY, NULL), 0);
	assert_int_equal(store_read_wear(f->reader, ID, &wear, NULL), 0);
	assert_int_equal(wear.use.sessions, 2); /* the first one is too long ago */
	assert_int_equal(wear.use.motor_ms, 2 * MINUTE);
	assert_int_equal(store_read_device(f->reader, &query, &device, NULL), 0);
	assert_memory_equal(&device.care.use, &wear.use, sizeof(wear.use));
	for (size_t p = 0; p < FACT_PART_COUNT; p++) {
		assert_int_equal(device.care.parts[p].at_ms, wear.parts[p].at_ms);
		assert_int_equal(device.care.parts[p].odometer.motor_ms, wear.parts[p].odometer.motor_ms);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_tag_locks_the_machine_while_it_hangs),
	    TEST(a_tag_is_one_event_that_says_all),
	    TEST(who_tags_again_is_told_whose_words_he_replaces),
	    TEST(the_operators_own_lock_outlives_the_tag),
	    TEST(damage_with_a_tag_stops_the_machine),
	    TEST(a_renewed_part_counts_from_the_odometer_of_that_moment),
	    TEST(wear_and_the_machines_row_have_one_source),
	};

	return cmocka_run_group_tests_name("store service", tests, NULL, NULL);
}
