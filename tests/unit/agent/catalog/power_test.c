/*
 * The process is killed, the power goes, the disk is full: at each write, fsync, rename and unlink of a catalog's way onto the machine.
 * Version 6 is active and confirmed; 7 comes, goes through its trial, or is rolled back.
 */
#include "tests/unit/agent/catalog/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/file.h"

enum { TRIAL_MS = RIG_MINUTE };

struct scene {
	struct rig rig;
	struct made six, seven, six_other, seven_other, eight;
	struct gf_prng prng;
};

static int setup(void **state)
{
	static struct scene sc;
	made_init(&sc.six, &(struct recipe){.version = 6});
	made_init(&sc.seven, &(struct recipe){.version = 7, .routines = 60});
	made_init(&sc.six_other, &(struct recipe){.version = 6, .salt = 1});
	made_init(&sc.seven_other, &(struct recipe){.version = 7, .salt = 1});
	made_init(&sc.eight, &(struct recipe){.version = 8});
	gf_prng_seed(&sc.prng, 8);
	*state = &sc;
	return 0;
}

static int teardown(void **state)
{
	struct scene *sc = *state;
	made_deinit(&sc->six);
	made_deinit(&sc->seven);
	made_deinit(&sc->six_other);
	made_deinit(&sc->seven_other);
	made_deinit(&sc->eight);
	return 0;
}

static void begin(struct scene *sc)
{
	rig_init(&sc->rig, &(struct recipe){.version = 5});
	sc->rig.config.trial_ms = TRIAL_MS;
	assert_int_equal(rig_open(&sc->rig), 0);
	rig_install(&sc->rig, 1, &sc->six);
	rig_pass(&sc->rig, TRIAL_MS + RIG_SECOND);
	assert_false(update_on_trial(sc->rig.update));
}

/* What happens to version 7; the trouble comes somewhere in it. */
static void to_trial(struct scene *sc)
{
	rig_desire(&sc->rig, 2, &sc->seven, 0);
	rig_deliver(&sc->rig, &sc->seven);
}

static void to_the_end(struct scene *sc)
{
	to_trial(sc);
	rig_pass(&sc->rig, TRIAL_MS + RIG_SECOND);
}

static void there_and_back(struct scene *sc)
{
	to_trial(sc);
	rig_session(&sc->rig, GF_OUTCOME_FAULT_STOPPED);
	rig_session(&sc->rig, GF_OUTCOME_FAULT_STOPPED);
}

static void in_use(struct scene *sc)
{
	rig_sit(&sc->rig);
	to_trial(sc);
	rig_rise(&sc->rig, GF_OUTCOME_COMPLETED);
	update_stop(sc->rig.update);
}

static void (*const stories[])(struct scene *) = {to_trial, to_the_end, there_and_back, in_use};

static uint64_t highest_on_disk(const struct rig *rig)
{
	struct shelf_state state;
	char path[128], *data = NULL;
	size_t len = 0;
	snprintf(path, sizeof(path), "%s/catalog/state", rig->dir);
	assert_int_equal(gf_file_read(path, SHELF_STATE_MAX, &data, &len, NULL), 0);
	assert_int_equal(shelf_state_decode(data, len, &state, NULL), 0);
	free(data);
	return state.highest_version;
}

static void assert_whole(struct scene *sc)
{
	const struct gf_digest digest = update_active_digest(sc->rig.update);
	const uint64_t version = rig_active(&sc->rig);
	assert_true(version == 6 || version == 7);
	assert_true(gf_digest_equal(&digest, version == 6 ? &sc->six.digest : &sc->seven.digest));
	assert_int_equal(sc->rig.playing->routines_count, version == 6 ? 1 : 60);
	for (size_t i = 0; i < sc->rig.changed_count; i++)
		assert_int_not_equal(sc->rig.changed[i].cause, GF_CATALOG_CAUSE_RECOVERED);
}

/* Desired, and delivered once the trial of another one is over. */
static void offer(struct scene *sc, uint64_t revision, const struct made *made)
{
	rig_desire(&sc->rig, revision, made, 0);
	if (update_on_trial(sc->rig.update))
		rig_pass(&sc->rig, TRIAL_MS + RIG_SECOND);
	if (sc->rig.fetching)
		rig_deliver(&sc->rig, made);
}

