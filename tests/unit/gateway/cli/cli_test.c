#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/gateway/api/server.h"
#include "tests/unit/gateway/cli/words.h"

static json_t *run_json(struct server *s, const char *words)
{
	struct result r = run(s->socket, words);
	json_t *json = json_loads(r.out, JSON_DECODE_ANY, NULL);

	if (r.code != CLI_OK || json == NULL)
		fail_msg("%s: exit %d\n%s\n%s", words, r.code, r.out, r.err);
	forget(&r);
	return json;
}

static void what_cannot_be_written_is_a_failure(void **state)
{
	static const char *const commands[] = {"status", "devices", "health", "audit", "usage"};
	struct server *s = *state;

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		char program[] = "gymfleet", option[] = "--socket", command[16], *err_text = NULL;
		char *argv[] = {program, option, s->socket, command, NULL};
		size_t err_size;
		FILE *full = fopen("/dev/full", "w"), *err = open_memstream(&err_text, &err_size);

		assert_non_null(full);
		snprintf(command, sizeof(command), "%s", commands[i]);
		assert_int_equal(cli_main(4, argv, full, err), CLI_REFUSED);
		fclose(full);
		fclose(err);
		assert_non_null(strstr(err_text, "can't write the output: No space left"));
		free(err_text);
	}
}

static void wrong_words_are_usage_on_stderr(void **state)
{
	static const struct {
		const char *words, *err;
	} cases[] = {
	    {"devcies", "gymfleet: unknown command 'devcies'; did you mean 'devices'?\nusage: gymfleet devices [OPTIONS]\n"
	                "`gymfleet help` lists all commands.\n"},
	    {"frobnicate",
	     "gymfleet: unknown command 'frobnicate'\nusage: gymfleet [OPTIONS] COMMAND [ARGUMENTS]\n\nSee how"},
	    {"rollout|stop|12", "unknown command 'rollout stop'"},
	    {"devices|--wehre|x", "unknown option '--wehre'; did you mean '--where'?"},
	    {"devices|--by|site", "unknown option '--by'"},
	    {"devices|-x", "unknown option '-x'"},
	    {"devices|--where", "--where needs a value"},
	    {"events|--follow=yes", "--follow takes no value"},
	    {"devices|-o|xml", "--output is 'xml'; it may be table, json or csv"},
	    {"devices|--limit|0", "--limit is '0'; it may be 1 to"},
	    {"devices|--limit|many", "--limit is 'many'"},
	    {"devices|chair", "'chair' is one argument too many"},
	    {"device|show", "'device show' needs ID"},
	    {"device", "gymfleet device COMMAND"},
	    {"device|show|Bad_Id", "'Bad_Id' is no machine's id"},
	    {"device|set|a|zone", "'zone' has no '='"},
	    {"device|set|a|sitte=x", "did you mean 'site'?"},
	    {"catalog|build|x", "--class CLASS is missing"},
	    {"--sockt|x|status", "unknown option '--sockt'; did you mean '--socket'?"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect("/nonexistent", cases[i].words, CLI_USAGE, "", cases[i].err);
	struct result r = run("/nonexistent", "devcies");
	assert_null(strstr(r.err, "See how"));
	forget(&r);
	r = run("/nonexistent", "");
	assert_int_equal(r.code, CLI_USAGE);
	assert_string_equal(r.out, "");
	assert_non_null(strstr(r.err, "usage: gymfleet"));
	forget(&r);
	r = run("/nonexistent", "devices|--wehre");
	assert_non_null(strstr(r.err, "usage: gymfleet devices [OPTIONS]"));
	forget(&r);
}

static void help_and_version_need_no_gateway(void **state)
{
	(void)state;
	expect("/nonexistent", "--help", CLI_OK, "usage: gymfleet", "");
	expect("/nonexistent", "--version", CLI_OK, "gymfleet " GF_VERSION, "");
	expect("/nonexistent", "status|--version", CLI_OK, "gymfleet " GF_VERSION, "");
	expect("/nonexistent", "help|usage", CLI_OK, "--by KEY", "");
	expect("/nonexistent", "help|device|set", CLI_OK, "usage: gymfleet device set [OPTIONS] ID KEY=VALUE...", "");
	expect("/nonexistent", "catalog|build|--help", CLI_OK, "-o, --out FILE", "");
	expect("/nonexistent", "device|--help", CLI_OK, "usage: gymfleet device COMMAND", "");
	expect("/nonexistent", "device|-h", CLI_OK, "device untag ID", "");
	for (const struct cli_command *c = cli_commands; c->name != NULL; c++) {
		char words[64];
		size_t n = strcspn(c->name, " ");
		snprintf(words, sizeof(words), "help|%.*s%s%s", (int)n, c->name, c->name[n] != '\0' ? "|" : "",
		         c->name[n] != '\0' ? c->name + n + 1 : "");
		expect("/nonexistent", words, CLI_OK, c->summary, "");
	}
}

static void without_a_gateway_it_says_why(void **state)
{
	struct server *s = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char long_path[200];

	expect("/nonexistent/sock", "devices", CLI_UNREACHABLE, "", "there is no socket at /nonexistent/sock");
	expect("/nonexistent/sock", "doctor", CLI_UNREACHABLE, "there is no socket at /nonexistent/sock", "");
	expect("/nonexistent/sock", "doctor|-o|json", CLI_UNREACHABLE, "\"severity\": \"critical\"", "");
	api_free(s->api);
	s->api = NULL;
	strcpy(address.sun_path, s->socket);
	int stale = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(stale, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(stale, 0), 0);
	int crowd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(crowd, (struct sockaddr *)&address, sizeof(address)), 0);
	expect(s->socket, "status", CLI_UNREACHABLE, "", "too many programs wait for the gateway");
	close(crowd);
	close(stale);
	expect(s->socket, "status", CLI_UNREACHABLE, "", "nobody listens on the socket");
	expect(s->socket, "doctor", CLI_UNREACHABLE, "nobody listens on the socket", "");
	assert_int_equal(unlink(s->socket), 0);
	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	expect(long_path, "status", CLI_UNREACHABLE, "", "longer than a Unix socket's path may be");
}

static void the_status_screen_shows_the_fleet(void **state)
{
	struct server *s = *state;

	expect(s->socket, "status", CLI_OK, "2 machines · 1 online · 2 sites · gateway up 3.0 h, audit clean", "");
	expect(s->socket, "status", CLI_OK, "1 critical", "");
	expect(s->socket, "status", CLI_OK, "Needs you", "");
	expect(s->socket, "status|-o|csv", CLI_OK, "fleet.machines,fleet.online", "");
	json_t *json = run_json(s, "status|-o|json");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(json, "fleet"), "machines")), 2);
	json_decref(json);
	s->facts.broker_connected = false;
	strcpy(s->facts.broker_reason, "refused");
	expect(s->socket, "status", CLI_OK, "not connected: refused", "");
}

