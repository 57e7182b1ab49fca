/* A catalog's way onto a machine, and what is told of it. */
#include "tests/unit/agent/catalog/rig.h"

#include <string.h>

static const struct recipe v5 = {.version = 5}, v6 = {.version = 6}, v6_other = {.version = 6, .salt = 1},
                           v7 = {.version = 7}, v7_back = {.version = 7, .floor = 5},
                           big = {.version = 6, .routines = 60};

/* ---- the happy path ---- */

static void the_first_start_takes_what_was_installed_by_hand(void **state)
{
	struct rig *rig = *state;
	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(rig_active(rig), 5);
	assert_int_equal(update_phase(rig->update), UPDATE_IDLE);
	assert_int_equal(rig->changed_count, 1);
	assert_int_equal(rig->changed[0].cause, GF_CATALOG_CAUSE_BY_HAND);
	assert_int_equal(rig->changed[0].version, 5);
	assert_int_equal(rig->changed[0].previous_version, 0);
	assert_string_equal(rig->changed[0].catalog, "legs");
	assert_int_equal(rig->applied_count, 0);
	assert_int_equal(rig->due_ms, INT64_MAX);
	rig_restart(rig);
	assert_int_equal(rig_active(rig), 5);
	assert_int_equal(rig->changed_count, 1);
}

static void a_desired_one_is_fetched_tried_and_confirmed(void **state)
{
	static const enum gf_desired_step steps[] = {GF_DESIRED_STEP_FETCHING, GF_DESIRED_STEP_ACTIVE,
	                                             GF_DESIRED_STEP_CONFIRMED};
	struct rig *rig = *state;
	struct made made;
	made_init(&made, &v6);
	assert_int_equal(rig_open(rig), 0);
	assert_true(rig_desire(rig, 1, &made, 0));
	assert_int_equal(update_phase(rig->update), UPDATE_FETCHING);
	assert_true(rig->fetching && gf_digest_equal(&rig->asked, &made.digest));
	rig_deliver(rig, &made);
	assert_false(rig->fetching);
	assert_int_equal(update_phase(rig->update), UPDATE_TRIAL);
	assert_int_equal(rig_active(rig), 6);
	assert_int_equal(rig->changed[1].cause, GF_CATALOG_CAUSE_OVER_THE_AIR);
	assert_int_equal(rig->changed[1].previous_version, 5);
	assert_true(gf_digest_equal(&rig->changed[1].digest, &made.digest));
	rig_confirm(rig);
	assert_int_equal(update_phase(rig->update), UPDATE_IDLE);
	assert_int_equal(rig->applied_count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(rig->applied[i].step, steps[i]);
		assert_int_equal(rig->applied[i].revision, 1);
		assert_int_equal(rig->applied[i].version, 6);
		assert_true(gf_digest_equal(&rig->applied[i].digest, &made.digest));
		assert_string_equal(rig->applied[i].catalog, "legs");
	}
	assert_int_equal(rig->changed_count, 2);
	rig_restart(rig);
	assert_int_equal(rig_active(rig), 6);
	assert_int_equal(rig->applied_count, 3);
	made_deinit(&made);
}

static void parts_come_in_any_order(void **state)
{
	struct rig *rig = *state;
	struct made made;
	made_init(&made, &big);
	const size_t parts = gf_catalog_parts(made.len);
	assert_true(parts >= 2);
	assert_int_equal(rig_open(rig), 0);
	rig_desire(rig, 1, &made, 0);
	for (size_t i = parts; i-- > 0;) {
		assert_int_equal(rig_active(rig), 5);
		const size_t at = i * GF_CATALOG_PART_MAX, left = made.len - at;
		update_part(rig->update, &made.digest, (int)i, made.data + at,
		            left < GF_CATALOG_PART_MAX ? left : GF_CATALOG_PART_MAX, rig->now);
		rig_run(rig);
	}
	assert_int_equal(rig_active(rig), 6);
	assert_int_equal(update_stats(rig->update).bad_parts, 0);
	made_deinit(&made);
}