static void refused(struct scene *sc, uint64_t revision, const struct made *made)
{
	offer(sc, revision, made);
	assert_int_equal(rig_last(&sc->rig)->step, GF_DESIRED_STEP_REFUSED);
	const enum gf_refusal refusal = rig_last(&sc->rig)->refusal;
	assert_true(refusal == GF_REFUSAL_OLDER_VERSION || refusal == GF_REFUSAL_VERSION_REUSED);
}

/* One crash at the nth operation; false when the story had fewer. */
static bool crash_at(struct scene *sc, void (*story)(struct scene *), enum disk_trouble trouble, int n)
{
	begin(sc);
	disk_trouble(trouble, n, 0);
	story(sc);
	const bool met = disk_met();
	bool played_seven = false;
	for (size_t i = 0; i < sc->rig.changed_count; i++)
		played_seven |= sc->rig.changed[i].version == 7;
	rig_close(&sc->rig);
	disk_revive(&sc->prng);
	assert_true(highest_on_disk(&sc->rig) >= (played_seven ? 7 : 6));
	sc->rig.now.mono_ms += RIG_SECOND;
	assert_int_equal(rig_open(&sc->rig), 0);
	assert_whole(sc);
	/* The same order is there again; afterwards nothing that is older passes. */
	rig_desire(&sc->rig, 2, &sc->seven, 0);
	if (sc->rig.fetching)
		rig_deliver(&sc->rig, &sc->seven);
	assert_whole(sc);
	refused(sc, 3, &sc->six_other);
	if (played_seven)
		refused(sc, 4, &sc->seven_other);
	offer(sc, 5, &sc->eight);
	assert_int_equal(rig_active(&sc->rig), 8);
	rig_deinit(&sc->rig);
	return met;
}

static void walk(struct scene *sc, enum disk_trouble trouble, int rounds)
{
	int crashes = 0;
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
		for (int round = 0; round < rounds; round++) {
			for (int n = 0; crash_at(sc, stories[i], trouble, n); n++)
				crashes++;
		}
	}
	print_message("%d crashes\n", crashes);
	assert_true(crashes > 50);
}

static void i6_a_kill_at_any_operation_leaves_the_old_or_the_new_one(void **state)
{
	walk(*state, DISK_KILLED, 1);
}

static void i6_a_power_cut_at_any_operation_leaves_the_old_or_the_new_one(void **state)
{
	walk(*state, DISK_POWER, 4);
}

/* The machine plays what its disk says: nobody is surprised after a crash. */
static void i6_what_is_played_is_on_the_disk_first(void **state)
{
	struct scene *sc = *state;
	for (int n = 0;; n++) {
		begin(sc);
		disk_trouble(DISK_POWER, n, 0);
		to_trial(sc);
		const bool met = disk_met();
		const uint64_t played = rig_active(&sc->rig);
		rig_close(&sc->rig);
		disk_revive(&sc->prng);
		assert_int_equal(rig_open(&sc->rig), 0);
		if (played == 7)
			assert_int_equal(sc->rig.opened, 7);
		rig_deinit(&sc->rig);
		if (!met)
			break;
	}
}

/* ---- a full disk ---- */

static bool full_at(struct scene *sc, void (*story)(struct scene *), int n, int many)
{
	struct rig *rig = &sc->rig;
	begin(sc);
	disk_trouble(DISK_FULL, n, many);
	story(sc);
	const bool met = disk_met();
	assert_whole(sc);
	if (rig_last(rig)->step == GF_DESIRED_STEP_REFUSED) {
		rig_assert_answer(rig, 2, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_STORAGE);
		assert_non_null(strstr(rig_last(rig)->detail, "No space left"));
		assert_int_equal(rig_active(rig), 6);
	}
	disk_trouble(DISK_FINE, -1, 0);
	rig_pass(rig, TRIAL_MS + RIG_MINUTE);
	assert_whole(sc);
	rig_restart(rig);
	assert_whole(sc);
	if (story != there_and_back) {
		rig_desire(rig, 3, &sc->seven, 0);
		if (rig->fetching)
			rig_deliver(rig, &sc->seven);
		assert_int_equal(rig_active(rig), 7);
	}
	rig_deinit(rig);
	return met;
}

static void a_full_disk_at_any_operation_is_refused_and_forgotten(void **state)
{
	static const int many[] = {1, 2, 5, 1000};
	struct scene *sc = *state;
	for (size_t i = 0; i < 3; i++) {
		for (size_t k = 0; k < sizeof(many) / sizeof(many[0]); k++) {
			for (int n = 0; full_at(sc, stories[i], n, many[k]); n++)
				;
		}
	}
}

