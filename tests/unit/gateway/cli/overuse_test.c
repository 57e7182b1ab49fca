/* `overuse`, `rules` and `subject erase`: what is said to whom, and what is asked of the gateway. */
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/gateway/cli/play.h"

#define FLAG                                                                                                       \
	"{\"id\":12,\"rule\":\"P2\",\"title\":\"impact on one area in a day\",\"subject\":\"person 00ab12cd34ef5678, " \
	"quads left\",\"subject_kind\":\"person_area\",\"device\":null,\"site\":null,\"muscle\":\"quads\",\"side\":"   \
	"\"left\",\"token\":\"00ab12cd34ef5678\",\"level\":\"warn\",\"state\":\"open\",\"acked\":null,\"acked_by\":"   \
	"null,\"ack_note\":null,\"opened\":\"2020-01-02T10:00:00Z\",\"acted\":null,\"last\":\"2020-01-02T11:00:00Z\"," \
	"\"ended\":null,\"observed\":340,\"limit\":300,\"unit\":\"s\",\"metric\":\"area_s\",\"window_s\":null,"        \
	"\"times\":2,\"text\":\"340 s of impact today, warns from 300 s\",\"advice\":\"leave this area alone until "   \
	"tomorrow\",\"severity\":\"ok\",\"found\":\"2020-01-04T10:00:00Z\",\"late_s\":172800,\"due\":"                 \
	"\"2020-01-03T00:00:00Z\",\"holds\":false,\"sessions\":[{\"device\":\"gun-1\",\"session_no\":7},{\"device\":"  \
	"\"gun-1\",\"session_no\":9},{\"device\":\"gun-2\",\"session_no\":1}]}"
#define MACHINE                                                                                                      \
	"{\"id\":13,\"rule\":\"D6\",\"title\":\"in use too much\\u001b[2J\",\"subject\":\"chair-\\u0007berlin-01\","     \
	"\"level\":\"act\",\"state\":\"open\",\"opened\":\"2020-01-02T10:00:00Z\",\"observed\":82.25,\"limit\":70,"      \
	"\"unit\":\"%\",\"metric\":\"use_pct\",\"window_s\":432000,\"times\":1,\"text\":null,\"advice\":null,"           \
	"\"late_s\":null,\"holds\":true,\"sessions\":[],\"faults\":[{\"device\":\"chair-1\",\"fault_no\":4}],\"acked\":" \
	"\"2020-01-03T10:00:00Z\",\"acked_by\":\"anna\","                                                                \
	"\"ack_note\":\"turned away \\u001b]0;x\"}"
#define CLEARED                                                                                                     \
	"{\"id\":14,\"rule\":\"P4\",\"title\":\"too many sessions\",\"subject\":\"person 0000000000000001\",\"level\":" \
	"\"act\",\"state\":\"expired\",\"opened\":\"2020-01-02T10:00:00Z\",\"ended\":\"2020-01-05T00:00:00Z\","         \
	"\"text\":\"4 sessions\",\"advice\":\"talk to them\"}"
#define LIST(rows) "{\"items\":[" rows "],\"next\":null}"
#define REFUSAL(message) "{\"error\":{\"code\":\"x\",\"message\":\"" message "\"}}"

static const struct play_line flags[] = {{"GET", "/v1/flags", 200, LIST(FLAG "," MACHINE "," CLEARED)},
                                         {"GET", "/v1/flags/12", 200, FLAG},
                                         {"GET", "/v1/flags/13", 200, MACHINE},
                                         {"POST", "/v1/flags/12/ack", 200, FLAG},
                                         {"POST", "/v1/flags/14/ack", 200, CLEARED},
                                         {"POST", "/v1/flags/13/ack", 409, REFUSAL("it is over")},
                                         {0}};

