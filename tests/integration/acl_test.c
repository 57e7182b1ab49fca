/*
 * I7: a device can neither write nor read another device's branch. Shown by what arrives, since a broker may grant a
 * subscription and deliver nothing. A marker that is allowed follows what isn't: on one connection the broker keeps the
 * order, so what hasn't come before the marker doesn't come.
 */
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/integration/client.h"

#define BRANCH "gymfleet/v1/devices/"

enum { SOON_MS = 15000, NOT_AUTHORISED = 0x87 };

static int setup(void **state)
{
	struct it_world *w = it_open("acl");

	*state = w;
	it_broker_start(w);
	return 0;
}

static int teardown(void **state)
{
	it_close(*state);
	return 0;
}

static struct it_client *open_gateway(struct it_world *w)
{
	struct it_client *gateway =
	    it_client_open(w, "gateway",
	                   &(struct it_client_options){
	                       .filters = {BRANCH "+/status", BRANCH "+/report", BRANCH "+/reply", "gymfleet/v1/#"}});

	IT_UNTIL(SOON_MS, it_client_up(gateway));
	return gateway;
}

static void i7_a_device_cannot_write_anothers_branch(void **state)
{
	static const char *const FORBIDDEN[] = {
	    BRANCH "victim/status",
	    BRANCH "victim/report",
	    BRANCH "victim/reply",
	    BRANCH "victim/ack",
	    BRANCH "victim/desired",
	    BRANCH "victim/command",
	    BRANCH "intruder/ack",
	    BRANCH "intruder/desired",
	    BRANCH "intruder/command",
	    BRANCH "victim/report/",
	    BRANCH "intruder/report/x",
	    "gymfleet/v1/gateway/status",
	    "gymfleet/v1/catalogs/abc",
	    "gymfleet/v1/events/fault/victim",
	    "elsewhere",
	};
	struct it_world *w = *state;
	struct it_client *gateway = open_gateway(w);
	struct it_client *victim =
	    it_client_open(w, "victim", &(struct it_client_options){.filters = {"#", BRANCH "victim/ack"}});
	struct it_client *intruder = it_client_open(w, "intruder", NULL);

	IT_UNTIL(SOON_MS, it_client_up(victim));
	for (size_t i = 0; i < sizeof FORBIDDEN / sizeof *FORBIDDEN; i++) {
		assert_int_equal(it_client_publish(intruder, FORBIDDEN[i], "evil", 4, false), NOT_AUTHORISED);
		assert_int_equal(it_client_publish(intruder, FORBIDDEN[i], "evil", 4, true), NOT_AUTHORISED);
	}
	assert_int_equal(it_client_publish(intruder, BRANCH "intruder/report", "mine", 4, false), 0);
	IT_UNTIL(SOON_MS, it_client_heard(gateway, BRANCH "intruder/report") > 0);
	assert_int_equal(it_client_heard(gateway, NULL), it_client_heard(gateway, BRANCH "intruder/report"));

	assert_int_equal(it_client_publish(gateway, BRANCH "victim/ack", "true", 4, false), 0);
	IT_UNTIL(SOON_MS, it_client_heard(victim, BRANCH "victim/ack") > 0);
	assert_int_equal(it_client_heard(victim, NULL), it_client_heard(victim, BRANCH "victim/ack"));
	assert_memory_equal(it_client_last(victim, NULL)->payload, "true", 4);
	it_client_close(intruder);
	it_client_close(victim);
	it_client_close(gateway);
}

