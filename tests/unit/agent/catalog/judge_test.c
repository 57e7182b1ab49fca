/* Every refusal has its own code, and a sentence that a fleet engineer understands. */
#include "tests/unit/agent/catalog/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/catalog_yaml.h"

struct bench {
	struct catalog_judge judge;
	struct catalog_facts facts;
	struct gf_diag diag;
};

static int setup(void **state)
{
	static struct bench b;
	b = (struct bench){.judge = {.class = GF_CLASS_CHAIR, .agent_version = "1.2.3"}};
	control_envelope_defaults(GF_CLASS_CHAIR, &b.judge.envelope);
	rig_keyset((1U << RIG_KEYS) - 1, RIG_THRESHOLD, &b.judge.keys);
	b.facts.keys = &b.judge.keys;
	b.facts.wall_ms = RIG_TODAY;
	*state = &b;
	return 0;
}

static int judge_made(struct bench *b, const struct made *made)
{
	struct gf_catalog catalog = {.version = 77};
	b->diag.text[0] = '\0';
	const int r = catalog_judge(&b->judge, &b->facts, &made->digest, made->data, made->len, &catalog, &b->diag);
	if (r == 0) {
		assert_int_equal(catalog.version, made->version);
		gf_catalog_deinit(&catalog);
		return 0;
	}
	assert_int_equal(catalog.version, 77);
	/* It must fit into a record. */
	assert_true(b->diag.text[0] != '\0' && strlen(b->diag.text) < GF_TEXT_MAX);
	return r;
}

static int judge(struct bench *b, const struct recipe *recipe)
{
	struct made made;
	made_init(&made, recipe);
	const int r = judge_made(b, &made);
	made_deinit(&made);
	return r;
}

static void assert_refused(struct bench *b, const struct recipe *recipe, enum gf_refusal refusal, const char *sentence)
{
	const int r = judge(b, recipe);
	if (r != (int)refusal || strcmp(b->diag.text, sentence) != 0)
		print_error("%s: %s\n", gf_refusal_name((enum gf_refusal)r), b->diag.text);
	assert_int_equal(r, refusal);
	assert_string_equal(b->diag.text, sentence);
}

static void a_good_one_passes(void **state)
{
	assert_int_equal(judge(*state, &(struct recipe){.version = 1}), 0);
	assert_int_equal(judge(*state, &(struct recipe){.version = GF_CATALOG_VERSION_MAX, .routines = 60}), 0);
}

static void the_bytes_must_be_what_was_announced(void **state)
{
	struct bench *b = *state;
	struct made made;
	made_init(&made, &(struct recipe){.version = 1});
	made.digest.bytes[0] ^= 1;
	assert_int_equal(judge_made(b, &made), GF_REFUSAL_DIGEST);
	made_deinit(&made);
}

static void what_is_no_catalog_is_malformed(void **state)
{
	static unsigned char data[] = "\x0a\xff\xff\xff\xff\x0f not a catalog";
	struct made made = {.data = data, .len = sizeof(data)};
	gf_digest_of(data, sizeof(data), &made.digest);
	assert_int_equal(judge_made(*state, &made), GF_REFUSAL_MALFORMED);
}

static void i6_signatures_come_first(void **state)
{
	struct bench *b = *state;
	assert_int_equal(judge(b, &(struct recipe){.version = 1, .signers = 1U << 5 | 1U << 6}), GF_REFUSAL_UNKNOWN_KEY);
	assert_int_equal(judge(b, &(struct recipe){.version = 1, .signers = 1U << 2}), GF_REFUSAL_FEW_SIGNATURES);
	assert_int_equal(judge(b, &(struct recipe){.version = 1, .signers = 1U << 2 | 1U << 6}), GF_REFUSAL_FEW_SIGNATURES);
	assert_non_null(strstr(b->diag.text, "2 are needed"));
	assert_int_equal(judge(b, &(struct recipe){.version = 1, .signers = 1U << 2 | 1U << 1}), 0);
	/* Also where all else is wrong too. */
	assert_int_equal(judge(b, &(struct recipe){.version = 1, .class = GF_CLASS_ROLLER, .signers = 1}),
	                 GF_REFUSAL_FEW_SIGNATURES);
	b->facts.keys = &(struct gf_keyset){0};
	assert_int_equal(judge(b, &(struct recipe){.version = 1}), GF_REFUSAL_NO_KEYS);
}

static void it_is_for_this_class(void **state)
{
	struct bench *b = *state;
	assert_refused(b, &(struct recipe){.version = 1, .class = GF_CLASS_ROLLER}, GF_REFUSAL_WRONG_CLASS,
	               "it is for class roller, this machine is of class chair");
	b->judge.class = GF_CLASS_WATER_BED;
	assert_refused(b, &(struct recipe){.version = 1, .class = GF_CLASS_WATER_BED}, GF_REFUSAL_WRONG_CLASS,
	               "none of its routines is for class water_bed, which this machine is of");
}

