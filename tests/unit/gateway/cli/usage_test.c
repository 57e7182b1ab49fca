/* `usage` drawn in a terminal: the screen, the map of the week, the weeks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/gateway/cli/play.h"

#define LIST(rows) "{\"items\":[" rows "],\"next\":null}"
#define ROW(key, sessions, running, opening, pct)                                                                \
	"{\"key\":\"" key "\",\"sessions\":" sessions ",\"running_s\":" running ",\"motor_s\":null,\"completed\":1," \
	"\"stopped\":0,\"interrupted\":0,\"mean_s\":60,\"share_pct\":50,\"opening_s\":" opening ",\"use_pct\":" pct "}"

static const struct play_line use[] = {
    {"GET", "/v1/usage", 200,
     LIST(ROW("gun-\\u001b[2J1", "30", "36000", "72000", "50") "," ROW(
         "a-machine-with-a-very-long-name-of-sixty-three-characters-01", "10", "3600", "72000", "5"))},
    {"GET", "/v1/usage/trend", 200,
     LIST("{\"week\":\"2026-W44\",\"start\":\"2026-10-26\",\"sessions\":0,\"running_s\":0,\"opening_s\":null,"
          "\"use_pct\":null},{\"week\":\"2026-W45\",\"start\":\"2026-11-02\",\"sessions\":300,\"running_s\":360000,"
          "\"opening_s\":720000,\"use_pct\":50},{\"week\":\"2026-W46\",\"start\":\"2026-11-09\",\"sessions\":80,"
          "\"running_s\":36000,\"opening_s\":720000,\"use_pct\":5}")},
    {0}};

static void the_screen_tells_the_whole(void **state)
{
	struct play p = {.lines = use};
	struct result r = play(&p, "usage|--since|7d");

	(void)state;
	assert_int_equal(r.code, CLI_OK);
	assert_true(play_saw(&p, "GET /v1/usage?by=device&since=7d&utc_offset_min=0"));
	assert_true(play_saw(&p, "GET /v1/usage?by=outcome&since=7d&utc_offset_min=0"));
	assert_non_null(
	    strstr(r.out, "Use      2 machines · 40 sessions · 11.0 h running · 16 min each · 28 % of opening hours\n"));
	assert_non_null(strstr(r.out, "####"));
	assert_non_null(strstr(r.out, "# gun-?[2J1 30 (75 %)\n"));
	assert_non_null(strstr(r.out, "   10.0 h  50 %  ########################\n"));
	assert_non_null(strstr(r.out, "--heat"));
	assert_null(strchr(r.out, '\033'));
	forget(&r);
	plays(use, "usage|-o|csv", CLI_OK, TEXTS("key,sessions,running_s", ",30,36000,50,"));
}

static void the_screen_fits_its_terminal(void **state)
{
	static const unsigned short widths[] = {80, 40};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct play p = {.lines = use};
		struct result r = play_on_terminal(&p, "usage", widths[i]);
		assert_int_equal(r.code, CLI_OK);
		if (widest(r.out) > widths[i])
			fail_msg("%zu columns of %u\n%s", widest(r.out), widths[i], r.out);
		forget(&r);
	}
}

static void nothing_used_is_no_mistake(void **state)
{
	static const struct play_line none[] = {{"GET", "/v1/usage", 200, LIST("")},
	                                        {"GET", "/v1/usage/trend", 200, LIST("")},
	                                        {"GET", "/v1/usage/heat", 200, "{\"weekdays\":[],\"machines\":0}"},
	                                        {0}};
	static const struct play_line refused[] = {
	    {"GET", "/v1/usage", 400, "{\"error\":{\"code\":\"x\",\"message\":\"since is 'soon'\"}}"}, {0}};

	(void)state;
	plays(none, "usage", CLI_OK, TEXTS("no session in this time"));
	plays(none, "usage|--trend", CLI_OK, TEXTS("no session in this time"));
	plays(none, "usage|--heat", CLI_OK, TEXTS("no session in this time"));
	plays(none, "usage|--by|week", CLI_OK, TEXTS("no session in this time"));
	plays(refused, "usage", CLI_USAGE, TEXTS("since is 'soon'"));
	plays(refused, "usage|--heat", CLI_REFUSED, TEXTS("/v1/usage/heat"));
	plays(none, "usage|--heat|--trend", CLI_USAGE, TEXTS("three views; choose one"));
	plays(none, "usage|--by|site|--heat", CLI_USAGE, TEXTS("three views; choose one"));
	plays(none, "usage|--site|berlin", CLI_USAGE, TEXTS("belong to --heat and --trend"));
}

static void outcomes_are_shared_by_sessions(void **state)
{
	(void)state;
	plays(use, "usage|--by|outcome", CLI_OK, TEXTS("OUTCOME", " 75 % ███", " 25 % ███"));
	plays(use, "usage|--by|outcome|-o|csv", CLI_OK, TEXTS(",30,36000,50,50,"));
	plays(use, "usage|--by|week", CLI_OK, TEXTS("WEEK", "USE %"));
}

static void a_table_leaves_out_what_no_row_has(void **state)
{
	static const struct play_line areas[] = {
	    {"GET", "/v1/usage", 200,
	     LIST("{\"key\":\"legs\",\"sessions\":3,\"running_s\":60,\"motor_s\":null,\"completed\":3,\"stopped\":0,"
	          "\"interrupted\":0,\"mean_s\":20,\"share_pct\":100,\"opening_s\":null,\"use_pct\":null}")},
	    {0}};

	(void)state;
	struct play p = {.lines = areas};
	struct result r = play(&p, "usage|--by|area");
	assert_non_null(strstr(r.out, "AREA"));
	assert_null(strstr(r.out, "USE %"));
	assert_null(strstr(r.out, "MOTOR"));
	assert_null(strstr(r.out, "OPEN"));
	forget(&r);
	plays(areas, "usage|--by|area|-o|csv", CLI_OK, TEXTS("use_pct", "motor_s"));
}

static void weeks_stand_one_below_the_other(void **state)
{
	static const unsigned short widths[] = {80, 60};

	(void)state;
	struct play first = {.lines = use};
	struct result weeks = play(&first, "usage|--trend");
	assert_null(strstr(weeks.out, "W44")); /* there were no machines yet */
	forget(&weeks);
	plays(use, "usage|--trend", CLI_OK,
	      TEXTS("2026-W45    300 sessions   100.0 h   50 %  ########################\n"
	            "2026-W46     80 sessions    10.0 h    5 %  ##\n"));
	assert_int_equal(setenv("LC_ALL", "C.UTF-8", 1), 0);
	plays(use, "usage|--trend", CLI_OK,
	      TEXTS("████████████████████████\n", "share of opening hours, week by week: █▁\n"));
	for (size_t i = 0; i < 2; i++) {
		struct play p = {.lines = use};
		struct result r = play_on_terminal(&p, "usage|--trend", widths[i]);
		if (widest(r.out) > widths[i])
			fail_msg("%zu columns\n%s", widest(r.out), r.out);
		forget(&r);
	}
	assert_int_equal(setenv("LC_ALL", "C", 1), 0);
	plays(use, "usage|--trend|-o|csv", CLI_OK,
	      TEXTS("week,start,sessions,running_s,opening_s,use_pct\r\n2026-W44,2026-10-26,0,0,,\r\n2026-W45,2026-11-02,"
	            "300,360000,720000,50\r\n"));
}