static void i7_a_device_cannot_read_anothers_branch(void **state)
{
	struct it_world *w = *state;
	struct it_client *gateway = open_gateway(w);
	struct it_client *victim = it_client_open(w, "victim", NULL);
	struct it_client *intruder;

	/* What is retained before it subscribes, and what comes after. */
	assert_true(it_client_publish(gateway, BRANCH "victim/desired", "secret", 6, true) >= 0);
	assert_int_equal(it_client_publish(victim, BRANCH "victim/status", "secret", 6, true), 0);
	intruder = it_client_open(
	    w, "intruder",
	    &(struct it_client_options){.filters = {"#", BRANCH "#", BRANCH "+/desired", BRANCH "victim/+",
	                                            "$share/gateways/" BRANCH "+/report", BRANCH "intruder/ack"}});
	IT_UNTIL(SOON_MS, it_client_up(intruder));
	it_client_publish(gateway, BRANCH "victim/ack", "secret", 6, false);
	it_client_publish(gateway, BRANCH "victim/command", "secret", 6, false);
	it_client_publish(gateway, BRANCH "victim/desired", "secret", 6, true);
	assert_int_equal(it_client_publish(victim, BRANCH "victim/report", "secret", 6, false), 0);
	assert_int_equal(it_client_publish(victim, BRANCH "victim/reply", "secret", 6, false), 0);

	assert_int_equal(it_client_publish(gateway, BRANCH "intruder/ack", "mine", 4, false), 0);
	IT_UNTIL(SOON_MS, it_client_heard(intruder, BRANCH "intruder/ack") > 0);
	assert_int_equal(it_client_heard(intruder, NULL), it_client_heard(intruder, BRANCH "intruder/ack"));
	IT_UNTIL(SOON_MS, it_client_heard(gateway, BRANCH "victim/report") > 0); /* the gateway got its share */
	it_client_close(intruder);
	it_client_close(victim);
	it_client_close(gateway);
}

static void i7_a_device_cannot_take_anothers_client_id(void **state)
{
	struct it_world *w = *state;
	struct it_client *victim = it_client_open(w, "victim", NULL);
	struct it_client *intruder;

	IT_UNTIL(SOON_MS, it_client_up(victim));
	intruder = it_client_open(w, "intruder", &(struct it_client_options){.client_id = "victim"});
	IT_UNTIL(SOON_MS, it_client_up(intruder));
	assert_true(it_client_publish(intruder, BRANCH "intruder/status", "me", 2, false) >= 0);
	assert_int_equal(it_client_publish(intruder, BRANCH "victim/status", "me", 2, false), NOT_AUTHORISED);
	assert_true(it_client_publish(victim, BRANCH "victim/status", "me", 2, false) >= 0);
	assert_int_equal(gf_link_stats(it_client_link(victim)).connects, 1); /* it was never thrown out */
	it_client_close(intruder);
	it_client_close(victim);
}

static bool anothers_will(void *ctx, uint64_t connection, struct gf_link_will *ret_will)
{
	(void)ctx, (void)connection;
	*ret_will = (struct gf_link_will){.topic = BRANCH "victim/status", .payload = "dead", .len = 4};
	return true;
}

static void i7_a_device_cannot_leave_a_will_in_anothers_branch(void **state)
{
	struct it_world *w = *state;
	struct it_client *gateway = open_gateway(w);
	struct it_client *intruder = it_client_open(w, "intruder", &(struct it_client_options){.will = anothers_will});
	struct it_client *successor;

	IT_UNTIL(SOON_MS, it_client_up(intruder) || *it_client_reason(intruder));
	successor =
	    it_client_open(w, "intruder", NULL); /* the broker cuts the first one off: that is when a will goes out */
	assert_int_equal(it_client_publish(successor, BRANCH "intruder/status", "mine", 4, false), 0);
	IT_UNTIL(SOON_MS, it_client_heard(gateway, BRANCH "intruder/status") > 0);
	assert_int_equal(it_client_heard(gateway, BRANCH "victim/status"), 0);
	it_client_close(intruder);
	it_client_close(successor);
	it_client_close(gateway);
}

/* `id` at a listener that isn't its own never comes up, whatever client id it claims. */
static void expect_shut(struct it_world *w, const char *id, uint16_t port, const char *client_id)
{
	struct it_client *c = it_client_open(w, id, &(struct it_client_options){.port = port, .client_id = client_id});

	IT_UNTIL(SOON_MS, *it_client_reason(c) || it_client_up(c));
	assert_false(it_client_up(c));
	assert_non_null(strstr(it_client_reason(c), "refused our certificate"));
	it_client_close(c);
}

