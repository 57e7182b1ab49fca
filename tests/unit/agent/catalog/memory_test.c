/* Memory runs out at each of our own allocations, one after the other: nothing is lost, and the next attempt finds all. */
#include "tests/unit/agent/catalog/rig.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/proto/alloc_fail.h"

/* On 6, confirmed; 7 comes in parts. */
static int setup(void **state)
{
	assert_int_equal(lab_setup(state), 0);
	struct lab *lab = *state;
	made_deinit(&lab->seven);
	made_init(&lab->seven, &(struct recipe){.version = 7, .routines = 60});
	rig_install(&lab->rig, 1, &lab->six);
	rig_confirm(&lab->rig);
	return 0;
}

/* True when it had memory enough. */
static bool start_with(struct rig *rig, int allocations, uint64_t version)
{
	const size_t changes = rig->changed_count;
	rig_close(rig);
	rig->now.mono_ms += RIG_SECOND;
	alloc_fail_after(allocations);
	const int r = rig_open(rig);
	alloc_fail_after(-1);
	if (r == 0) {
		assert_int_equal(rig_active(rig), version);
		assert_int_equal(rig->changed_count, changes);
		return true;
	}
	assert_int_equal(r, -ENOMEM);
	return false;
}

static void a_start_without_memory_loses_nothing(void **state)
{
	struct lab *lab = *state;
	int n = 0;
	while (!start_with(&lab->rig, n, 6))
		n++;
	assert_true(n > 5);
}

static void nor_does_one_on_trial(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	rig_install(rig, 2, &lab->seven);
	for (int n = 0;; n++) {
		if (start_with(rig, n, 7))
			break;
		/* They count as crashes; this is about the memory. */
		assert_int_equal(rig_open(rig), 0);
		assert_int_equal(rig_active(rig), 7);
		update_stop(rig->update);
		rig_close(rig);
		assert_int_equal(rig_open(rig), 0);
		update_stop(rig->update);
	}
}

static void an_update_without_memory_is_refused_and_welcome_again(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	uint64_t revision = 2;
	for (int n = 0; rig_active(rig) == 6; n++, revision++) {
		assert_true(n < 1000);
		alloc_fail_after(n);
		rig_desire(rig, revision, &lab->seven, 0);
		if (rig->fetching)
			rig_deliver(rig, &lab->seven);
		alloc_fail_after(-1);
		if (rig_active(rig) == 6)
			rig_assert_answer(rig, revision, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_STORAGE);
		rig->applied_count = 0;
	}
	assert_int_equal(rig_active(rig), 7);
}

static void the_way_back_is_tried_again(void **state)
{
	struct lab *lab = *state;
	struct rig *rig = &lab->rig;
	rig_install(rig, 2, &lab->seven);
	rig_session(rig, GF_OUTCOME_FAULT_STOPPED);
	rig_sit(rig);
	alloc_fail_after(0);
	rig_rise(rig, GF_OUTCOME_FAULT_STOPPED);
	alloc_fail_after(-1);
	assert_int_equal(rig_active(rig), 7);
	rig_pass(rig, RIG_MINUTE);
	assert_int_equal(rig_active(rig), 6);
}

#define MEMORY_TEST(name) cmocka_unit_test_setup_teardown(name, setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    MEMORY_TEST(a_start_without_memory_loses_nothing),
	    MEMORY_TEST(nor_does_one_on_trial),
	    MEMORY_TEST(an_update_without_memory_is_refused_and_welcome_again),
	    MEMORY_TEST(the_way_back_is_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
