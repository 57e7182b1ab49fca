/*
 * What is wanted of machines, through the real broker: it is retained there for whoever may read it, is there again after the broker
 * lost its disk and after the gateway was killed before it published, goes when nobody wants it any more; and each command ends.
 *
 * Catalogs and what is desired are put into the store while no gateway has it: it then finds them as one does that was killed between
 * its commit and its publishing.
 */
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/store/wishes.h"
#include "proto/catalog_sign.h"
#include "tests/integration/lab.h"

enum { SOON_MS = 20000, EXPIRED_MS = 30000, REFUSED = 0x80, CATALOG_LEN = 2 * GF_CATALOG_PART_MAX + 100, PARTS = 3 };

static int setup(void **state)
{
	struct it_lab *t = it_lab_open(state, "downlink");

	it_machine_birth(t->m, NULL);
	IT_UNTIL(SOON_MS, it_online(t->w) == 1);
	return 0;
}

/* ---- the store, while no gateway has it ---- */

static void make_catalog(unsigned char data[CATALOG_LEN], struct store_catalog *ret_catalog)
{
	for (size_t i = 0; i < CATALOG_LEN; i++)
		data[i] = (unsigned char)(i * 7);
	*ret_catalog = (struct store_catalog){.name = "chair", .class = GF_CLASS_CHAIR, .version = 8};
	gf_digest_of(data, CATALOG_LEN, &ret_catalog->digest);
}

/* Desires the catalog of IT_CHAIR, or none. */
static void desire(struct it_lab *t, bool wanted)
{
	const struct store_actor anna = {"anna", "a test"};
	const char *path = it_path(t->w, "gateway/gymfleet.db");
	const struct store_options options = {.path = path};
	unsigned char data[CATALOG_LEN];
	struct gf_desired_catalog catalog = {.name = "chair", .version = 8, .size = CATALOG_LEN};
	struct store_catalog stored;
	struct store_reader *reader;
	struct store *store;
	struct store_desired desired;
	uint64_t revision;
	bool known;

	make_catalog(data, &stored);
	catalog.digest = stored.digest;
	assert_int_equal(store_open(&options, &store, NULL), 0);
	assert_int_equal(store_reader_open(path, &reader, NULL), 0);
	assert_int_equal(store_catalog_add(store, &stored, data, CATALOG_LEN, &anna, it_wall_ms(), &known, NULL), 0);
	assert_int_equal(store_read_desired_of(reader, IT_CHAIR, &desired, NULL), 0);
	assert_int_equal(store_begin(store, NULL), 0);
	assert_int_equal(store_desired_catalog(store, desired.key, wanted ? &catalog : NULL, it_wall_ms(), &revision, NULL),
	                 0);
	assert_int_equal(store_commit(store, NULL), 0);
	store_reader_close(reader);
	store_close(store);
}

/* Kills the gateway, changes the store behind its back, starts it again. */
static void desire_over_a_kill(struct it_lab *t, bool wanted)
{
	it_signal(t->gateway, SIGKILL);
	desire(t, wanted);
	t->gateway = it_gateway_start(t->w);
}

/* ---- a machine that listens ---- */

static const char *desired_topic(void)
{
	static char topic[GF_TOPIC_MAX];

	return gf_topic_device(topic, IT_CHAIR, GF_TOPIC_DESIRED);
}

static const char *part_topic(int part)
{
	static char topic[GF_TOPIC_MAX];
	unsigned char data[CATALOG_LEN];
	struct store_catalog catalog;

	make_catalog(data, &catalog);
	return gf_topic_catalog(topic, &catalog.digest, part);
}

/* The machine's certificate, on a connection of its own: the broker knows one for each, so the machine's own goes. */
static struct it_client *listen_as(struct it_lab *t, const char *id)
{
	struct it_client *c =
	    it_client_open(t->w, id,
	                   &(struct it_client_options){.filters = {desired_topic(), "gymfleet/v1/catalogs/#",
	                                                           "gymfleet/v1/devices/" IT_CHAIR "/command",
	                                                           "gymfleet/v1/gateway/status"}});

	IT_UNTIL(SOON_MS, it_client_up(c));
	return c;
}

