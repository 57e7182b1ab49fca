/* `faults`, `device tag|untag|service` and `wear`: what technicians read and say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/gateway/cli/play.h"

#define CASE                                                                                                         \
	"{\"id\":12,\"device\":\"chair-1\",\"site\":\"berlin\",\"class\":\"chair\",\"code\":\"overtemp_motor\","         \
	"\"severity\":\"latch\",\"state\":\"acknowledged\",\"times\":3,\"first\":\"2020-01-02T10:00:00Z\",\"last\":"     \
	"\"2020-01-02T11:00:00Z\",\"cleared\":null,\"cleared_by\":null,\"lasted_s\":3600,\"fault_no\":4,\"session_no\":" \
	"7,\"observed\":71.25,\"limit\":70,\"detail\":\"the motor is too hot\",\"reported\":false,\"by\":null,"          \
	"\"acked\":\"2020-01-02T12:00:00Z\",\"acked_by\":\"anna\",\"ack_note\":\"fan ordered\",\"text\":\"fault "        \
	"overtemp_motor since 2020-01-02T10:00:00Z: the motor was at 71.2 C\",\"action\":\"check the fan, then clear "   \
	"it with the staff key\"}"
#define BARE                                                                                                    \
	"{\"id\":13,\"device\":\"gun-\\u001b[2J1\",\"code\":\"stall\",\"severity\":\"stop\",\"state\":\"cleared\"," \
	"\"times\":2,\"first\":\"2020-01-02T10:00:00Z\",\"last\":\"2020-01-02T11:00:00Z\",\"cleared\":"             \
	"\"2020-01-02T11:30:00Z\",\"cleared_by\":\"recovered\",\"lasted_s\":600,\"observed\":12,\"limit\":10,"      \
	"\"detail\":\"stuck\",\"text\":null,\"action\":null}"
#define OVER                                                                                                    \
	"{\"id\":14,\"device\":\"gun-1\",\"code\":\"estop\",\"severity\":\"stop\",\"state\":\"cleared\",\"acked\":" \
	"\"2020-01-02T12:00:00Z\",\"acked_by\":\"anna\",\"ack_note\":\"a child\",\"text\":\"fault estop; it went away\"}"
#define LIST(rows) "{\"items\":[" rows "],\"next\":null}"
#define REFUSAL(message) "{\"error\":{\"code\":\"x\",\"message\":\"" message "\"}}"

static const struct play_line cases[] = {
    {"GET", "/v1/faults", 200, LIST(CASE "," BARE)},
    {"GET", "/v1/faults/12", 200, CASE},
    {"POST", "/v1/faults/14/ack", 200, OVER},
    {"POST", "/v1/faults/12/ack", 200, CASE},
    {"POST", "/v1/faults/12/clear", 409, REFUSAL("it is latched: staff clears it at the machine with the staff key")},
    {"POST", "/v1/devices/chair-1/report", 201, "{\"id\":21}"},
    {"GET", "/v1/reliability", 200,
     LIST("{\"key\":\"chair\",\"machines\":3,\"cases\":2,\"occurrences\":5,\"motor_h\":120.5,\"mtbf_motor_h\":60.25,"
          "\"down_s\":7200,\"repair_mean_s\":3600},"
          "{\"key\":\"roller\",\"machines\":1,\"cases\":0,\"occurrences\":0,\"motor_h\":9,\"mtbf_motor_h\":null,"
          "\"down_s\":0,\"repair_mean_s\":null}")},
    {0}};

static void a_fault_says_what_since_when_and_what_to_do(void **state)
{
	struct play p = {.lines = cases};
	struct result r = play(&p, "faults");

	(void)state;
	assert_int_equal(r.code, CLI_OK);
	assert_true(play_saw(&p, "GET /v1/faults?limit=25"));
	const char *expected =
	    "  latch      #12 chair-1 (berlin): overtemp_motor, acknowledged\n"
	    "             fault overtemp_motor since 2020-01-02 10:00: the motor was at 71.2 C; in session 7\n"
	    "             → check the fan, then clear it with the staff key\n"
	    "  cleared    #13 gun-?[2J1: stall, stop\n"
	    "             stuck: 12, limit 10\n"
	    "             since 2020-01-02 10:00 (";
	if (strncmp(r.out, expected, strlen(expected)) != 0)
		fail_msg("%s", r.out);
	assert_non_null(strstr(r.out, " ago) · 2 times, last 2020-01-02 11:00 · for 10 min\n"));
	assert_non_null(strstr(r.out, "cleared 2020-01-02 11:30 ("));
	assert_non_null(strstr(r.out, " ago), recovered\n"));
	forget(&r);
	play_deinit(&p);
}

static void faults_fit_any_terminal(void **state)
{
	static const char *const commands[] = {"faults", "faults|12"};
	static const unsigned short widths[] = {80, 40};

	(void)state;
	for (size_t c = 0; c < 2; c++)
		for (size_t i = 0; i < 2; i++) {
			struct play p = {.lines = cases};
			struct result r = play_on_terminal(&p, commands[c], widths[i]);
			assert_int_equal(r.code, CLI_OK);
			if (widest(r.out) > widths[i])
				fail_msg("%zu columns of %u\n%s", widest(r.out), widths[i], r.out);
			assert_null(strstr(r.out, "\033[2J"));
			assert_false(has_control(r.out));
			forget(&r);
			play_deinit(&p);
		}
}

static void faults_are_chosen_and_counted(void **state)
{
	static const struct play_line none[] = {
	    {"GET", "/v1/faults", 200, LIST("")}, {"GET", "/v1/reliability", 200, LIST("")}, {0}};
	struct play p = {.lines = none};
	struct result r = play(&p, "faults|chair-1|--open|--since|7d|--until|1d|--limit|3");

	(void)state;
	assert_string_equal(r.out, "no fault\n");
	assert_true(play_saw(&p, "GET /v1/faults?device=chair-1&open=1&since=7d&until=1d&limit=3"));
	forget(&r);
	plays(cases, "faults|12", CLI_OK, TEXTS("#12 chair-1"));
	plays(cases, "faults|99", CLI_REFUSED, TEXTS("/v1/faults/99"));
	plays(cases, "faults|12|-o|csv", CLI_OK, TEXTS("id,device,site", "12,chair-1,berlin,chair,overtemp_motor,latch"));
	plays(cases, "faults|--by|class", CLI_OK, TEXTS("CLASS", "H BETWEEN FAULTS", "60.2", "roller", "2.0 h", "60 min"));
	plays(cases, "faults|--by|device|-o|csv", CLI_OK, TEXTS("key,machines,cases", "roller,1,0,0,9,,0,"));
	plays(cases, "faults|chair-1|--by|class", CLI_USAGE, TEXTS("leave out the id"));
	plays(none, "faults|--by|class", CLI_OK, TEXTS("no machine"));
}

static void faults_are_acknowledged_and_cleared_with_a_note(void **state)
{
	struct play p = {.lines = cases};
	struct result r = play(&p, "faults|ack|12|--note|fan ordered");

	(void)state;
	assert_int_equal(r.code, CLI_OK);
	assert_true(play_saw(&p, "POST /v1/faults/12/ack"));
	assert_string_equal(json_string_value(json_object_get(p.body, "note")), "fan ordered");
	forget(&r);
	play_deinit(&p);
	plays(cases, "faults|clear|12|--note|x", CLI_REFUSED, TEXTS("staff clears it at the machine"));
	plays(cases, "faults|ack|12|--note|x", CLI_OK, TEXTS("The fault is open until it is cleared.\n"));
	plays(cases, "faults|ack|14|--note|x", CLI_OK, TEXTS("The fault is over already; the note stays with it.\n"));
	plays(cases, "faults|ack|12", CLI_USAGE, TEXTS("--note TEXT is missing"));
	plays(cases, "faults|ack|chair-1|--note|x", CLI_USAGE, TEXTS("'chair-1' is no fault's number"));
	plays(cases, "faults|akc|12|--note|x", CLI_USAGE, TEXTS("--note"));
	plays(cases, "faults|akc|12", CLI_USAGE, TEXTS("did you mean 'faults ack'?"));
	plays(cases, "faults|ack|14|--note|a child", CLI_OK,
	      TEXTS("#14 gun-1: estop, stop\n", "it went away\n", "acknowledged by anna", ": a child"));
}

static void damage_is_reported(void **state)
{
	struct play p = {.lines = cases};
	struct result r = play(
	    &p,
	    "faults|report|chair-1|--text|a tear in the cover|--out-of-service|--owner|anna|--back|2040-05-01T09:00:00Z");
	const json_t *tag;

	(void)state;
	assert_int_equal(r.code, CLI_OK);
	assert_non_null(strstr(r.out, "fault 21: chair-1\nThe machine is out of service"));
	assert_non_null(strstr(r.out, "gymfleet faults clear 21 --note TEXT; gymfleet device untag chair-1"));
	tag = json_object_get(p.body, "out_of_service");
	assert_string_equal(json_string_value(json_object_get(tag, "reason")), "a tear in the cover");
	assert_string_equal(json_string_value(json_object_get(tag, "owner")), "anna");
	assert_string_equal(json_string_value(json_object_get(tag, "back")), "2040-05-01T09:00:00Z");
	forget(&r);
	play_deinit(&p);
	plays(cases, "faults|report|chair-1|--text|smell", CLI_OK, TEXTS("Sessions may go on."));
	plays(cases, "faults|report|chair-1|--text|smell|-o|json", CLI_OK, TEXTS("\"id\": 21"));
	plays(cases, "faults|report|chair-1", CLI_USAGE, TEXTS("--text TEXT is missing"));
	plays(cases, "faults|report|chair-1|--text|x|--owner|anna", CLI_USAGE, TEXTS("belong to --out-of-service"));
	plays(cases, "faults|report|chair-1|--text|\xff", CLI_USAGE, TEXTS("--text is not UTF-8"));
	plays(cases, "faults|report|Chair|--text|x", CLI_USAGE, TEXTS("'Chair' is no machine's id"));
	plays(cases, "faults|report|nobody|--text|x", CLI_REFUSED, TEXTS("/v1/devices/nobody/report"));
}

/* ---- tags and service ---- */

