/* What machines answer: the newest word is kept, the active catalog and its trial are known, what was never given is not believed. */
#include <stdlib.h>
#include <string.h>

#include "proto/base/rand.h"
#include "tests/unit/gateway/store/wish_rig.h"

#define ID "chair-1"

static struct gf_record changed(uint64_t seq, enum gf_catalog_cause cause, uint8_t digest, uint64_t version)
{
	struct gf_record r = record(seq, GF_RECORD_CATALOG_CHANGED, NOON + (int64_t)seq * 1000);

	r.catalog_changed = (struct gf_catalog_changed){.catalog = "percussion",
	                                                .version = version,
	                                                .previous_version = 7,
	                                                .cause = cause,
	                                                .digest = rig_digest(digest)};
	return r;
}

static struct gf_record refused(uint64_t seq, uint64_t revision, enum gf_refusal refusal, const char *detail)
{
	struct gf_record r = rig_answer(seq, revision, GF_DESIRED_STEP_REFUSED, 7);

	r.desired_applied.refusal = refusal;
	gf_strcpy(r.desired_applied.detail, sizeof(r.desired_applied.detail), detail);
	return r;
}

static enum gf_desired_step step_now(struct fixture *f)
{
	return rig_desired(f, ID).answer.step;
}

static void answers_follow_a_catalog_from_fetching_to_confirmed(void **state)
{
	static const enum gf_desired_step steps[] = {GF_DESIRED_STEP_FETCHING, GF_DESIRED_STEP_WAITING,
	                                             GF_DESIRED_STEP_ACTIVE, GF_DESIRED_STEP_CONFIRMED};
	struct fixture *f = *state;
	struct store_device device;

	rig_machine(f, ID);
	rig_desire(f, ID, 7, 8);
	for (uint64_t i = 0; i < 4; i++) {
		struct store_desired d;

		rig_send(f, ID, rig_answer(i + 1, 1, steps[i], 7));
		d = rig_desired(f, ID);
		assert_int_equal(d.answer.step, steps[i]);
		assert_int_equal(d.answer.revision, 1);
		assert_int_equal(d.applied, 1);
		assert_string_equal(d.answer.catalog, "percussion");
		assert_int_equal(d.answer.version, 8);
		assert_int_equal(d.answer.digest.bytes[0], 7);
		assert_int_equal(d.answered_ms, NOON + ((int64_t)i + 1) * 1000);
	}
	device = get_device(f, ID, NOON);
	assert_int_equal(device.answer.step, GF_DESIRED_STEP_CONFIRMED);
	assert_int_equal(device.applied_revision, 1);
	assert_int_equal(device.answered_ms, NOON + 4000);
	assert_int_equal(rig_events(f, STORE_EVENT_CATALOG, "percussion@8 is on trial"), 1);
	assert_int_equal(rig_events(f, STORE_EVENT_CATALOG, "percussion@8 passed its trial and stays"), 1);
	assert_int_equal(rig_events(f, STORE_EVENT_CATALOG, ""), 2);
}

static void a_refusal_reaches_people_with_its_sentence(void **state)
{
	struct fixture *f = *state;
	struct store_desired d;

	rig_machine(f, ID);
	rig_desire(f, ID, 7, 8);
	rig_send(f, ID, refused(1, 1, GF_REFUSAL_FEW_SIGNATURES, "1 of 2 signatures"));
	d = rig_desired(f, ID);
	assert_int_equal(d.answer.refusal, GF_REFUSAL_FEW_SIGNATURES);
	assert_string_equal(d.answer.detail, "1 of 2 signatures");
	assert_int_equal(rig_events(f, STORE_EVENT_CATALOG, "refused percussion@8: 1 of 2 signatures"), 1);
}

static void an_older_or_repeated_answer_changes_nothing(void **state)
{
	struct fixture *f = *state;

	rig_machine(f, ID);
	rig_desire(f, ID, 7, 8);
	rig_desire(f, ID, 9, 9);
	rig_send(f, ID, rig_answer(1, 2, GF_DESIRED_STEP_ACTIVE, 9));
	rig_send(f, ID, rig_answer(2, 1, GF_DESIRED_STEP_CONFIRMED, 7)); /* of the revision before */
	rig_send(f, ID, rig_answer(3, 2, GF_DESIRED_STEP_FETCHING, 9));  /* a step before */
	rig_send(f, ID, rig_answer(4, 2, GF_DESIRED_STEP_ACTIVE, 9));    /* the same once more */
	assert_int_equal(step_now(f), GF_DESIRED_STEP_ACTIVE);
	assert_int_equal(rig_desired(f, ID).answered_ms, NOON + 1000);
	assert_int_equal(rig_desired(f, ID).answer.digest.bytes[0], 9);
	assert_int_equal(rig_events(f, STORE_EVENT_CATALOG, ""), 1);
}