static struct it_client *listen_anew(struct it_lab *t)
{
	it_machine_close(t->m);
	t->m = NULL;
	return listen_as(t, IT_CHAIR);
}

static uint64_t desired_revision(struct it_client *c, bool *ret_catalog, bool *ret_locked)
{
	const struct it_message *m = it_client_last(c, desired_topic());
	struct gf_desired desired = {.revision = 0};

	if (m && gf_desired_decode(m->payload, m->len, &desired, NULL) != 0)
		fail_msg("a desired state that can't be read");
	*ret_catalog = desired.has_catalog;
	*ret_locked = desired.locked;
	return desired.revision;
}

static bool has_catalog(struct it_client *c)
{
	unsigned char data[CATALOG_LEN];
	struct store_catalog catalog;

	make_catalog(data, &catalog);
	for (int part = 0; part < PARTS; part++) {
		const struct it_message *m = it_client_last(c, part_topic(part));
		size_t at = (size_t)part * GF_CATALOG_PART_MAX,
		       len = part == PARTS - 1 ? CATALOG_LEN - at : (size_t)GF_CATALOG_PART_MAX;

		if (!m || m->len != len)
			return false;
		assert_memory_equal(m->payload, data + at, len);
	}
	return true;
}

static bool has_all(struct it_client *c, uint64_t revision)
{
	bool catalog, locked;

	return desired_revision(c, &catalog, &locked) >= revision && catalog && has_catalog(c);
}

/* A catalog is desired of the machine, and all of it has come. */
static struct it_client *listen_to_wanted(struct it_lab *t)
{
	desire_over_a_kill(t, true);
	struct it_client *c = listen_anew(t);

	IT_UNTIL(SOON_MS, has_all(c, 1));
	return c;
}

/* ---- the tests ---- */

static void a_gateway_killed_before_it_published_does_so_after_its_start(void **state)
{
	struct it_lab *t = *state;
	struct it_client *c = listen_to_wanted(t);

	it_client_close(c);
	/* And it is retained: who comes later hears it too. */
	it_signal(t->gateway, SIGKILL);
	c = listen_as(t, IT_CHAIR);
	IT_UNTIL(SOON_MS, has_all(c, 1));
	assert_true(it_client_last(c, desired_topic())->retained);
	it_client_close(c);
}

static void a_broker_that_lost_its_disk_is_whole_again_by_itself(void **state)
{
	struct it_lab *t = *state;
	struct it_client *c = listen_to_wanted(t);

	it_client_close(c);
	it_broker_kill(t->w);
	it_broker_wipe(t->w);
	it_broker_start(t->w);
	c = listen_as(t, IT_CHAIR);
	IT_UNTIL(SOON_MS, has_all(c, 1));
	it_client_close(c);
}

static void a_catalog_that_nobody_wants_is_withdrawn(void **state)
{
	struct it_lab *t = *state;
	struct it_client *c = listen_to_wanted(t);
	bool catalog, locked;

	desire_over_a_kill(t, false);
	/* The empty messages come to who is subscribed, after the state that no longer wants it. */
	for (int part = 0; part < PARTS; part++)
		IT_UNTIL(SOON_MS, it_client_last(c, part_topic(part))->len == 0);
	assert_int_equal(desired_revision(c, &catalog, &locked), 2);
	assert_false(catalog);
	it_client_close(c);
	c = listen_as(t, IT_CHAIR);
	IT_UNTIL(SOON_MS,
	         desired_revision(c, &catalog, &locked) == 2 && it_client_heard(c, "gymfleet/v1/gateway/status") > 0);
	for (int part = 0; part < PARTS; part++)
		assert_int_equal(it_client_heard(c, part_topic(part)), 0);
	it_client_close(c);
}

static void a_lock_arrives_at_once(void **state)
{
	struct it_lab *t = *state;
	struct it_client *c = listen_anew(t);
	json_t *answer = it_ask(t->w, "device", "lock", IT_CHAIR);
	bool catalog, locked;

	assert_non_null(answer);
	json_decref(answer);
	IT_UNTIL(SOON_MS, desired_revision(c, &catalog, &locked) == 1);
	assert_true(locked);
	answer = it_ask(t->w, "device", "unlock", IT_CHAIR);
	assert_non_null(answer);
	json_decref(answer);
	IT_UNTIL(SOON_MS, desired_revision(c, &catalog, &locked) == 2);
	assert_false(locked);
	it_client_close(c);
}