#define TAGGED                                                                                              \
	"{\"id\":\"chair-1\",\"locked\":false,\"tag\":{\"since\":\"2026-01-02T10:00:00Z\",\"reason\":\"belt\"," \
	"\"owner\":\"anna\",\"by\":\"bert\",\"back\":\"2040-05-01T00:00:00Z\",\"case\":null}}"
#define WEAR                                                                                                         \
	"{\"device\":\"chair-1\",\"class\":\"chair\",\"model\":\"relax-900\",\"warranty_h\":1000,\"warranty_left_h\":"   \
	"400.5,\"pace\":{\"motor_h_per_day\":2.5,\"sessions_per_day\":11},\"parts\":[{\"part\":\"head\",\"motor_h\":"    \
	"512.5,\"sessions\":3000,\"since\":null,\"life_motor_h\":500,\"life_sessions\":null,\"used_pct\":102.5,\"due\":" \
	"\"2020-01-02T10:00:00Z\"},{\"part\":\"cover\",\"motor_h\":1,\"sessions\":3300,\"since\":"                       \
	"\"2020-01-02T10:00:00Z\",\"life_motor_h\":null,\"life_sessions\":4000,\"used_pct\":82.5,\"due\":"               \
	"\"2040-01-02T10:00:00Z\"},{\"part\":\"motor\",\"motor_h\":100,\"sessions\":0,\"since\":null,\"life_motor_h\":"  \
	"2000,\"life_sessions\":null,\"used_pct\":5,\"due\":null}],\"services\":[{\"part\":\"cover\",\"at\":"            \
	"\"2020-01-02T10:00:00Z\",\"by\":\"anna\",\"note\":\"new \\u001b[2J cover\"}]}"