static void i6_versions_only_go_up(void **state)
{
	struct bench *b = *state;
	struct made made;
	b->facts.highest_version = 9;
	assert_refused(b, &(struct recipe){.version = 8}, GF_REFUSAL_OLDER_VERSION,
	               "version 8 is older than 9, which this machine has had and which allows none older");
	assert_int_equal(judge(b, &(struct recipe){.version = 10}), 0);
	b->facts.rollback_floor = 7;
	assert_int_equal(judge(b, &(struct recipe){.version = 7}), 0);
	assert_refused(b, &(struct recipe){.version = 6}, GF_REFUSAL_OLDER_VERSION,
	               "version 6 is older than 9, which allows to go back to 7 at most");
	made_init(&made, &(struct recipe){.version = 9});
	assert_int_equal(judge_made(b, &made), GF_REFUSAL_VERSION_REUSED);
	b->facts.highest = made.digest;
	assert_int_equal(judge_made(b, &made), 0);
	assert_int_equal(judge(b, &(struct recipe){.version = 9, .salt = 1}), GF_REFUSAL_VERSION_REUSED);
	made_deinit(&made);
}

/* A floor above is nothing: the highest itself says how far back. */
static void a_floor_above_the_version_allows_nothing(void **state)
{
	struct bench *b = *state;
	b->facts.highest_version = 9;
	b->facts.rollback_floor = UINT64_MAX;
	assert_int_equal(judge(b, &(struct recipe){.version = 8}), GF_REFUSAL_OLDER_VERSION);
}

static void what_has_expired_is_refused_by_any_clock(void **state)
{
	struct bench *b = *state;
	const struct recipe old = {.version = 1, .expires_ms = RIG_TODAY};
	assert_refused(b, &old, GF_REFUSAL_EXPIRED,
	               "it expired at 2026-11-21T00:00:00Z, and here it is 2026-11-21T00:00:00Z or later");
	b->facts.wall_ms = RIG_TODAY - 1;
	assert_int_equal(judge(b, &old), 0);
	/* Not synchronised: the last time that was sure. */
	b->facts.wall_ms = 0;
	assert_int_equal(judge(b, &old), 0);
	b->facts.not_before_wall_ms = RIG_TODAY + 1;
	assert_int_equal(judge(b, &old), GF_REFUSAL_EXPIRED);
	b->facts.wall_ms = RIG_TODAY - 1; /* a clock that was set back */
	assert_int_equal(judge(b, &old), GF_REFUSAL_EXPIRED);
}

static void it_may_need_a_newer_agent(void **state)
{
	struct bench *b = *state;
	assert_int_equal(judge(b, &(struct recipe){.version = 1, .min_agent = "1.2.3"}), 0);
	assert_refused(b, &(struct recipe){.version = 1, .min_agent = "1.10.0"}, GF_REFUSAL_AGENT_TOO_OLD,
	               "it needs agent 1.10.0 or later, this machine runs 1.2.3");
}

static void versions_of_agents_are_numbers(void **state)
{
	static const struct {
		const char *a, *b;
		bool older;
	} cases[] = {{"1.2.3", "1.2.3", false},
	             {"1.2.3", "1.2.4", true},
	             {"1.2.3", "1.10", true},
	             {"1.10", "1.9.9", false},
	             {"1", "1.0.0", false},
	             {"1.0.0", "1", false},
	             {"1", "1.0.1", true},
	             {"", "", false},
	             {"", "0.0.1", true},
	             {"0.1.0-rc1", "0.1.0", false},
	             {"2", "1.9", false},
	             {"1.2", "", false},
	             {"1.99999999999999999999999", "1.2", false},
	             {"1.2", "1.99999999999999999999999", true}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (catalog_agent_older(cases[i].a, cases[i].b) != cases[i].older)
			fail_msg("%s older than %s?", cases[i].a, cases[i].b);
	}
}

static void it_asks_for_no_more_than_this_machine_may(void **state)
{
	struct bench *b = *state;
	b->judge.envelope.intensity_max_pct = 22;
	assert_int_equal(judge(b, &(struct recipe){.version = 1, .pct = 22}), 0);
	assert_refused(b, &(struct recipe){.version = 1, .pct = 25}, GF_REFUSAL_ENVELOPE,
	               "routine routine_0, step 1 (calves, stroke) asks for 25 %, this machine allows 22 %");
	b->judge.envelope.frequency_max_hz = 3;
	assert_int_equal(judge(b, &(struct recipe){.version = 1, .hz = 3}), 0);
	assert_refused(b, &(struct recipe){.version = 1, .hz = 4}, GF_REFUSAL_ENVELOPE,
	               "routine routine_0, step 1 (calves, drum) asks for 4 Hz, this machine allows 3 Hz");
	b->judge.envelope.session_max_ms = 89999;
	assert_refused(b, &(struct recipe){.version = 1}, GF_REFUSAL_ENVELOPE,
	               "routine routine_0 lasts 90 s, a session on this machine at most 89.999 s");
	b->judge.envelope.session_max_ms = 0;
	assert_int_equal(judge(b, &(struct recipe){.version = 1}), 0);
}