/* ---- the map ---- */

/* Monday: closed until 6, then open; 8 a little, 9 half, 10 three quarters, 11 full; 3 used though closed. `opening` of each open hour. */
static json_t *week(double opening)
{
	static const char *const names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
	json_t *days = json_array();

	for (size_t d = 0; d < 7; d++) {
		json_t *running = json_array(), *open = json_array(), *pct = json_array();
		for (int h = 0; h < 24; h++) {
			double used = d > 0 ? 0 : h == 3 ? 60 : h == 8 ? 36 : h == 9 ? 1800 : h == 10 ? 2700 : h == 11 ? 3600 : 0;
			json_array_append_new(running, json_real(used));
			json_array_append_new(open, json_real(h >= 6 ? opening : 0));
			json_array_append_new(pct, h >= 6 && opening > 0 ? json_real(100 * used / opening) : json_null());
		}
		json_array_append_new(days, json_pack("{s:s, s:o, s:o, s:o}", "weekday", names[d], "running_s", running,
		                                      "opening_s", open, "use_pct", pct));
	}
	return json_pack("{s:o, s:i}", "weekdays", days, "machines", 1);
}

static struct result map(double opening, const char *words, unsigned short columns)
{
	json_t *heat = week(opening);
	char *text = json_dumps(heat, 0);
	const struct play_line lines[] = {{"GET", "/v1/usage/heat", 200, text}, {0}};
	struct play p = {.lines = lines};
	struct result r = columns > 0 ? play_on_terminal(&p, words, columns) : play(&p, words);

