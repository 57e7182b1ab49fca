/* Who is there: births, goodbyes, wills of whatever age, silence; and what the operator sets. */
#include <errno.h>
#include <sqlite3.h>
#include <string.h>

#include "gateway/store/wishes.h"
#include "tests/unit/gateway/store/fixture.h"

#define ID "chair-1"

static void a_birth_then_goodbye(void **state)
{
	struct fixture *f = *state;
	struct store_device d;

	send_status(f, ID, birth(1, 1, 1), false, NOON);
	d = get_device(f, ID, NOON);
	assert_true(d.online);
	assert_true(d.born);
	assert_int_equal(d.presence_since_ms, NOON);
	assert_string_equal(d.model, "recliner-4");
	assert_true(d.has_stream);
	send_status(f, ID, gone(GF_PRESENCE_GOODBYE, 1, 1), false, NOON + HOUR);
	d = get_device(f, ID, NOON);
	assert_false(d.online);
	assert_int_equal(d.offline_reason, STORE_OFFLINE_GOODBYE);
	assert_int_equal(d.presence_since_ms, NOON + HOUR);
}

static void a_late_will_of_an_older_connection_changes_nothing(void **state)
{
	struct fixture *f = *state;

	send_status(f, ID, birth(1, 1, 1), false, NOON);
	send_status(f, ID, birth(1, 2, 1), false, NOON + MINUTE);
	send_status(f, ID, gone(GF_PRESENCE_LOST, 1, 1), false, NOON + 2 * MINUTE);
	assert_true(get_device(f, ID, NOON).online);
	send_status(f, ID, birth(2, 1, 1), false, NOON + 3 * MINUTE);
	send_status(f, ID, gone(GF_PRESENCE_LOST, 1, 2), false, NOON + 4 * MINUTE);
	assert_true(get_device(f, ID, NOON).online);
	send_status(f, ID, gone(GF_PRESENCE_LOST, 2, 1), false, NOON + 5 * MINUTE);
	assert_false(get_device(f, ID, NOON).online);
	assert_int_equal(get_device(f, ID, NOON).offline_reason, STORE_OFFLINE_LOST);
}

static void a_late_birth_of_an_older_connection_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct gf_status old = birth(1, 1, 1);

	gf_strcpy(old.agent_version, sizeof(old.agent_version), "old");
	send_status(f, ID, birth(1, 2, 1), false, NOON);
	send_status(f, ID, gone(GF_PRESENCE_LOST, 1, 2), false, NOON + MINUTE);
	send_status(f, ID, old, false, NOON + 2 * MINUTE);
	assert_false(get_device(f, ID, NOON).online);
	assert_string_equal(get_device(f, ID, NOON).agent_version, "");
}

static void a_retained_birth_brings_nobody_back(void **state)
{
	struct fixture *f = *state;

	send_status(f, ID, birth(1, 1, 1), false, NOON);
	send_status(f, ID, gone(GF_PRESENCE_LOST, 1, 1), false, NOON + MINUTE);
	send_status(f, ID, birth(1, 1, 1), true, NOON + HOUR);
	assert_false(get_device(f, ID, NOON).online);
	send_status(f, ID, birth(1, 2, 1), true, NOON + HOUR);
	assert_true(get_device(f, ID, NOON).online);
}

static void a_wiped_machine_counts_anew_and_is_believed(void **state)
{
	struct fixture *f = *state;

	send_status(f, ID, birth(9, 4, 1), false, NOON);
	send_status(f, ID, birth(1, 1, 2), false, NOON + MINUTE);
	send_status(f, ID, gone(GF_PRESENCE_LOST, 1, 1), false, NOON + HOUR);
	assert_false(get_device(f, ID, NOON).online);
}