static void a_flag_says_who_since_when_why_and_what_to_do(void **state)
{
	struct play p = {.lines = flags};
	struct result r = play(&p, "overuse");

	(void)state;
	assert_int_equal(r.code, CLI_OK);
	assert_true(play_saw(&p, "GET /v1/flags?open=1&limit=25"));
	const char *line =
	    strstr(r.out, "  warn       #12 person 00ab12cd34ef5678, quads left: impact on one area in a day (P2)\n"
	                  "             340 s of impact today, warns from 300 s\n"
	                  "             since 2020-01-02 10:00 (");
	assert_non_null(line);
	assert_non_null(strstr(line, " ago) · 2 times · sessions gun-1 no. 7, 9, gun-2 no. 1\n"
	                             "             told 2 d late: a machine was offline, or the rule is new\n"
	                             "             → leave this area alone until tomorrow\n"));
	forget(&r);
	play_deinit(&p);
}

static void what_is_missing_or_hostile_is_harmless(void **state)
{
	struct play p = {.lines = flags};
	struct result r = play_on_terminal(&p, "overuse", 0);

	(void)state;
	assert_int_equal(r.code, CLI_OK);
	assert_non_null(strstr(r.out, "#13 chair-?berlin-01: in use too much?[2J (D6)"));
	assert_non_null(strstr(r.out, "use_pct 82.2 %, limit 70 %, in 5 d"));
	assert_non_null(strstr(r.out, " ago) · gymfleet faults chair-1\n"));
	assert_non_null(strstr(r.out, "gymfleet overuse ack 13 --release --note TEXT"));
	assert_non_null(strstr(r.out, "acknowledged by anna 2020-01-03 10:00 ("));
	assert_non_null(strstr(r.out, "turned away ?]0;x"));
	assert_null(strstr(r.out, "\033[2J"));
	assert_false(has_control(r.out));
	/* What is over needs nothing done. */
	assert_non_null(strstr(r.out, "expired: nothing was heard of it any more 2020-01-05 00:00"));
	assert_null(strstr(r.out, "talk to them"));
	forget(&r);
	play_deinit(&p);
}

static void lines_fit_the_terminal(void **state)
{
	static const unsigned short widths[] = {80, 40};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct play p = {.lines = flags};
		struct result r = play_on_terminal(&p, "overuse", widths[i]);
		assert_int_equal(r.code, CLI_OK);
		if (widest(r.out) > widths[i])
			fail_msg("%zu columns of %u\n%s", widest(r.out), widths[i], r.out);
		assert_non_null(strstr(r.out, "\033[33mwarn"));
		forget(&r);
		assert_int_equal(setenv("NO_COLOR", "1", 1), 0);
		r = play_on_terminal(&p, "overuse", widths[i]);
		assert_null(strchr(r.out, '\033'));
		assert_int_equal(unsetenv("NO_COLOR"), 0);
		forget(&r);
		play_deinit(&p);
	}
}

static void rows_are_the_apis_for_programs(void **state)
{
	struct play p = {.lines = flags};
	struct result r = play(&p, "overuse|-o|json");
	json_t *rows = json_loads(r.out, 0, NULL), *expected = json_loads(FLAG, 0, NULL);

	(void)state;
	assert_true(json_equal(json_array_get(rows, 0), expected));
	json_decref(rows);
	json_decref(expected);
	forget(&r);
	play_deinit(&p);
	plays(flags, "overuse|-o|csv", CLI_OK,
	      TEXTS("id,rule,title,subject,", "12,P2,impact on one area in a day,\"person 00ab12cd34ef5678, quads left\""));
}

static void without_flags_it_says_so(void **state)
{
	static const struct play_line none[] = {{"GET", "/v1/flags", 200, LIST("")}, {0}};
	struct play p = {.lines = none};

	(void)state;
	plays(none, "overuse", CLI_OK, TEXTS("nothing is open"));
	plays(none, "overuse|-o|json", CLI_OK, TEXTS("[]"));
	struct result r = play(&p, "overuse|--since|7d|--device|gun-1|--withdrawn|--where|rule=P2");
	assert_string_equal(r.out, "no such flag\n");
	assert_true(play_saw(&p, "GET /v1/flags?device=gun-1&withdrawn=1&since=7d&where=rule%3dP2&limit=25") ||
	            play_saw(&p, "GET /v1/flags?device=gun-1&withdrawn=1&since=7d&where=rule%3DP2&limit=25"));
	forget(&r);
}