static void lists_are_printed_in_every_format(void **state)
{
	static const struct {
		const char *words, *table, *csv;
		size_t rows;
	} lists[] = {
	    {"devices", "chair-berlin-01", "id,name,class,site,presence", 2},
	    {"health", "motor", "id,health,code,text,action", 2},
	    {"sessions", "drumming_legs", "started,device,session_no", 5},
	    {"sessions|gun-paris-01", "gun-paris-01", "started,device", 1},
	    {"usage|--by|site", "SITE", "key,sessions,running_s", 2},
	    {"faults", "overtemp_motor", "id,device,site,class,code", 1},
	    {"usage|--trend", "2", "week,start,sessions", 0},
	    {"overuse", "nothing is open", "id,rule,title,subject", 0},
	    {"wear", "", "device,part,used_pct", 0},
	    {"rules", "", "id,open_flags,subject,metric", 0},
	    {"events", "chair-berlin-01", "time,kind,device,text,id", 0},
	    {"doctor", "broker", "severity,name,text,action,ok", 0},
	};
	struct server *s = *state;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		char words[96];
		expect(s->socket, lists[i].words, CLI_OK, lists[i].table, "");
		snprintf(words, sizeof(words), "%s|-o|csv", lists[i].words);
		expect(s->socket, words, CLI_OK, lists[i].csv, "");
		snprintf(words, sizeof(words), "%s|--output=json", lists[i].words);
		json_t *json = run_json(s, words);
		assert_true(json_is_array(json));
		if (lists[i].rows != 0 && json_array_size(json) != lists[i].rows)
			fail_msg("%s: %zu rows", words, json_array_size(json));
		json_decref(json);
	}
	expect(s->socket, "audit", CLI_OK, "audit: clean (2 machines, 4 sessions", "");
}

