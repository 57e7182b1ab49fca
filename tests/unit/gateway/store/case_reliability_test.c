/* How reliable machines are: failures, motor time and downtime within a range, each time counted once. */
#include <string.h>

#include "tests/unit/gateway/store/case_rig.h"
#include "tests/unit/gateway/store/wish_rig.h"

#define ID "chair-1"

struct rows {
	size_t count;
	struct store_reliability rows[8];
};

static int take_row(void *ctx, const struct store_reliability *row)
{
	struct rows *list = ctx;

	assert_true(list->count < 8);
	list->rows[list->count++] = *row;
	return 0;
}

static struct rows get_rows(struct fixture *f, bool by_class, int64_t since_ms, int64_t until_ms)
{
	struct rows list = {.count = 0};

	assert_int_equal(store_read_reliability(f->reader, by_class, since_ms, until_ms, take_row, &list, NULL), 0);
	return list;
}

/* Down 12:00-12:30 and 12:20-13:00, derated all day, latched from 18:00 on. */
static void play(struct fixture *f, const char *id)
{
	struct gf_record rs[] = {
	    fault(1, 1, GF_FAULT_STALL, GF_SEVERITY_STOP, NOON),
	    fault(2, 2, GF_FAULT_LEAK, GF_SEVERITY_STOP, NOON + 20 * MINUTE),
	    cleared(3, 1, GF_FAULT_STALL, NOON + 30 * MINUTE, 30 * MINUTE),
	    cleared(4, 2, GF_FAULT_LEAK, NOON + HOUR, 40 * MINUTE),
	    fault(5, 3, GF_FAULT_SUPPLY, GF_SEVERITY_DERATE, NOON),
	    fault(6, 4, GF_FAULT_LEAK, GF_SEVERITY_STOP, NOON + 70 * MINUTE),
	    cleared(7, 4, GF_FAULT_LEAK, NOON + 71 * MINUTE, MINUTE),
	    fault(8, 5, GF_FAULT_ESTOP, GF_SEVERITY_LATCH, NOON + 6 * HOUR),
	    session(9, 1, NOON + 2 * HOUR),
	};

	rig_machine(f, id);
	send_report(f, id, 1, rs, 9, NOON + DAY);
}

static void times_that_overlap_count_once(void **state)
{
	struct fixture *f = *state;
	struct rows list;

	play(f, ID);
	list = get_rows(f, false, NOON - DAY, NOON + 7 * HOUR);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.rows[0].key, ID);
	assert_int_equal(list.rows[0].machines, 1);
	assert_int_equal(list.rows[0].cases, 3);
	assert_int_equal(list.rows[0].occurrences, 4);
	assert_int_equal(list.rows[0].motor_ms, MINUTE);
	assert_int_equal(list.rows[0].down_ms, 60 * MINUTE + MINUTE + HOUR);
}

static void all_is_cut_to_the_range(void **state)
{
	struct fixture *f = *state;
	struct rows list;

	play(f, ID);
	list = get_rows(f, false, NOON + 10 * MINUTE, NOON + 25 * MINUTE);
	assert_int_equal(list.rows[0].cases, 1);
	assert_int_equal(list.rows[0].occurrences, 1);
	assert_int_equal(list.rows[0].down_ms, 15 * MINUTE);
	assert_int_equal(list.rows[0].motor_ms, 0);
	/* The session was in the hour from 13:00 on: half of it. */
	list = get_rows(f, false, NOON + 90 * MINUTE, NOON + 5 * HOUR);
	assert_int_equal(list.rows[0].motor_ms, MINUTE / 2);
	assert_int_equal(list.rows[0].down_ms, 0);
	assert_int_equal(list.rows[0].cases, 0);
}

static void a_tag_is_downtime_and_damage_with_one_a_failure(void **state)
{
	struct fixture *f = *state;
	struct store_tag tag = {.reason = "torn"};
	struct rows list;
	uint64_t id = 0;

	play(f, ID);
	assert_int_equal(store_case_report(f->store, ID, "scratched", &rig_anna, NOON + 2 * HOUR, &id, NULL), 0);
	assert_int_equal(store_case_report(f->store, ID, "torn", &rig_anna, NOON + 2 * HOUR, &tag.case_id, NULL), 0);
	assert_int_equal(store_tag_set(f->store, ID, &tag, &rig_anna, NOON + 2 * HOUR, NULL, NULL), 0);
	list = get_rows(f, false, NOON + 100 * MINUTE, NOON + 4 * HOUR);
	assert_int_equal(list.rows[0].cases, 1);
	assert_int_equal(list.rows[0].occurrences, 1);
	assert_int_equal(list.rows[0].down_ms, 2 * HOUR);
	assert_int_equal(store_tag_set(f->store, ID, NULL, &rig_anna, NOON + 3 * HOUR, NULL, NULL), 0);
	list = get_rows(f, false, NOON + 100 * MINUTE, NOON + 4 * HOUR);
	assert_int_equal(list.rows[0].down_ms, HOUR);
}

static void a_class_is_the_sum_of_its_machines(void **state)
{
	struct fixture *f = *state;
	struct gf_status gun = birth(1, 1, 1);
	struct rows list;

	play(f, ID);
	play(f, "chair-2");
	gun.class = GF_CLASS_PERCUSSION;
	send_status(f, "gun-1", gun, false, NOON);
	list = get_rows(f, true, NOON - DAY, NOON + 7 * HOUR);
	assert_int_equal(list.count, 2);
	for (size_t i = 0; i < 2; i++) {
		bool chairs = strcmp(list.rows[i].key, "chair") == 0;

		assert_true(chairs || strcmp(list.rows[i].key, "percussion") == 0);
		assert_int_equal(list.rows[i].machines, chairs ? 2 : 1);
		assert_int_equal(list.rows[i].cases, chairs ? 6 : 0);
		assert_int_equal(list.rows[i].down_ms, chairs ? 2 * (61 * MINUTE + HOUR) : 0);
		assert_int_equal(list.rows[i].motor_ms, chairs ? 2 * MINUTE : 0);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(times_that_overlap_count_once),
	    TEST(all_is_cut_to_the_range),
	    TEST(a_tag_is_downtime_and_damage_with_one_a_failure),
	    TEST(a_class_is_the_sum_of_its_machines),
	};

	return cmocka_run_group_tests_name("store reliability", tests, NULL, NULL);
}
