/* Routines that rules name: known from published catalogs and from what was played; else a doubt, with the line and the nearest name. */
#include "gateway/routine_doubts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit/gateway/api/signed.h"
#include "tests/unit/gateway/store/fixture.h"

#include "gateway/store/sqlite/writer.h"
#include "gateway/store/wishes.h"

/* Published: "short" of the percussion machines. */
static void publish(struct fixture *f)
{
	const struct store_actor anna = {"anna", "unix socket"};
	struct signed_catalog c = signed_catalog(8, 0, seed_a, NULL);
	struct store_catalog row = {.digest = {{7}}, .name = "percussion", .class = GF_CLASS_PERCUSSION, .version = 8};
	bool known;

	assert_int_equal(store_catalog_add(f->store, &row, c.data, c.len, &anna, NOON, &known, NULL), 0);
	free(c.data);
}

/* Played: drumming_legs, by a machine with this catalog (NULL = none is known). */
static void play(struct fixture *f, const char *catalog)
{
	struct gf_status born = birth(1, 1, 1);
	struct gf_record r = session(1, 1, NOON - HOUR);

	gf_strcpy(born.catalog, sizeof(born.catalog), catalog != NULL ? catalog : "");
	send_status(f, "chair-01", born, false, NOON - DAY);
	(void)send_report(f, "chair-01", 1, &r, 1, NOON);
}

struct told {
	size_t count;
	char sentences[4][512];
};

static void tell(void *ctx, const char *sentence)
{
	struct told *t = ctx;

	assert_true(t->count < 4);
	gf_strcpy(t->sentences[t->count++], sizeof(t->sentences[0]), sentence);
}

/* The names stand in line 4. */
static struct told doubts(struct fixture *f, const char *names)
{
	struct judgement_config config = {0};
	struct routine_uses uses = {0};
	struct told told = {0};
	struct gf_diag diag = {""};
	char text[512];

	snprintf(text, sizeof(text),
	         "rules:\n  - {id: A, title: t, advice: a, subject: device,\n     metric: sessions, window: 1d, warn: 3,\n"
	         "     routines: [%s]}\n",
	         names);
	if (rules_yaml_load_text("r.yaml", text, strlen(text), &config, &diag) != 0)
		fail_msg("%s", diag.text);
	assert_int_equal(routine_uses_of(config.rules, &uses), 0);
	judgement_config_deinit(&config);
	if (routine_doubts(f->reader, &uses, "r.yaml", tell, &told, &diag) != 0)
		fail_msg("%s", diag.text);
	routine_uses_deinit(&uses);
	return told;
}

static void what_is_published_or_was_played_is_known(void **state)
{
	struct fixture *f = *state;

	publish(f);
	play(f, NULL);
	assert_int_equal(doubts(f, "short, drumming_legs").count, 0);
}

static void a_name_like_a_known_one_is_told_with_it(void **state)
{
	struct told told;

	play(*state, "by-hand");
	told = doubts(*state, "drumming_legs, druming_legs");
	assert_int_equal(told.count, 1);
	assert_string_equal(
	    told.sentences[0],
	    "r.yaml:4: rule A names the routine 'druming_legs', which no published catalog has and which was "
	    "never played; did you mean 'drumming_legs'?");
	publish(*state);
	told = doubts(*state, "shrot");
	assert_int_equal(told.count, 1);
	assert_non_null(strstr(told.sentences[0], "did you mean 'short'?"));
}

static void a_strange_name_is_told_where_all_catalogs_are_known(void **state)
{
	struct told told;

	assert_int_equal(doubts(*state, "water_full_body").count, 0);
	publish(*state);
	told = doubts(*state, "water_full_body, short, foot_bath");
	assert_int_equal(told.count, 2);
	assert_string_equal(
	    told.sentences[0],
	    "r.yaml:4: rule A names the routine 'water_full_body', which no published catalog has and which was "
	    "never played; publish the catalog that has it, or take it out");
	assert_non_null(strstr(told.sentences[1], "'foot_bath'"));
	/* Nobody knows what this machine can play. */
	play(*state, "by-hand");
	assert_int_equal(doubts(*state, "water_full_body").count, 0);
}

/* The main loop asks: what it takes grows with the names as they do, not with their square. */
static void i8_a_machine_that_makes_names_up_holds_nobody_up(void **state)
{
	struct fixture *f = *state;
	struct told told;
	clock_t begun;

	play(f, NULL);
	assert_int_equal(
	    db_exec(&f->store->db,
	            "WITH RECURSIVE n (i) AS (VALUES (1000) UNION ALL SELECT i + 1 FROM n WHERE i < 61000)"
	            " INSERT INTO sessions (device, session_no, stream, seq, routine, catalog, catalog_version, planned_s,"
	            " subject_token, outcome, started_ms, time_source) SELECT s.device, i, s.stream, i, 'made_up_' || i,"
	            " s.catalog, 1, 1, 0, 1, s.started_ms, s.time_source FROM n, sessions s WHERE s.session_no < 1000",
	            NULL),
	    0);
	begun = clock();
	told = doubts(f, "druming_legs");
	assert_true((double)(clock() - begun) / CLOCKS_PER_SEC < 5);
	assert_int_equal(told.count, 1);
	assert_non_null(strstr(told.sentences[0], "did you mean 'drumming_legs'?"));
}

static void rules_without_routines_ask_nothing(void **state)
{
	struct rules none = {0};
	struct routine_uses uses;

	(void)state;
	assert_int_equal(routine_uses_of(&none, &uses), 0);
	assert_int_equal(uses.count, 0);
	assert_int_equal(routine_doubts(NULL, &uses, "r.yaml", tell, NULL, NULL), 0);
	routine_uses_deinit(&uses);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_published_or_was_played_is_known),
	    TEST(a_name_like_a_known_one_is_told_with_it),
	    TEST(a_strange_name_is_told_where_all_catalogs_are_known),
	    TEST(i8_a_machine_that_makes_names_up_holds_nobody_up),
	    TEST(rules_without_routines_ask_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