static void one_flag_is_shown_with_its_sessions(void **state)
{
	(void)state;
	plays(flags, "overuse|show|12", CLI_OK,
	      TEXTS("#12 person", "late by          2 d", "observed         340\n", "SESSION OF", "gun-2"));
	plays(flags, "overuse|show|13", CLI_OK,
	      TEXTS("FAULT OF", "ITS COUNT", "\nAs the machine counts them; what they were: gymfleet faults chair-1\n"));
	plays(flags, "overuse|show|99", CLI_REFUSED, TEXTS("/v1/flags/99"));
	plays(flags, "overuse|show|P2", CLI_USAGE, TEXTS("'P2' is no flag's number"));
	plays(flags, "overuse|shwo|12", CLI_USAGE, TEXTS("did you mean 'overuse show'?"));
}

static void a_flag_is_acknowledged_with_a_note(void **state)
{
	struct play p = {.lines = flags};
	struct result r = play(&p, "overuse|ack|12|--note|spoke to him|--release");

	(void)state;
	assert_int_equal(r.code, CLI_OK);
	assert_string_equal(json_string_value(json_object_get(p.body, "note")), "spoke to him");
	assert_true(json_is_true(json_object_get(p.body, "release")));
	assert_non_null(strstr(r.out, "What it held of the machine is lifted"));
	forget(&r);
	play_deinit(&p);
	plays(flags, "overuse|ack|12|--note|x", CLI_OK, TEXTS("goes on until it clears by its rule"));
	plays(flags, "overuse|ack|14|--note|x|--release", CLI_OK, TEXTS("expired", "The flag is over already"));
	plays(flags, "overuse|ack|12", CLI_USAGE, TEXTS("--note TEXT is missing"));
	plays(flags, "overuse|ack|12|--note|\xff", CLI_USAGE, TEXTS("--note is not UTF-8"));
	plays(flags, "overuse|ack|13|--note|x", CLI_REFUSED, TEXTS("it is over"));
}

/* Two people at once, or a flag that holds nothing: what really happened is said. */
static void who_comes_second_and_lifts_nothing_is_told_so(void **state)
{
	static const struct play_line second[] = {
	    {"POST", "/v1/flags/15/ack", 200,
	     "{\"id\":15,\"rule\":\"D3\",\"state\":\"open\",\"level\":\"act\",\"subject\":\"gun-1\",\"text\":\"4 faults\","
	     "\"holds\":false,\"lifted\":false,\"acked_before\":{\"at\":\"2020-01-02T10:00:00Z\",\"by\":\"ben\\u0007\","
	     "\"note\":\"cleaned it\"}}"},
	    {"POST", "/v1/flags/16/ack", 200,
	     "{\"id\":16,\"rule\":\"D3\",\"state\":\"open\",\"level\":\"act\",\"subject\":\"gun-1\",\"text\":\"4 faults\","
	     "\"holds\":false,\"lifted\":true,\"acked_before\":null,\"still_locked\":\"out of service: to\\u0007rn\"}"},
	    {0}};

	(void)state;
	plays(second, "overuse|ack|15|--note|x|--release", CLI_OK,
	      TEXTS("before you it was acknowledged by ben? 2020-01-02 10:00 (", ": cleaned it",
	            "It holds nothing of the machine: nothing was lifted"));
	plays(second, "overuse|ack|16|--note|x|--release", CLI_OK,
	      TEXTS("\nWhat it held of the machine is lifted;", "\nThe machine is still locked: out of service: to?rn\n"));
	plays(second, "overuse|ack|15|--note|x", CLI_OK, TEXTS("before you", "\nThe flag goes on until it clears"));
}

/* ---- rules ---- */

