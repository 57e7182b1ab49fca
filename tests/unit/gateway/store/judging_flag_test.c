/* Flags, and what they hold: all of it in the transaction that it belongs to. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/store/sqlite/writer.h"
#include "tests/unit/gateway/store/judging_rig.h"

/* ---- flags ---- */

static uint64_t save(struct fixture *f, const struct store_flag *flag, bool lock, float cap_pct, int64_t now_ms)
{
	uint64_t id = 0;

	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_int_equal(store_flag_save(f->store, flag, lock, cap_pct, true, now_ms, &id, NULL), 0);
	assert_int_equal(store_commit(f->store, NULL), 0);
	return id;
}

static int take_one(void *ctx, const struct store_flag *flag)
{
	*(struct store_flag *)ctx = *flag;
	return 0;
}

static struct store_flag flag(struct fixture *f, uint64_t id)
{
	struct store_flag got = {.id = 0};

	assert_int_equal(store_read_flags(f->reader, &(struct store_flag_query){.id = id}, take_one, &got, NULL), 0);
	assert_int_equal(got.id, id);
	return got;
}

static int join_codes(void *ctx, const struct store_event *event)
{
	char *codes = ctx;

	strcat(strcat(codes, event->code), " ");
	/* A token, as a number or as it is shown, is in no event. */
	assert_null(strstr(event->text, "abcdef"));
	assert_null(strstr(event->text, "11259375"));
	return 0;
}

static void told(struct fixture *f, const char *expected)
{
	const struct store_event_query query = {.kinds = 1U << STORE_EVENT_FLAG};
	char codes[1024] = "";

	assert_int_equal(store_read_events(f->reader, &query, join_codes, codes, NULL), 0);
	assert_string_equal(codes, expected);
}

static void a_flag_is_told_when_it_matters_to_people(void **state)
{
	struct fixture *f = *state;
	struct store_flag x = flag_of(RULE_SUBJECT_DEVICE, 1);

	send_status(f, ID, birth(1, 1, 1), false, NOON);
	x.id = save(f, &x, false, 0, NOON + 3);
	told(f, "opened ");
	x.episode.times = 2;
	x.episode.behind_count = 1;
	save(f, &x, false, 0, NOON + HOUR);
	told(f, "opened ");
	assert_int_equal(flag(f, x.id).episode.behind_count, 1);
	assert_int_equal(flag(f, x.id).late_ms, 0);
	x.episode.acted_ms = NOON + HOUR;
	x.episode.level = RULE_LEVEL_ACT;
	save(f, &x, false, 0, NOON + HOUR);
	x.episode.ended_ms = NOON + 2 * HOUR;
	x.end = STORE_FLAG_CLEARED;
	save(f, &x, false, 0, NOON + 2 * HOUR);
	save(f, &x, false, 0, NOON + 3 * HOUR);
	told(f, "opened act cleared ");
	assert_int_equal(flag(f, x.id).found_ms, NOON + 3);
	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_int_equal(store_flag_withdraw(f->store, x.id, NOON + 3 * HOUR, NULL), 0);
	assert_int_equal(store_commit(f->store, NULL), 0);
	told(f, "opened act cleared withdrawn ");
	assert_int_equal(flag(f, x.id).end, STORE_FLAG_WITHDRAWN);
}

static void no_event_names_a_person(void **state)
{
	struct fixture *f = *state;
	struct store_flag x = flag_of(RULE_SUBJECT_AREA, 0xabcdef), y = flag_of(RULE_SUBJECT_STAFF, 0xabcdef);

	x.device[0] = y.device[0] = '\0';
	x.muscle = GF_MUSCLE_QUADS;
	x.side = GF_SIDE_LEFT;
	x.id = save(f, &x, false, 0, NOON + DAY);
	save(f, &y, false, 0, NOON);
	assert_int_equal(flag(f, x.id).late_ms, DAY);
	assert_int_equal(store_flag_ack(f->store, x.id, "seen", false, &anna, NOON + DAY, NULL, NULL), 0);
	told(f, "opened opened acked ");
}

static void a_person_acknowledges_and_the_newest_word_counts(void **state)
{
	struct fixture *f = *state;
	struct store_actor ben = {"ben", "unix socket"};
	struct store_flag x = flag_of(RULE_SUBJECT_DEVICE, 1);
	struct gf_diag diag = {""};

	send_status(f, ID, birth(1, 1, 1), false, NOON);
	x.id = save(f, &x, false, 0, NOON);
	assert_int_equal(store_flag_ack(f->store, x.id + 1, "", false, &anna, NOON, NULL, &diag), -ENOENT);
	assert_non_null(strstr(diag.text, "there is no flag"));
	assert_int_equal(store_flag_ack(f->store, x.id, "cleaned it", false, &anna, NOON, NULL, NULL), 0);
	assert_int_equal(store_flag_ack(f->store, x.id, "again", false, &ben, NOON + 1, NULL, NULL), 0);
	assert_string_equal(flag(f, x.id).acked_by, "ben");
	assert_string_equal(flag(f, x.id).ack_note, "again");
	/* What is judged later leaves it. */
	x.episode.times = 3;
	save(f, &x, false, 0, NOON + HOUR);
	assert_string_equal(flag(f, x.id).acked_by, "ben");
}

