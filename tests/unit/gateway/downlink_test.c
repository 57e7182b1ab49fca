/*
 * The downlink over a store of its own and a broker of plain memory, with the clock in hand: what is wanted is retained there, whatever is
 * refused, lost, wiped or killed on the way.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "gateway/downlink.h"
#include "proto/base/log.h"
#include "proto/base/rand.h"
#include "proto/codec.h"
#include "proto/topic.h"
#include "tests/unit/gateway/store/wish_rig.h"

enum { RETAINED_MAX = 512, FLIGHT_MAX = 64, ORDER_MAX = 4096 };

struct retained {
	char topic[GF_TOPIC_MAX];
	unsigned char *data;
	size_t len;
};

/* A broker in memory: keeps what is retained, answers when the test says so. */
struct fake {
	struct retained kept[RETAINED_MAX];
	size_t kept_count;
	uint64_t flight[FLIGHT_MAX];
	int codes[FLIGHT_MAX];
	size_t flight_count, window;
	char order[ORDER_MAX][GF_TOPIC_MAX]; /* what was published, in its order */
	size_t published;
	const char *refuse; /* topics with this in them */
	int fail;           /* what publish returns */
	uint32_t expiry_s;  /* of the last one */
	unsigned char last[GF_CATALOG_PART_MAX];
	size_t last_len;
};

struct rig {
	struct fixture *f;
	struct fake fake;
	struct downlink *downlink;
	struct gf_time now;
};

static struct retained *find(struct fake *fake, const char *topic)
{
	for (size_t i = 0; i < fake->kept_count; i++)
		if (strcmp(fake->kept[i].topic, topic) == 0)
			return &fake->kept[i];
	return NULL;
}

static void keep(struct fake *fake, const char *topic, const void *payload, size_t len)
{
	struct retained *r = find(fake, topic);

	if (len == 0) {
		if (r) {
			free(r->data);
			*r = fake->kept[--fake->kept_count];
		}
		return;
	}
	if (!r) {
		assert_true(fake->kept_count < RETAINED_MAX);
		r = &fake->kept[fake->kept_count++];
		r->data = NULL;
		gf_strcpy(r->topic, sizeof(r->topic), topic);
	}
	free(r->data);
	r->data = malloc(len);
	memcpy(r->data, payload, len);
	r->len = len;
}

static int publish(void *ctx, const char *topic, const void *payload, size_t len, bool retain, uint32_t expiry_s,
                   uint64_t cookie)
{
	struct fake *fake = ctx;
	bool refused = fake->refuse && strstr(topic, fake->refuse);

	assert_true(len <= GF_CATALOG_PART_MAX);
	assert_true(cookie > 0);
	if (fake->fail)
		return fake->fail;
	if (fake->flight_count == fake->window)
		return -EAGAIN;
	if (fake->published < ORDER_MAX)
		gf_strcpy(fake->order[fake->published++], GF_TOPIC_MAX, topic);
	fake->codes[fake->flight_count] = refused ? 0x97 : 0;
	fake->flight[fake->flight_count++] = cookie;
	fake->expiry_s = expiry_s;
	memcpy(fake->last, payload, len);
	fake->last_len = len;
	if (retain && !refused)
		keep(fake, topic, payload, len);
	return 0;
}

static unsigned window(void *ctx)
{
	const struct fake *fake = ctx;

	return (unsigned)(fake->window - fake->flight_count);
}

static void wipe(struct fake *fake)
{
	for (size_t i = 0; i < fake->kept_count; i++)
		free(fake->kept[i].data);
	fake->kept_count = 0;
}

/* ---- a rig ---- */

static void start(struct rig *r)
{
	const struct downlink_ops ops = {.publish = publish, .window = window, .ctx = &r->fake};

	assert_int_equal(downlink_new(r->f->store, r->f->path, &ops, &r->downlink, NULL), 0);
	r->fake.flight_count = 0;
	downlink_up(r->downlink);
}

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	void *f;

	assert_int_equal(fixture_setup(&f), 0);
	r->f = f;
	r->fake.window = 20;
	r->now = (struct gf_time){.mono_ms = 1000000, .wall_ms = NOON, .synced = true};
	start(r);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;
	void *f = r->f;

	downlink_free(r->downlink);
	wipe(&r->fake);
	free(r);
	return fixture_teardown(&f);
}

