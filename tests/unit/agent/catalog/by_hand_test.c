/* The file that agent.yaml names, and the keys: what somebody on site decides. */
#include "tests/unit/agent/catalog/rig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct recipe v5 = {.version = 5}, v6 = {.version = 6}, v6_other = {.version = 6, .salt = 1},
                           v7 = {.version = 7}, v7_back = {.version = 7, .floor = 5};

static void a_newer_file_is_taken_at_the_next_start(void **state)
{
	struct rig *rig = *state;
	struct made made;
	made_init(&made, &v7);
	assert_int_equal(rig_open(rig), 0);
	rig_put_file(rig, &made);
	rig_restart(rig);
	assert_int_equal(rig_active(rig), 7);
	assert_int_equal(rig->changed[1].cause, GF_CATALOG_CAUSE_BY_HAND);
	assert_int_equal(rig->changed[1].previous_version, 5);
	assert_false(update_on_trial(rig->update));
	made_deinit(&made);
}

static void a_file_of_the_same_or_an_older_version_changes_nothing(void **state)
{
	struct rig *rig = *state;
	struct made six, other;
	made_init(&six, &v6);
	made_init(&other, &v6_other);
	assert_int_equal(rig_open(rig), 0);
	rig_install(rig, 1, &six);
	rig_confirm(rig);
	rig_put_file(rig, &other);
	rig_restart(rig);
	const struct gf_digest digest = update_active_digest(rig->update);
	assert_true(gf_digest_equal(&digest, &six.digest));
	assert_non_null(strstr(update_notice(rig->update), "version 6 is not above 6, the highest that was here"));
	rig_restart(rig);
	assert_string_equal(update_notice(rig->update), ""); /* once is enough */
	made_deinit(&other);
	made_init(&other, &v5);
	rig_put_file(rig, &other);
	rig_restart(rig);
	assert_int_equal(rig_active(rig), 6);
	assert_int_equal(rig->changed_count, 2);
	made_deinit(&six);
	made_deinit(&other);
}

static void i6_an_unsigned_file_is_not_taken_where_there_are_keys(void **state)
{
	struct rig *rig = *state;
	struct made made;
	made_init(&made, &(struct recipe){.version = 7, .signers = 1U << 6});
	assert_int_equal(rig_open(rig), 0);
	rig_put_file(rig, &made);
	assert_int_equal(rig_crash(rig), -EINVAL); /* its bytes are gone, and nothing else is there */
	assert_non_null(strstr(rig->diag.text, "none is known here"));
	rig->config.judge.keys = (struct gf_keyset){0};
	assert_int_equal(rig_crash(rig), 0);
	assert_int_equal(rig_active(rig), 7);
	made_deinit(&made);
}

/* Whoever started it thrice with the wrong keys has changed nothing about the file. */
static void a_file_that_was_refused_is_judged_again_once_the_keys_are_right(void **state)
{
	struct rig *rig = *state;
	const struct gf_keyset right = rig->config.judge.keys;
	rig_keyset(1U << 5 | 1U << 6, 2, &rig->config.judge.keys);
	for (unsigned start = 0; start <= UPDATE_JUDGE_CRASHES; start++) {
		assert_int_equal(rig_open(rig), -EINVAL);
		assert_non_null(strstr(rig->diag.text, "none is known here"));
	}
	rig->config.judge.keys = right;
	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(rig_active(rig), 5);
}

/* It goes on: keys in agent.yaml are no reason to stop a machine. But not without a word. */
static void a_file_from_before_there_were_keys_is_said_to_be_unsigned(void **state)
{
	struct rig *rig = *state;
	struct made made;
	const struct gf_keyset keys = rig->config.judge.keys;
	made_init(&made, &(struct recipe){.version = 5, .signers = 1U << 6});
	rig_put_file(rig, &made);
	rig->config.judge.keys = (struct gf_keyset){0};
	assert_int_equal(rig_open(rig), 0);
	rig_restart(rig);
	assert_string_equal(update_notice(rig->update), "");
	rig->config.judge.keys = keys;
	rig_restart(rig);
	assert_int_equal(rig_active(rig), 5);
	assert_non_null(strstr(update_notice(rig->update), "none is known here; sign it"));
	made_deinit(&made);
}