static void rules_that_are_gone_end_their_flags(void **state)
{
	struct fixture *f = *state;
	static const struct store_rule_kept kept[] = {{"P2", RULE_SUBJECT_DEVICE, 1, {"faults"}},
	                                              {"D5", RULE_SUBJECT_DEVICE, 1, {"motor_h"}}};
	struct store_flag x = flag_of(RULE_SUBJECT_DEVICE, 1), y = x, z = x;
	uint64_t digest = 1;

	send_status(f, ID, birth(1, 1, 1), false, NOON);
	x.id = save(f, &x, true, 0, NOON);
	gf_strcpy(y.rule, sizeof(y.rule), "P2");
	y.id = save(f, &y, false, 0, NOON);
	/* Another metric under the id. */
	gf_strcpy(z.rule, sizeof(z.rule), "D5");
	z.id = save(f, &z, false, 40, NOON);
	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_int_equal(store_rule_digest_set(f->store, "D3", 5, NULL), 0);
	assert_int_equal(store_rule_digest_set(f->store, "P2", 6, NULL), 0);
	assert_int_equal(store_flags_keep_rules(f->store, kept, 2, NOON + 5, NULL), 0);
	assert_int_equal(store_rule_digest(f->store, "D3", &digest, NULL), 0);
	assert_int_equal(digest, 0);
	assert_int_equal(store_rule_digest(f->store, "P2", &digest, NULL), 0);
	assert_int_equal(digest, 6);
	assert_int_equal(store_commit(f->store, NULL), 0);
	assert_int_equal(flag(f, x.id).end, STORE_FLAG_RULE_GONE);
	assert_int_equal(flag(f, x.id).episode.ended_ms, NOON + 5);
	assert_int_equal(flag(f, y.id).end, STORE_FLAG_OPEN);
	assert_int_equal(flag(f, z.id).end, STORE_FLAG_RULE_GONE);
	assert_false(get_device(f, ID, NOON).desired.locked);
	assert_true(get_device(f, ID, NOON).desired.limits.intensity_max_pct == 0);
}