	free(text);
	json_decref(heat);
	return r;
}

static void the_map_has_a_row_a_day_and_a_shade_an_hour(void **state)
{
	struct result r = map(3600, "usage|--heat", 0);

	(void)state;
	assert_int_equal(r.code, CLI_OK);
	assert_non_null(strstr(r.out, "1 machine, local time of the sites\n"
	                              "     0           6           12          18\n"
	                              "mon        !!    ....--++##@@........................\n"
	                              "tue              ....................................\n"));
	assert_non_null(strstr(r.out, "- 0-25 %  + 25-50 %  # 50-75 %  @ 75-100 %  of opening time\n"));
	assert_non_null(strstr(r.out, ". open, not used  (blank) closed  ! used while closed\n"));
	forget(&r);
}

static void the_map_knows_utf8_colours_and_narrow_terminals(void **state)
{
	(void)state;
	assert_int_equal(setenv("LC_ALL", "de_DE.utf8", 1), 0);
	struct result r = map(3600, "usage|--heat", 40);
	if (widest(r.out) > 40)
		fail_msg("%s", r.out);
	assert_non_null(strstr(r.out, "\033[38;5;196m█"));
	assert_non_null(strstr(r.out, "░"));
	forget(&r);
	assert_int_equal(setenv("NO_COLOR", "1", 1), 0);
	r = map(3600, "usage|--heat", 40);
	assert_null(strchr(r.out, '\033'));
	assert_non_null(strstr(r.out, "mon     !  ··░▒▓█············\n"));
	forget(&r);
	assert_int_equal(unsetenv("NO_COLOR"), 0);
	assert_int_equal(setenv("LC_ALL", "C", 1), 0);
}

static void without_opening_hours_the_fullest_is_the_measure(void **state)
{
	struct result r = map(0, "usage|--heat", 0);

	(void)state;
	assert_non_null(strstr(r.out, "mon  ......--........--++##@@........................\n"));
	assert_non_null(strstr(r.out, "of the fullest hour\n"));
	assert_null(strstr(r.out, "closed"));
	forget(&r);
}

static void the_map_is_the_apis_for_programs(void **state)
{
	struct result r = map(3600, "usage|--heat|-o|json", 0);
	json_t *expected = week(3600), *got = json_loads(r.out, 0, NULL);

	(void)state;
	assert_true(json_equal(got, expected));
	json_decref(expected);
	json_decref(got);
	forget(&r);
	r = map(3600, "usage|--heat|-o|csv", 0);
	assert_non_null(strstr(r.out, "weekday,hour,running_s,opening_s,use_pct\r\nmon,0,0.0,0.0,\r\n"));
	assert_non_null(strstr(r.out, "mon,9,1800.0,3600.0,50.0\r\n"));
	forget(&r);
}

static int plain(void **state)
{
	(void)state;
	return setenv("LC_ALL", "C", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_screen_tells_the_whole),
	    cmocka_unit_test(the_screen_fits_its_terminal),
	    cmocka_unit_test(nothing_used_is_no_mistake),
	    cmocka_unit_test(outcomes_are_shared_by_sessions),
	    cmocka_unit_test(a_table_leaves_out_what_no_row_has),
	    cmocka_unit_test(weeks_stand_one_below_the_other),
	    cmocka_unit_test(the_map_has_a_row_a_day_and_a_shade_an_hour),
	    cmocka_unit_test(the_map_knows_utf8_colours_and_narrow_terminals),
	    cmocka_unit_test(without_opening_hours_the_fullest_is_the_measure),
	    cmocka_unit_test(the_map_is_the_apis_for_programs),
	};
	return cmocka_run_group_tests(tests, plain, NULL);
}