static void i7_each_listener_is_shut_for_the_others_certificates(void **state)
{
	struct it_world *w = *state;

	expect_shut(w, "intruder", it_gateway_port(w), "gateway");
	expect_shut(w, "gateway", it_device_port(w), "gateway");
	assert_int_equal(it_pki(w, "integrator", "tickets"), 0);
	expect_shut(w, "intruder", it_integrator_port(w), "tickets");
	expect_shut(w, "gateway", it_integrator_port(w), "gateway");
	expect_shut(w, "integrators/tickets", it_gateway_port(w), "gateway");
	expect_shut(w, "integrators/tickets", it_device_port(w), "intruder");
}

static void i7_the_gateway_cannot_speak_in_a_devices_name(void **state)
{
	struct it_world *w = *state;
	struct it_client *gateway = open_gateway(w);

	assert_int_equal(it_client_publish(gateway, BRANCH "victim/report", "x", 1, false), NOT_AUTHORISED);
	assert_int_equal(it_client_publish(gateway, BRANCH "victim/status", "x", 1, true), NOT_AUTHORISED);
	it_client_close(gateway);
}

/* Events are for integrators: they read them and nothing else, write nothing; machines do neither. */
static void i7_an_integrator_reads_events_and_nothing_else(void **state)
{
	static const char *const forbidden[] = {"gymfleet/v1/events/fault/victim",
	                                        "gymfleet/v1/gateway/status",
	                                        BRANCH "victim/command",
	                                        BRANCH "victim/desired",
	                                        BRANCH "victim/report",
	                                        "gymfleet/v1/catalogs/abc",
	                                        BRANCH "tickets/report",
	                                        BRANCH "integrator.tickets/report"};
	struct it_world *w = *state;
	struct it_client *gateway = open_gateway(w), *integrator;
	struct it_client *victim =
	    it_client_open(w, "victim", &(struct it_client_options){.filters = {"#", "gymfleet/v1/events/#"}});

	assert_int_equal(it_pki(w, "integrator", "tickets"), 0);
	integrator = it_client_open(w, "integrators/tickets",
	                            &(struct it_client_options){.filters = {"#", "gymfleet/v1/events/#", BRANCH "#"}});
	IT_UNTIL(SOON_MS, it_client_up(integrator) && it_client_up(victim));
	for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++)
		assert_int_equal(it_client_publish(integrator, forbidden[i], "evil", 4, false), NOT_AUTHORISED);
	assert_int_equal(it_client_publish(victim, BRANCH "victim/report", "secret", 6, false), 0);
	assert_int_equal(it_client_publish(gateway, BRANCH "victim/command", "secret", 6, false), 0);
	assert_int_equal(it_client_publish(gateway, "gymfleet/v1/events/fault/victim", "{}", 2, false), 0);
	assert_int_equal(it_client_publish(gateway, BRANCH "victim/ack", "mine", 4, false), 0);
	IT_UNTIL(SOON_MS, it_client_heard(integrator, "gymfleet/v1/events/fault/victim") > 0);
	IT_UNTIL(SOON_MS, it_client_heard(victim, BRANCH "victim/ack") > 0);
	/* The same event once for each of its filters. */
	assert_int_equal(it_client_heard(integrator, NULL), it_client_heard(integrator, "gymfleet/v1/events/fault/victim"));
	assert_int_equal(it_client_heard(victim, "gymfleet/v1/events/fault/victim"), 0);
	it_client_close(integrator);
	it_client_close(victim);
	it_client_close(gateway);
}