#define BARE_WEAR "{\"device\":\"gun-1\",\"parts\":[],\"pace\":null,\"warranty_h\":null,\"services\":[]}"

static const struct play_line care[] = {
    {"POST", "/v1/devices/chair-1/tag", 200, TAGGED},
    {"POST", "/v1/devices/chair-1/untag", 200, "{\"id\":\"chair-1\",\"locked\":true,\"tag\":null}"},
    {"POST", "/v1/devices/gun-1/untag", 409, REFUSAL("there is no tag on gun-1")},
    {"POST", "/v1/devices/chair-1/service", 200, WEAR},
    {"GET", "/v1/devices/chair-1/wear", 200, WEAR},
    {"GET", "/v1/devices/gun-1/wear", 200, BARE_WEAR},
    {"GET", "/v1/wear", 200,
     LIST("{\"device\":\"chair-1\",\"class\":\"chair\",\"model\":\"relax-900\",\"site\":\"berlin\",\"part\":\"head\","
          "\"motor_h\":512.5,\"sessions\":3000,\"since\":null,\"life_motor_h\":500,\"life_sessions\":null,"
          "\"used_pct\":102.5,\"due\":\"2040-01-02T10:00:00Z\"}")},
    {0}};

static void a_machine_goes_out_of_service_and_back(void **state)
{
	struct play p = {.lines = care};
	struct result r = play(&p, "device|tag|chair-1|--reason|belt|--owner|anna|--back|2040-05-01");

	(void)state;
	assert_int_equal(r.code, CLI_OK);
	assert_non_null(strstr(r.out, "chair-1 is out of service: no session starts; expected back 2040-05-01 00:00 (in "));
	assert_string_equal(json_string_value(json_object_get(p.body, "back")), "2040-05-01T00:00:00Z");
	assert_string_equal(json_string_value(json_object_get(p.body, "owner")), "anna");
	forget(&r);
	play_deinit(&p);
	plays(care, "device|tag|chair-1|--reason|belt|--back|3d", CLI_OK, TEXTS("gymfleet device untag chair-1"));
	plays(care, "device|tag|chair-1|--reason|belt|-o|csv", CLI_OK, TEXTS("id,tag.reason", "chair-1,belt,"));
	plays(care, "device|tag|chair-1", CLI_USAGE, TEXTS("--reason TEXT is missing"));
	plays(care, "device|tag|chair-1|--reason|x|--back|soon", CLI_USAGE, TEXTS("--back is 'soon'; expected a span"));
	plays(care, "device|untag|chair-1", CLI_OK, TEXTS("chair-1 is back in service, but it is locked"));
	plays(care, "device|untag|gun-1", CLI_REFUSED, TEXTS("there is no tag on gun-1"));
}