/* I8: the oldest that ended go; of machines the open ones stay. */
static void i8_flags_are_kept_up_to_a_number(void **state)
{
	struct fixture *f = *state;
	struct store_flag x = flag_of(RULE_SUBJECT_DEVICE, 1), y = flag_of(RULE_SUBJECT_PERSON, 7);
	bool more = true;
	struct query q;
	int64_t count = 0;

	send_status(f, ID, birth(1, 1, 1), false, NOON);
	x.id = save(f, &x, false, 0, NOON);
	y.device[0] = '\0';
	y.id = save(f, &y, false, 0, NOON);
	y.episode.ended_ms = NOON + 1;
	y.end = STORE_FLAG_CLEARED;
	y.id = 0;
	save(f, &y, false, 0, NOON);
	assert_int_equal(db_exec(&f->store->db,
	                         "DELETE FROM flag_facts WHERE flag = 3; UPDATE flags SET id = 300000 WHERE id = 3", NULL),
	                 0);
	while (more)
		assert_int_equal(store_maintain(f->store, NOON, 100, &more, NULL), 0);
	query_begin(&q, &f->store->db, "SELECT count(*) FROM flags");
	assert_int_equal(query_value(&q, 0, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_int_equal(flag(f, x.id).episode.ended_ms, 0);
}

/* ---- holds ---- */

static void a_flag_holds_its_machine_while_it_is_open(void **state)
{
	struct fixture *f = *state;
	struct store_flag x = flag_of(RULE_SUBJECT_DEVICE, 1);
	const struct gf_desired_limits limits = {.intensity_max_pct = 60};
	uint64_t revision;

	send_status(f, ID, birth(1, 1, 1), false, NOON);
	assert_int_equal(store_desired_set(f->store, ID, &limits, NULL, NULL, &anna, NOON, NULL), 0);
	x.id = save(f, &x, true, 30, NOON);
	assert_true(desired(f).locked);
	assert_non_null(strstr(desired(f).lock_reason, "flag 1 (D3): 1 stall"));
	assert_float_equal(desired(f).limits.intensity_max_pct, 30, 0.01);
	assert_true(flag(f, x.id).holds);
	revision = desired(f).revision;
	x.episode.times++;
	save(f, &x, true, 30, NOON);
	assert_int_equal(desired(f).revision, revision);
	x.episode.ended_ms = NOON + 1;
	x.end = STORE_FLAG_CLEARED;
	save(f, &x, true, 30, NOON + 1);
	assert_false(desired(f).locked);
	assert_string_equal(desired(f).lock_reason, "");
	assert_float_equal(desired(f).limits.intensity_max_pct, 60, 0.01);
	assert_false(flag(f, x.id).holds);
}

static void a_flag_that_was_over_when_found_holds_nothing(void **state)
{
	struct fixture *f = *state;
	struct store_flag x = flag_of(RULE_SUBJECT_DEVICE, 1);

	send_status(f, ID, birth(1, 1, 1), false, NOON);
	x.episode.ended_ms = NOON + HOUR;
	x.end = STORE_FLAG_CLEARED;
	save(f, &x, true, 30, NOON + DAY);
	assert_int_equal(desired(f).revision, 0);
	told(f, "opened cleared ");
}

static void the_operators_word_and_all_holds_make_the_tighter(void **state)
{
	struct fixture *f = *state;
	struct store_flag x = flag_of(RULE_SUBJECT_DEVICE, 1);
	const struct gf_desired_limits limits = {.intensity_max_pct = 20, .session_max_ms = 5000};
	const bool lock = true, unlock = false;
	struct store_desired now;

	send_status(f, ID, birth(1, 1, 1), false, NOON);
	x.id = save(f, &x, true, 30, NOON);
	assert_int_equal(store_desired_set(f->store, ID, &limits, &lock, "repainted", &anna, NOON, NULL), 0);
	assert_float_equal(desired(f).limits.intensity_max_pct, 20, 0.01);
	assert_non_null(strstr(desired(f).lock_reason, "repainted; flag 1 (D3)"));
	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_int_equal(hold_set(f->store, 1, "tag", true, "out of service: torn", 0, NOON, NULL), 0);
	assert_int_equal(store_commit(f->store, NULL), 0);
	/* Unlocking lifts what rules lock it for, caps and tags stay. */
	assert_int_equal(store_desired_set(f->store, ID, NULL, &unlock, NULL, &anna, NOON, NULL), 0);
	assert_true(desired(f).locked);
	assert_string_equal(desired(f).lock_reason, "out of service: torn");
	save(f, &x, true, 30, NOON + 1);
	assert_string_equal(desired(f).lock_reason, "out of service: torn");
	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_int_equal(hold_set(f->store, 1, "tag", false, "", 0, NOON, NULL), 0);
	assert_int_equal(store_commit(f->store, NULL), 0);
	assert_false(desired(f).locked);
	/* What the operator set is known apart from what holds. */
	assert_int_equal(store_desired_set(f->store, ID, &(struct gf_desired_limits){.intensity_max_pct = 50}, NULL, NULL,
	                                   &anna, NOON, NULL),
	                 0);
	assert_int_equal(store_read_desired_of(f->reader, ID, &now, NULL), 0);
	assert_float_equal(now.desired.limits.intensity_max_pct, 30, 0.01);
	assert_float_equal(now.own_limits.intensity_max_pct, 50, 0.01);
}

static void what_is_released_is_not_held_again_by_the_same_flag(void **state)
{
	struct fixture *f = *state;
	struct store_actor ben = {"ben", "unix socket"};
	struct store_flag x = flag_of(RULE_SUBJECT_DEVICE, 1), y;
	struct store_acked acked;

	send_status(f, ID, birth(1, 1, 1), false, NOON);
	x.id = save(f, &x, true, 30, NOON);
	assert_int_equal(store_flag_ack(f->store, x.id, "seen", false, &anna, NOON, &acked, NULL), 0);
	assert_false(acked.lifted);
	assert_int_equal(acked.before_ms, 0);
	assert_int_equal(store_flag_ack(f->store, x.id, "checked", true, &anna, NOON, &acked, NULL), 0);
	assert_true(acked.lifted);
	assert_false(desired(f).locked);
	assert_float_equal(desired(f).limits.intensity_max_pct, 0, 0.01);
	assert_int_equal(flag(f, x.id).episode.ended_ms, 0);
	save(f, &x, true, 30, NOON + 1);
	assert_false(desired(f).locked);
	/* Who comes second lifts nothing, and is told so. */
	assert_int_equal(store_flag_ack(f->store, x.id, "me too", true, &ben, NOON + 1, &acked, NULL), 0);
	assert_false(acked.lifted);
	assert_int_equal(acked.before_ms, NOON);
	assert_string_equal(acked.before_by, anna.who);
	assert_string_equal(acked.before_note, "checked");
	/* Another one does. */
	y = flag_of(RULE_SUBJECT_DEVICE, 1);
	gf_strcpy(y.rule, sizeof(y.rule), "D2");
	save(f, &y, true, 0, NOON + 2);
	assert_true(desired(f).locked);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_flag_is_told_when_it_matters_to_people),
	    TEST(no_event_names_a_person),
	    TEST(a_person_acknowledges_and_the_newest_word_counts),
	    TEST(rules_that_are_gone_end_their_flags),
	    TEST(i8_flags_are_kept_up_to_a_number),
	    TEST(a_flag_holds_its_machine_while_it_is_open),
	    TEST(a_flag_that_was_over_when_found_holds_nothing),
	    TEST(the_operators_word_and_all_holds_make_the_tighter),
	    TEST(what_is_released_is_not_held_again_by_the_same_flag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
