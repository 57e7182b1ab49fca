/* What is wanted is retained at the broker, what nobody wants comes off it, and commands go out in time. */
#include <stdio.h>

#include "proto/base/log.h"
#include "proto/codec.h"
#include "tests/unit/gateway/downlink_rig.h"

/* ---- what goes out ---- */

static void a_catalog_goes_before_the_states_that_desire_it(void **state)
{
	struct down *r = *state;

	down_catalog(r, 7, 100);
	down_machines(r, 2, 7);
	down_settle(r);
	assert_int_equal(r->fake.published, 3);
	assert_string_equal(r->fake.order[0], down_part_topic(7, GF_TOPIC_CATALOG_WHOLE));
	assert_int_equal(down_find(&r->fake, r->fake.order[0])->len, 100);
	assert_int_equal(down_at_broker(r, "chair-0"), 1);
	assert_int_equal(down_at_broker(r, "chair-1"), 1);
	assert_int_equal(rig_desired(r->f, "chair-0").published, 1);
	assert_false(down_state(r).busy);
	/* Nothing more, however often it looks. */
	for (int i = 0; i < 10; i++) {
		down_pass(r, DOWNLINK_LOOK_MS);
		down_settle(r);
	}
	assert_int_equal(r->fake.published, 3);
}

static void a_large_catalog_goes_in_parts(void **state)
{
	struct down *r = *state;
	size_t len = 2 * GF_CATALOG_PART_MAX + 5;

	down_catalog(r, 7, len);
	down_machines(r, 1, 7);
	down_settle(r);
	assert_int_equal(down_find(&r->fake, down_part_topic(7, 0))->len, GF_CATALOG_PART_MAX);
	assert_int_equal(down_find(&r->fake, down_part_topic(7, 1))->len, GF_CATALOG_PART_MAX);
	assert_int_equal(down_find(&r->fake, down_part_topic(7, 2))->len, 5);
	assert_null(down_find(&r->fake, down_part_topic(7, 3)));
	assert_null(down_find(&r->fake, down_part_topic(7, GF_TOPIC_CATALOG_WHOLE)));
}

static void a_change_goes_out_by_itself(void **state)
{
	struct down *r = *state;
	const bool yes = true;

	down_machines(r, 3, 0);
	down_settle(r);
	assert_int_equal(r->fake.published, 0);
	assert_int_equal(store_desired_set(r->f->store, "chair-1", NULL, &yes, "", &rig_anna, NOON, NULL), 0);
	down_settle(r);
	assert_int_equal(r->fake.published, 1);
	assert_int_equal(down_at_broker(r, "chair-1"), 1);
}

static void thousands_go_out_within_the_window(void **state)
{
	struct down *r = *state;

	r->fake.window = 3;
	down_machines(r, 300, 7);
	down_settle(r);
	assert_int_equal(r->fake.published, 300);
	for (unsigned i = 0; i < 300; i++) {
		char id[GF_ID_MAX];

		snprintf(id, sizeof(id), "chair-%u", i);
		assert_int_equal(down_at_broker(r, id), 1);
		assert_int_equal(rig_desired(r->f, id).published, 1);
	}
}

static void a_window_of_one_is_enough(void **state)
{
	struct down *r = *state;

	r->fake.window = 1;
	down_catalog(r, 7, 3 * GF_CATALOG_PART_MAX);
	down_machines(r, 40, 7);
	down_settle(r);
	assert_int_equal(r->fake.published, 43);
	assert_false(down_state(r).busy);
}

/* ---- a catalog comes off again ---- */

static void what_nobody_wants_any_more_is_withdrawn_after_the_states(void **state)
{
	struct down *r = *state;

	down_catalog(r, 7, 2 * GF_CATALOG_PART_MAX);
	down_catalog(r, 9, 10);
	down_machines(r, 2, 7);
	down_settle(r);
	r->fake.published = 0;
	rig_desire(r->f, "chair-0", 9, 9);
	down_settle(r);
	assert_non_null(down_find(&r->fake, down_part_topic(7, 1))); /* the other one still wants it */
	rig_desire(r->f, "chair-1", 9, 9);
	r->fake.published = 0;
	down_settle(r);
	assert_int_equal(r->fake.published, 3);
	assert_string_equal(r->fake.order[0], down_desired_topic("chair-1"));
	assert_null(down_find(&r->fake, down_part_topic(7, 0)));
	assert_null(down_find(&r->fake, down_part_topic(7, 1)));
	assert_non_null(down_find(&r->fake, down_part_topic(9, GF_TOPIC_CATALOG_WHOLE)));
	assert_false(down_at_store(r, 7).on_broker);
	assert_int_equal(down_state(r).withdrawn, 1);
}