static void a_file_that_went_leaves_what_was_before(void **state)
{
	struct rig *rig = *state;
	struct made six, seven;
	made_init(&six, &v6);
	made_init(&seven, &v7);
	assert_int_equal(rig_open(rig), 0);
	rig_install(rig, 1, &six);
	rig_confirm(rig);
	rig_put_file(rig, &seven);
	rig_restart(rig);
	assert_int_equal(rig_active(rig), 7);
	assert_int_equal(remove(rig->file), 0);
	rig_restart(rig);
	assert_int_equal(rig_active(rig), 6);
	assert_int_equal(rig->changed[rig->changed_count - 1].cause, GF_CATALOG_CAUSE_RECOVERED);
	/* What was higher stays so. */
	rig_desire(rig, 2, &six, 0);
	rig_assert_answer(rig, 2, GF_DESIRED_STEP_CONFIRMED, GF_REFUSAL_UNSPECIFIED);
	struct made other;
	made_init(&other, &v6_other);
	rig_desire(rig, 3, &other, 0);
	rig_deliver(rig, &other);
	rig_assert_answer(rig, 3, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_OLDER_VERSION);
	made_deinit(&other);
	made_deinit(&six);
	made_deinit(&seven);
}

static void without_any_catalog_it_says_how_to_make_one(void **state)
{
	struct rig *rig = *state;
	assert_int_equal(remove(rig->file), 0);
	assert_int_equal(rig_open(rig), -ENOENT);
	assert_non_null(strstr(rig->diag.text, "gymfleet catalog build --class chair"));
}

/* The simulator's machines share one. */
static void a_borrowed_catalog_takes_the_place_of_the_file(void **state)
{
	struct rig *rig = *state;
	struct made five, seven;
	struct gf_catalog catalog;
	made_init(&five, &v5);
	made_init(&seven, &v7_back);
	assert_int_equal(gf_catalog_decode(five.data, five.len, &catalog, NULL), 0);
	rig->config.catalog_file = NULL;
	rig->config.catalog = &catalog;
	rig->config.catalog_digest = &five.digest;
	rig->config.sync = false;
	assert_int_equal(rig_open(rig), 0);
	assert_ptr_equal(rig->playing, &catalog);
	rig_install(rig, 1, &seven);
	rig_confirm(rig);
	rig_desire(rig, 2, &five, 0);
	assert_ptr_equal(rig->playing, &catalog);
	rig_restart(rig);
	assert_ptr_equal(rig->playing, &catalog);
	assert_true(update_on_trial(rig->update));
	rig_close(rig);
	gf_catalog_deinit(&catalog);
	made_deinit(&five);
	made_deinit(&seven);
}

/* ---- keys ---- */

static void keys_that_a_catalog_names_count_once_it_is_active(void **state)
{
	struct rig *rig = *state;
	struct made rotates, old, new;
	made_init(&rotates, &(struct recipe){.version = 6, .next = 1U << 4 | 1U << 5});
	made_init(&old, &(struct recipe){.version = 7});
	made_init(&new, &(struct recipe){.version = 8, .signers = 1U << 4 | 1U << 5});
	assert_int_equal(rig_open(rig), 0);
	rig_desire(rig, 1, &new, 0);
	rig_deliver(rig, &new);
	rig_assert_answer(rig, 1, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_UNKNOWN_KEY);
	rig_install(rig, 2, &rotates);
	rig_confirm(rig);
	rig_restart(rig);
	rig_desire(rig, 3, &old, 0);
	rig_deliver(rig, &old);
	rig_assert_answer(rig, 3, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_UNKNOWN_KEY);
	rig_install(rig, 4, &new);
	made_deinit(&rotates);
	made_deinit(&old);
	made_deinit(&new);
}

static void keys_changed_in_agent_yaml_count_again(void **state)
{
	struct rig *rig = *state;
	struct made rotates, new;
	made_init(&rotates, &(struct recipe){.version = 6, .next = 1U << 4 | 1U << 5});
	made_init(&new, &(struct recipe){.version = 7, .signers = 1U << 1 | 1U << 6});
	assert_int_equal(rig_open(rig), 0);
	rig_install(rig, 1, &rotates);
	rig_confirm(rig);
	rig_keyset(1U << 1 | 1U << 6, 2, &rig->config.judge.keys);
	rig_restart(rig);
	rig_install(rig, 2, &new);
	made_deinit(&rotates);
	made_deinit(&new);
}

/* From the keys of agent.yaml to others, and one more catalog by those. */
static void rotate(struct rig *rig)
{
	struct made rotates, new;
	made_init(&rotates, &(struct recipe){.version = 6, .next = 1U << 4 | 1U << 5});
	made_init(&new, &(struct recipe){.version = 7, .signers = 1U << 4 | 1U << 5});
	rig_install(rig, 1, &rotates);
	rig_confirm(rig);
	rig_install(rig, 2, &new);
	rig_confirm(rig);
	made_deinit(&rotates);
	made_deinit(&new);
}