/* CSV has all that JSON has, so that a column isn't missing in the one that is in the other. */
static void csv_has_every_key_of_json(void **state)
{
	static const char *const lists[] = {"devices", "sessions",           "faults",       "usage", "audit|log", "wear",
	                                    "rules",   "faults|--by|device", "usage|--trend"};

	expect(((struct server *)*state)->socket, "device|set|gun-paris-01|name=x", CLI_OK, "", "");
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		char words[64], heading[1024];
		const char *key;
		json_t *value;
		snprintf(words, sizeof(words), "%s|-o|json", lists[i]);
		json_t *json = run_json(*state, words);
		snprintf(words, sizeof(words), "%s|-o|csv", lists[i]);
		struct result csv = run(((struct server *)*state)->socket, words);
		snprintf(heading, sizeof(heading), ",%.*s,", (int)strcspn(csv.out, "\r"), csv.out);
		json_object_foreach(json_array_get(json, 0), key, value)
		{
			char wanted[64];
			snprintf(wanted, sizeof(wanted), ",%s,", key);
			if (strstr(heading, wanted) == NULL)
				fail_msg("%s: no column '%s' in CSV", lists[i], key);
		}
		forget(&csv);
		json_decref(json);
	}
}

static void rows_are_chosen_and_limited(void **state)
{
	struct server *s = *state;
	json_t *json = run_json(s, "devices|-o|json|--where|site=berlin and (class=chair or health!=ok)");

	assert_int_equal(json_array_size(json), 1);
	json_decref(json);
	expect(s->socket, "devices|--where|site=nowhere", CLI_OK, "no such machine", "");
	expect(s->socket, "devices|--where|sitte=x", CLI_USAGE, "", "unknown field 'sitte'; did you mean 'site'?");
	expect(s->socket, "sessions|--since|soon", CLI_USAGE, "", "since is 'soon'");
	expect(s->socket, "sessions|--limit|2", CLI_OK, "STARTED", "there are more than these 2 rows");
	expect(s->socket, "sessions|--limit|1", CLI_OK, "STARTED", "there are more than this row;");
	expect(s->socket, "usage|--by|sitte", CLI_USAGE, "", "did you mean 'site'?");
	expect(s->socket, "health|chair-berln-01", CLI_REFUSED, "", "did you mean 'chair-berlin-01'?");
	expect(s->socket, "device|show|nobody", CLI_REFUSED, "", "there is no machine 'nobody'");
	expect(s->socket, "sessions|nobody", CLI_REFUSED, "", "there is no machine 'nobody'");
}

static void a_machine_is_shown_and_set(void **state)
{
	struct server *s = *state;

	expect(s->socket, "device|show|chair-berlin-01", CLI_OK, "motor_temp_c", "");
	expect(s->socket, "device|set|chair-berlin-01|name=Window chair|zone=", CLI_OK, "Window chair", "");
	json_t *json = run_json(s, "device|show|chair-berlin-01|-o|json");
	assert_string_equal(json_string_value(json_object_get(json, "name")), "Window chair");
	json_decref(json);
	expect(s->socket, "device|set|nobody|name=x", CLI_REFUSED, "", "there is no machine 'nobody'");
	expect(s->socket, "device|set|chair-berlin-01|name=x|-o|csv", CLI_OK, "id,name,class", "");
}