static void a_machine_in_use_updates_when_its_session_ends(void **state)
{
	struct rig *rig = *state;
	struct made made;
	made_init(&made, &v6);
	assert_int_equal(rig_open(rig), 0);
	rig_sit(rig);
	rig_desire(rig, 1, &made, 0);
	rig_deliver(rig, &made);
	rig_assert_answer(rig, 1, GF_DESIRED_STEP_WAITING, GF_REFUSAL_UNSPECIFIED);
	rig_pass(rig, 20 * RIG_MINUTE);
	assert_int_equal(rig_active(rig), 5);
	assert_int_equal(rig->given_count, 0);
	rig_rise(rig, GF_OUTCOME_COMPLETED);
	assert_int_equal(rig_active(rig), 6);
	rig_assert_answer(rig, 1, GF_DESIRED_STEP_ACTIVE, GF_REFUSAL_UNSPECIFIED);
	made_deinit(&made);
}

/* ---- what is here already ---- */

static void the_active_one_is_confirmed_at_once(void **state)
{
	struct rig *rig = *state;
	struct made made;
	made_init(&made, &v5);
	assert_int_equal(rig_open(rig), 0);
	rig_desire(rig, 1, &made, 0);
	rig_assert_answer(rig, 1, GF_DESIRED_STEP_CONFIRMED, GF_REFUSAL_UNSPECIFIED);
	assert_int_equal(rig->fetches, 0);
	made_deinit(&made);
}

static void one_on_the_shelf_needs_no_network(void **state)
{
	struct rig *rig = *state;
	struct made six, seven;
	made_init(&six, &v6);
	made_init(&seven, &v7_back);
	assert_int_equal(rig_open(rig), 0);
	rig_install(rig, 1, &six);
	rig_confirm(rig);
	rig_install(rig, 2, &seven);
	rig_confirm(rig);
	const unsigned fetches = rig->fetches;
	rig_link(rig, false);
	rig_desire(rig, 3, &six, 0);
	assert_int_equal(rig_active(rig), 6);
	rig_assert_answer(rig, 3, GF_DESIRED_STEP_ACTIVE, GF_REFUSAL_UNSPECIFIED);
	assert_int_equal(rig->fetches, fetches);
	made_deinit(&six);
	made_deinit(&seven);
}

static void the_file_needs_no_network_either(void **state)
{
	struct rig *rig = *state;
	struct made five, seven;
	made_init(&five, &v5);
	made_init(&seven, &v7_back);
	assert_int_equal(rig_open(rig), 0);
	rig_install(rig, 1, &seven);
	rig_confirm(rig);
	rig_desire(rig, 2, &five, 0);
	assert_int_equal(rig_active(rig), 5);
	assert_true(update_on_trial(rig->update));
	rig_confirm(rig);
	rig_assert_answer(rig, 2, GF_DESIRED_STEP_CONFIRMED, GF_REFUSAL_UNSPECIFIED);
	assert_int_equal(rig->fetches, 1);
	made_deinit(&five);
	made_deinit(&seven);
}

static void nothing_desired_keeps_what_is_there(void **state)
{
	struct rig *rig = *state;
	struct made made;
	made_init(&made, &v6);
	assert_int_equal(rig_open(rig), 0);
	assert_true(rig_desire_none(rig, 1));
	rig_assert_answer(rig, 1, GF_DESIRED_STEP_APPLIED, GF_REFUSAL_UNSPECIFIED);
	rig_desire(rig, 2, &made, 0);
	assert_int_equal(update_phase(rig->update), UPDATE_FETCHING);
	rig_desire_none(rig, 3);
	assert_int_equal(update_phase(rig->update), UPDATE_IDLE);
	assert_false(rig->fetching);
	rig_assert_answer(rig, 3, GF_DESIRED_STEP_APPLIED, GF_REFUSAL_UNSPECIFIED);
	rig_deliver(rig, &made);
	assert_int_equal(rig_active(rig), 5);
	made_deinit(&made);
}

/* ---- revisions ---- */

