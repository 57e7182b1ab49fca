/* On a narrow terminal every line is broken between its words: a technician has a phone, too. And what an empty fleet says. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/gateway/cli/play.h"

#define LIST(rows) "{\"items\":[" rows "],\"next\":null}"
#define SIX(n) n "," n "," n "," n "," n "," n
#define HOURS(n) "[" SIX(n) "," SIX(n) "," SIX(n) "," SIX(n) "]"
#define MACHINE(more) "{\"id\":\"chair-berlin-01\",\"locked\":true,\"presence\":\"offline\"" more "}"
#define FAULT(id)                                                                                             \
	"{\"id\":" id ",\"device\":\"chair-berlin-01\",\"severity\":\"stop\",\"first\":\"2020-01-02T10:00:00Z\"," \
	"\"detail\":\"a tear in the cover, on the left side of the seat\",\"reported\":true}"
#define FLAG                                                                                                      \
	"{\"id\":3,\"rule\":\"D6\",\"title\":\"in use too much\",\"subject\":\"chair-berlin-01\",\"level\":\"warn\"," \
	"\"state\":\"open\",\"opened\":\"2020-01-02T10:00:00Z\",\"text\":\"82 % of opening hours\",\"times\":1,"      \
	"\"lifted\":true,\"still_locked\":\"a tag hangs on it: belt torn, waiting for the spare part\"}"

static const struct play_line lines[] = {
    {"GET", "/v1/rules", 200,
     LIST("{\"id\":\"P5-discharge\",\"title\":\"a machine that people stop again and again, by themselves\","
          "\"metric\":\"faults\",\"warn\":3,\"act\":5,\"open_flags\":2,\"window_s\":3600,\"unit\":null}")},
    {"GET", "/v1/webhooks", 200,
     LIST("{\"name\":\"receiver\",\"ok\":false,\"told\":12,\"behind\":3,\"error\":\"the connection was refused by who "
          "should be there and isn't\"}")},
    {"POST", "/v1/webhooks/receiver/retry", 200, "{\"name\":\"receiver\"}"},
    {"GET", "/v1/events", 200,
     LIST(
         "{\"id\":1,\"time\":\"2020-01-02T10:00:00Z\",\"kind\":\"flag\",\"device\":\"chair-berlin-01\",\"text\":\"flag "
         "3 opened: the chair is in use too much for one machine\",\"data\":{\"code\":\"act\"}}")},
    {"POST", "/v1/flags/3/ack", 200, FLAG},
    {"POST", "/v1/devices/chair-berlin-01/tag", 200,
     MACHINE(",\"tag\":{\"reason\":\"belt\",\"back\":\"2040-01-02T10:00:00Z\"}")},
    {"POST", "/v1/devices/chair-berlin-01/untag", 200, MACHINE(",\"lock_reason\":\"flag 7 (D3): 4 faults in a day\"")},
    {"POST", "/v1/devices/chair-berlin-01/lock", 200, MACHINE("")},
    {"POST", "/v1/devices/chair-berlin-01/unlock", 200, MACHINE("")},
    {"POST", "/v1/devices/chair-berlin-01/service", 200, "{}"},
    {"POST", "/v1/devices/chair-berlin-01/report", 201, "{\"id\":21}"},
    {"GET", "/v1/faults", 200, LIST(FAULT("12") "," FAULT("14"))},
    {"POST", "/v1/subjects/0123456789abcdef/erase", 200,
     "{\"sessions\":12,\"flags\":1,\"events\":0,\"quarantined\":0}"},
    {"GET", "/v1/usage", 200, LIST("")},
    {"GET", "/v1/usage/trend", 200,
     LIST("{\"week\":\"2026-W46\",\"sessions\":14493,\"running_s\":3600000,\"opening_s\":7200000,\"use_pct\":100},"
          "{\"week\":\"2026-W47\",\"sessions\":93,\"running_s\":3600,\"opening_s\":7200,\"use_pct\":50}")},
    {"GET", "/v1/usage/heat", 200,
     "{\"machines\":12,\"since\":\"2020-01-02T10:00:00Z\",\"until\":\"2020-01-03T10:00:00Z\",\"weekdays\":[{"
     "\"weekday\":"
     "\"mon\",\"running_s\":" HOURS("100") ",\"opening_s\":" HOURS("3600") ",\"use_pct\":" HOURS("30") "}]}"},
    {"GET", "/v1/audit", 200,
     "{\"clean\":true,\"devices\":1200,\"sessions\":4966000,\"motor_s\":3600,\"findings\":[]}"},
    {"GET", "/v1/devices/chair-berlin-01/series", 200,
     "{\"span_s\":3600,\"since\":\"2020-01-02T10:00:00Z\",\"until\":\"2020-01-02T14:00:00Z\",\"items\":[{\"start\":"
     "\"2020-01-02T10:00:00Z\",\"covered_s\":3600,\"motor_s\":1800,\"motor_temp_c_min\":20,\"motor_temp_c_mean\":30,"
     "\"motor_temp_c_max\":40}]}"},
    {"GET", "/v1/devices/chair-berlin-01", 200,
     MACHINE(",\"lock_reason\":\"the room is being painted until the end of the week; out of service: belt torn\"")},
    {0}};

static const char *const commands[] = {
    "rules",
    "rules|--where|id=x",
    "webhooks",
    "webhooks|retry|receiver",
    "events",
    "overuse|ack|3|--note|x|--release",
    "device|tag|chair-berlin-01|--reason|belt|--back|2040-01-02",
    "device|untag|chair-berlin-01",
    "device|lock|chair-berlin-01",
    "device|unlock|chair-berlin-01",
    "device|service|chair-berlin-01",
    "faults|report|chair-berlin-01|--text|torn",
    "subject|erase|0123456789abcdef|--yes",
    "usage",
    "usage|--trend",
    "usage|--heat",
    "audit",
    "device|trend|chair-berlin-01",
    "device|show|chair-berlin-01",
};

static void no_line_is_wider_than_the_terminal(void **state)
{
	static const unsigned short widths[] = {40, 60, 80};

	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		for (size_t k = 0; k < sizeof(widths) / sizeof(widths[0]); k++) {
			struct play p = {.lines = lines};
			struct result r = play_on_terminal(&p, commands[i], widths[k]);
			if (r.code != CLI_OK || widest(r.out) > widths[k])
				fail_msg("%s: exit %d, %zu of %u columns\n%s", commands[i], r.code, widest(r.out), widths[k], r.out);
			forget(&r);
			play_deinit(&p);
		}
}

/* Where the title of a rule, the cause of a failure and what happened begin, their next lines begin, too. */
static void prose_goes_on_below_its_beginning(void **state)
{
	struct play p = {.lines = lines};
	struct result r = play_on_terminal(&p, "rules", 40);

	(void)state;
	assert_non_null(strstr(r.out, "P5-discharge  a machine that people stop\n"
	                              "              again and again, by\n"
	                              "              themselves\n"));
	forget(&r);
	r = play_on_terminal(&p, "events", 60);
	assert_non_null(strstr(r.out, "\033[31mflag 3 opened: the chair is in use\n"
	                              "                        too much for one machine\033[0m\n"));
	forget(&r);
	play_deinit(&p);
}

