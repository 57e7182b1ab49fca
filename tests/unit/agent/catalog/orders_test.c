/*
 * What somebody may try with orders and parts, who holds the broker or the gateway; and a catalog that ends its reader.
 */
#include "tests/unit/agent/catalog/siege.h"

#include <stdio.h>
#include <string.h>

/* ---- orders ---- */

static void i6_a_replayed_old_order_changes_nothing(void **state)
{
	struct siege *sg = *state;
	struct rig *rig = &sg->rig;
	struct made six, seven;
	made_init(&six, &(struct recipe){.version = 6});
	made_init(&seven, &(struct recipe){.version = 7, .floor = 6});
	rig_install(rig, 10, &six);
	rig_confirm(rig);
	rig_install(rig, 11, &seven);
	rig_confirm(rig);
	/* The floor would allow it; the revision doesn't. Also after a crash. */
	assert_false(rig_desire(rig, 10, &six, 0));
	assert_int_equal(rig_crash(rig), 0);
	assert_false(rig_desire(rig, 10, &six, 0));
	assert_false(rig_desire(rig, 11, &six, 0));
	assert_int_equal(rig_active(rig), 7);
	assert_int_equal(update_stats(rig->update).stale_desired, 2);
	sg->revision = 11;
	made_deinit(&six);
	made_deinit(&seven);
}

/* Whoever had the gateway for a moment has not had it for ever. */
static void i9_no_revision_is_the_last_one(void **state)
{
	struct siege *sg = *state;
	struct rig *rig = &sg->rig;
	const uint64_t last = (UINT64_C(1) << 53) - 1, half = UINT64_C(1) << 52;
	assert_false(rig_desire_none(rig, last));
	assert_true(rig_desire_none(rig, half));
	for (uint64_t next = half; next < half + 10 * (uint64_t)UPDATE_REVISION_STEP; next += UPDATE_REVISION_STEP) {
		assert_false(rig_desire_none(rig, last));
		assert_false(rig_desire_none(rig, next + UPDATE_REVISION_STEP + 1));
		assert_true(rig_desire_none(rig, next + UPDATE_REVISION_STEP));
	}
	sg->revision = update_revision(rig->update);
	siege_recipe_refused(sg, &(struct recipe){.version = 4}, GF_REFUSAL_OLDER_VERSION);
}

/* Its disk is a new one, and the fleet's revisions are where somebody had led them. */
static void a_machine_that_has_seen_none_follows_the_others(void **state)
{
	struct siege *sg = *state;
	const uint64_t half = UINT64_C(1) << 52;
	assert_false(rig_desire_none(&sg->rig, (UINT64_C(1) << 53) - 1));
	assert_true(rig_desire_none(&sg->rig, half + 500 * (uint64_t)UPDATE_REVISION_STEP));
	sg->revision = update_revision(sg->rig.update);
}

static void an_order_for_another_revision_while_one_is_in_flight(void **state)
{
	struct siege *sg = *state;
	struct rig *rig = &sg->rig;
	struct made six, seven;
	made_init(&six, &(struct recipe){.version = 6, .routines = 60});
	made_init(&seven, &(struct recipe){.version = 7});
	rig_desire(rig, 10, &six, 0);
	update_part(rig->update, &six.digest, 0, six.data, GF_CATALOG_PART_MAX, rig->now);
	rig_desire(rig, 11, &seven, 0);
	update_part(rig->update, &six.digest, 1, six.data + GF_CATALOG_PART_MAX, six.len - GF_CATALOG_PART_MAX, rig->now);
	rig_run(rig);
	assert_int_equal(rig_active(rig), 5);
	rig_deliver(rig, &seven);
	assert_int_equal(rig_active(rig), 7);
	assert_int_equal(rig_count(rig, 10, GF_DESIRED_STEP_ACTIVE), 0);
	rig_confirm(rig);
	sg->revision = 11;
	made_deinit(&six);
	made_deinit(&seven);
}

/* ---- parts ---- */