static void the_same_revision_again_is_told_nothing_twice(void **state)
{
	struct rig *rig = *state;
	struct made made;
	made_init(&made, &v6);
	assert_int_equal(rig_open(rig), 0);
	rig_install(rig, 1, &made);
	const size_t told = rig->applied_count;
	assert_true(rig_desire(rig, 1, &made, 0));
	rig_restart(rig);
	assert_true(rig_desire(rig, 1, &made, 0));
	assert_int_equal(rig->applied_count, told);
	rig_confirm(rig);
	assert_int_equal(rig->applied_count, told + 1);
	assert_int_equal(rig_crash(rig), 0);
	assert_true(rig_desire(rig, 1, &made, 0));
	assert_int_equal(rig->applied_count, told + 1);
	made_deinit(&made);
}

static void a_new_revision_of_the_same_catalog_is_answered_as_far_as_it_is(void **state)
{
	struct rig *rig = *state;
	struct made made;
	made_init(&made, &v6);
	assert_int_equal(rig_open(rig), 0);
	rig_desire(rig, 1, &made, 0);
	rig_desire(rig, 2, &made, 0);
	rig_assert_answer(rig, 2, GF_DESIRED_STEP_FETCHING, GF_REFUSAL_UNSPECIFIED);
	assert_int_equal(rig->fetches, 1);
	rig_deliver(rig, &made);
	rig_assert_answer(rig, 2, GF_DESIRED_STEP_ACTIVE, GF_REFUSAL_UNSPECIFIED);
	rig_desire(rig, 3, &made, 0);
	rig_assert_answer(rig, 3, GF_DESIRED_STEP_ACTIVE, GF_REFUSAL_UNSPECIFIED);
	rig_confirm(rig);
	rig_assert_answer(rig, 3, GF_DESIRED_STEP_CONFIRMED, GF_REFUSAL_UNSPECIFIED);
	assert_int_equal(rig_count(rig, 2, GF_DESIRED_STEP_CONFIRMED), 0);
	made_deinit(&made);
}

static void an_order_that_was_begun_goes_on_after_a_restart(void **state)
{
	struct rig *rig = *state;
	struct made made;
	made_init(&made, &v6);
	assert_int_equal(rig_open(rig), 0);
	rig_desire(rig, 1, &made, 0);
	assert_int_equal(rig_crash(rig), 0);
	assert_int_equal(update_phase(rig->update), UPDATE_FETCHING);
	assert_int_equal(update_revision(rig->update), 1);
	rig_sit(rig);
	rig_deliver(rig, &made);
	assert_int_equal(rig_crash(rig), 0);
	assert_int_equal(rig_active(rig), 6);
	assert_int_equal(rig->fetches, 2);
	made_deinit(&made);
}

static void a_refused_one_is_not_fetched_again_but_for_a_new_revision(void **state)
{
	struct rig *rig = *state;
	struct made made;
	made_init(&made, &(struct recipe){.version = 6, .signers = 1});
	assert_int_equal(rig_open(rig), 0);
	rig_desire(rig, 1, &made, 0);
	rig_deliver(rig, &made);
	rig_assert_answer(rig, 1, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_FEW_SIGNATURES);
	rig_desire(rig, 1, &made, 0);
	rig_restart(rig);
	rig_desire(rig, 1, &made, 0);
	assert_int_equal(rig->fetches, 1);
	assert_int_equal(rig->applied_count, 2);
	rig_desire(rig, 2, &made, 0);
	assert_int_equal(rig->fetches, 2);
	made_deinit(&made);
}

static void another_one_takes_the_place_of_what_is_being_fetched_or_waits(void **state)
{
	struct rig *rig = *state;
	struct made six, seven;
	made_init(&six, &v6);
	made_init(&seven, &v7);
	assert_int_equal(rig_open(rig), 0);
	rig_sit(rig);
	rig_desire(rig, 1, &six, 0);
	rig_desire(rig, 2, &seven, 0);
	assert_int_equal(rig->fetch_ends, 1);
	assert_true(gf_digest_equal(&rig->asked, &seven.digest));
	rig_deliver(rig, &six);
	assert_int_equal(update_stats(rig->update).stray_parts, 1);
	rig_deliver(rig, &seven);
	assert_int_equal(update_phase(rig->update), UPDATE_WAITING);
	rig_desire(rig, 3, &six, 0);
	assert_int_equal(update_phase(rig->update), UPDATE_FETCHING);
	rig_deliver(rig, &six);
	rig_rise(rig, GF_OUTCOME_COMPLETED);
	assert_int_equal(rig_active(rig), 6);
	made_deinit(&six);
	made_deinit(&seven);
}

