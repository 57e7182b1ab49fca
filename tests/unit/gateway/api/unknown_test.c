/* What is named but isn't there: the nearest there is, and why a list is empty. */
#include "tests/unit/gateway/api/server.h"

#include <stdlib.h>
#include <string.h>

static void an_unknown_machine_names_the_nearest(void **state)
{
	static const struct {
		const char *method, *path, *body;
	} cases[] = {
	    {"GET", "/v1/devices/chair-berln-01", NULL},
	    {"GET", "/v1/devices/chair-berln-01/health", NULL},
	    {"GET", "/v1/devices/chair-berln-01/wear", NULL},
	    {"GET", "/v1/devices/chair-berln-01/series", NULL},
	    {"GET", "/v1/sessions?device=chair-berln-01", NULL},
	    {"GET", "/v1/events?device=chair-berln-01", NULL},
	    {"GET", "/v1/audit?device=chair-berln-01", NULL},
	    {"PATCH", "/v1/devices/chair-berln-01", "{\"name\":\"x\"}"},
	    {"POST", "/v1/devices/chair-berln-01/lock", NULL},
	    {"POST", "/v1/devices/chair-berln-01/stop", NULL},
	    {"POST", "/v1/devices/chair-berln-01/tag", "{\"reason\":\"x\"}"},
	    {"POST", "/v1/devices/chair-berln-01/service", "{\"part\":\"head\"}"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refuses(*state, cases[i].method, cases[i].path, cases[i].body, 404,
		        "there is no machine 'chair-berln-01'; did you mean 'chair-berlin-01'? `gymfleet devices` lists them");
	refuses(*state, "GET", "/v1/devices/nobody", NULL, 404,
	        "there is no machine 'nobody'; `gymfleet devices` lists them");
}

static void an_unknown_site_names_those_there_are(void **state)
{
	refuses(*state, "GET", "/v1/usage/heat?site=Berlin", NULL, 404,
	        "there is and was no machine at a site 'Berlin'; did you mean 'berlin'? Machines are at: berlin, paris");
	refuses(*state, "GET", "/v1/usage/trend?site=atlantis", NULL, 404, "'atlantis'; machines are at: berlin, paris");
}

/* `hint` NULL: there is none. */
static void hints(struct server *s, const char *path, const char *hint)
{
	json_t *json = get(s, path);
	const char *said = json_string_value(json_object_get(json, "hint"));

	assert_int_equal(json_array_size(json_object_get(json, "items")), 0);
	assert_true(json_is_null(json_object_get(json, "next")));
	if ((hint == NULL) != (said == NULL) || (hint != NULL && strcmp(hint, said) != 0))
		fail_msg("%s: '%s'", path, said != NULL ? said : "(none)");
	json_decref(json);
}

static void an_empty_list_says_what_isnt_there(void **state)
{
	static const char *const lists[] = {"devices", "health", "sessions", "faults", "flags", "heartbeats", "wear"};
	char path[128];

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (strcmp(lists[i], "health") == 0 || strcmp(lists[i], "devices") == 0)
			(void)snprintf(path, sizeof(path), "/v1/%s?where=id%%3Dchair-berln-01", lists[i]);
		else
			(void)snprintf(path, sizeof(path), "/v1/%s?where=device%%3Dchair-berln-01", lists[i]);
		hints(*state, path,
		      "there is no machine 'chair-berln-01'; did you mean 'chair-berlin-01'? `gymfleet devices` lists them");
		if (strcmp(lists[i], "heartbeats") == 0)
			continue; /* they have no site */
		(void)snprintf(path, sizeof(path), "/v1/%s?where=site%%3DNowhere%%20and%%20device%%21%%3Dx", lists[i]);
		if (strcmp(lists[i], "health") == 0 || strcmp(lists[i], "devices") == 0)
			(void)snprintf(path, sizeof(path), "/v1/%s?where=site%%3DNowhere", lists[i]);
		hints(*state, path, "no machine has the site 'Nowhere'; machines are at: berlin, paris");
	}
}

static void a_list_that_is_rightly_empty_says_nothing(void **state)
{
	hints(*state, "/v1/devices?where=site%3Dberlin%20and%20id%3Dgun-paris-01", NULL);
	hints(*state, "/v1/devices?where=site~N*", NULL);
	hints(*state, "/v1/devices?where=name%3DNowhere", NULL);
	hints(*state, "/v1/sessions?since=1970-01-02T00:00:00Z&until=1970-01-03T00:00:00Z", NULL);
	hints(*state, "/v1/devices?after=zzz&where=site%3DNowhere", NULL); /* a page beyond the end */
	json_t *json = get(*state, "/v1/devices?where=site%3DNowhere%20or%20site%3Dberlin");
	assert_null(json_object_get(json, "hint"));
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(an_unknown_machine_names_the_nearest, server_setup, server_teardown),
	    cmocka_unit_test_setup_teardown(an_unknown_site_names_those_there_are, server_setup, server_teardown),
	    cmocka_unit_test_setup_teardown(an_empty_list_says_what_isnt_there, server_setup, server_teardown),
	    cmocka_unit_test_setup_teardown(a_list_that_is_rightly_empty_says_nothing, server_setup, server_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
