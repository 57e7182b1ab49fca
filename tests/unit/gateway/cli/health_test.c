/* `health`, `status` and `events`: what needs somebody is on the screen, whoever it is about. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/gateway/cli/play.h"

#define LIST(rows) "{\"items\":[" rows "],\"next\":null}"
#define WEAR                                                                                                    \
	"{\"device\":\"chair-1\",\"parts\":[{\"part\":\"head\",\"motor_h\":512.5,\"sessions\":3000,\"since\":null," \
	"\"life_motor_h\":500,\"life_sessions\":null,\"used_pct\":102.5,\"due\":null}],\"services\":[]}"
#define FLAG                                                                                              \
	"{\"id\":3,\"rule\":\"D6\",\"title\":\"in use too much\",\"subject\":\"chair-1\",\"level\":\"warn\"," \
	"\"state\":\"open\",\"opened\":\"2020-01-02T10:00:00Z\",\"text\":\"82 % of opening hours\",\"times\":1}"

static const struct play_line care[] = {
    {"GET", "/v1/devices/chair-1/health", 200,
     "{\"id\":\"chair-1\",\"health\":\"attention\",\"reasons\":[{\"code\":\"service_due\",\"severity\":\"attention\","
     "\"text\":\"the head is used up\",\"action\":\"renew it\",\"since\":null}]}"},
    {"GET", "/v1/devices/chair-1/wear", 200, WEAR},
    {"GET", "/v1/flags", 200, LIST(FLAG)},
    {"GET", "/v1/health", 200, LIST("{\"id\":\"chair-1\",\"health\":\"ok\",\"reasons\":[]}")},
    {"GET", "/v1/incidents", 200,
     LIST("{\"id\":1,\"site\":\"ber\\u001blin\",\"kind\":\"offline\",\"machines\":5,\"of\":6,\"opened\":"
          "\"2020-01-02T10:00:00Z\",\"closed\":null,\"text\":\"5 of 6 machines are offline\",\"action\":\"check the "
          "power\",\"devices\":[\"a\"]}")},
    {0}};

static void health_of_a_machine_has_its_flags_and_wear(void **state)
{
	struct play p = {.lines = care};
	struct result r = play(&p, "health|chair-1");

	(void)state;
	assert_int_equal(r.code, CLI_OK);
	assert_true(play_saw(&p, "GET /v1/flags?device=chair-1&open=1"));
	assert_non_null(strstr(r.out, "  attention  chair-1  the head is used up\n                      → renew it\n"));
	assert_non_null(strstr(r.out, "\nOveruse\n  warn       #3 chair-1: in use too much (D6)\n"));
	assert_non_null(strstr(r.out, "\nWear\n  due        head: 102 % used, 512.5 of 500 motor hours\n"));
	forget(&r);
	plays(care, "health|chair-1|-o|csv", CLI_OK, TEXTS("chair-1,attention,service_due"));
	plays(care, "health|nobody", CLI_REFUSED, TEXTS("/v1/devices/nobody/health"));
}

static void a_site_that_vanished_is_one_line(void **state)
{
	struct play p = {.lines = care};
	struct result r = play(&p, "health|--where|health=ok");

	(void)state;
	assert_int_equal(r.code, CLI_OK);
	assert_null(strstr(r.out, "site"));
	forget(&r);
	plays(care, "health", CLI_OK,
	      TEXTS("  critical   site ber?lin\n             5 of 6 machines are offline\n             → check the power\n",
	            "chair-1"));
	plays(care, "health|-o|csv", CLI_OK, TEXTS("id,health,code"));
}

static void its_machines_are_told_of_what_else_they_have(void **state)
{
#define OFFLINE "{\"code\":\"offline\",\"severity\":\"critical\",\"text\":\"its connection broke\",\"action\":null}"
#define INCIDENT \
	LIST("{\"id\":1,\"site\":\"berlin\",\"text\":\"all are offline\",\"action\":null,\"devices\":[\"a\",\"b\"]}")
	static const struct play_line lines[] = {{"GET", "/v1/health", 200,
	                                          LIST("{\"id\":\"a\",\"health\":\"critical\",\"reasons\":[" OFFLINE "]},"
	                                               "{\"id\":\"b\",\"health\":\"critical\",\"reasons\":[" OFFLINE
	                                               ",{\"code\":\"x\",\"severity\":\"attention\","
	                                               "\"text\":\"the head is used up\",\"action\":null}]},"
	                                               "{\"id\":\"c\",\"health\":\"critical\",\"reasons\":[" OFFLINE "]}")},
	                                         {"GET", "/v1/incidents", 200, INCIDENT},
	                                         {0}};
	static const struct play_line nothing_else[] = {
	    {"GET", "/v1/health", 200, LIST("{\"id\":\"a\",\"health\":\"critical\",\"reasons\":[" OFFLINE "]}")},
	    {"GET", "/v1/incidents", 200, INCIDENT},
	    {0}};

	(void)state;
	plays(lines, "health", CLI_OK,
	      TEXTS("  critical   site berlin\n             all are offline\n"
	            "  attention  b  the head is used up\n"
	            "  critical   c  its connection broke\n"));
	plays(nothing_else, "health", CLI_OK, TEXTS("  critical   site berlin\n             all are offline\n"));
	struct play p = {.lines = nothing_else};
	struct result r = play(&p, "health");
	assert_null(strstr(r.out, "no such machine"));
	assert_null(strstr(r.out, "its connection broke"));
	forget(&r);
	/* Programs get all of it. */
	plays(lines, "health|-o|csv", CLI_OK, TEXTS("a,critical,offline", "b,critical,offline"));
}