/* The broker answers what is in flight, oldest first. */
static void answer(struct rig *r)
{
	size_t count = r->fake.flight_count;
	uint64_t flight[FLIGHT_MAX];
	int codes[FLIGHT_MAX];

	memcpy(flight, r->fake.flight, sizeof(flight));
	memcpy(codes, r->fake.codes, sizeof(codes));
	r->fake.flight_count = 0;
	for (size_t i = 0; i < count; i++)
		downlink_published(r->downlink, flight[i], codes[i]);
}

/* Steps and answers until nothing is under way. */
static void settle(struct rig *r)
{
	for (size_t turn = 0; turn < 2000; turn++) {
		downlink_step(r->downlink, r->now);
		if (r->fake.flight_count == 0)
			return;
		answer(r);
	}
	fail_msg("it never comes to rest");
}

static void pass_ms(struct rig *r, int64_t ms)
{
	r->now.mono_ms += ms;
	r->now.wall_ms += ms;
}

static struct downlink_state get_state(struct rig *r)
{
	struct downlink_state s;

	downlink_state_get(r->downlink, &s);
	return s;
}

static const char *desired_topic(const char *id)
{
	static char topic[GF_TOPIC_MAX];

	return gf_topic_device(topic, id, GF_TOPIC_DESIRED);
}

static const char *part_topic(uint8_t n, int part)
{
	static char topic[GF_TOPIC_MAX];
	struct gf_digest digest = rig_digest(n);

	return gf_topic_catalog(topic, &digest, part);
}

/* The revision that the broker has for a machine; 0: none. */
static uint64_t at_broker(struct rig *r, const char *id)
{
	struct retained *kept = find(&r->fake, desired_topic(id));
	struct gf_desired desired;

	if (!kept)
		return 0;
	assert_int_equal(gf_desired_decode(kept->data, kept->len, &desired, NULL), 0);
	return desired.revision;
}

static void machines(struct rig *r, unsigned count, uint8_t digest)
{
	for (unsigned i = 0; i < count; i++) {
		char id[GF_ID_MAX];

		snprintf(id, sizeof(id), "chair-%u", i);
		rig_machine(r->f, id);
		if (digest)
			rig_desire(r->f, id, digest, 8);
	}
}

static void publish_catalog(struct rig *r, uint8_t digest, size_t len)
{
	bool known;

	assert_int_equal(rig_publish(r->f, digest, digest, len, &known, NULL), 0);
}

/* ---- what goes out ---- */

static void a_catalog_goes_before_the_states_that_desire_it(void **state)
{
	struct rig *r = *state;

	publish_catalog(r, 7, 100);
	machines(r, 2, 7);
	settle(r);
	assert_int_equal(r->fake.published, 3);
	assert_string_equal(r->fake.order[0], part_topic(7, GF_TOPIC_CATALOG_WHOLE));
	assert_int_equal(find(&r->fake, r->fake.order[0])->len, 100);
	assert_int_equal(at_broker(r, "chair-0"), 1);
	assert_int_equal(at_broker(r, "chair-1"), 1);
	assert_int_equal(rig_desired(r->f, "chair-0").published, 1);
	assert_false(get_state(r).busy);
	/* Nothing more, however often it looks. */
	for (int i = 0; i < 10; i++) {
		pass_ms(r, DOWNLINK_LOOK_MS);
		settle(r);
	}
	assert_int_equal(r->fake.published, 3);
}

static void a_large_catalog_goes_in_parts(void **state)
{
	struct rig *r = *state;
	size_t len = 2 * GF_CATALOG_PART_MAX + 5;

	publish_catalog(r, 7, len);
	machines(r, 1, 7);
	settle(r);
	assert_int_equal(find(&r->fake, part_topic(7, 0))->len, GF_CATALOG_PART_MAX);
	assert_int_equal(find(&r->fake, part_topic(7, 1))->len, GF_CATALOG_PART_MAX);
	assert_int_equal(find(&r->fake, part_topic(7, 2))->len, 5);
	assert_null(find(&r->fake, part_topic(7, 3)));
	assert_null(find(&r->fake, part_topic(7, GF_TOPIC_CATALOG_WHOLE)));
}

