/* Rules in force: a file with mistakes, or without one, changes nothing; what was read waits for the main loop. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/rulebook.h"
#include "tests/unit/gateway/store/fixture.h"

static const char one_rule[] =
    "rules:\n"
    "  - {id: A, title: a, subject: device, metric: faults, window: 1h, warn: 1, advice: look}\n";
static const char two_rules[] =
    "rules:\n"
    "  - {id: A, title: a, subject: device, metric: faults, window: 1h, warn: 1, advice: look}\n"
    "  - {id: B, title: b, subject: device, metric: faults, window: 2h, warn: 1, advice: look}\n";

struct rig {
	struct fixture *f;
	struct sites *sites;
	struct rulebook *book;
	struct judge_runner *runner;
	struct gf_time now;
	char path[128];
};

static void write_file(const struct rig *g, const char *text)
{
	FILE *out = fopen(g->path, "w");

	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(fclose(out), 0);
}

static void begin(struct rig *g, void **state)
{
	struct zones *zones;

	*g = (struct rig){.f = *state, .now = {.mono_ms = 1, .wall_ms = NOON, .synced = true}};
	snprintf(g->path, sizeof(g->path), "%s/rules.yaml", g->f->dir);
	assert_int_equal(zones_new(NULL, &zones, NULL), 0);
	assert_int_equal(sites_new(zones, &calendar_always, &g->sites), 0);
}

static void let_judge(struct rig *g)
{
	const struct judge_runner_config config = {
	    .store = g->f->store, .sites = g->sites, .config = rulebook_in_force(g->book)};

	assert_int_equal(judge_runner_new(&config, g->now, &g->runner, NULL), 0);
}

static void end(struct rig *g)
{
	unlink(g->path);
	judge_runner_free(g->runner);
	rulebook_free(g->book);
	sites_free(g->sites);
}

static int count(void *ctx, const struct judgement_config *config)
{
	*(size_t *)ctx = config->rules->count;
	return 7;
}

static size_t in_force(struct rig *g)
{
	size_t rules = 99;

	assert_int_equal(rulebook_look(g->book, count, &rules), 7);
	return rules;
}

static void a_file_that_need_not_be_there_is_no_rules(void **state)
{
	struct rig g;
	struct gf_diag diag = {""};

	begin(&g, state);
	assert_int_equal(rulebook_new(g.path, false, &g.book, &diag), -ENOENT);
	assert_true(diag.text[0] != '\0');
	assert_int_equal(rulebook_new(g.path, true, &g.book, NULL), 0);
	assert_int_equal(in_force(&g), 0);
	let_judge(&g);
	end(&g);
}

static void a_file_with_mistakes_starts_nothing_even_if_it_need_not_be_there(void **state)
{
	struct rig g;
	struct gf_diag diag = {""};

	begin(&g, state);
	write_file(&g, "rules:\n  - {id: A}\n");
	assert_int_equal(rulebook_new(g.path, true, &g.book, &diag), -EINVAL);
	assert_non_null(strstr(diag.text, "rules.yaml:2"));
	end(&g);
}

static void what_was_read_is_in_force_from_the_next_step_on(void **state)
{
	struct rig g;
	size_t rules = 0;

	begin(&g, state);
	write_file(&g, one_rule);
	assert_int_equal(rulebook_new(g.path, false, &g.book, NULL), 0);
	let_judge(&g);
	write_file(&g, two_rules);
	assert_int_equal(rulebook_read(g.book, &rules, NULL), 0);
	assert_int_equal(rules, 2);
	assert_int_equal(in_force(&g), 1);
	assert_int_equal(rulebook_step(g.book, g.runner, g.now, NULL), 0);
	assert_int_equal(in_force(&g), 2);
	/* Nothing new: nothing happens. */
	assert_int_equal(rulebook_step(g.book, g.runner, g.now, NULL), 0);
	assert_int_equal(in_force(&g), 2);
	end(&g);
}

static void a_file_with_mistakes_changes_nothing(void **state)
{
	struct rig g;
	struct gf_diag diag = {""};
	size_t rules = 5;

	begin(&g, state);
	write_file(&g, two_rules);
	assert_int_equal(rulebook_new(g.path, false, &g.book, NULL), 0);
	let_judge(&g);
	write_file(&g, "rules:\n  - {id: A, metric: faulst}\n");
	assert_int_equal(rulebook_read(g.book, &rules, &diag), -EINVAL);
	assert_int_equal(rules, 5);
	assert_int_equal(rulebook_step(g.book, g.runner, g.now, NULL), 0);
	assert_int_equal(in_force(&g), 2);
	unlink(g.path);
	assert_int_equal(rulebook_read(g.book, &rules, &diag), -ENOENT);
	assert_int_equal(in_force(&g), 2);
	end(&g);
}

/* The store refuses: the old rules stay, and the new ones lie ready. */
static void a_store_that_refuses_keeps_them_ready(void **state)
{
	struct rig g;
	size_t rules;
	struct gf_diag diag = {""};

	begin(&g, state);
	write_file(&g, one_rule);
	assert_int_equal(rulebook_new(g.path, false, &g.book, NULL), 0);
	let_judge(&g);
	write_file(&g, two_rules);
	assert_int_equal(rulebook_read(g.book, &rules, NULL), 0);
	fixture_room(1);
	assert_int_not_equal(rulebook_step(g.book, g.runner, g.now, &diag), 0);
	fixture_room(0);
	assert_int_equal(in_force(&g), 1);
	assert_int_equal(rulebook_step(g.book, g.runner, g.now, NULL), 0);
	assert_int_equal(in_force(&g), 2);
	end(&g);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_file_that_need_not_be_there_is_no_rules),
	    TEST(a_file_with_mistakes_starts_nothing_even_if_it_need_not_be_there),
	    TEST(what_was_read_is_in_force_from_the_next_step_on),
	    TEST(a_file_with_mistakes_changes_nothing),
	    TEST(a_store_that_refuses_keeps_them_ready),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