#define LONG_NAME "a-machine-with-a-very-long-name-of-sixty-three-characters-to-01"

static const struct play_line screen[] = {
    {"GET", "/v1/status", 200,
     "{\"fleet\":{\"machines\":2,\"online\":1,\"sites\":1},\"gateway\":{\"up_s\":60,\"broker\":\"connected\"},"
     "\"audit\":{\"clean\":true},\"health\":{\"ok\":1,\"attention\":1,\"critical\":0},\"today\":{\"sessions\":4,"
     "\"running_s\":3600,\"interrupted\":0,\"use_pct\":62.4,\"by_hour\":[0,0,9,9,9,9,9,9,9]},\"needs_you\":[{"
     "\"severity\":"
     "\"attention\",\"device\":\"" LONG_NAME "\",\"site\":\"berlin\",\"text\":\"offline since this morning, it said "
     "goodbye before that and nobody has switched it on again since\",\"action\":\"switch it on\"},{\"severity\":"
     "\"attention\",\"device\":null,\"site\":\"paris\",\"text\":\"gone\",\"action\":null}],\"rollouts\":[]}"},
    {"GET", "/v1/flags", 200,
     LIST("{\"id\":5,\"rule\":\"P4\",\"title\":\"too many sessions\",\"subject\":\"person 0000000000000001\",\"level\":"
          "\"act\",\"state\":\"open\",\"acked\":null,\"text\":\"4 today\",\"advice\":\"talk to them\"},"
          "{\"id\":6,\"rule\":\"P4\",\"title\":\"known\",\"subject\":\"person 0000000000000002\",\"level\":\"warn\","
          "\"state\":\"open\",\"acked\":\"2020-01-02T10:00:00Z\",\"text\":\"3 today\",\"advice\":null}")},
    {0}};

static void the_screen_has_people_and_sites_too(void **state)
{
	struct play p = {.lines = screen};
	struct result r = play(&p, "status");
	const char *critical, *attention;

	(void)state;
	assert_int_equal(r.code, CLI_OK);
	assert_non_null(strstr(r.out, " · 62 % of opening hours"));
	critical = strstr(r.out, "critical   person 0000000000000001");
	attention = strstr(r.out, "attention  a-machine");
	assert_non_null(critical);
	assert_true(critical < attention);
	assert_non_null(strstr(r.out, "too many sessions: 4 today\n"));
	assert_non_null(strstr(r.out, "→ talk to them; gymfleet overuse ack 5 --note TEXT says that you know\n"));
	assert_non_null(strstr(r.out, "attention  paris"));
	assert_null(strstr(r.out, "known"));
	forget(&r);
}

static void the_screen_fits_its_terminal(void **state)
{
	static const unsigned short widths[] = {80, 60};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct play p = {.lines = screen};
		struct result r = play_on_terminal(&p, "status", widths[i]);
		const char *needs = strstr(r.out, "Needs you");
		assert_int_equal(r.code, CLI_OK);
		assert_non_null(needs);
		if (widest(r.out) > widths[i])
			fail_msg("%zu columns of %u\n%s", widest(r.out), widths[i], r.out);
		forget(&r);
	}
}