static void silence_makes_offline_and_a_report_brings_it_back(void **state)
{
	struct fixture *f = *state;
	struct gf_record hb = heartbeat(1, NOON + 4 * MINUTE, 40);
	unsigned gone_count = 9;

	send_status(f, ID, birth(1, 1, 1), false, NOON);
	assert_int_equal(store_presence(f->store, 0, NOON + 179000, &gone_count, NULL), 0);
	assert_int_equal(gone_count, 0);
	/* The gateway has only just begun to listen: silence proves nothing. */
	assert_int_equal(store_presence(f->store, NOON + 190000, NOON + 200000, &gone_count, NULL), 0);
	assert_int_equal(gone_count, 0);
	assert_int_equal(store_presence(f->store, 0, NOON + 181000, &gone_count, NULL), 0);
	assert_int_equal(gone_count, 1);
	assert_int_equal(get_device(f, ID, NOON).offline_reason, STORE_OFFLINE_SILENT);
	send_report(f, ID, 1, &hb, 1, NOON + 4 * MINUTE);
	assert_true(get_device(f, ID, NOON).online);
	assert_int_equal(get_device(f, ID, NOON).last_seen_ms, NOON + 4 * MINUTE);
}

static void i9_silence_is_noticed_after_the_clock_was_set_back(void **state)
{
	struct fixture *f = *state;
	struct gf_record hb = heartbeat(1, NOON - 3 * HOUR, 40);
	unsigned gone_count = 9;

	send_status(f, ID, birth(1, 1, 1), false, NOON);
	send_status(f, "chair-2", birth(1, 1, 1), false, NOON);
	/* It was noon by a clock that was three hours ahead; only one of the two is heard of since. */
	send_report(f, "chair-2", 1, &hb, 1, NOON - 3 * HOUR + MINUTE);
	assert_int_equal(get_device(f, "chair-2", NOON).last_seen_ms, NOON - 3 * HOUR + MINUTE);
	assert_int_equal(store_presence(f->store, NOON - 3 * HOUR, NOON - 3 * HOUR + 3 * MINUTE, &gone_count, NULL), 0);
	assert_int_equal(gone_count, 1);
	assert_int_equal(get_device(f, ID, NOON).offline_reason, STORE_OFFLINE_SILENT);
	assert_true(get_device(f, "chair-2", NOON).online);
}

static void a_report_that_was_under_way_does_not_undo_a_will(void **state)
{
	struct fixture *f = *state;
	struct gf_record a = heartbeat(1, NOON, 40), b = heartbeat(2, NOON, 40);

	send_status(f, ID, birth(1, 1, 1), false, NOON);
	send_status(f, ID, gone(GF_PRESENCE_LOST, 1, 1), false, NOON + MINUTE);
	send_report(f, ID, 1, &a, 1, NOON + MINUTE + 500);
	assert_false(get_device(f, ID, NOON).online);
	send_report(f, ID, 1, &b, 1, NOON + 3 * MINUTE);
	assert_true(get_device(f, ID, NOON).online);
}

static void acks_this_store_forgot_do_not_wedge_the_machine(void **state)
{
	struct fixture *f = *state;
	struct gf_status st = birth(3, 1, 1);
	struct gf_record r = session(501, 40, NOON);
	struct gf_ack ack;

	st.acked_seq = 500;
	st.next_seq = 502;
	ack = send_report(f, ID, 1, &r, 1, NOON);
	assert_int_equal(ack.through_seq, 0);
	send_status(f, ID, st, true, NOON);
	ack = send_report(f, ID, 1, &r, 1, NOON);
	assert_int_equal(ack.through_seq, 501);
	assert_int_equal(count_sessions(f, ID), 1);
}

static int check_deed(void *ctx, const struct store_deed *deed)
{
	static const char *const details[] = {"site taken back", "name='Window chair', site='hamburg'"};
	size_t *count = ctx;

	assert_string_equal(deed->action, "device set");
	assert_string_equal(deed->subject, ID);
	assert_string_equal(deed->actor.who, "anna (uid 1000)");
	assert_true(*count < 2);
	assert_string_equal(deed->detail, details[(*count)++]);
	return 0;
}