/* ---- the network ---- */

static void each_connect_asks_anew(void **state)
{
	struct rig *rig = *state;
	struct made made;
	made_init(&made, &v6);
	assert_int_equal(rig_open(rig), 0);
	rig_link(rig, false);
	rig_desire(rig, 1, &made, 0);
	assert_int_equal(rig->fetches, 0);
	rig_link(rig, true);
	assert_int_equal(rig->fetches, 1);
	rig_link(rig, false);
	rig_link(rig, true);
	assert_int_equal(rig->fetches, 2);
	rig->refuse_fetch = true;
	rig_link(rig, true);
	rig_pass(rig, 10 * RIG_SECOND);
	rig->refuse_fetch = false;
	rig_pass(rig, 2 * RIG_SECOND);
	assert_int_equal(rig->fetches, 3);
	rig_deliver(rig, &made);
	assert_int_equal(rig_active(rig), 6);
	made_deinit(&made);
}

/* A link whose box is full drops what it can't take, and nobody sends it again by himself. */
static void a_part_that_got_lost_is_asked_for_again(void **state)
{
	struct rig *rig = *state;
	struct made made;
	made_init(&made, &big);
	assert_int_equal(rig_open(rig), 0);
	rig_desire(rig, 1, &made, 0);
	rig_pass(rig, UPDATE_AGAIN_MS - RIG_SECOND);
	update_part(rig->update, &made.digest, 0, made.data, GF_CATALOG_PART_MAX, rig->now);
	rig_pass(rig, UPDATE_AGAIN_MS - 1);
	assert_int_equal(rig->fetches, 1);
	rig_pass(rig, 1);
	assert_int_equal(rig->fetches, 2);
	rig_deliver(rig, &made);
	assert_int_equal(rig_active(rig), 6);
	assert_int_equal(rig->fetch_ends, 1);
	made_deinit(&made);
}

/* A broker may retain an old attempt: asked for once more it says what it has now. */
static void bytes_that_are_others_are_asked_for_once_more(void **state)
{
	struct rig *rig = *state;
	struct made six, other;
	made_init(&six, &v6);
	made_init(&other, &v6_other);
	assert_int_equal(six.len, other.len);
	assert_int_equal(rig_open(rig), 0);
	rig_desire(rig, 1, &six, 0);
	rig_deliver_as(rig, &six.digest, other.data, other.len);
	assert_int_equal(rig->fetches, 2);
	assert_int_equal(rig->fetch_ends, 1);
	rig_deliver(rig, &six);
	assert_int_equal(rig_active(rig), 6);
	made_deinit(&six);
	made_deinit(&other);
}

#define UPDATE_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    UPDATE_TEST(the_first_start_takes_what_was_installed_by_hand),
	    UPDATE_TEST(a_desired_one_is_fetched_tried_and_confirmed),
	    UPDATE_TEST(parts_come_in_any_order),
	    UPDATE_TEST(a_machine_in_use_updates_when_its_session_ends),
	    UPDATE_TEST(the_active_one_is_confirmed_at_once),
	    UPDATE_TEST(one_on_the_shelf_needs_no_network),
	    UPDATE_TEST(the_file_needs_no_network_either),
	    UPDATE_TEST(nothing_desired_keeps_what_is_there),
	    UPDATE_TEST(the_same_revision_again_is_told_nothing_twice),
	    UPDATE_TEST(a_new_revision_of_the_same_catalog_is_answered_as_far_as_it_is),
	    UPDATE_TEST(an_order_that_was_begun_goes_on_after_a_restart),
	    UPDATE_TEST(a_refused_one_is_not_fetched_again_but_for_a_new_revision),
	    UPDATE_TEST(another_one_takes_the_place_of_what_is_being_fetched_or_waits),
	    UPDATE_TEST(each_connect_asks_anew),
	    UPDATE_TEST(a_part_that_got_lost_is_asked_for_again),
	    UPDATE_TEST(bytes_that_are_others_are_asked_for_once_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