static void limits_are_set_and_taken_away(void **state)
{
	struct server *s = *state;

	expect(s->socket, "device|show|chair-berlin-01", CLI_OK, "limits           -\n", "");
	expect(s->socket, "device|set|chair-berlin-01|limit.intensity_max_pct=40.5|limit.session_max_s=600", CLI_OK,
	       "limits           intensity_max_pct 40.5, session_max_s 600\n", "");
	/* What isn't named stays. */
	expect(s->socket, "device|set|chair-berlin-01|limit.intensity_max_pct=", CLI_OK,
	       "limits           session_max_s 600\n", "");
	struct result r = run(s->socket, "device|show|chair-berlin-01|-o|json");
	json_t *json = json_loads(r.out, 0, NULL), *limits = json_object_get(json_object_get(json, "desired"), "limits");
	assert_float_equal(json_number_value(json_object_get(limits, "session_max_s")), 600, 0.01);
	assert_true(json_is_null(json_object_get(limits, "intensity_max_pct")));
	json_decref(json);
	forget(&r);
	expect(s->socket, "device|set|chair-berlin-01|limit.heat_max_c=101", CLI_USAGE, "", "heat_max_c must be from");
	expect(s->socket, "device|set|chair-berlin-01|limit.heat_max_c=hot", CLI_USAGE, "",
	       "limit.heat_max_c is 'hot'; expected a number such as 40, or nothing for no limit");
	expect(s->socket, "device|set|chair-berlin-01|limit.heat_max_c=nan", CLI_USAGE, "", "expected a number");
	expect(s->socket, "device|set|chair-berlin-01|limit.heat_max_c=1e2", CLI_USAGE, "", "expected a number");
	expect(s->socket, "device|set|chair-berlin-01|limit.heat_max=40", CLI_USAGE, "",
	       "did you mean 'limit.heat_max_c'?");
	expect(s->socket, "device|set|chair-berlin-01|limit.heat_max_c=40|name=x", CLI_USAGE, "", "two commands");
	expect(s->socket, "device|set|chair-berlin-01|name=x|name=y", CLI_USAGE, "", "name is given twice");
	expect(s->socket, "device|set|nobody|limit.heat_max_c=40", CLI_REFUSED, "", "there is no machine 'nobody'");
}

static void a_machine_is_locked_and_unlocked(void **state)
{
	struct server *s = *state;

	expect(s->socket, "device|lock|chair-berlin-01|--reason|torn cover", CLI_OK,
	       "chair-berlin-01 is locked: no session starts; the one that runs goes on (to end it: gymfleet device stop "
	       "chair-berlin-01)\n",
	       "");
	expect(s->socket, "device|show|chair-berlin-01", CLI_OK, "torn cover", "");
	expect(s->socket, "device|lock|chair-berlin-01", CLI_OK, "chair-berlin-01 is locked", "");
	expect(s->socket, "device|show|chair-berlin-01", CLI_OK, "torn cover", "");
	expect(s->socket, "health|chair-berlin-01", CLI_OK, "no session starts: torn cover", "");
	expect(s->socket, "device|unlock|chair-berlin-01", CLI_OK, "is unlocked: sessions may start\n", "");
	/* A tag locks, too: who unlocks the machine isn't told that it starts. */
	expect(s->socket, "device|tag|chair-berlin-01|--reason|belt", CLI_OK, "is out of service", "");
	expect(s->socket, "device|unlock|chair-berlin-01", CLI_OK,
	       "The lock of chair-berlin-01 is lifted, but no session starts: out of service: belt\nOnce it is back: "
	       "gymfleet device untag chair-berlin-01\n",
	       "");
	expect(s->socket, "device|untag|chair-berlin-01", CLI_OK, "chair-berlin-01 is back in service\n", "");
	expect(s->socket, "device|lock|gun-paris-01|-o|csv", CLI_OK, "gun-paris-01,true,,offline", "");
	expect(s->socket, "device|lock|gun-paris-01", CLI_OK, "it is offline and hears of it when it is back", "");
	expect(s->socket, "device|lock|nobody", CLI_REFUSED, "", "there is no machine 'nobody'");
	expect(s->socket, "device|lock|gun-paris-01|--reason|\xff", CLI_USAGE, "", "--reason is not UTF-8");
	expect(s->socket, "device|stop|gun-paris-01", CLI_REFUSED, "", "gun-paris-01 is offline");
	expect(s->socket, "audit|log", CLI_OK, "device unlock", "");
	expect(s->socket, "audit|log|--where|action='device lock' and subject=chair-berlin-01|-o|csv", CLI_OK, "torn cover",
	       "");
	expect(s->socket, "audit|log|--since|1m|--where|action=x", CLI_OK, "no such change", "");
}