static void the_envelope_is_asked_for_every_step(void **state)
{
	struct bench *b = *state;
	struct gf_step steps[3] = {{.area = GF_AREA_CALVES, .technique = GF_TECHNIQUE_COMPRESS, .from_pct = 10},
	                           {.area = GF_AREA_CALVES, .technique = GF_TECHNIQUE_COMPRESS, .to_pct = 10},
	                           {.area = GF_AREA_CALVES, .technique = GF_TECHNIQUE_COMPRESS, .pressure_to_mmhg = 120}};
	struct gf_routine routine = {.id = "press", .classes = 1U << GF_CLASS_CHAIR, .steps_count = 3, .steps = steps};
	const struct gf_catalog catalog = {.routines_count = 1, .routines = &routine};
	assert_int_equal(catalog_fits(&b->judge, &catalog, &b->diag), GF_REFUSAL_ENVELOPE);
	assert_string_equal(b->diag.text,
	                    "routine press, step 3 (calves, compress) asks for 120 mmHg, this machine allows 100 mmHg");
	steps[2].pressure_to_mmhg = 0;
	steps[2].pressure_from_mmhg = 101;
	assert_int_equal(catalog_fits(&b->judge, &catalog, &b->diag), GF_REFUSAL_ENVELOPE);
	steps[2].pressure_from_mmhg = 100;
	assert_int_equal(catalog_fits(&b->judge, &catalog, &b->diag), 0);
	steps[1].to_pct = 81;
	assert_int_equal(catalog_fits(&b->judge, &catalog, &b->diag), GF_REFUSAL_ENVELOPE);
	/* A routine of another class can't be started here. */
	routine.classes = 1U << GF_CLASS_ROLLER;
	assert_int_equal(catalog_fits(&b->judge, &catalog, &b->diag), 0);
}

static void what_is_shipped_fits_every_class(void **state)
{
	struct bench *b = *state;
	for (int class = 1; class < GF_CLASS_COUNT; class ++) {
		struct gf_catalog catalog;
		b->judge.class = (enum gf_class) class;
		assert_int_equal(
		    gf_catalog_yaml_folder(GF_SOURCE_DIR "/config/routines", b->judge.class, "shipped", 1, &catalog, &b->diag),
		    0);
		control_envelope_defaults(b->judge.class, &b->judge.envelope);
		if (catalog_fits(&b->judge, &catalog, &b->diag) != 0)
			fail_msg("%s: %s", gf_class_name(b->judge.class), b->diag.text);
		gf_catalog_deinit(&catalog);
	}
}

static void what_was_installed_by_hand_needs_class_agent_and_signatures(void **state)
{
	struct bench *b = *state;
	struct gf_keyset none = {0};
	struct gf_catalog catalog;
	struct made made;
	made_init(&made, &(struct recipe){.version = 1, .signers = 1U << 6, .expires_ms = RIG_TODAY - 1});
	assert_int_equal(catalog_judge_file(&b->judge, &none, made.data, made.len, &catalog, &b->diag), 0);
	gf_catalog_deinit(&catalog);
	assert_int_equal(catalog_judge_kept(&b->judge, made.data, made.len, &catalog, &b->diag), 0);
	gf_catalog_deinit(&catalog);
	assert_int_equal(catalog_judge_file(&b->judge, b->facts.keys, made.data, made.len, &catalog, &b->diag),
	                 GF_REFUSAL_UNKNOWN_KEY);
	b->judge.class = GF_CLASS_ROLLER;
	assert_int_equal(catalog_judge_file(&b->judge, &none, made.data, made.len, &catalog, &b->diag),
	                 GF_REFUSAL_WRONG_CLASS);
	made_deinit(&made);
}

#define JUDGE_TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    JUDGE_TEST(a_good_one_passes),
	    JUDGE_TEST(the_bytes_must_be_what_was_announced),
	    JUDGE_TEST(what_is_no_catalog_is_malformed),
	    JUDGE_TEST(i6_signatures_come_first),
	    JUDGE_TEST(it_is_for_this_class),
	    JUDGE_TEST(i6_versions_only_go_up),
	    JUDGE_TEST(a_floor_above_the_version_allows_nothing),
	    JUDGE_TEST(what_has_expired_is_refused_by_any_clock),
	    JUDGE_TEST(it_may_need_a_newer_agent),
	    JUDGE_TEST(versions_of_agents_are_numbers),
	    JUDGE_TEST(it_asks_for_no_more_than_this_machine_may),
	    JUDGE_TEST(the_envelope_is_asked_for_every_step),
	    JUDGE_TEST(what_is_shipped_fits_every_class),
	    JUDGE_TEST(what_was_installed_by_hand_needs_class_agent_and_signatures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