static void what_else_locks_it_is_told(void **state)
{
	static const struct play_line lines[] = {
	    {"POST", "/v1/devices/chair-1/untag", 200,
	     "{\"id\":\"chair-1\",\"tag\":null,\"locked\":true,\"lock_reason\":\"flag 7 (D3): 4 faults\"}"},
	    {"POST", "/v1/devices/chair-2/untag", 200, "{\"id\":\"chair-2\",\"tag\":null,\"locked\":false}"},
	    {"POST", "/v1/devices/chair-1/unlock", 200,
	     "{\"id\":\"chair-1\",\"tag\":null,\"locked\":true,\"lock_reason\":\"flag 7 (D3): 4 "
	     "faults\",\"presence\":\"online\"}"},
	    {0}};

	(void)state;
	plays(
	    lines, "device|untag|chair-1", CLI_OK,
	    TEXTS(
	        "chair-1 is back in service, but it is locked: flag 7 (D3): 4 faults (gymfleet device unlock chair-1)\n"));
	plays(lines, "device|untag|chair-2", CLI_OK, TEXTS("chair-2 is back in service\n"));
	plays(lines, "device|unlock|chair-1", CLI_OK,
	      TEXTS("The lock of chair-1 is lifted, but no session starts: flag 7 (D3): 4 faults\n",
	            "What holds it, and how to lift that: gymfleet overuse --device chair-1\n"));
}