/* To what it played before, as far as the newest one's terms go; to nothing else by the old keys. */
static void i6_a_change_of_keys_leaves_the_way_back_open(void **state)
{
	struct rig *rig = *state;
	struct made rotates, new, never;
	made_init(&rotates, &(struct recipe){.version = 6, .floor = 5, .next = 1U << 4 | 1U << 5});
	made_init(&new, &(struct recipe){.version = 8, .floor = 6, .signers = 1U << 4 | 1U << 5});
	made_init(&never, &(struct recipe){.version = 7});
	assert_int_equal(rig_open(rig), 0);
	rig_install(rig, 1, &rotates);
	rig_confirm(rig);
	rig_install(rig, 2, &new);
	rig_confirm(rig);
	rig_desire(rig, 3, &never, 0);
	rig_deliver(rig, &never);
	rig_assert_answer(rig, 3, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_UNKNOWN_KEY);
	rig_desire(rig, 4, &rotates, 0);
	rig_run(rig);
	assert_int_equal(rig_active(rig), 6);
	made_deinit(&rotates);
	made_deinit(&new);
	made_deinit(&never);
}

static void i6_the_file_by_the_first_keys_is_a_way_back_too(void **state)
{
	struct rig *rig = *state;
	struct made rotates, by_hand;
	made_init(&by_hand, &(struct recipe){.version = 5});
	made_init(&rotates, &(struct recipe){.version = 6, .floor = 5, .next = 1U << 4 | 1U << 5});
	assert_int_equal(rig_open(rig), 0);
	rig_install(rig, 1, &rotates);
	rig_confirm(rig);
	rig_desire(rig, 2, &by_hand, 0);
	rig_run(rig);
	assert_int_equal(rig_active(rig), 5);
	made_deinit(&rotates);
	made_deinit(&by_hand);
}

static void lose(const struct rig *rig, const char *name)
{
	char path[160];
	snprintf(path, sizeof(path), "%s/catalog/%s", rig->dir, name);
	assert_int_equal(remove(path), 0);
}

/* The file was good before the keys changed, and it is the same one. */
static void when_all_else_is_lost_a_file_by_earlier_keys_is_played(void **state)
{
	struct rig *rig = *state;
	assert_int_equal(rig_open(rig), 0);
	rotate(rig);
	rig_close(rig);
	lose(rig, "a.catalog");
	lose(rig, "b.catalog");
	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(rig_active(rig), 5);
	/* But no other one by them. */
	struct made other;
	made_init(&other, &(struct recipe){.version = 9});
	rig_put_file(rig, &other);
	assert_int_equal(rig_crash(rig), -EINVAL);
	made_deinit(&other);
}

/* Else nothing that is signed by the new ones would ever be taken again. */
static void keys_that_a_catalog_on_the_shelf_names_survive_the_loss_of_the_state(void **state)
{
	struct rig *rig = *state;
	struct made old, new;
	made_init(&old, &(struct recipe){.version = 8});
	made_init(&new, &(struct recipe){.version = 9, .signers = 1U << 4 | 1U << 5});
	assert_int_equal(rig_open(rig), 0);
	rotate(rig);
	rig_close(rig);
	lose(rig, "state");
	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(rig_active(rig), 7);
	rig_confirm(rig);
	rig_desire(rig, 3, &old, 0);
	rig_deliver(rig, &old);
	rig_assert_answer(rig, 3, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_UNKNOWN_KEY);
	rig_install(rig, 4, &new);
	made_deinit(&old);
	made_deinit(&new);
}

#define HAND_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    HAND_TEST(i6_a_change_of_keys_leaves_the_way_back_open),
	    HAND_TEST(i6_the_file_by_the_first_keys_is_a_way_back_too),
	    HAND_TEST(a_newer_file_is_taken_at_the_next_start),
	    HAND_TEST(a_file_of_the_same_or_an_older_version_changes_nothing),
	    HAND_TEST(i6_an_unsigned_file_is_not_taken_where_there_are_keys),
	    HAND_TEST(a_file_that_was_refused_is_judged_again_once_the_keys_are_right),
	    HAND_TEST(a_file_from_before_there_were_keys_is_said_to_be_unsigned),
	    HAND_TEST(a_file_that_went_leaves_what_was_before),
	    HAND_TEST(without_any_catalog_it_says_how_to_make_one),
	    HAND_TEST(a_borrowed_catalog_takes_the_place_of_the_file),
	    HAND_TEST(keys_that_a_catalog_names_count_once_it_is_active),
	    HAND_TEST(keys_changed_in_agent_yaml_count_again),
	    HAND_TEST(when_all_else_is_lost_a_file_by_earlier_keys_is_played),
	    HAND_TEST(keys_that_a_catalog_on_the_shelf_names_survive_the_loss_of_the_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