static void events_have_the_colour_of_how_bad_they_are(void **state)
{
	static const struct play_line lines[] = {
	    {"GET", "/v1/events", 200,
	     "{\"items\":[{\"id\":1,\"time\":\"2020-01-02T10:00:00Z\",\"kind\":\"flag\",\"device\":\"chair-1\",\"text\":"
	     "\"too much\\u001b[2J\",\"data\":{\"ref\":3,\"code\":\"act\"}},{\"id\":2,\"time\":\"2020-01-02T10:00:00Z\","
	     "\"kind\":\"service\",\"device\":null,\"text\":\"new cover\",\"data\":{}}],\"next\":\"2\"}"},
	    {0}};
	struct play p = {.lines = lines};
	struct result r = play_on_terminal(&p, "events", 100);

	(void)state;
	assert_int_equal(r.code, CLI_OK);
	assert_non_null(strstr(r.out, "\033[31mtoo much?[2J\033[0m\n"));
	assert_non_null(strstr(r.out, "service  -        new cover\n"));
	forget(&r);
	assert_int_equal(setenv("NO_COLOR", "1", 1), 0);
	r = play_on_terminal(&p, "events", 100);
	assert_null(strchr(r.out, '\033'));
	forget(&r);
	assert_int_equal(unsetenv("NO_COLOR"), 0);
	/* Rows for programs stay the gateway's. */
	r = play_on_terminal(&p, "events|-o|json", 100);
	assert_null(strstr(r.out, "severity"));
	forget(&r);
}

static void webhooks_tell_how_far_they_are(void **state)
{
	static const struct play_line lines[] = {
	    {"GET", "/v1/webhooks", 200,
	     LIST("{\"name\":\"mqtt\",\"ok\":true,\"cursor\":12,\"behind\":0,\"told\":12,\"summed\":0,\"missed\":0,"
	          "\"passed_over\":0,\"passed_over_last\":null,\"failures\":0,\"failing_since\":null,\"next_try\":null,"
	          "\"error\":null},{\"name\":\"pager\",\"ok\":false,\"cursor\":9,\"behind\":3,\"told\":9,\"summed\":0,"
	          "\"missed\":0,\"passed_over\":0,\"passed_over_last\":null,\"failures\":4,\"failing_since\":"
	          "\"2020-01-02T10:00:00Z\",\"next_try\":\"2040-01-02T10:00:00Z\",\"error\":\"HTTP 500\"}")},
	    {0}};
	static const struct play_line none[] = {{"GET", "/v1/webhooks", 200, LIST("")}, {0}};

	(void)state;
	plays(lines, "webhooks", CLI_OK, TEXTS("mqtt   yes", "pager  no ", "2020-01-02 10:00", "HTTP 500"));
	plays(lines, "webhooks|-o|csv", CLI_OK, TEXTS("name,ok,told,behind", "pager,false,9,3,0,0,"));
	plays(none, "webhooks", CLI_OK, TEXTS("nobody is told"));
}

static void webhooks_are_read_again_and_tried_now(void **state)
{
	static const struct play_line lines[] = {{"POST", "/v1/webhooks/reload", 200, "{\"webhooks\":2}"},
	                                         {"POST", "/v1/webhooks/pager/retry", 200, "{\"name\":\"pager\"}"},
	                                         {0}};
	static const struct play_line bad[] = {
	    {"POST", "/v1/webhooks/reload", 422,
	     "{\"error\":{\"code\":\"bad_config\",\"message\":\"gateway.yaml:9:5: the webhook 'chat' is there twice\"}}"},
	    {"POST", "/v1/webhooks/pager/retry", 404,
	     "{\"error\":{\"code\":\"not_found\",\"message\":\"nobody called 'pager' is told\"}}"},
	    {0}};

	(void)state;
	plays(lines, "webhooks|reload", CLI_OK, TEXTS("the webhooks were read again, 2 webhooks\n"));
	plays(lines, "webhooks|reload|-o|json", CLI_OK, TEXTS("\"webhooks\": 2"));
	plays(lines, "webhooks|retry|pager", CLI_OK, TEXTS("pager is tried now"));
	plays(lines, "webhooks|retry|pager|-o|csv", CLI_OK, TEXTS("name\r\npager"));
	plays(bad, "webhooks|reload", CLI_REFUSED, TEXTS("gateway.yaml:9:5", "Nothing has changed"));
	plays(bad, "webhooks|retry|pager", CLI_REFUSED, TEXTS("nobody called 'pager'"));
	plays(bad, "webhooks|retry|../x", CLI_USAGE, TEXTS("'../x' is no receiver's name"));
	plays(bad, "webhooks|retry", CLI_USAGE, TEXTS("NAME"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(health_of_a_machine_has_its_flags_and_wear),
	    cmocka_unit_test(a_site_that_vanished_is_one_line),
	    cmocka_unit_test(its_machines_are_told_of_what_else_they_have),
	    cmocka_unit_test(the_screen_has_people_and_sites_too),
	    cmocka_unit_test(the_screen_fits_its_terminal),
	    cmocka_unit_test(webhooks_tell_how_far_they_are),
	    cmocka_unit_test(webhooks_are_read_again_and_tried_now),
	    cmocka_unit_test(events_have_the_colour_of_how_bad_they_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
