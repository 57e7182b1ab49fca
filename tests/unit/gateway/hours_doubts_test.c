/* Rules that no site's hours let fire are told, with the line and what to do; one site at which they can is enough. */
#include "gateway/hours_doubts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/rules_yaml.h"

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

struct open {
	const char *days, *hours;
};

static void open_at(struct calendar *calendar, struct open open)
{
	*calendar = (struct calendar){.week = {{0}}};
	assert_int_equal(calendar_open(calendar, open.days, open.hours, NULL), 0);
}

/* `elsewhere` are the hours of sites that aren't named. The rule's keys begin in line 3. */
static struct told doubts(struct open elsewhere, struct open berlin, const char *keys)
{
	struct judgement_config config = {0};
	struct calendar fallback, hours;
	struct zones *zones = NULL;
	struct sites *sites = NULL;
	struct told told = {0};
	struct gf_diag diag = {""};
	char text[512];

	assert_int_equal(zones_new("Europe/Berlin", &zones, NULL), 0);
	open_at(&fallback, elsewhere);
	open_at(&hours, berlin);
	assert_int_equal(sites_new(zones, &fallback, &sites), 0);
	assert_int_equal(sites_add(sites, "berlin", &hours), 0);
	snprintf(text, sizeof(text), "rules:\n  - {id: A, title: t, advice: a, subject: device,\n%s}\n", keys);
	if (rules_yaml_load_text("r.yaml", text, strlen(text), &config, &diag) != 0)
		fail_msg("%s", diag.text);
	hours_doubts(config.rules, sites, "r.yaml", tell, &told);
	judgement_config_deinit(&config);
	sites_free(sites);
	return told;
}

static const struct open always = {"mon-sun", "00:00-24:00"}, weekdays = {"mon-fri", "06:00-22:00"},
                         mondays = {"mon", "18:00-20:00"}, weekend = {"sat-sun", "00:00-24:00"};

static void use_while_closed_where_nobody_closes(void **state)
{
	const char *rule = "metric: sessions, window: 1d, warn: 3,\nhours: closed";
	struct told told = doubts(always, always, rule);

	(void)state;
	assert_int_equal(told.count, 1);
	assert_string_equal(
	    told.sentences[0],
	    "r.yaml:4: rule A counts what happens while a site is closed, and none ever closes, so it can't "
	    "fire; leave hours out, or see to the opening hours (open in gateway.yaml)");
	assert_int_equal(doubts(weekdays, always, rule).count, 0);
	assert_int_equal(doubts(always, weekdays, rule).count, 0);
	assert_int_equal(doubts(always, weekend, rule).count, 0);
	assert_int_equal(doubts(always, always, "metric: sessions, window: 1d, warn: 3,\nhours: open").count, 0);
	assert_int_equal(doubts(always, always, "metric: sessions, window: 1d, warn: 3").count, 0);
}

/* Of a Monday there are five within 31 days, of a weekend ten. */
static void more_open_days_than_there_are(void **state)
{
	const char *six = "metric: use_pct, window: day, warn: 70,\ndays: 6";
	struct told told = doubts(mondays, mondays, six);

	(void)state;
	assert_int_equal(told.count, 1);
	assert_string_equal(
	    told.sentences[0],
	    "r.yaml:4: rule A needs 6 open days, and no site has so many within 31, the most that is looked "
	    "back, so it can't fire; take fewer days, or see to the opening hours (open in gateway.yaml)");
	assert_int_equal(doubts(mondays, weekend, six).count, 0);
	assert_int_equal(doubts(weekend, mondays, six).count, 0);
	assert_int_equal(doubts(mondays, mondays, "metric: use_pct, window: day, warn: 70,\ndays: 5").count, 0);
	assert_int_equal(doubts(mondays, mondays, "metric: use_pct, window: day, warn: 70,\ndays: 2").count, 0);
	assert_int_equal(doubts(weekend, weekend, "metric: use_pct, window: day, warn: 70,\ndays: 10").count, 0);
	assert_int_equal(doubts(weekend, weekend, "metric: use_pct, window: day, warn: 70,\ndays: 11").count, 1);
	assert_int_equal(doubts(weekdays, weekdays, "metric: use_pct, window: day, warn: 70,\ndays: 14").count, 0);
}

/* Two hours a week are at most ten in 31 days, and one more where the clock is set back. */
static void more_silence_than_there_is_opening_time(void **state)
{
	struct told told = doubts(mondays, mondays, "metric: silent_min, warn: 661,\nhours: open");

	(void)state;
	assert_int_equal(told.count, 1);
	assert_string_equal(
	    told.sentences[0],
	    "r.yaml:4: rule A waits for 661 min of opening time, and no site has so much within expires (31 "
	    "d), so it can't fire; make expires longer, or see to the opening hours (open in gateway.yaml)");
	told = doubts(mondays, mondays, "metric: silent_min, warn: 15, act: 2000,\nhours: open");
	assert_int_equal(told.count, 1);
	assert_non_null(strstr(told.sentences[0], "waits for 2000 min"));
	assert_non_null(strstr(told.sentences[0], "so it can't act;"));
	assert_int_equal(doubts(mondays, mondays, "metric: silent_min, act: 2000,\nhours: open").count, 1);
	assert_int_equal(doubts(mondays, mondays, "metric: silent_min, warn: 660,\nhours: open").count, 0);
	assert_int_equal(doubts(mondays, mondays, "metric: silent_min, warn: 2000").count, 0);
	assert_int_equal(doubts(mondays, weekdays, "metric: silent_min, warn: 2000,\nhours: open").count, 0);
	assert_int_equal(doubts(mondays, mondays, "metric: silent_min, warn: 2000, expires: 200d,\nhours: open").count, 0);
}

static void without_sites_it_is_open_around_the_clock(void **state)
{
	struct judgement_config config = {0};
	static const char text[] = "rules:\n"
	                           "  - {id: B, title: t, advice: a, subject: site, metric: sessions, hours: closed,\n"
	                           "     window: 1d, warn: 3}\n"
	                           "  - {id: A, title: t, advice: a, subject: device, metric: silent_min, hours: open,\n"
	                           "     warn: 15}\n";
	struct told told = {0};

	(void)state;
	assert_int_equal(rules_yaml_load_text("r.yaml", text, strlen(text), &config, NULL), 0);
	hours_doubts(config.rules, NULL, "r.yaml", tell, &told);
	assert_int_equal(told.count, 1);
	assert_int_equal(strncmp(told.sentences[0], "r.yaml:2: rule B counts ", 24), 0);
	judgement_config_deinit(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(use_while_closed_where_nobody_closes),
	    cmocka_unit_test(more_open_days_than_there_are),
	    cmocka_unit_test(more_silence_than_there_is_opening_time),
	    cmocka_unit_test(without_sites_it_is_open_around_the_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
