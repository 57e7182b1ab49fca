/* Where receivers of events are: new ones, those that go, cursors that never move back, and a log that was pruned beyond one. */
#include <string.h>

#include "gateway/store/judging.h"
#include "gateway/store/telling.h"
#include "tests/unit/gateway/store/fixture.h"

static struct store_told named(const char *receiver)
{
	struct store_told row = {.cursor = 0};

	gf_strcpy(row.receiver, sizeof(row.receiver), receiver);
	return row;
}

static void begin(struct fixture *f, struct store_told *rows, size_t count)
{
	assert_int_equal(store_tell_begin(f->store, rows, count, NULL), 0);
}

/* Two events: a machine that is new, and its birth. */
static void happens(struct fixture *f, const char *id)
{
	send_status(f, id, birth(1, 1, 1), false, NOON);
}

static void a_new_receiver_begins_at_the_newest_event(void **state)
{
	struct fixture *f = *state;
	struct store_told first = named("first"), both[2] = {named("first"), named("second")};

	begin(f, &first, 1);
	assert_int_equal(first.cursor, 0);
	happens(f, "chair-1");
	begin(f, both, 2);
	assert_int_equal(both[0].cursor, 0);
	assert_int_equal(both[1].cursor, store_last_event(f->store));
	assert_true(both[1].cursor > 0);
}

static void cursors_and_counters_are_kept_and_a_cursor_never_moves_back(void **state)
{
	struct fixture *f = *state;
	struct store_told row = named("first"), again = named("first");

	begin(f, &row, 1);
	happens(f, "chair-1");
	row = (struct store_told){.cursor = 2, .told = 2, .summed = 3, .missed = 4, .passed_over = 5, .passed_ms = NOON};
	gf_strcpy(row.receiver, sizeof(row.receiver), "first");
	assert_int_equal(store_tell_save(f->store, &row, 1, NULL), 0);
	row.cursor = 1;
	assert_int_equal(store_tell_save(f->store, &row, 1, NULL), 0);
	fixture_reopen(f);
	begin(f, &again, 1);
	assert_int_equal(again.cursor, 2);
	assert_int_equal(again.told, 2);
	assert_int_equal(again.summed, 3);
	assert_int_equal(again.missed, 4);
	assert_int_equal(again.passed_over, 5);
	assert_true(again.passed_ms == NOON);
}

static void who_is_not_configured_any_more_is_forgotten(void **state)
{
	struct fixture *f = *state;
	struct store_told three[3] = {named("a"), named("b"), named("c")}, one = named("b"), back = named("a");

	begin(f, three, 3);
	happens(f, "chair-1");
	begin(f, &one, 1);
	assert_int_equal(one.cursor, 0);
	begin(f, &back, 1);
	assert_int_equal(back.cursor, store_last_event(f->store));
}

static int take(void *ctx, const struct store_event *event)
{
	*(struct store_event *)ctx = *event;
	return 0;
}

static void what_is_said_of_a_receiver_is_an_event(void **state)
{
	struct fixture *f = *state;
	struct store_event_query query = {.kinds = UINT32_C(1) << STORE_EVENT_WEBHOOK};
	struct store_event event = {0};

	assert_int_equal(store_tell_note(f->store, "chat", "it refused event 7", NOON, NULL), 0);
	assert_int_equal(store_read_events(f->reader, &query, take, &event, NULL), 0);
	assert_string_equal(event.code, "chat");
	assert_string_equal(event.text, "it refused event 7");
	assert_string_equal(store_event_kind_name(event.kind), "webhook");
	assert_int_equal(event.id, store_last_event(f->store));
	assert_false(event.notify);
}

static void save_flag(struct fixture *f, bool notify)
{
	const struct store_flag flag = {.rule = "p4",
	                                .subject = {.kind = RULE_SUBJECT_PERSON, .key = 5},
	                                .title = "too much",
	                                .text = "three times",
	                                .episode = {.opened_ms = NOON, .last_ms = NOON, .times = 1}};
	uint64_t id = 0;

	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_int_equal(store_flag_save(f->store, &flag, false, 0, notify, NOON, &id, NULL), 0);
	assert_int_equal(store_commit(f->store, NULL), 0);
}

/* Whoever writes them: also its end and its acknowledgement. */
static void the_events_of_a_flag_say_whether_people_want_to_hear_of_it(void **state)
{
	static const struct store_actor anna = {.who = "anna"};
	struct fixture *f = *state;
	struct store_event_query query = {.kinds = UINT32_C(1) << STORE_EVENT_FLAG};
	struct store_event event = {0};

	save_flag(f, true);
	assert_int_equal(store_read_events(f->reader, &query, take, &event, NULL), 0);
	assert_true(event.notify);
	assert_int_equal(store_flag_ack(f->store, event.ref, "seen", false, &anna, NOON, NULL, NULL), 0);
	assert_int_equal(store_read_events(f->reader, &query, take, &event, NULL), 0);
	assert_string_equal(event.code, "acked");
	assert_true(event.notify);
	save_flag(f, false);
	assert_int_equal(store_read_events(f->reader, &query, take, &event, NULL), 0);
	assert_string_equal(event.code, "opened");
	assert_false(event.notify);
}

static void the_oldest_event_is_known(void **state)
{
	struct fixture *f = *state;
	uint64_t oldest = 99;

	assert_int_equal(store_read_event_oldest(f->reader, &oldest, NULL), 0);
	assert_int_equal(oldest, 0);
	happens(f, "chair-1");
	assert_int_equal(store_read_event_oldest(f->reader, &oldest, NULL), 0);
	assert_int_equal(oldest, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_new_receiver_begins_at_the_newest_event, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(cursors_and_counters_are_kept_and_a_cursor_never_moves_back, fixture_setup,
	                                    fixture_teardown),
	    cmocka_unit_test_setup_teardown(who_is_not_configured_any_more_is_forgotten, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(what_is_said_of_a_receiver_is_an_event, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(the_events_of_a_flag_say_whether_people_want_to_hear_of_it, fixture_setup,
	                                    fixture_teardown),
	    cmocka_unit_test_setup_teardown(the_oldest_event_is_known, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