static void rules_are_listed_checked_and_reloaded(void **state)
{
	static const struct play_line lines[] = {
	    {"GET", "/v1/rules", 200,
	     LIST("{\"id\":\"P2\",\"title\":\"impact on one area\",\"subject\":\"person_area\",\"metric\":\"area_s\","
	          "\"warn\":300,\"act\":480,\"unit\":\"s\",\"window_s\":null,\"conditions\":1,\"advice\":\"x\","
	          "\"open_flags\":3,\"line\":12}")},
	    {"POST", "/v1/rules/check", 200, "{\"rules\":14,\"plans\":2}"},
	    {"POST", "/v1/rules/reload", 200, "{\"rules\":1}"},
	    {0}};
	static const struct play_line doubtful[] = {
	    {"POST", "/v1/rules/check", 200, "{\"rules\":2,\"plans\":0,\"warnings\":[\"r.yaml:7: a\\u001b[1m name\"]}"},
	    {"POST", "/v1/rules/reload", 200, "{\"rules\":2,\"warnings\":[\"r.yaml:7: a name\",5]}"},
	    {0}};
	static const struct play_line bad[] = {
	    {"POST", "/v1/rules/check", 422,
	     REFUSAL("rules.yaml:12:3: rule P2: no metric 'aera_s'; did you mean 'area_s'?")},
	    {"POST", "/v1/rules/reload", 422, REFUSAL("rules.yaml:1:1: not YAML")},
	    {"GET", "/v1/rules", 200, LIST("")},
	    {0}};

	(void)state;
	plays(lines, "rules", CLI_OK, TEXTS("RULE", "person_area", "impact on one area"));
	plays(lines, "rules|list|-o|csv", CLI_OK, TEXTS("P2,3,person_area,area_s,300,480,s,,"));
	plays(lines, "rules|check|" GF_SOURCE_DIR "/CMakeLists.txt", CLI_OK, TEXTS("CMakeLists.txt is right, 14 rules"));
	plays(lines, "rules|reload", CLI_OK, TEXTS("the rules were read again, 1 rule\n"));
	plays(doubtful, "rules|check|" GF_SOURCE_DIR "/CMakeLists.txt", CLI_OK,
	      TEXTS("CMakeLists.txt is right, 2 rules", "gymfleet: warning: r.yaml:7: a"));
	plays(doubtful, "rules|reload", CLI_OK,
	      TEXTS("the rules were read again, 2 rules", "gymfleet: warning: r.yaml:7: a name\n"));
	plays(doubtful, "rules|reload|-o|json", CLI_OK, TEXTS("\"warnings\""));
	plays(lines, "rules|check|/nonexistent", CLI_REFUSED, TEXTS("can't read /nonexistent: No such file"));
	plays(lines, "rules|check|/", CLI_REFUSED, TEXTS("can't read /: Is a directory"));
	plays(lines, "rules|relaod", CLI_USAGE, TEXTS("'relaod' is one argument too many"));
	plays(bad, "rules|check|" GF_SOURCE_DIR "/CMakeLists.txt", CLI_REFUSED, TEXTS("rules.yaml:12:3", "area_s"));
	plays(bad, "rules|reload", CLI_REFUSED, TEXTS("not YAML", "Nothing has changed"));
	plays(bad, "rules", CLI_OK, TEXTS("no rules: nothing is flagged"));
}

/* What an editor leaves behind that the gateway couldn't read as text at all: the file's name and line are told, not what a request is made of. */
static void a_file_that_is_no_text_is_named_with_its_line(void **state)
{
	static const struct play_line right[] = {{"POST", "/v1/rules/check", 200, "{\"rules\":0,\"plans\":0}"}, {0}};
	static const struct {
		const char *bytes;
		size_t len;
		enum cli_exit code;
		const char *said;
	} files[] = {
	    {"", 0, CLI_REFUSED, "is empty; there are no rules to check"},
	    {"rules:\n# f\xfcr\n", 13, CLI_REFUSED, ":2: not UTF-8 text; save the file as UTF-8 in the editor"},
	    {"\xff\xfer\0", 4, CLI_REFUSED, ":1: not UTF-8 text"},
	    {"rules: []\n\n# \xc3\xbc", 15, CLI_OK, "is right, 0 rules"},
	};
	char path[] = "/tmp/gymfleet-rules-XXXXXX", words[64];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	(void)snprintf(words, sizeof(words), "rules|check|%s", path);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, files[i].bytes, files[i].len, 0), (ssize_t)files[i].len);
		plays(right, words, files[i].code, TEXTS(path, files[i].said));
	}
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(path), 0);
}