static void what_is_wanted_again_is_there_again_whole(void **state)
{
	struct down *r = *state;

	down_catalog(r, 7, 3 * GF_CATALOG_PART_MAX);
	down_machines(r, 1, 7);
	down_settle(r);
	/* The withdrawal stops half way: it is wanted again before the second part is gone. */
	rig_desire(r->f, "chair-0", 0, 0);
	r->fake.window = 1;
	r->fake.refuse = "/1";
	down_settle(r);
	assert_null(down_find(&r->fake, down_part_topic(7, 0)));
	assert_non_null(down_find(&r->fake, down_part_topic(7, 1)));
	assert_true(down_at_store(r, 7).on_broker);
	r->fake.refuse = NULL;
	rig_desire(r->f, "chair-0", 7, 8);
	down_settle(r);
	for (int part = 0; part < 3; part++)
		assert_non_null(down_find(&r->fake, down_part_topic(7, part)));
}

/* ---- commands ---- */

static uint64_t command(struct down *r, const char *id, uint32_t within_ms)
{
	uint64_t command = 0;

	assert_int_equal(
	    store_command_add(r->f->store, id, GF_COMMAND_STOP, within_ms, &rig_anna, r->now.wall_ms, &command, NULL), 0);
	return command;
}

static struct store_command get_command(struct down *r, uint64_t id)
{
	struct store_command c;

	assert_int_equal(store_read_command(r->f->reader, id, &c, NULL), 0);
	return c;
}

static void a_command_goes_first_and_with_the_time_that_is_left(void **state)
{
	struct down *r = *state;
	struct gf_command_order order;
	uint64_t id;

	r->fake.window = 1;
	down_machines(r, 5, 7);
	downlink_step(r->downlink, r->now);
	id = command(r, "chair-3", 10000);
	down_pass(r, 2500);
	down_answer(r);
	downlink_step(r->downlink, r->now);
	assert_string_equal(r->fake.order[1], "gymfleet/v1/devices/chair-3/command");
	assert_int_equal(r->fake.expiry_s, 8);
	assert_int_equal(gf_command_decode(r->fake.last, r->fake.last_len, &order, NULL), 0);
	assert_int_equal(order.id, id);
	assert_int_equal(order.kind, GF_COMMAND_STOP);
	assert_int_equal(order.issued_ms, NOON);
	assert_int_equal(order.within_ms, 10000);
	assert_false(get_command(r, id).published);
	down_settle(r);
	assert_true(get_command(r, id).published);
	assert_null(down_find(&r->fake, "gymfleet/v1/devices/chair-3/command")); /* not retained */
	assert_int_equal(down_state(r).commands, 1);
}

static void i9_a_command_past_its_time_is_not_sent(void **state)
{
	struct down *r = *state;

	down_machines(r, 1, 0);
	command(r, "chair-0", 1000);
	down_pass(r, 1000);
	down_settle(r);
	assert_int_equal(r->fake.published, 0);
}

static void a_command_that_was_lost_is_sent_again_while_there_is_time(void **state)
{
	struct down *r = *state;
	uint64_t id;

	down_machines(r, 1, 0);
	down_settle(r);
	r->fake.refuse = "/command";
	id = command(r, "chair-0", 5000);
	down_settle(r);
	assert_false(get_command(r, id).published);
	r->fake.refuse = NULL;
	down_settle(r);
	assert_false(get_command(r, id).published); /* not at once */
	down_pass(r, DOWNLINK_RETRY_MIN_MS);
	down_settle(r);
	assert_true(get_command(r, id).published);
	assert_int_equal(r->fake.published, 2);
}

static void many_commands_all_go_out_once(void **state)
{
	struct down *r = *state;
	char id[GF_ID_MAX];

	down_machines(r, 60, 0);
	down_settle(r);
	for (unsigned i = 0; i < 60; i++) {
		snprintf(id, sizeof(id), "chair-%u", i);
		command(r, id, 5000);
	}
	down_settle(r);
	assert_int_equal(r->fake.published, 60);
	assert_false(down_state(r).busy);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, down_setup, down_teardown)

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
	    TEST(a_command_goes_first_and_with_the_time_that_is_left),
	    TEST(i9_a_command_past_its_time_is_not_sent),
	    TEST(a_command_that_was_lost_is_sent_again_while_there_is_time),
	    TEST(many_commands_all_go_out_once),
	};

	gf_log_set_level(GF_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