static void a_change_goes_out_by_itself(void **state)
{
	struct rig *r = *state;
	const bool yes = true;

	machines(r, 3, 0);
	settle(r);
	assert_int_equal(r->fake.published, 0);
	assert_int_equal(store_desired_set(r->f->store, "chair-1", NULL, &yes, "", &rig_anna, NOON, NULL), 0);
	settle(r);
	assert_int_equal(r->fake.published, 1);
	assert_int_equal(at_broker(r, "chair-1"), 1);
}

static void thousands_go_out_within_the_window(void **state)
{
	struct rig *r = *state;

	r->fake.window = 3;
	machines(r, 300, 7);
	settle(r);
	assert_int_equal(r->fake.published, 300);
	for (unsigned i = 0; i < 300; i++) {
		char id[GF_ID_MAX];

		snprintf(id, sizeof(id), "chair-%u", i);
		assert_int_equal(at_broker(r, id), 1);
		assert_int_equal(rig_desired(r->f, id).published, 1);
	}
}

static void a_window_of_one_is_enough(void **state)
{
	struct rig *r = *state;

	r->fake.window = 1;
	publish_catalog(r, 7, 3 * GF_CATALOG_PART_MAX);
	machines(r, 40, 7);
	settle(r);
	assert_int_equal(r->fake.published, 43);
	assert_false(get_state(r).busy);
}

/* ---- a catalog comes off again ---- */

static int take_retained(void *ctx, const struct store_retained *row)
{
	struct store_retained *want = ctx;

	if (memcmp(&row->digest, &want->digest, sizeof(row->digest)) == 0)
		*want = *row;
	return 0;
}

static struct store_retained at_store(struct rig *r, uint8_t digest)
{
	struct store_retained row = {.digest = rig_digest(digest)};

	assert_int_equal(store_read_retained(r->f->reader, take_retained, &row, NULL), 0);
	return row;
}

static void what_nobody_wants_any_more_is_withdrawn_after_the_states(void **state)
{
	struct rig *r = *state;

	publish_catalog(r, 7, 2 * GF_CATALOG_PART_MAX);
	publish_catalog(r, 9, 10);
	machines(r, 2, 7);
	settle(r);
	r->fake.published = 0;
	rig_desire(r->f, "chair-0", 9, 9);
	settle(r);
	assert_non_null(find(&r->fake, part_topic(7, 1))); /* the other one still wants it */
	rig_desire(r->f, "chair-1", 9, 9);
	r->fake.published = 0;
	settle(r);
	assert_int_equal(r->fake.published, 3);
	assert_string_equal(r->fake.order[0], desired_topic("chair-1"));
	assert_null(find(&r->fake, part_topic(7, 0)));
	assert_null(find(&r->fake, part_topic(7, 1)));
	assert_non_null(find(&r->fake, part_topic(9, GF_TOPIC_CATALOG_WHOLE)));
	assert_false(at_store(r, 7).on_broker);
	assert_int_equal(get_state(r).withdrawn, 1);
}

static void what_is_wanted_again_is_there_again_whole(void **state)
{
	struct rig *r = *state;

	publish_catalog(r, 7, 3 * GF_CATALOG_PART_MAX);
	machines(r, 1, 7);
	settle(r);
	/* The withdrawal stops half way: it is wanted again before the second part is gone. */
	rig_desire(r->f, "chair-0", 0, 0);
	r->fake.window = 1;
	r->fake.refuse = "/1";
	settle(r);
	assert_null(find(&r->fake, part_topic(7, 0)));
	assert_non_null(find(&r->fake, part_topic(7, 1)));
	assert_true(at_store(r, 7).on_broker);
	r->fake.refuse = NULL;
	rig_desire(r->f, "chair-0", 7, 8);
	settle(r);
	for (int part = 0; part < 3; part++)
		assert_non_null(find(&r->fake, part_topic(7, part)));
}

/* ---- losses ---- */

static void a_broker_that_lost_its_disk_is_whole_after_the_next_connect(void **state)
{
	struct rig *r = *state;

	publish_catalog(r, 7, 2 * GF_CATALOG_PART_MAX);
	machines(r, 50, 7);
	settle(r);
	downlink_down(r->downlink);
	wipe(&r->fake);
	assert_true(downlink_step(r->downlink, r->now) == INT64_MAX);
	downlink_up(r->downlink);
	settle(r);
	assert_int_equal(r->fake.kept_count, 52);
	assert_int_equal(rig_desired(r->f, "chair-49").published, 1);
}