#define TORN(id)                                                                                      \
	"{\"id\":" id ",\"device\":\"chair-1\",\"severity\":\"stop\",\"first\":\"2020-01-02T10:00:00Z\"," \
	"\"detail\":\"torn \\u001b[2J\",\"reported\":true}"

/* The tag goes with the repair; the report waits for a word of its own, which nobody gives who isn't told. */
static void damage_that_is_still_open_is_told_when_the_tag_goes(void **state)
{
	static const char untagged[] = "{\"id\":\"chair-1\",\"tag\":null,\"locked\":false}";
	static const struct play_line one[] = {
	    {"POST", "/v1/devices/chair-1/untag", 200, untagged}, {"GET", "/v1/faults", 200, LIST(TORN("12"))}, {0}};
	static const struct play_line two[] = {{"POST", "/v1/devices/chair-1/untag", 200, untagged},
	                                       {"GET", "/v1/faults", 200, LIST(TORN("12") "," TORN("9"))},
	                                       {0}};
	static const struct play_line none[] = {
	    {"POST", "/v1/devices/chair-1/untag", 200, untagged}, {"GET", "/v1/faults", 200, LIST("")}, {0}};
	struct play p = {.lines = one};
	struct result r = play(&p, "device|untag|chair-1");

	(void)state;
	assert_int_equal(r.code, CLI_OK);
	assert_true(play_saw(&p, "GET /v1/faults?device=chair-1&open=1&where=reported"));
	assert_non_null(strstr(r.out, "chair-1 is back in service\nDamage that was reported is still open:\n"
	                              "  stop       #12 torn ?[2J\n             since 2020-01-02 10:00 ("));
	assert_non_null(strstr(r.out, "\nWhen it is mended: gymfleet faults clear 12 --note TEXT\n"));
	forget(&r);
	play_deinit(&p);
	plays(two, "device|untag|chair-1", CLI_OK,
	      TEXTS("#12 torn", "#9 torn", "When it is mended, each by its number: gymfleet faults clear 9 --note TEXT\n"));
	p = (struct play){.lines = none};
	r = play(&p, "device|untag|chair-1");
	assert_string_equal(r.out, "chair-1 is back in service\n");
	forget(&r);
	play_deinit(&p);
	/* A program asks for what it wants to know. */
	p = (struct play){.lines = two};
	r = play(&p, "device|untag|chair-1|-o|json");
	assert_int_equal(p.seen_count, 1);
	forget(&r);
	play_deinit(&p);
}

static void who_replaces_a_tag_is_told_whose(void **state)
{
	static const struct play_line second[] = {
	    {"POST", "/v1/devices/chair-1/tag", 200,
	     "{\"id\":\"chair-1\",\"tag\":{\"reason\":\"belt\"},\"tag_before\":{\"since\":\"2020-01-02T10:00:00Z\","
	     "\"reason\":"
	     "\"torn \\u001b[2J\",\"owner\":null,\"by\":\"ben\",\"back\":null,\"case\":null}}"},
	    {0}};

	(void)state;
	plays(second, "device|tag|chair-1|--reason|belt", CLI_OK,
	      TEXTS("It was already, since 2020-01-02 10:00 (", "by ben: torn ?[2J; that is replaced\nOnce it is back"));
}

static void a_service_is_told(void **state)
{
	struct play p = {.lines = care};
	struct result r = play(&p, "device|service|chair-1|cover|--note|torn");

	(void)state;
	assert_int_equal(r.code, CLI_OK);
	assert_non_null(strstr(r.out, "chair-1: cover renewed; its life begins now\n"));
	assert_string_equal(json_string_value(json_object_get(p.body, "part")), "cover");
	assert_string_equal(json_string_value(json_object_get(p.body, "note")), "torn");
	forget(&r);
	play_deinit(&p);
	plays(care, "device|service|chair-1", CLI_OK, TEXTS("chair-1: serviced"));
	plays(care, "device|service|chair-1|coevr", CLI_USAGE, TEXTS("did you mean 'cover'?"));
	plays(care, "device|service|chair-1|seat", CLI_USAGE,
	      TEXTS("it may be service, motor, head, roller, filter or cover"));
	plays(care, "device|service|chair-1|x", CLI_USAGE, TEXTS("it may be service, motor"));
	plays(care, "device|service|chair-1|filter", CLI_OK,
	      TEXTS("chair-1: filter renewed is written down, but no life of it is counted: rules.yaml has none (counted: "
	            "head, cover, motor)\n"));
	plays(care, "device|service|nobody", CLI_REFUSED, TEXTS("/v1/devices/nobody/service"));
}