/* A machine that was never told of a catalog starts with the file, whatever its disk says, once it has its folder. */
static void a_full_disk_keeps_no_machine_from_its_first_start(void **state)
{
	struct scene *sc = *state;
	rig_init(&sc->rig, &(struct recipe){.version = 5});
	sc->rig.now.synced = false; /* a new day is a reason to save too */
	disk_trouble(DISK_FULL, 1, 1000);
	assert_int_equal(rig_open(&sc->rig), 0);
	assert_int_equal(rig_active(&sc->rig), 5);
	disk_trouble(DISK_FINE, -1, 0);
	rig_pass(&sc->rig, RIG_MINUTE);
	assert_int_equal(highest_on_disk(&sc->rig), 5);
	rig_deinit(&sc->rig);
}

/* Without the count, crashes during the trial would not end it. */
static void i6_a_trial_that_can_not_be_counted_is_given_up(void **state)
{
	struct scene *sc = *state;
	struct rig *rig = &sc->rig;
	begin(sc);
	to_trial(sc);
	rig_close(rig);
	disk_trouble(DISK_FULL, 0, 1000);
	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(rig_active(rig), 6);
	rig_assert_answer(rig, 2, GF_DESIRED_STEP_ROLLED_BACK, GF_REFUSAL_STORAGE);
	disk_trouble(DISK_FINE, -1, 0);
	rig_pass(rig, RIG_MINUTE);
	/* It was the disk's fault. */
	rig_desire(rig, 3, &sc->seven, 0);
	assert_int_equal(rig_active(rig), 7);
	rig_deinit(rig);
}

/* ---- the state is lost ---- */

static void without_its_state_the_best_signed_one_is_tried(void **state)
{
	struct scene *sc = *state;
	struct rig *rig = &sc->rig;
	char path[128];
	begin(sc);
	to_the_end(sc);
	rig_close(rig);
	snprintf(path, sizeof(path), "%s/catalog/state", rig->dir);
	assert_int_equal(gf_file_replace(path, "garbage", 7, 0640, NULL), 0);
	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(rig_active(rig), 7);
	assert_true(update_on_trial(rig->update));
	assert_non_null(strstr(update_notice(rig->update), "not the state of a catalog shelf"));
	assert_int_equal(rig->changed[rig->changed_count - 1].cause, GF_CATALOG_CAUSE_RECOVERED);
	assert_int_equal(highest_on_disk(rig), 7);
	rig_session(rig, GF_OUTCOME_FAULT_STOPPED);
	rig_session(rig, GF_OUTCOME_FAULT_STOPPED);
	assert_int_equal(rig_active(rig), 6);
	rig_deinit(rig);
}

static void i6_without_its_state_no_unsigned_slot_is_believed(void **state)
{
	struct scene *sc = *state;
	struct rig *rig = &sc->rig;
	struct made forged;
	char path[128];
	begin(sc);
	rig_close(rig);
	made_init(&forged, &(struct recipe){.version = 9, .signers = 1U << 6 | 1U << 7});
	snprintf(path, sizeof(path), "%s/catalog/b.catalog", rig->dir);
	assert_int_equal(gf_file_replace(path, forged.data, forged.len, 0640, NULL), 0);
	snprintf(path, sizeof(path), "%s/catalog/state", rig->dir);
	assert_int_equal(remove(path), 0);
	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(rig_active(rig), 6);
	made_deinit(&forged);
	rig_deinit(rig);
}

#define POWER_TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    POWER_TEST(i6_a_kill_at_any_operation_leaves_the_old_or_the_new_one),
	    POWER_TEST(i6_a_power_cut_at_any_operation_leaves_the_old_or_the_new_one),
	    POWER_TEST(i6_what_is_played_is_on_the_disk_first),
	    POWER_TEST(a_full_disk_at_any_operation_is_refused_and_forgotten),
	    POWER_TEST(a_full_disk_keeps_no_machine_from_its_first_start),
	    POWER_TEST(i6_a_trial_that_can_not_be_counted_is_given_up),
	    POWER_TEST(without_its_state_the_best_signed_one_is_tried),
	    POWER_TEST(i6_without_its_state_no_unsigned_slot_is_believed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