static void overrides_win_and_can_be_taken_back(void **state)
{
	struct fixture *f = *state;
	struct store_device_change set = {.name = "Window chair", .site = "hamburg"}, unset = {.site = ""};
	const struct store_actor anna = {"anna (uid 1000)", "unix socket"};
	struct gf_diag diag = {""};
	struct store_device d;
	size_t deeds = 0;

	assert_int_equal(store_device_set(f->store, ID, &set, &anna, NOON, &diag), -ENOENT);
	assert_string_equal(diag.text, "there is no device 'chair-1'");
	send_status(f, ID, birth(1, 1, 1), false, NOON);
	assert_int_equal(store_device_set(f->store, ID, &set, &anna, NOON, &diag), 0);
	send_status(f, ID, birth(1, 2, 1), false, NOON);
	d = get_device(f, ID, NOON);
	assert_string_equal(d.name, "Window chair");
	assert_string_equal(d.location.site, "hamburg");
	assert_string_equal(d.location.zone, "lounge");
	assert_true(d.site_set && !d.zone_set);
	assert_int_equal(store_device_set(f->store, ID, &unset, &anna, NOON, &diag), 0);
	d = get_device(f, ID, NOON);
	assert_string_equal(d.location.site, "berlin");
	assert_string_equal(d.name, "Window chair");
	assert_int_equal(store_read_deeds(f->reader, 0, 0, check_deed, &deeds, &diag), 0);
	assert_int_equal(deeds, 2);
}

static int count_kind(void *ctx, const struct store_event *event)
{
	size_t *counts = ctx;

	counts[event->kind]++;
	return 0;
}

static void changes_are_told_as_events_once(void **state)
{
	struct fixture *f = *state;
	size_t counts[STORE_EVENT_COUNT] = {0};

	send_status(f, ID, birth(1, 1, 1), false, NOON);
	send_status(f, ID, birth(1, 1, 1), false, NOON);
	send_status(f, ID, birth(1, 2, 1), false, NOON);
	send_status(f, ID, gone(GF_PRESENCE_LOST, 1, 2), false, NOON);
	send_status(f, ID, gone(GF_PRESENCE_LOST, 1, 2), false, NOON);
	assert_int_equal(store_read_events(f->reader, &(struct store_event_query){0}, count_kind, counts, NULL), 0);
	assert_int_equal(counts[STORE_EVENT_DEVICE], 1);
	assert_int_equal(counts[STORE_EVENT_PRESENCE], 2);
}

static int count_rows(struct fixture *f, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *query;
	int count;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &query, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(query), SQLITE_ROW);
	count = sqlite3_column_int(query, 0);
	sqlite3_finalize(query);
	sqlite3_close(db);
	return count;
}

static void i8_a_machine_that_is_new_all_the_time_fills_no_table(void **state)
{
	struct fixture *f = *state;

	for (int i = 1; i <= 200; i++)
		send_status(f, ID, birth(1, 1, (uint8_t)i), false, NOON + i * MINUTE);
	assert_int_equal(count_rows(f, "SELECT count(*) FROM streams"), 64);
	assert_int_equal(count_rows(f, "SELECT count(*) FROM boots"), 64);
}

static void the_epoch_counts_starts(void **state)
{
	struct fixture *f = *state;
	uint64_t epoch = 0;

	assert_int_equal(store_next_epoch(f->store, &epoch, NULL), 0);
	assert_int_equal(epoch, 1);
	fixture_reopen(f);
	assert_int_equal(store_next_epoch(f->store, &epoch, NULL), 0);
	assert_int_equal(epoch, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_birth_then_goodbye),
	    TEST(a_late_will_of_an_older_connection_changes_nothing),
	    TEST(a_late_birth_of_an_older_connection_changes_nothing),
	    TEST(a_retained_birth_brings_nobody_back),
	    TEST(a_wiped_machine_counts_anew_and_is_believed),
	    TEST(silence_makes_offline_and_a_report_brings_it_back),
	    TEST(i9_silence_is_noticed_after_the_clock_was_set_back),
	    TEST(a_report_that_was_under_way_does_not_undo_a_will),
	    TEST(acks_this_store_forgot_do_not_wedge_the_machine),
	    TEST(overrides_win_and_can_be_taken_back),
	    TEST(changes_are_told_as_events_once),
	    TEST(i8_a_machine_that_is_new_all_the_time_fills_no_table),
	    TEST(the_epoch_counts_starts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