static void i6_parts_of_two_catalogs_do_not_mix(void **state)
{
	struct siege *sg = *state;
	struct rig *rig = &sg->rig;
	struct made a, b;
	made_init(&a, &(struct recipe){.version = 6, .routines = 60});
	made_init(&b, &(struct recipe){.version = 6, .routines = 60, .salt = 1});
	assert_int_equal(a.len, b.len);
	rig_desire(rig, ++sg->revision, &a, 0);
	/* Under their own topics the wrong ones are strays. */
	update_part(rig->update, &b.digest, 0, b.data, GF_CATALOG_PART_MAX, rig->now);
	assert_int_equal(update_stats(rig->update).stray_parts, 1);
	/* Under the topic of the other, put there by the broker. */
	for (int i = 0; i < 2; i++) {
		update_part(rig->update, &a.digest, 0, b.data, GF_CATALOG_PART_MAX, rig->now);
		update_part(rig->update, &a.digest, 1, a.data + GF_CATALOG_PART_MAX, a.len - GF_CATALOG_PART_MAX, rig->now);
		rig_run(rig);
	}
	rig_assert_answer(rig, sg->revision, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_DIGEST);
	assert_int_equal(rig_active(rig), 5);
	made_deinit(&a);
	made_deinit(&b);
}

static void i8_endless_parts_end(void **state)
{
	struct siege *sg = *state;
	struct rig *rig = &sg->rig;
	struct made made;
	made_init(&made, &(struct recipe){.version = 6, .routines = 60});
	rig_desire(rig, ++sg->revision, &made, 0);
	for (int i = 0; i < 100000; i++) {
		update_part(rig->update, &made.digest, i % 1000, made.data, GF_CATALOG_PART_MAX, rig->now);
		if (i % 100 == 0)
			rig_pass(rig, RIG_SECOND);
	}
	rig_assert_answer(rig, sg->revision, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_NOT_DELIVERED);
	assert_int_equal(rig_active(rig), 5);
	made_deinit(&made);
}

static void i8_truncated_and_oversized_parts_are_dropped(void **state)
{
	static unsigned char large[GF_CATALOG_MAX];
	struct siege *sg = *state;
	struct rig *rig = &sg->rig;
	struct made made;
	made_init(&made, &(struct recipe){.version = 6, .routines = 60});
	rig_desire(rig, ++sg->revision, &made, 0);
	update_part(rig->update, &made.digest, 0, made.data, GF_CATALOG_PART_MAX - 1, rig->now);
	update_part(rig->update, &made.digest, 1, made.data, made.len - GF_CATALOG_PART_MAX - 1, rig->now);
	update_part(rig->update, &made.digest, 0, large, sizeof(large), rig->now);
	update_part(rig->update, &made.digest, GF_TOPIC_CATALOG_WHOLE, made.data, made.len, rig->now);
	update_part(rig->update, &made.digest, 2, made.data, 1, rig->now);
	assert_int_equal(update_stats(rig->update).bad_parts, 5);
	rig_pass(rig, UPDATE_FETCH_MS + RIG_SECOND);
	rig_assert_answer(rig, sg->revision, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_NOT_DELIVERED);
	assert_string_equal(rig_last(rig)->detail, "0 of 2 parts came in 600 s of connection");
	made_deinit(&made);
}

static void i8_an_announced_size_beyond_all_is_refused(void **state)
{
	struct siege *sg = *state;
	struct made made;
	made_init(&made, &(struct recipe){.version = 6});
	made.len = GF_CATALOG_MAX + 1;
	siege_refused(sg, &made, GF_REFUSAL_TOO_LARGE);
	made.len = 0;
	siege_refused(sg, &made, GF_REFUSAL_TOO_LARGE);
	made_deinit(&made);
}

/* ---- a catalog that ends its reader ---- */