/* Client ids are one for all listeners: who comes with another's would throw it out. */
static void i7_an_integrator_throws_out_neither_gateway_nor_machine(void **state)
{
	static const char *const claims[] = {"gateway", "victim"};
	struct it_world *w = *state;
	struct it_client *gateway = open_gateway(w), *victim = it_client_open(w, "victim", NULL), *integrator;

	IT_UNTIL(SOON_MS, it_client_up(victim));
	/* Its name is a machine's; what it says it is called is the gateway's or the machine's. */
	assert_int_equal(it_pki(w, "integrator", "victim"), 0);
	for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
		integrator = it_client_open(w, "integrators/victim", &(struct it_client_options){.client_id = claims[i]});
		IT_UNTIL(SOON_MS, it_client_up(integrator));
		it_client_close(integrator);
	}
	assert_int_equal(it_client_publish(gateway, BRANCH "victim/ack", "mine", 4, false), 0);
	assert_int_equal(it_client_publish(victim, BRANCH "victim/report", "mine", 4, false), 0);
	assert_int_equal(gf_link_stats(it_client_link(gateway)).connects, 1);
	assert_int_equal(gf_link_stats(it_client_link(victim)).connects, 1);
	it_client_close(victim);
	it_client_close(gateway);
}

static void i7_an_integrator_is_locked_out_and_let_in_again(void **state)
{
	struct it_world *w = *state;
	struct it_client *integrator;

	assert_int_equal(it_pki(w, "integrator", "tickets"), 0);
	assert_int_equal(it_pki(w, "revoke", "integrators/tickets"), 0);
	it_broker_reload(w);
	integrator = it_client_open(w, "integrators/tickets", NULL);
	IT_UNTIL(SOON_MS, strstr(it_client_reason(integrator), "our certificate is revoked") != NULL);
	it_client_close(integrator);
	assert_int_equal(it_pki(w, "integrator", "tickets"), 0);
	integrator = it_client_open(w, "integrators/tickets", NULL);
	IT_UNTIL(SOON_MS, it_client_up(integrator));
	it_client_close(integrator);
	/* Its name is none of the gateway's, nor of a machine. */
	assert_int_not_equal(it_pki(w, "revoke", "integrators/gateway"), 0);
	assert_int_not_equal(it_pki(w, "revoke", "tickets"), 0);
	assert_int_not_equal(it_pki(w, "revoke", "integrator.tickets"), 0);
}

static void i7_no_certificate_for_a_name_that_is_no_id(void **state)
{
	static const char *const REFUSED[] = {
	    "a/b",
	    "victim/report",
	    "../victim",
	    "+",
	    "#",
	    "a+b",
	    "A",
	    "chair_1",
	    "-chair",
	    "chair.1",
	    "chair 1",
	    "",
	    "ch\xc3\xa4ir",
	    "chair\n",
	    "gateway",
	    "gateway-in-1",
	    "integrator.tickets",
	    "$SYS",
	    "*",
	    "?",
	    "0123456789012345678901234567890123456789012345678901234567890123",
	};
	struct it_world *w = *state;

	for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++)
		if (it_pki(w, "device", REFUSED[i]) == 0)
			fail_msg("deploy/pki made a certificate for '%s'", REFUSED[i]);
	assert_int_not_equal(it_pki(w, "integrator", "tickets/x"), 0);
	assert_int_not_equal(it_pki(w, "integrator", "012345678901234567890123456789012345678901234567890123"), 0);
	assert_int_equal(it_pki(w, "integrator", "01234567890123456789012345678901234567890123456789012"), 0);
	assert_int_equal(it_pki(w, "device", "0-chair-1"), 0);
	assert_int_equal(it_pki(w, "device", "012345678901234567890123456789012345678901234567890123456789012"), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(i7_a_device_cannot_write_anothers_branch),
	    TEST(i7_a_device_cannot_read_anothers_branch),
	    TEST(i7_a_device_cannot_take_anothers_client_id),
	    TEST(i7_a_device_cannot_leave_a_will_in_anothers_branch),
	    TEST(i7_each_listener_is_shut_for_the_others_certificates),
	    TEST(i7_the_gateway_cannot_speak_in_a_devices_name),
	    TEST(i7_an_integrator_reads_events_and_nothing_else),
	    TEST(i7_an_integrator_throws_out_neither_gateway_nor_machine),
	    TEST(i7_an_integrator_is_locked_out_and_let_in_again),
	    TEST(i7_no_certificate_for_a_name_that_is_no_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