/* A rollout's machine that is locked meanwhile still has its catalog's answer. */
static void taking_limits_and_lock_overwrites_no_catalogs_answer(void **state)
{
	struct fixture *f = *state;
	const bool yes = true;
	struct store_desired d;

	rig_machine(f, ID);
	rig_desire(f, ID, 7, 8);
	rig_send(f, ID, rig_answer(1, 1, GF_DESIRED_STEP_ACTIVE, 7));
	assert_int_equal(store_desired_set(f->store, ID, NULL, &yes, "", &rig_anna, NOON, NULL), 0);
	rig_send(f, ID, rig_answer(2, 2, GF_DESIRED_STEP_APPLIED, 0));
	d = rig_desired(f, ID);
	assert_int_equal(d.applied, 2);
	assert_int_equal(d.answer.step, GF_DESIRED_STEP_ACTIVE);
	assert_int_equal(d.answer.revision, 1);
	/* Said again of the catalog under the new revision: known, and not told twice. */
	rig_send(f, ID, rig_answer(3, 2, GF_DESIRED_STEP_ACTIVE, 7));
	assert_int_equal(rig_desired(f, ID).answer.revision, 2);
	assert_int_equal(rig_events(f, STORE_EVENT_CATALOG, "on trial"), 1);
}

static void an_older_agents_answer_is_applied(void **state)
{
	struct fixture *f = *state;
	const bool yes = true;

	rig_machine(f, ID);
	assert_int_equal(store_desired_set(f->store, ID, NULL, &yes, "", &rig_anna, NOON, NULL), 0);
	rig_send(f, ID, rig_answer(1, 1, GF_DESIRED_STEP_UNSPECIFIED, 0));
	assert_int_equal(rig_desired(f, ID).applied, 1);
	assert_int_equal(step_now(f), GF_DESIRED_STEP_UNSPECIFIED);
}

static void a_machine_that_lost_its_memory_answers_anew(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = rig_answer(1, 1, GF_DESIRED_STEP_FETCHING, 7);

	rig_machine(f, ID);
	rig_desire(f, ID, 7, 8);
	rig_send(f, ID, refused(1, 1, GF_REFUSAL_NO_KEYS, "no keys"));
	/* Somebody gave it keys and a new disk: a new stream. */
	assert_int_equal(send_report(f, ID, 2, &r, 1, NOON + HOUR).through_seq, 1);
	assert_int_equal(step_now(f), GF_DESIRED_STEP_FETCHING);
	/* And what its old stream still had to say comes late. */
	rig_send(f, ID, rig_answer(2, 1, GF_DESIRED_STEP_ROLLED_BACK, 7));
	assert_int_equal(step_now(f), GF_DESIRED_STEP_FETCHING);
}

static void an_answer_to_what_was_never_given_is_not_believed(void **state)
{
	struct fixture *f = *state;
	struct store_stats stats;

	rig_machine(f, ID);
	rig_send(f, ID, rig_answer(1, 1, GF_DESIRED_STEP_CONFIRMED, 7));
	rig_desire(f, ID, 7, 8);
	rig_send(f, ID, rig_answer(2, 2, GF_DESIRED_STEP_CONFIRMED, 7));
	rig_send(f, ID, rig_answer(3, 4711, GF_DESIRED_STEP_CONFIRMED, 7));
	assert_int_equal(rig_desired(f, ID).answer.revision, 0);
	assert_int_equal(rig_desired(f, ID).applied, 0);
	assert_int_equal(store_read_stats(f->reader, &stats, NULL), 0);
	assert_int_equal(stats.stray_answers, 3);
	assert_int_equal(rig_events(f, STORE_EVENT_CATALOG, "was never given"), 1); /* not three within a minute */
	assert_int_equal(stats.quarantined, 0);
}

/* ---- the active catalog ---- */

static void the_active_catalog_and_its_trial_are_known(void **state)
{
	struct fixture *f = *state;
	struct gf_status st = birth(1, 1, 1);
	struct store_device d;

	gf_strcpy(st.catalog, sizeof(st.catalog), "percussion");
	st.catalog_version = 7;
	st.catalog_digest = rig_digest(6);
	send_status(f, ID, st, false, NOON);
	d = get_device(f, ID, NOON);
	assert_int_equal(d.catalog_digest.bytes[0], 6);
	assert_false(d.catalog_on_trial);
	rig_desire(f, ID, 7, 8);
	rig_send(f, ID, changed(1, GF_CATALOG_CAUSE_OVER_THE_AIR, 7, 8));
	d = get_device(f, ID, NOON);
	assert_int_equal(d.catalog_digest.bytes[0], 7);
	assert_int_equal(d.catalog_version, 8);
	assert_true(d.catalog_on_trial);
	rig_send(f, ID, rig_answer(2, 1, GF_DESIRED_STEP_ACTIVE, 7));
	assert_true(get_device(f, ID, NOON).catalog_on_trial);
	rig_send(f, ID, rig_answer(3, 1, GF_DESIRED_STEP_CONFIRMED, 7));
	assert_false(get_device(f, ID, NOON).catalog_on_trial);
	assert_int_equal(rig_events(f, STORE_EVENT_CATALOG, "at version 8 (was 7), over the air"), 1);
	rig_send(f, ID, changed(4, GF_CATALOG_CAUSE_ROLLED_BACK, 6, 7));
	d = get_device(f, ID, NOON);
	assert_int_equal(d.catalog_digest.bytes[0], 6);
	assert_false(d.catalog_on_trial);
	assert_int_equal(rig_events(f, STORE_EVENT_CATALOG, "rolled back"), 1);
	fixture_reopen(f);
	assert_int_equal(get_device(f, ID, NOON).catalog_digest.bytes[0], 6);
}

