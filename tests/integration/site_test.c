/*
 * A site whose machines vanish together, with the real programs: one incident, told once to subscriber and webhook, and one end, whatever is killed in
 * between; one machine that is lost, and a site that is closed, are none.
 */
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/integration/fleet.h"
#include "tests/integration/listener.h"

enum { SOON_MS = 30000, MACHINES = 10 };

/* What vanishes: a site, a closed one, and one machine of a third; and what stays of that. */
static const char vanishing[] =
    "seed: 3\n"
    "sites:\n"
    "  - {name: berlin, machines: [{class: chair, count: 4, prefix: chair, model: c1, busy: 0}]}\n"
    "  - {name: hamburg, machines: [{class: chair, count: 3, prefix: chair, model: c1, busy: 0}]}\n"
    "  - {name: bonn, machines: [{class: chair, count: 1, prefix: chair, model: c1, busy: 0}]}\n";
static const char staying[] =
    "seed: 4\n"
    "sites:\n"
    "  - {name: bonn, machines: [{class: chair, count: 2, prefix: seat, model: c1, busy: 0}]}\n";
static const char *const ids[MACHINES] = {"chair-berlin-01",  "chair-berlin-02",  "chair-berlin-03",  "chair-berlin-04",
                                          "chair-hamburg-01", "chair-hamburg-02", "chair-hamburg-03", "chair-bonn-01",
                                          "seat-bonn-01",     "seat-bonn-02"};

struct site {
	struct it_world *w;
	struct it_listener listener;
	struct it_proc *gateway;
	const char *config;
};

/* Hamburg opens in twelve hours. */
static void write_config(struct site *s)
{
	time_t now = time(NULL);
	int hour = (gmtime(&now)->tm_hour + 12) % 24;
	char *text;

	s->config = it_gateway_config(s->w);
	text = it_read(s->config);
	it_write(s->config, "%ssites:\n  - {site: hamburg, open: [{days: mon-sun, hours: \"%02d:00-%02d:00\"}]}\n", text,
	         hour, hour + 1);
	free(text);
}

static int setup(void **state)
{
	struct site *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	*state = s;
	s->w = it_open("site");
	it_broker_start(s->w);
	write_config(s);
	it_listener_start(&s->listener, s->w, s->config, "[incident]");
	it_catalog(s->w, "chair", 60);
	for (size_t i = 0; i < MACHINES; i++)
		it_device(s->w, ids[i]);
	return 0;
}

static int teardown(void **state)
{
	struct site *s = *state;

	it_listener_stop(&s->listener);
	it_close(s->w);
	free(s);
	return 0;
}

static void start_gateway(struct site *s)
{
	s->gateway = it_spawn(s->w, "gateway", it_program("gymfleet-gateway"), "--config", s->config);
	IT_UNTIL(SOON_MS, it_gateway_listens(s->w) || !it_alive(s->gateway));
	assert_true(it_alive(s->gateway));
}

static struct it_proc *start_sim(struct site *s, const char *name, const char *scenario)
{
	const char *path = it_path(s->w, "%s.yaml", name);
	char broker[32];

	(void)snprintf(broker, sizeof(broker), "localhost:%u", it_device_port(s->w));
	it_write(path, "%s", scenario);
	return it_spawn(s->w, name, it_program("gymfleet-sim"), "--scenario", path, "--state", it_path(s->w, "m-%s", name),
	                "--catalogs", it_path(s->w, "catalogs"), "--pki", it_path(s->w, "pki"), "--broker", broker);
}

/* ---- what is told ---- */

/* The subscriber has heard of so many events about incidents; the last of them has this code. */
static bool told(struct site *s, size_t count, const char *code)
{
	size_t all = it_listener_hears(&s->listener), incidents = 0;

	for (size_t i = 0; i < all; i++)
		incidents += strcmp(s->listener.told[i].kind, "incident") == 0;
	if (incidents != count)
		return false;
	assert_string_equal(it_listener_last(&s->listener, "incident")->code, code);
	assert_string_equal(it_listener_last(&s->listener, "incident")->topic, "gymfleet/v1/events/incident/1");
	return true;
}

static bool hooked(struct site *s, size_t count)
{
	return it_listener_hooked(&s->listener, it_listener_last(&s->listener, "incident")->id) == count;
}

static size_t events_of_incidents(struct it_world *w)
{
	json_t *answer = it_ask(w, "events", "--kind", "incident", "--limit", "100");
	size_t count = json_array_size(it_items(answer));

	json_decref(answer);
	return count;
}

/* ---- what is shown ---- */

static bool prints(struct it_world *w, const char *command, const char *id, const char *words)
{
	struct it_output o =
	    it_run(w, it_program("gymfleet"), "--socket", it_path(w, "gateway.sock"), "-o", "table", command, id);
	bool has = o.status == 0 && strstr(o.out, words) != NULL;

	if (!has)
		print_message("gymfleet %s: %s%s\n", command, o.out, o.err);
	it_output_free(&o);
	return has;
}

static void expect_incident_shown(struct site *s)
{
	assert_true(prints(s->w, "health", NULL, "critical   site berlin"));
	assert_true(prints(s->w, "health", NULL, "4 of 4 machines of this site are offline since "));
	assert_true(prints(s->w, "health", NULL, "they vanished together"));
	assert_true(prints(s->w, "health", NULL, "check the site's power, network and broker"));
	/* One thing to see to, not four; of what is not of the site its machine is named. */
	assert_false(prints(s->w, "health", NULL, "chair-berlin-0"));
	assert_true(prints(s->w, "health", NULL, "critical   chair-bonn-01"));
	assert_true(prints(s->w, "health", "chair-berlin-01", "critical   chair-berlin-01  offline since "));
	assert_false(prints(s->w, "health", NULL, "site hamburg"));
	assert_false(prints(s->w, "health", NULL, "site bonn"));
	assert_true(prints(s->w, "status", NULL, "berlin"));
	assert_false(prints(s->w, "status", NULL, "chair-berlin-0"));
	assert_true(prints(s->w, "status", NULL, "chair-bonn-01"));
	assert_false(prints(s->w, "status", NULL, "chair-hamburg-0"));
	assert_true(prints(s->w, "health", "chair-bonn-01", "critical   chair-bonn-01  offline since "));
	assert_true(prints(s->w, "health", "chair-hamburg-01", "the site is closed until"));
}

static void a_site_that_vanishes_is_one_incident_whatever_is_killed(void **state)
{
	struct site *s = *state;
	struct it_proc *sim;

	start_gateway(s);
	(void)start_sim(s, "staying", staying);
	sim = start_sim(s, "vanishing", vanishing);
	IT_UNTIL(SOON_MS, it_online(s->w) == MACHINES);
	it_signal(sim, SIGKILL);
	IT_UNTIL(SOON_MS, told(s, 1, "opened"));
	assert_true(hooked(s, 1));
	expect_incident_shown(s);

	it_signal(s->gateway, SIGKILL);
	(void)start_sim(s, "vanishing", vanishing);
	start_gateway(s);
	IT_UNTIL(SOON_MS, told(s, 2, "closed"));
	assert_true(hooked(s, 2));
	assert_int_equal(it_online(s->w), MACHINES);
	assert_int_equal(events_of_incidents(s->w), 2);
	assert_false(prints(s->w, "health", NULL, "site berlin"));
	it_signal(s->gateway, SIGTERM);
	it_end_well(s->gateway, SOON_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_site_that_vanishes_is_one_incident_whatever_is_killed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