static void wear_says_what_is_due_when(void **state)
{
	(void)state;
	plays(care, "wear|chair-1", CLI_OK,
	      TEXTS("  due        head: 102 % used, 512.5 of 500 motor hours\n",
	            "  attention  cover: 82 % used, 3300 of 4000 sessions\n             begun anew 2020-01-02 10:00",
	            "at the pace of late it is due 2040-01-02 10:00 (in ",
	            "  ok         motor: 5 % used, 100.0 of 2000 motor hours\n",
	            "at the pace of late not due within ten years\n",
	            "once the head is renewed: gymfleet device service chair-1 head --note TEXT",
	            "pace of late: 2.5 motor hours and 11.0 sessions a day", "warranty: 400 of 1000 motor hours are left",
	            "new ?[2J cover"));
	plays(care, "wear|gun-1", CLI_OK, TEXTS("no life is known of any of its parts"));
	plays(care, "wear|chair-1|-o|json", CLI_OK, TEXTS("\"warranty_left_h\": 400.5"));
	plays(care, "wear|chair-1|-o|csv", CLI_OK, TEXTS("device,part,used_pct"));
	plays(care, "wear", CLI_OK, TEXTS("DEVICE", "102 % ███", "in "));
	plays(care, "wear|-o|csv", CLI_OK, TEXTS("chair-1,head,102.5,512.5,500,3000,,2040-01-02T10:00:00Z,,chair"));
	plays(care, "wear|nobody", CLI_REFUSED, TEXTS("/v1/devices/nobody/wear"));
	plays(care, "wear|chair-1|--where|part=head", CLI_USAGE, TEXTS("leave out either them or the id"));
}

/* ---- tickets ---- */

#define MACHINE                                                                                                        \
	"{\"id\":\"chair-1\",\"name\":\"By the window\",\"class\":\"chair\",\"model\":\"relax-900\",\"serial\":\"R9-17\"," \
	"\"site\":\"berlin\",\"zone\":null,\"bay\":\"7\",\"agent_version\":\"0.5.0\",\"driver\":\"modbus\",\"catalog\":"   \
	"\"gym\",\"motor_hours\":512.5,\"sessions\":3000,\"first_seen\":\"2020-01-01T10:00:00Z\"}"
#define SESSION                                                                                 \
	"{\"session_no\":7,\"routine\":\"stroking_ten\",\"outcome\":\"fault_stopped\",\"started\":" \
	"\"2020-01-02T09:55:00Z\",\"duration_s\":180,\"peak_motor_temp_c\":71.25,\"peak_current_ma\":2300}"

static const struct play_line ticket[] = {{"GET", "/v1/faults/12", 200, CASE},
                                          {"GET", "/v1/devices/chair-1", 200, MACHINE},
                                          {"GET", "/v1/devices/chair-1/wear", 200, WEAR},
                                          {"GET", "/v1/sessions", 200, LIST(SESSION)},
                                          {"GET", "/v1/faults", 200, LIST(BARE)},
                                          {0}};