static void a_birth_tells_of_a_trial_under_way(void **state)
{
	struct fixture *f = *state;
	struct gf_status st = birth(1, 1, 1);

	st.catalog_digest = rig_digest(7);
	st.catalog_on_trial = true;
	send_status(f, ID, st, false, NOON);
	assert_true(get_device(f, ID, NOON).catalog_on_trial);
}

/* A backlog fills the history; the present stays as the newest word has it. */
static void a_late_record_does_not_overwrite_the_active_catalog(void **state)
{
	struct fixture *f = *state;
	struct gf_status st = birth(2, 1, 1);
	struct store_device d;

	st.catalog_version = 9;
	st.catalog_digest = rig_digest(9);
	send_status(f, ID, st, false, NOON);
	rig_desire(f, ID, 9, 9);
	rig_send(f, ID, changed(1, GF_CATALOG_CAUSE_OVER_THE_AIR, 7, 8)); /* of boot 1 */
	rig_send(f, ID, rig_answer(2, 1, GF_DESIRED_STEP_ACTIVE, 9));
	d = get_device(f, ID, NOON);
	assert_int_equal(d.catalog_version, 9);
	assert_int_equal(d.catalog_digest.bytes[0], 9);
	assert_false(d.catalog_on_trial);
}

/* ---- any order, with a restart anywhere, against the rule in a few lines ---- */

static bool newer(const struct gf_desired_applied *a, const struct gf_desired_applied *b)
{
	return a->revision != b->revision ? a->revision > b->revision : a->step > b->step;
}

static void any_order_of_answers_keeps_the_newest(void **state)
{
	struct fixture *f = *state;
	struct gf_desired_applied newest = {.revision = 0};
	uint64_t given = 0, stray = 0;
	struct store_stats stats;
	struct gf_prng rand;

	gf_prng_seed(&rand, 99);
	rig_machine(f, ID);
	for (uint64_t seq = 1; seq <= 300; seq++) {
		struct gf_record r = rig_answer(seq, 1 + gf_prng_below(&rand, given + 2),
		                                (enum gf_desired_step)(1 + gf_prng_below(&rand, GF_DESIRED_STEP_COUNT - 1)),
		                                (uint8_t)gf_prng_below(&rand, 3));
		const struct gf_desired_applied *a = &r.desired_applied;
		struct store_desired d;

		if (gf_prng_below(&rand, 8) == 0)
			given = rig_desire(f, ID, 7, 8);
		rig_send(f, ID, r);
		stray += a->revision > given;
		if (a->revision <= given && a->digest.bytes[0] && newer(a, &newest))
			newest = *a;
		if (gf_prng_below(&rand, 50) == 0)
			fixture_reopen(f);
		d = rig_desired(f, ID);
		assert_int_equal(d.answer.revision, newest.revision);
		assert_int_equal(d.answer.step, newest.step);
		assert_int_equal(d.answer.digest.bytes[0], newest.digest.bytes[0]);
	}
	assert_int_equal(store_read_stats(f->reader, &stats, NULL), 0);
	assert_int_equal(stats.stray_answers, stray);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(answers_follow_a_catalog_from_fetching_to_confirmed),
	    TEST(a_refusal_reaches_people_with_its_sentence),
	    TEST(an_older_or_repeated_answer_changes_nothing),
	    TEST(taking_limits_and_lock_overwrites_no_catalogs_answer),
	    TEST(an_older_agents_answer_is_applied),
	    TEST(a_machine_that_lost_its_memory_answers_anew),
	    TEST(an_answer_to_what_was_never_given_is_not_believed),
	    TEST(the_active_catalog_and_its_trial_are_known),
	    TEST(a_birth_tells_of_a_trial_under_way),
	    TEST(a_late_record_does_not_overwrite_the_active_catalog),
	    TEST(any_order_of_answers_keeps_the_newest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