static void a_gateway_killed_between_commit_and_publish_publishes_after_its_start(void **state)
{
	struct rig *r = *state;

	machines(r, 3, 7);
	downlink_free(r->downlink);
	fixture_reopen(r->f);
	start(r);
	settle(r);
	assert_int_equal(r->fake.kept_count, 3);
}

static void what_was_in_flight_at_a_loss_goes_out_again(void **state)
{
	struct rig *r = *state;
	uint64_t cookie;

	machines(r, 3, 7);
	downlink_step(r->downlink, r->now);
	assert_int_equal(r->fake.flight_count, 3);
	cookie = r->fake.flight[0];
	wipe(&r->fake);
	downlink_down(r->downlink);
	downlink_published(r->downlink, cookie, -1); /* the link's own answer comes late */
	assert_int_equal(rig_desired(r->f, "chair-0").published, 0);
	r->fake.flight_count = 0;
	downlink_up(r->downlink);
	settle(r);
	assert_int_equal(r->fake.kept_count, 3);
	/* An answer to the connection before proves nothing. */
	assert_int_equal(get_state(r).desired, 3);
	downlink_published(r->downlink, cookie, 0);
	assert_int_equal(get_state(r).desired, 3);
}

static void a_refused_one_is_tried_again_and_holds_nobody_up(void **state)
{
	struct rig *r = *state;
	size_t after_first;

	r->fake.refuse = "chair-1/";
	machines(r, 3, 7);
	settle(r);
	assert_int_equal(at_broker(r, "chair-2"), 1);
	assert_int_equal(rig_desired(r->f, "chair-1").published, 0);
	assert_true(get_state(r).failures > 0);
	assert_non_null(strstr(get_state(r).last_error.text, "0x97"));
	assert_int_equal(get_state(r).failing_since_ms, NOON);
	after_first = r->fake.published;
	settle(r);
	assert_int_equal(r->fake.published, after_first); /* not before its time */
	for (int i = 0; i < 600; i++) {
		pass_ms(r, 1000);
		settle(r);
	}
	assert_in_range(r->fake.published - after_first, 10, 16); /* the pause doubles, up to a minute */
	/* What is new doesn't wait for that. */
	rig_desire(r->f, "chair-0", 9, 9);
	settle(r);
	assert_int_equal(at_broker(r, "chair-0"), 2);
	r->fake.refuse = NULL;
	pass_ms(r, DOWNLINK_RETRY_MAX_MS);
	settle(r);
	assert_int_equal(at_broker(r, "chair-1"), 1);
	assert_int_equal(rig_desired(r->f, "chair-1").published, 1);
	assert_false(get_state(r).busy);
	assert_int_equal(get_state(r).failing_since_ms, 0);
}

static void a_refused_catalog_holds_no_state_up(void **state)
{
	struct rig *r = *state;

	r->fake.refuse = "catalogs/";
	publish_catalog(r, 7, 10);
	machines(r, 1, 7);
	settle(r);
	assert_int_equal(at_broker(r, "chair-0"), 1);
	assert_null(find(&r->fake, part_topic(7, GF_TOPIC_CATALOG_WHOLE)));
	r->fake.refuse = NULL;
	pass_ms(r, DOWNLINK_RETRY_MIN_MS);
	settle(r);
	assert_non_null(find(&r->fake, part_topic(7, GF_TOPIC_CATALOG_WHOLE)));
}

static void a_link_that_fails_does_not_make_it_spin(void **state)
{
	struct rig *r = *state;

	machines(r, 2, 7);
	r->fake.fail = -EIO;
	assert_true(downlink_step(r->downlink, r->now) > r->now.mono_ms);
	assert_int_equal(get_state(r).failures, 2);
	assert_true(downlink_step(r->downlink, r->now) > r->now.mono_ms);
	assert_int_equal(get_state(r).failures, 2);
	r->fake.fail = -ENOTCONN;
	pass_ms(r, DOWNLINK_RETRY_MAX_MS);
	assert_true(downlink_step(r->downlink, r->now) > r->now.mono_ms);
	r->fake.fail = 0;
	settle(r);
	assert_int_equal(r->fake.kept_count, 2);
}