/* The mark is on the disk when the bytes are about to be read; whoever starts next knows how often it was. */
static void i6_a_catalog_that_crashes_the_agent_is_left_alone(void **state)
{
	struct siege *sg = *state;
	struct rig *rig = &sg->rig;
	struct shelf_state on_disk;
	struct shelf *shelf = NULL;
	struct made made;
	char dir[96];
	made_init(&made, &(struct recipe){.version = 6});
	snprintf(dir, sizeof(dir), "%s/catalog", rig->dir);
	for (int i = 0; i <= UPDATE_JUDGE_CRASHES; i++) {
		rig_desire(rig, 20, &made, 0);
		assert_int_equal(update_phase(rig->update), UPDATE_FETCHING);
		if (i < UPDATE_JUDGE_CRASHES) {
			/* The next thing after the mark's four operations is the end. */
			disk_trouble(DISK_KILLED, 4, 0);
			rig_deliver(rig, &made);
			rig_close(rig);
			disk_trouble(DISK_FINE, -1, 0);
			assert_int_equal(shelf_open(dir, true, &shelf, &on_disk, NULL), 0);
			shelf_close(shelf);
			assert_true(gf_digest_equal(&on_disk.judging.digest, &made.digest));
			assert_int_equal(on_disk.judging.starts, i + 1);
			assert_int_equal(rig_open(rig), 0);
		}
	}
	rig_deliver(rig, &made);
	rig_assert_answer(rig, 20, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_CRASHED);
	assert_int_equal(rig_active(rig), 5);
	sg->revision = 20;
	made_deinit(&made);
}

/* Whoever can't count the ends doesn't begin. */
static void i6_what_can_not_be_marked_is_not_read(void **state)
{
	struct siege *sg = *state;
	struct rig *rig = &sg->rig;
	struct made made;
	made_init(&made, &(struct recipe){.version = 6});
	rig_desire(rig, ++sg->revision, &made, 0);
	disk_trouble(DISK_FULL, 0, 1);
	rig_deliver(rig, &made);
	assert_true(disk_met());
	rig_assert_answer(rig, sg->revision, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_STORAGE);
	assert_int_equal(rig_active(rig), 5);
	made_deinit(&made);
}

static void a_full_disk_is_no_crash(void **state)
{
	struct siege *sg = *state;
	struct rig *rig = &sg->rig;
	struct made made;
	made_init(&made, &(struct recipe){.version = 6});
	for (int i = 0; i < UPDATE_JUDGE_CRASHES; i++) {
		rig_desire(rig, ++sg->revision, &made, 0);
		disk_trouble(DISK_FULL, 0, 1);
		rig_deliver(rig, &made);
		rig_assert_answer(rig, sg->revision, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_STORAGE);
		rig_pass(rig, UPDATE_RETRY_MS + RIG_SECOND);
	}
	rig_install(rig, ++sg->revision, &made);
	rig_confirm(rig);
	made_deinit(&made);
}

static void i6_a_file_that_crashes_the_agent_is_left_alone(void **state)
{
	struct siege *sg = *state;
	struct rig *rig = &sg->rig;
	struct made six, seven;
	made_init(&six, &(struct recipe){.version = 6});
	made_init(&seven, &(struct recipe){.version = 7});
	rig_install(rig, 20, &six);
	rig_confirm(rig);
	rig_put_file(rig, &seven);
	for (int i = 0; i < UPDATE_JUDGE_CRASHES; i++) {
		rig_close(rig);
		disk_trouble(DISK_KILLED, 4, 0);
		assert_int_equal(rig_open(rig), 0);
		rig_close(rig);
		disk_trouble(DISK_FINE, -1, 0);
		if (i + 1 < UPDATE_JUDGE_CRASHES)
			continue;
		assert_int_equal(rig_open(rig), 0);
	}
	assert_int_equal(rig_active(rig), 6);
	assert_non_null(strstr(update_notice(rig->update), "the agent ended while reading it, 3 times"));
	sg->revision = 20;
	made_deinit(&six);
	made_deinit(&seven);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ATTACK(i6_a_replayed_old_order_changes_nothing),
	    ATTACK(i9_no_revision_is_the_last_one),
	    ATTACK(a_machine_that_has_seen_none_follows_the_others),
	    ATTACK(an_order_for_another_revision_while_one_is_in_flight),
	    ATTACK(i6_parts_of_two_catalogs_do_not_mix),
	    ATTACK(i8_endless_parts_end),
	    ATTACK(i8_truncated_and_oversized_parts_are_dropped),
	    ATTACK(i8_an_announced_size_beyond_all_is_refused),
	    ATTACK(i6_a_catalog_that_crashes_the_agent_is_left_alone),
	    ATTACK(i6_what_can_not_be_marked_is_not_read),
	    ATTACK(a_full_disk_is_no_crash),
	    ATTACK(i6_a_file_that_crashes_the_agent_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