static void i7_what_is_wanted_of_a_machine_reaches_no_other(void **state)
{
	static const char *const forbidden[] = {"gymfleet/v1/devices/" IT_CHAIR "/desired",
	                                        "gymfleet/v1/devices/" IT_CHAIR "/command",
	                                        "gymfleet/v1/devices/" IT_CHAIR "/reply"};
	struct it_lab *t = *state;
	struct it_client *c, *spy = listen_as(t, "spy");

	c = listen_to_wanted(t);
	/* The catalog is for all; what came after it on the gateway's connection, the desired state, is not. */
	it_client_close(spy);
	spy = listen_as(t, "spy");
	IT_UNTIL(SOON_MS, has_catalog(spy));
	assert_int_equal(it_client_heard(spy, desired_topic()), 0);
	for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++)
		assert_true(it_client_publish(spy, forbidden[i], "evil", 4, true) >= REFUSED);
	for (int part = GF_TOPIC_CATALOG_WHOLE; part < PARTS; part++)
		assert_true(it_client_publish(spy, part_topic(part), "evil", 4, true) >= REFUSED);
	assert_true(it_client_publish(c, desired_topic(), "evil", 4, true) >= REFUSED);
	assert_true(has_all(c, 1));
	it_client_close(spy);
	it_client_close(c);
}

/* ---- commands ---- */

static struct it_proc *tell_to_stop(struct it_lab *t)
{
	return it_spawn(t->w, "stop", it_program("gymfleet"), "--socket", it_path(t->w, "gateway.sock"), "-o", "table",
	                "device", "stop", IT_CHAIR);
}

static struct gf_command_order wait_for_command(struct it_client *c)
{
	const char *topic = "gymfleet/v1/devices/" IT_CHAIR "/command";
	struct gf_command_order order;

	IT_UNTIL(SOON_MS, it_client_heard(c, topic) > 0);
	assert_int_equal(gf_command_decode(it_client_last(c, topic)->payload, it_client_last(c, topic)->len, &order, NULL),
	                 0);
	assert_false(it_client_last(c, topic)->retained);
	return order;
}

static void reply(struct it_client *c, uint64_t id)
{
	struct gf_reply done = {.id = id, .outcome = GF_COMMAND_OUTCOME_DONE, .detail = "session 7 stopped"};
	unsigned char buf[GF_REPLY_MAX];
	char topic[GF_TOPIC_MAX];
	size_t len;

	assert_int_equal(gf_reply_encode(&done, buf, sizeof buf, &len), 0);
	gf_topic_device(topic, IT_CHAIR, GF_TOPIC_REPLY);
	assert_in_range(it_client_publish(c, topic, buf, len, false), 0, REFUSED - 1);
}

static void a_command_is_heard_and_its_reply_told(void **state)
{
	struct it_lab *t = *state;
	struct it_client *c = listen_anew(t);
	struct it_proc *cli = tell_to_stop(t);
	struct gf_command_order order = wait_for_command(c);

	assert_int_equal(order.kind, GF_COMMAND_STOP);
	reply(c, order.id);
	it_end_well(cli, SOON_MS);
	assert_true(it_log_has(cli, "session 7 stopped"));
	it_client_close(c);
}

static void i9_a_command_without_an_answer_expires(void **state)
{
	struct it_lab *t = *state;
	struct it_client *c = listen_anew(t);
	struct it_proc *cli = tell_to_stop(t);

	wait_for_command(c);
	assert_int_not_equal(it_wait(cli, EXPIRED_MS), 0);
	assert_true(it_log_has(cli, "did not answer in time"));
	it_client_close(c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, it_lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_gateway_killed_before_it_published_does_so_after_its_start),
	    TEST(a_broker_that_lost_its_disk_is_whole_again_by_itself),
	    TEST(a_catalog_that_nobody_wants_is_withdrawn),
	    TEST(a_lock_arrives_at_once),
	    TEST(i7_what_is_wanted_of_a_machine_reaches_no_other),
	    TEST(a_command_is_heard_and_its_reply_told),
	    TEST(i9_a_command_without_an_answer_expires),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
