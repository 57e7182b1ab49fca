/* What a motor ran before the odometer counted: by the machine's own meter, or as people say. */
#include <string.h>

#include "gateway/store/judging.h"
#include "tests/unit/gateway/store/fixture.h"

#define ID "chair-1"
#define BEFORE (UINT64_C(1650) * HOUR)

/* The meter and the odometer as the machine has them, each in ms. */
static struct gf_status metered(uint64_t boot, uint8_t stream, uint64_t meter_ms, uint64_t odometer_ms)
{
	struct gf_status st = birth(boot, 1, stream);

	st.hour_meter_ms = meter_ms;
	st.odometer = (struct gf_odometer){.motor_ms = odometer_ms, .sessions = odometer_ms / MINUTE};
	return st;
}

/* What people say of a machine without a meter. */
static struct gf_status said(uint64_t boot, uint64_t before_ms)
{
	struct gf_status st = metered(boot, 1, 0, 0);

	st.motor_before_ms = before_ms;
	return st;
}

static void assert_before(struct fixture *f, uint64_t expected_ms)
{
	assert_int_equal(get_device(f, ID, NOON).motor_before_ms, expected_ms);
}

static void tell(struct fixture *f, uint8_t stream, uint64_t first_seq, uint64_t first, uint64_t last, int64_t from_ms)
{
	for (uint64_t no = first; no <= last; no++) {
		struct gf_record r = session(first_seq + no - first, no, from_ms + (int64_t)no * HOUR);
		send_report(f, ID, stream, &r, 1, NOON);
	}
}

static int take_machine(void *ctx, const struct store_machine *machine)
{
	*(struct store_machine *)ctx = *machine;
	return 0;
}

static void the_meter_knows_what_ran_before(void **state)
{
	struct fixture *f = *state;
	struct store_machine machine = {.key = 0};

	send_status(f, ID, metered(1, 1, 0, 0), false, NOON);
	assert_before(f, 0);
	send_status(f, ID, metered(2, 1, BEFORE, 0), false, NOON);
	assert_before(f, BEFORE);
	send_status(f, ID, metered(3, 1, BEFORE + 5 * MINUTE, 5 * MINUTE), false, NOON);
	assert_before(f, BEFORE);
	assert_int_equal(store_read_machines(f->reader, take_machine, &machine, NULL), 0);
	assert_true(machine.motor_before_ms == BEFORE);
	/* A reading that fails, and a meter that was exchanged for a new one, take nothing away. */
	send_status(f, ID, metered(4, 1, 0, 6 * MINUTE), false, NOON);
	assert_before(f, BEFORE);
	send_status(f, ID, metered(5, 1, MINUTE, 7 * MINUTE), false, NOON);
	assert_before(f, BEFORE);
	/* It ran where nobody counted. */
	send_status(f, ID, metered(6, 1, BEFORE + 2 * HOUR, 7 * MINUTE), false, NOON);
	assert_before(f, BEFORE + 2 * HOUR - 7 * MINUTE);
	fixture_reopen(f);
	assert_before(f, BEFORE + 2 * HOUR - 7 * MINUTE);
}

static void i1_a_machine_that_lost_its_memory_counts_no_hour_twice(void **state)
{
	struct fixture *f = *state;
	struct store_audit audit;
	size_t findings;

	send_status(f, ID, metered(1, 1, BEFORE, 0), false, NOON - 4 * DAY);
	tell(f, 1, 1, 1, 3, NOON - 4 * DAY);
	/* Its meter has gone on. */
	send_status(f, ID, metered(1, 2, BEFORE + 3 * MINUTE, 0), false, NOON - 2 * DAY);
	assert_before(f, BEFORE);
	tell(f, 2, 1, 1, 3, NOON - 2 * DAY);
	send_status(f, ID, metered(2, 2, BEFORE + 6 * MINUTE, 3 * MINUTE), false, NOON - DAY);
	assert_before(f, BEFORE);
	assert_int_equal(get_device(f, ID, NOON).odometer.motor_ms, 6 * MINUTE);
	/* Nothing of it is the audit's. */
	audit = get_audit(f, &(struct store_finding){.kind = 0}, 1, &findings);
	assert_int_equal(findings, 0);
	assert_int_equal(audit.motor_ms, 6 * MINUTE);
}

static void what_people_say_is_taken_as_it_is(void **state)
{
	struct fixture *f = *state;

	send_status(f, ID, said(1, 10 * BEFORE), false, NOON);
	assert_before(f, 10 * BEFORE);
	send_status(f, ID, said(2, BEFORE), false, NOON); /* a digit too much */
	assert_before(f, BEFORE);
	send_status(f, ID, said(3, 0), false, NOON);
	assert_before(f, BEFORE);
	/* They know more than a meter that was exchanged. */
	struct gf_status both = metered(4, 1, 3 * HOUR, MINUTE);
	both.motor_before_ms = BEFORE;
	send_status(f, ID, both, false, NOON);
	assert_before(f, BEFORE);
}

/* How many wait to be judged, and none from now on. */
static unsigned marked(struct fixture *f)
{
	struct store_unsettled u;
	unsigned count = 0;

	assert_int_equal(store_begin(f->store, NULL), 0);
	while (store_judge_next(f->store, NOON, &u, NULL) == 0) {
		assert_int_equal(store_judge_done(f->store, &u.subject, NOON, INT64_MAX, NULL), 0);
		count++;
	}
	assert_int_equal(store_commit(f->store, NULL), 0);
	return count;
}

static void a_birth_that_changes_it_has_the_machine_judged_again(void **state)
{
	struct fixture *f = *state;
	unsigned all[RULE_SUBJECT_COUNT];

	for (size_t i = 0; i < RULE_SUBJECT_COUNT; i++)
		all[i] = UINT32_MAX;
	store_judge_needs(f->store, all);
	send_status(f, ID, metered(1, 1, BEFORE, 0), false, NOON - HOUR);
	assert_true(marked(f) > 0);
	send_status(f, ID, metered(2, 1, BEFORE + MINUTE, MINUTE), false, NOON - HOUR);
	assert_int_equal(marked(f), 0);
	send_status(f, ID, metered(3, 1, BEFORE + HOUR, MINUTE), false, NOON - HOUR);
	assert_true(marked(f) > 0);
	send_status(f, ID, said(4, BEFORE), false, NOON - HOUR);
	assert_true(marked(f) > 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(the_meter_knows_what_ran_before),
	    TEST(i1_a_machine_that_lost_its_memory_counts_no_hour_twice),
	    TEST(what_people_say_is_taken_as_it_is),
	    TEST(a_birth_that_changes_it_has_the_machine_judged_again),
	};

	return cmocka_run_group_tests_name("store hour meter", tests, NULL, NULL);
}