static void what_is_too_long_is_usage(void **state)
{
	struct server *s = *state;
	char words[40000] = "devices|--where|site=";

	memset(words + strlen(words), 'x', sizeof(words) - strlen(words) - 1);
	expect(s->socket, words, CLI_USAGE, "", "what is asked for is too long; shorten --where");
	expect(s->socket, "sessions|--where|routine=\xff", CLI_USAGE, "", "where is not UTF-8");
}

static void options_may_stand_anywhere(void **state)
{
	struct server *s = *state;
	char words[256];

	snprintf(words, sizeof(words), "--socket|%s|-o|csv|device|show|chair-berlin-01", s->socket);
	expect("/nonexistent", words, CLI_OK, "id,name,class", "");
	snprintf(words, sizeof(words), "device|show|chair-berlin-01|--socket|%s|-ocsv", s->socket);
	expect("/nonexistent", words, CLI_OK, "id,name,class", "");
}

static void the_environment_names_the_socket(void **state)
{
	char program[] = "gymfleet", command[] = "devices", *argv[] = {program, command, NULL}, *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(setenv("GYMFLEET_SOCKET", ((struct server *)*state)->socket, 1), 0);
	assert_int_equal(cli_main(2, argv, out, stderr), CLI_OK);
	fclose(out);
	assert_non_null(strstr(text, "chair-berlin-01"));
	free(text);
	assert_int_equal(unsetenv("GYMFLEET_SOCKET"), 0);
}

static void doctor_with_a_finding_is_not_ok(void **state)
{
	struct server *s = *state;

	s->facts.clock_synced = false;
	expect(s->socket, "doctor", CLI_REFUSED, "start a time service", "");
}

static void catalogs_are_checked_and_built_offline(void **state)
{
	struct server *s = *state;
	char words[512], out[128];
	struct stat st;

	snprintf(out, sizeof(out), "%s/chair.catalog", s->store->dir);
	snprintf(words, sizeof(words), "catalog|build|--class|chair|--name|base|--version|3|-o|%s|%s/config/routines", out,
	         GF_SOURCE_DIR);
	expect("/nonexistent", words, CLI_OK, "base version 3 for chair", "");
	assert_int_equal(stat(out, &st), 0);
	assert_true(st.st_size > 100);
	assert_int_equal(unlink(out), 0);
	expect("/nonexistent", "catalog|check|" GF_SOURCE_DIR "/config/routines", CLI_OK, "post_run_cooldown", "");
	expect("/nonexistent", "catalog|check|/nonexistent.yaml", CLI_REFUSED, "problem", "/nonexistent.yaml");
	expect("/nonexistent", "catalog|build|--class|chiar|--name|b|--version|1|-o|x|y", CLI_USAGE, "",
	       "--class is 'chiar'");
	expect("/nonexistent", "catalog|build|--class|chair|--name|b|--version|0|-o|x|y", CLI_USAGE, "",
	       "--version is '0'");
	snprintf(words, sizeof(words),
	         "catalog|build|--class|chair|--name|b|--version|1|-o|/nonexistent/x|%s/config/routines", GF_SOURCE_DIR);
	expect("/nonexistent", words, CLI_REFUSED, "", "/nonexistent");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, server_setup, server_teardown)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(wrong_words_are_usage_on_stderr),
	    cmocka_unit_test(help_and_version_need_no_gateway),
	    TEST(without_a_gateway_it_says_why),
	    TEST(what_cannot_be_written_is_a_failure),
	    TEST(the_status_screen_shows_the_fleet),
	    TEST(lists_are_printed_in_every_format),
	    TEST(csv_has_every_key_of_json),
	    TEST(rows_are_chosen_and_limited),
	    TEST(a_machine_is_shown_and_set),
	    TEST(limits_are_set_and_taken_away),
	    TEST(what_is_too_long_is_usage),
	    TEST(a_machine_is_locked_and_unlocked),
	    TEST(options_may_stand_anywhere),
	    TEST(the_environment_names_the_socket),
	    TEST(doctor_with_a_finding_is_not_ok),
	    TEST(catalogs_are_checked_and_built_offline),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