static void a_ticket_has_what_a_repairer_needs(void **state)
{
	static const char machine[] = "  machine    chair-1: By the window, chair, model relax-900, serial R9-17\n"
	                              "             stands in berlin, bay 7\n"
	                              "             agent 0.5.0, driver modbus, catalog gym\n"
	                              "             512.5 motor hours, 3000 sessions, here since 2020-01-01 10:00";
	struct play p = {.lines = ticket};
	struct result r = play(&p, "faults|show|12");

	(void)state;
	assert_int_equal(r.code, CLI_OK);
	assert_true(play_saw(&p, "GET /v1/sessions?device=chair-1&where=session_no%3d7&limit=1"));
	assert_true(play_saw(&p, "GET /v1/faults?device=chair-1&where=id%21%3d12&limit=10"));
	forget(&r);
	play_deinit(&p);
	plays(ticket, "faults|show|12", CLI_OK,
	      TEXTS("  latch      #12 chair-1 (berlin): overtemp_motor, acknowledged\n", machine,
	            "  session    7, stroking_ten: fault_stopped after 3 min, begun 2020-01-02 09:55",
	            "motor at most 71.2 °C, current at most 2300 mA\n", "\nWear\n  due        head: 102 % used",
	            "warranty: 400 of 1000 motor hours are left", "\nDone so far\n  cover      2020-01-02 10:00",
	            "\nIts other faults, newest first\n  cleared    #13 gun-?[2J1: stall, stop\n"));
	plays(ticket, "faults|show|12|-o|json", CLI_OK,
	      TEXTS("\"fault\": {", "\"machine\": {", "\"session\": {", "\"wear\": {", "\"others\": ["));
	plays(ticket, "faults|show|12|-o|csv", CLI_USAGE, TEXTS("gymfleet faults 12 -o csv"));
	plays(ticket, "faults|show|chair-1", CLI_USAGE, TEXTS("'chair-1' is no fault's number"));
	plays(ticket, "faults|show|13", CLI_REFUSED, TEXTS("/v1/faults/13"));
}

static void a_ticket_does_without_what_is_not_known(void **state)
{
	static const struct play_line bare[] = {{"GET", "/v1/faults/13", 200, "{\"id\":13,\"device\":\"gun-1\"}"},
	                                        {"GET", "/v1/devices/gun-1", 200, "{\"id\":\"gun-1\"}"},
	                                        {"GET", "/v1/devices/gun-1/wear", 200, BARE_WEAR},
	                                        {"GET", "/v1/faults", 200, LIST("")},
	                                        {0}};

	(void)state;
	plays(bare, "faults|show|13", CLI_OK,
	      TEXTS("#13 gun-1: fault",
	            "  machine    gun-1\n             which agent, driver and catalog it has isn't known yet\n",
	            "It never had another fault\n"));
	plays(bare, "faults|show|13|-o|json", CLI_OK, TEXTS("\"session\": null", "\"others\": []"));
}

/* The note was asked for "for whoever comes after". */
static void a_ticket_of_what_is_mended_says_who_did_what(void **state)
{
	static const struct play_line mended[] = {
	    {"GET", "/v1/faults/13", 200,
	     "{\"id\":13,\"device\":\"gun-1\",\"state\":\"cleared\",\"cleared_by\":\"staff\"}"},
	    {"GET", "/v1/devices/gun-1", 200, "{\"id\":\"gun-1\"}"},
	    {"GET", "/v1/devices/gun-1/wear", 200, BARE_WEAR},
	    {"GET", "/v1/faults", 200, LIST("")},
	    {"GET", "/v1/audit/log", 200,
	     LIST("{\"time\":\"2020-01-02T10:00:00Z\",\"who\":\"anna\",\"detail\":\"fault 13 (damage): new \\u001b[2J "
	          "cover\"}")},
	    {0}};
	struct play p = {.lines = mended};
	struct result r = play(&p, "faults|show|13");

	(void)state;
	assert_int_equal(r.code, CLI_OK);
	assert_true(play_saw(&p, "GET /v1/audit/log?where=subject%3d%27gun-1%27+and+action%3d%27fault+clear%27+and+"
	                         "detail~%27fault+13+%28%2a%27&limit=1"));
	assert_non_null(strstr(r.out, "\n  cleared    2020-01-02 10:00 ("));
	assert_non_null(strstr(r.out, ") by anna: new ?[2J cover\n"));
	forget(&r);
	play_deinit(&p);
	plays(mended, "faults|show|13|-o|json", CLI_OK, TEXTS("\"clearing\": {", "\"who\": \"anna\""));
}