/* A program gets each on one line. */
static void what_is_piped_is_not_broken(void **state)
{
	(void)state;
	plays(lines, "rules", CLI_OK, TEXTS("  a machine that people stop again and again, by themselves\n"));
	plays(lines, "device|untag|chair-berlin-01", CLI_OK,
	      TEXTS("chair-berlin-01 is back in service, but it is locked: flag 7 (D3): 4 faults in a day (gymfleet device "
	            "unlock chair-berlin-01)\nIt is offline and hears of it when it is back\n"));
}

/* A fleet begins with none; a screen that stays empty looks like a failure. */
static void an_empty_fleet_says_so(void **state)
{
	static const struct play_line none[] = {{"GET", "/v1/devices", 200, LIST("")},
	                                        {"GET", "/v1/health", 200, LIST("")},
	                                        {"GET", "/v1/incidents", 200, LIST("")},
	                                        {"GET", "/v1/events", 200, "{\"items\":[],\"next\":\"0\"}"},
	                                        {0}};

	(void)state;
	plays(none, "devices", CLI_OK, TEXTS("no machine was heard of yet: one is here once its agent has reached"));
	plays(none, "health", CLI_OK, TEXTS("no machine was heard of yet"));
	plays(none, "devices|--where|site=x", CLI_OK, TEXTS("no such machine\n"));
	plays(none, "events", CLI_OK, TEXTS("nothing happened\n"));
	struct play p = {.lines = none};
	struct result r = play(&p, "events|-o|json");
	assert_string_equal(r.out, "[]\n");
	forget(&r);
	play_deinit(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_line_is_wider_than_the_terminal),
	    cmocka_unit_test(prose_goes_on_below_its_beginning),
	    cmocka_unit_test(what_is_piped_is_not_broken),
	    cmocka_unit_test(an_empty_fleet_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