/* ---- forgetting ---- */

static const struct play_line erasing[] = {
    {"POST", "/v1/subjects/00ab12cd34ef5678/erase", 200,
     "{\"sessions\":12,\"flags\":1,\"events\":0,\"quarantined\":0}"},
    {"POST", "/v1/subjects/0000000000000001/erase", 200, "{\"sessions\":0,\"flags\":0,\"events\":0,\"quarantined\":0}"},
    {"POST", "/v1/subjects/0000000000000002/erase", 503, REFUSAL("a reader is busy; call again")},
    {0}};

static void a_person_is_forgotten(void **state)
{
	(void)state;
	plays(erasing, "subject|erase|00ab12cd34ef5678|--yes", CLI_OK,
	      TEXTS("Erased: 12 sessions no longer tell whose they were; 1 flag, 0 events"));
	plays(erasing, "subject|erase|00ab12cd34ef5678|-y|-o|csv", CLI_OK,
	      TEXTS("sessions,flags,events,quarantined\r\n12,1,0,0"));
	plays(erasing, "subject|erase|0000000000000001|--yes", CLI_OK, TEXTS("Nothing of this token was here."));
	plays(erasing, "subject|erase|0000000000000002|--yes", CLI_REFUSED, TEXTS("call again"));
	plays(erasing, "subject|erase|anna|--yes", CLI_USAGE, TEXTS("'anna' is no token"));
	plays(erasing, "subject|earse|x", CLI_USAGE, TEXTS("did you mean 'subject erase'?"));
}

/* Types `text` at the question, on a terminal of its own as standard input. */
static void typed(const char *text, int code, const char *says, bool asked)
{
	struct play p = {.lines = erasing};
	int master, slave, before = dup(STDIN_FILENO);

	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	assert_int_equal(write(master, text, strlen(text)), strlen(text));
	assert_int_equal(dup2(slave, STDIN_FILENO), STDIN_FILENO);
	clearerr(stdin);
	struct result r = play(&p, "subject|erase|00ab12cd34ef5678");
	assert_int_equal(dup2(before, STDIN_FILENO), STDIN_FILENO);
	close(before);
	close(slave);
	close(master);
	if (r.code != code || strstr(r.err, "Erase? Type yes:") == NULL ||
	    (strstr(r.out, says) == NULL && strstr(r.err, says) == NULL))
		fail_msg("'%s': exit %d\n%s\n%s", text, r.code, r.out, r.err);
	assert_int_equal(p.seen_count > 0, asked);
	forget(&r);
	play_deinit(&p);
}

static void only_a_yes_erases(void **state)
{
	int before = dup(STDIN_FILENO), null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	typed("yes\n", CLI_OK, "Erased: 12", true);
	typed("no\n", CLI_REFUSED, "nothing was erased", false);
	typed("\n", CLI_REFUSED, "nothing was erased", false);
	/* Nobody is there to be asked. */
	assert_int_equal(dup2(null, STDIN_FILENO), STDIN_FILENO);
	plays(erasing, "subject|erase|00ab12cd34ef5678", CLI_USAGE, TEXTS("no terminal to ask on; say --yes"));
	assert_int_equal(dup2(before, STDIN_FILENO), STDIN_FILENO);
	close(before);
	close(null);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_flag_says_who_since_when_why_and_what_to_do),
	    cmocka_unit_test(what_is_missing_or_hostile_is_harmless),
	    cmocka_unit_test(lines_fit_the_terminal),
	    cmocka_unit_test(rows_are_the_apis_for_programs),
	    cmocka_unit_test(without_flags_it_says_so),
	    cmocka_unit_test(one_flag_is_shown_with_its_sessions),
	    cmocka_unit_test(a_flag_is_acknowledged_with_a_note),
	    cmocka_unit_test(who_comes_second_and_lifts_nothing_is_told_so),
	    cmocka_unit_test(rules_are_listed_checked_and_reloaded),
	    cmocka_unit_test(a_file_that_is_no_text_is_named_with_its_line),
	    cmocka_unit_test(a_person_is_forgotten),
	    cmocka_unit_test(only_a_yes_erases),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