/* ---- sensors over time ---- */

#define STEP(start, low, mean, high)                                                                                 \
	"{\"start\":\"" start "\",\"covered_s\":60,\"motor_s\":30,\"motor_temp_c_min\":" #low                            \
	",\"motor_temp_c_mean\":" #mean ",\"motor_temp_c_max\":" #high ",\"battery_pct_min\":null,\"battery_pct_mean\":" \
	"null,\"battery_pct_max\":null}"
#define SERIES(items) \
	"{\"span_s\":3600,\"since\":\"2020-01-02T00:00:00Z\",\"until\":\"2020-01-02T04:00:00Z\",\"items\":[" items "]}"

static const struct play_line series[] = {
    {"GET", "/v1/devices/chair-1/series", 200,
     SERIES(STEP("2020-01-02T00:00:00Z", 20, 25, 35) "," STEP("2020-01-02T03:00:00Z", 30, 45, 70))},
    {"GET", "/v1/devices/gun-1/series", 200, SERIES("")},
    {"GET", "/v1/devices/bed-1/series", 200,
     SERIES("{\"start\":\"2020-01-02T00:00:00Z\",\"covered_s\":60,\"motor_s\":0}")},
    {0}};

static void a_trend_is_a_line_for_each_sensor(void **state)
{
	struct play p = {.lines = series};
	struct result r = play(&p, "device|trend|chair-1|--since|15d|--until|1d");

	(void)state;
	assert_int_equal(r.code, CLI_OK);
	assert_true(play_saw(&p, "GET /v1/devices/chair-1/series?since=15d&until=1d"));
	assert_string_equal(r.out, "chair-1, 2020-01-02 00:00 to 2020-01-02 04:00: the motor ran 60 s\n"
	                           "SENSOR        MIN  MEAN  MAX  HIGHEST\n"
	                           "motor_temp_c   20    35   70  ▄  █\n");
	forget(&r);
	play_deinit(&p);
	plays(series, "device|trend|gun-1", CLI_OK, TEXTS("nothing was heard of gun-1 in this time\n"));
	plays(series, "device|trend|bed-1", CLI_OK, TEXTS("04:00: the motor didn't run\n"));
	plays(series, "device|trend|chair-1|-o|csv", CLI_OK,
	      TEXTS("start,covered_s,motor_s,motor_temp_c_min,motor_temp_c_mean,motor_temp_c_max,surface",
	            "2020-01-02T03:00:00Z,60,30,30,45,70,"));
	plays(series, "device|trend|chair-1|-o|json", CLI_OK, TEXTS("\"motor_temp_c_max\": 70"));
	plays(series, "device|trend|nobody", CLI_REFUSED, TEXTS("/v1/devices/nobody/series"));
	plays(series, "device|trend|Chair", CLI_USAGE, TEXTS("'Chair' is no machine's id"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_fault_says_what_since_when_and_what_to_do),
	    cmocka_unit_test(faults_fit_any_terminal),
	    cmocka_unit_test(faults_are_chosen_and_counted),
	    cmocka_unit_test(faults_are_acknowledged_and_cleared_with_a_note),
	    cmocka_unit_test(damage_is_reported),
	    cmocka_unit_test(a_machine_goes_out_of_service_and_back),
	    cmocka_unit_test(damage_that_is_still_open_is_told_when_the_tag_goes),
	    cmocka_unit_test(who_replaces_a_tag_is_told_whose),
	    cmocka_unit_test(what_else_locks_it_is_told),
	    cmocka_unit_test(a_service_is_told),
	    cmocka_unit_test(wear_says_what_is_due_when),
	    cmocka_unit_test(a_ticket_has_what_a_repairer_needs),
	    cmocka_unit_test(a_trend_is_a_line_for_each_sensor),
	    cmocka_unit_test(a_ticket_does_without_what_is_not_known),
	    cmocka_unit_test(a_ticket_of_what_is_mended_says_who_did_what),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