static void a_newer_state_is_not_taken_for_published_by_the_ack_of_an_older(void **state)
{
	struct rig *r = *state;

	machines(r, 1, 7);
	downlink_step(r->downlink, r->now);
	rig_desire(r->f, "chair-0", 9, 9); /* while the first is in flight */
	answer(r);
	settle(r);
	assert_int_equal(at_broker(r, "chair-0"), 2);
	assert_int_equal(rig_desired(r->f, "chair-0").published, 2);
}

/* ---- commands ---- */

static uint64_t command(struct rig *r, const char *id, uint32_t within_ms)
{
	uint64_t command = 0;

	assert_int_equal(
	    store_command_add(r->f->store, id, GF_COMMAND_STOP, within_ms, &rig_anna, r->now.wall_ms, &command, NULL), 0);
	return command;
}

static struct store_command get_command(struct rig *r, uint64_t id)
{
	struct store_command c;

	assert_int_equal(store_read_command(r->f->reader, id, &c, NULL), 0);
	return c;
}

static void a_command_goes_first_and_with_the_time_that_is_left(void **state)
{
	struct rig *r = *state;
	struct gf_command_order order;
	uint64_t id;

	r->fake.window = 1;
	machines(r, 5, 7);
	downlink_step(r->downlink, r->now);
	id = command(r, "chair-3", 10000);
	pass_ms(r, 2500);
	answer(r);
	downlink_step(r->downlink, r->now);
	assert_string_equal(r->fake.order[1], "gymfleet/v1/devices/chair-3/command");
	assert_int_equal(r->fake.expiry_s, 8);
	assert_int_equal(gf_command_decode(r->fake.last, r->fake.last_len, &order, NULL), 0);
	assert_int_equal(order.id, id);
	assert_int_equal(order.kind, GF_COMMAND_STOP);
	assert_int_equal(order.issued_ms, NOON);
	assert_int_equal(order.within_ms, 10000);
	assert_false(get_command(r, id).published);
	settle(r);
	assert_true(get_command(r, id).published);
	assert_null(find(&r->fake, "gymfleet/v1/devices/chair-3/command")); /* not retained */
	assert_int_equal(get_state(r).commands, 1);
}

static void i9_a_command_past_its_time_is_not_sent(void **state)
{
	struct rig *r = *state;

	machines(r, 1, 0);
	command(r, "chair-0", 1000);
	pass_ms(r, 1000);
	settle(r);
	assert_int_equal(r->fake.published, 0);
}

static void a_command_that_was_lost_is_sent_again_while_there_is_time(void **state)
{
	struct rig *r = *state;
	uint64_t id;

	machines(r, 1, 0);
	settle(r);
	r->fake.refuse = "/command";
	id = command(r, "chair-0", 5000);
	settle(r);
	assert_false(get_command(r, id).published);
	r->fake.refuse = NULL;
	settle(r);
	assert_false(get_command(r, id).published); /* not at once */
	pass_ms(r, DOWNLINK_RETRY_MIN_MS);
	settle(r);
	assert_true(get_command(r, id).published);
	assert_int_equal(r->fake.published, 2);
}

static void many_commands_all_go_out_once(void **state)
{
	struct rig *r = *state;
	char id[GF_ID_MAX];

	machines(r, 60, 0);
	settle(r);
	for (unsigned i = 0; i < 60; i++) {
		snprintf(id, sizeof(id), "chair-%u", i);
		command(r, id, 5000);
	}
	settle(r);
	assert_int_equal(r->fake.published, 60);
	assert_false(get_state(r).busy);
}

/* ---- the store fails ---- */

