/* Webhooks that are not told each event by itself: floods, a pruned log, flags that nobody wants to hear of. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/gateway/tell/hook_rig.h"

static void a_flood_is_summed_up(void **state)
{
	struct rig *r = *state;
	uint64_t events = 0, messages;

	receiver_start(&r->receivers[0]);
	begin(r, 1);
	tell_free(r->tell);
	r->webhooks[0].rate_per_min = 5;
	for (int i = 0; i < 200; i++)
		assert_int_equal(store_tell_note(r->f->store, "maker", "something", NOON, NULL), 0);
	begin(r, 1);
	receiver_wait(&r->receivers[0], 200);
	messages = r->receivers[0].taken_count;
	assert_int_equal(messages, 5);
	for (size_t i = 0; i < messages; i++) {
		const struct taken *t = &r->receivers[0].taken[i];
		assert_true(t->sound);
		events += strcmp(t->kind, "summary") == 0 ? t->count : 1;
	}
	assert_int_equal(events, 200);
	assert_string_equal(r->receivers[0].taken[4].kind, "summary");
	assert_int_equal(r->receivers[0].taken[4].from, 5);
	assert_int_equal(r->receivers[0].taken[4].to, 200);
	assert_int_equal(r->receivers[0].taken[4].id, 200);
}

static void what_was_pruned_before_it_was_told_is_said_to_be_missed(void **state)
{
	struct rig *r = *state;

	receiver_start(&r->receivers[0]);
	begin(r, 1);
	tell_free(r->tell);
	for (int i = 0; i < 20; i++)
		assert_int_equal(store_tell_note(r->f->store, "maker", "something", NOON, NULL), 0);
	sql(r, "DELETE FROM events WHERE id <= 12");
	begin(r, 1);
	receiver_wait(&r->receivers[0], 20);
	assert_int_equal(r->receivers[0].taken[0].missed, 12);
	assert_int_equal(r->receivers[0].taken[0].from, 1);
	assert_int_equal(r->receivers[0].taken[0].to, 12);
	assert_string_equal(r->receivers[0].taken[0].kind, "summary");
	assert_int_equal(r->receivers[0].taken[1].id, 13);
	assert_int_equal(r->receivers[0].taken[8].id, 20);
	until_told(r, 1, 8);
	tell_free(r->tell);
	begin(r, 1);
	assert_int_equal(state_of(r, 1).told.missed, 12);
}

static void of_flags_only_those_are_told_whose_rule_says_so(void **state)
{
	struct rig *r = *state;
	char text[512];

	r->webhooks[0].notify_only = true;
	r->webhooks[0].kinds |= UINT32_C(1) << STORE_EVENT_FLAG;
	receiver_start(&r->receivers[0]);
	begin(r, 1);
	tell_free(r->tell);
	(void)snprintf(
	    text, sizeof(text),
	    "INSERT INTO events (at_ms, kind, device, text, ref, code, notify) VALUES (1, %d, '', 'a', 1, '', 0),"
	    " (1, %d, '', 'b', 2, '', 1), (1, %d, '', 'no flag, not wanted', 2, '', 1)",
	    STORE_EVENT_FLAG, STORE_EVENT_FLAG, STORE_EVENT_SESSION);
	sql(r, text);
	begin(r, 1);
	happens(r, 1);
	receiver_wait(&r->receivers[0], 4);
	assert_int_equal(r->receivers[0].taken[0].id, 2);
	assert_string_equal(r->receivers[0].taken[0].kind, "flag");
	assert_int_equal(r->receivers[0].taken[1].id, 4);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, hook_setup, hook_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_flood_is_summed_up),
	    TEST(what_was_pruned_before_it_was_told_is_said_to_be_missed),
	    TEST(of_flags_only_those_are_told_whose_rule_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