static void a_store_that_refuses_delays_it_and_no_more(void **state)
{
	struct rig *r = *state;
	sqlite3 *other;

	machines(r, 2, 7);
	assert_int_equal(sqlite3_open(r->f->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	settle(r);
	assert_true(get_state(r).failures > 0);
	sqlite3_close(other);
	for (int i = 0; i < 3; i++) {
		pass_ms(r, DOWNLINK_RETRY_MAX_MS);
		settle(r);
	}
	assert_int_equal(r->fake.kept_count, 2);
	assert_int_equal(rig_desired(r->f, "chair-1").published, 1);
}

/* ---- anything, in any order: in the end the broker has what is wanted, and nothing else ---- */

static void disturb(struct rig *r, struct gf_prng *rand)
{
	char id[GF_ID_MAX];
	uint8_t digest = (uint8_t)(7 + gf_prng_below(rand, 3));

	snprintf(id, sizeof(id), "chair-%u", (unsigned)gf_prng_below(rand, 10));
	switch (gf_prng_below(rand, 9)) {
	case 0:
		rig_desire(r->f, id, digest, digest);
		break;
	case 1:
		rig_desire(r->f, id, 0, 0);
		break;
	case 2:
		downlink_down(r->downlink);
		r->fake.flight_count = 0;
		if (gf_prng_below(rand, 2))
			wipe(&r->fake);
		downlink_up(r->downlink);
		break;
	case 3:
		downlink_free(r->downlink);
		fixture_reopen(r->f);
		start(r);
		break;
	case 4:
		r->fake.refuse = gf_prng_below(rand, 2) ? "chair-3" : gf_prng_below(rand, 2) ? "/1" : NULL;
		break;
	case 5:
		r->fake.window = 1 + gf_prng_below(rand, 20);
		if (r->fake.window < r->fake.flight_count)
			r->fake.window = r->fake.flight_count;
		break;
	case 6:
		answer(r);
		break;
	default:
		pass_ms(r, (int64_t)gf_prng_below(rand, 3000));
		downlink_step(r->downlink, r->now);
		break;
	}
}

static void check_whole(struct rig *r)
{
	size_t wanted = 0;

	for (unsigned i = 0; i < 10; i++) {
		char id[GF_ID_MAX];
		struct store_desired d;

		snprintf(id, sizeof(id), "chair-%u", i);
		d = rig_desired(r->f, id);
		assert_int_equal(at_broker(r, id), d.desired.revision);
		assert_int_equal(d.published, d.desired.revision);
		wanted += d.desired.revision > 0;
	}
	for (uint8_t digest = 7; digest < 10; digest++)
		for (int part = 0; part < 2 && at_store(r, digest).wanted; part++, wanted++)
			assert_non_null(find(&r->fake, part_topic(digest, part)));
	assert_int_equal(r->fake.kept_count, wanted);
}

static void whatever_happens_the_broker_has_what_is_wanted_in_the_end(void **state)
{
	struct rig *r = *state;

	for (uint8_t digest = 7; digest < 10; digest++)
		publish_catalog(r, digest, 2 * GF_CATALOG_PART_MAX);
	machines(r, 10, 0);
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct gf_prng rand;

		gf_prng_seed(&rand, seed);
		for (int i = 0; i < 60; i++)
			disturb(r, &rand);
		r->fake.refuse = NULL;
		for (int i = 0; i < 4; i++) {
			pass_ms(r, DOWNLINK_RETRY_MAX_MS);
			settle(r);
		}
		r->fake.published = 0;
		check_whole(r);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_catalog_goes_before_the_states_that_desire_it),
	    TEST(a_large_catalog_goes_in_parts),
	    TEST(a_change_goes_out_by_itself),
	    TEST(thousands_go_out_within_the_window),
	    TEST(a_window_of_one_is_enough),
	    TEST(what_nobody_wants_any_more_is_withdrawn_after_the_states),
	    TEST(what_is_wanted_again_is_there_again_whole),
	    TEST(a_broker_that_lost_its_disk_is_whole_after_the_next_connect),
	    TEST(a_gateway_killed_between_commit_and_publish_publishes_after_its_start),
	    TEST(what_was_in_flight_at_a_loss_goes_out_again),
	    TEST(a_refused_one_is_tried_again_and_holds_nobody_up),
	    TEST(a_refused_catalog_holds_no_state_up),
	    TEST(a_link_that_fails_does_not_make_it_spin),
	    TEST(a_newer_state_is_not_taken_for_published_by_the_ack_of_an_older),
	    TEST(a_command_goes_first_and_with_the_time_that_is_left),
	    TEST(i9_a_command_past_its_time_is_not_sent),
	    TEST(a_command_that_was_lost_is_sent_again_while_there_is_time),
	    TEST(many_commands_all_go_out_once),
	    TEST(a_store_that_refuses_delays_it_and_no_more),
	    TEST(whatever_happens_the_broker_has_what_is_wanted_in_the_end),
	};

	gf_log_set_level(GF_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
