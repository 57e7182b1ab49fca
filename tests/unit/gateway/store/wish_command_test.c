/* I9: every command ends. And who did what stays to be read. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/gateway/store/wish_rig.h"

#define ID "chair-1"

static uint64_t command(struct fixture *f, const char *id, uint32_t within_ms, int64_t now_ms)
{
	struct gf_diag diag = {""};
	uint64_t command = 0;

	if (store_command_add(f->store, id, GF_COMMAND_STOP, within_ms, &rig_anna, now_ms, &command, &diag) != 0)
		fail_msg("%s", diag.text);
	return command;
}

static struct store_command get(struct fixture *f, uint64_t id)
{
	struct store_command c;

	assert_int_equal(store_read_command(f->reader, id, &c, NULL), 0);
	return c;
}

static void reply(struct fixture *f, const char *device, uint64_t id, enum gf_command_outcome outcome,
                  const char *detail, int64_t now_ms)
{
	struct gf_reply r = {.id = id, .outcome = outcome};

	gf_strcpy(r.detail, sizeof(r.detail), detail);
	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_int_equal(store_command_reply(f->store, device, &r, now_ms, NULL), 0);
	assert_int_equal(store_commit(f->store, NULL), 0);
}

static void a_command_is_open_until_its_reply(void **state)
{
	struct fixture *f = *state;
	struct store_command c;
	struct store_deed deed;
	uint64_t id;

	rig_machine(f, ID);
	id = command(f, ID, 10000, NOON);
	c = get(f, id);
	assert_int_equal(c.state, STORE_COMMAND_SENT);
	assert_string_equal(c.device, ID);
	assert_int_equal(c.kind, GF_COMMAND_STOP);
	assert_int_equal(c.issued_ms, NOON);
	assert_int_equal(c.deadline_ms, NOON + 10000);
	assert_false(c.published);
	reply(f, ID, id, GF_COMMAND_OUTCOME_DONE, "session 7 stopped", NOON + 300);
	c = get(f, id);
	assert_int_equal(c.state, STORE_COMMAND_DONE);
	assert_int_equal(c.ended_ms, NOON + 300);
	assert_string_equal(c.detail, "session 7 stopped");
	assert_int_equal(rig_deeds(f, "device stop", &deed), 1);
	assert_string_equal(deed.subject, ID);
	assert_string_equal(deed.detail, "within 10 s");
	assert_int_equal(rig_events(f, STORE_EVENT_COMMAND, "told to stop by anna (uid 1000), within 10 s"), 1);
	assert_int_equal(rig_events(f, STORE_EVENT_COMMAND, "stop: done, session 7 stopped"), 1);
}

static void i9_a_command_without_a_reply_expires(void **state)
{
	struct fixture *f = *state;
	uint64_t id;

	rig_machine(f, ID);
	id = command(f, ID, 10000, NOON);
	assert_int_equal(store_command_expire(f->store, NOON + 9999, NULL), 0);
	assert_int_equal(get(f, id).state, STORE_COMMAND_SENT);
	assert_int_equal(store_command_expire(f->store, NOON + 10000, NULL), 0);
	assert_int_equal(get(f, id).state, STORE_COMMAND_EXPIRED);
	assert_int_equal(get(f, id).ended_ms, NOON + 10000);
	assert_int_equal(rig_events(f, STORE_EVENT_COMMAND, "no answer in time"), 1);
	assert_int_equal(store_command_expire(f->store, NOON + 20000, NULL), 0);
	assert_int_equal(rig_events(f, STORE_EVENT_COMMAND, "no answer in time"), 1);
}

static void i9_a_clock_set_back_keeps_no_command_open(void **state)
{
	struct fixture *f = *state;
	uint64_t id;

	rig_machine(f, ID);
	id = command(f, ID, 10000, NOON);
	assert_int_equal(store_command_expire(f->store, NOON - HOUR, NULL), 0);
	assert_int_equal(get(f, id).state, STORE_COMMAND_EXPIRED);
}

static void i9_any_number_of_commands_expires(void **state)
{
	enum { MACHINES = 100, EACH = 8 };
	struct fixture *f = *state;
	uint64_t last = 0;

	for (unsigned m = 0; m < MACHINES; m++) {
		char id[GF_ID_MAX];

		snprintf(id, sizeof(id), "chair-%u", m);
		rig_machine(f, id);
		for (unsigned i = 0; i < EACH; i++) {
			uint64_t next = command(f, id, 1000, NOON);

			assert_true(next > last); /* though given at the same time */
			last = next;
		}
	}
	assert_int_equal(store_command_expire(f->store, NOON + 1000, NULL), 0);
	assert_int_equal(rig_events(f, STORE_EVENT_COMMAND, "no answer in time"), MACHINES * EACH);
}

/* Told as done though it was told late: people must know. What was answered stays answered. */
static void a_late_reply_still_tells_what_happened(void **state)
{
	struct fixture *f = *state;
	uint64_t id;

	rig_machine(f, ID);
	id = command(f, ID, 1000, NOON);
	assert_int_equal(store_command_expire(f->store, NOON + 1000, NULL), 0);
	reply(f, ID, id, GF_COMMAND_OUTCOME_EXPIRED, "too late", NOON + 1100);
	assert_string_equal(get(f, id).detail, "no answer in time");
	reply(f, ID, id, GF_COMMAND_OUTCOME_DONE, "stopped", NOON + 1200);
	assert_int_equal(get(f, id).state, STORE_COMMAND_DONE);
	reply(f, ID, id, GF_COMMAND_OUTCOME_REFUSED, "again", NOON + 1300);
	assert_int_equal(get(f, id).state, STORE_COMMAND_DONE);
	assert_string_equal(get(f, id).detail, "stopped");
}

static void i7_another_machines_reply_counts_for_nothing(void **state)
{
	struct fixture *f = *state;
	uint64_t id;

	rig_machine(f, ID);
	rig_machine(f, "chair-2");
	id = command(f, ID, 1000, NOON);
	reply(f, "chair-2", id, GF_COMMAND_OUTCOME_DONE, "", NOON);
	reply(f, "nobody", id, GF_COMMAND_OUTCOME_DONE, "", NOON);
	reply(f, ID, id + 1, GF_COMMAND_OUTCOME_DONE, "", NOON);
	assert_int_equal(get(f, id).state, STORE_COMMAND_SENT);
}

static void a_machine_that_cannot_hear_is_not_told(void **state)
{
	struct fixture *f = *state;
	struct gf_diag diag = {""};
	uint64_t id = 77;

	assert_int_equal(store_command_add(f->store, ID, GF_COMMAND_STOP, 1000, &rig_anna, NOON, &id, &diag), -ENOENT);
	rig_machine(f, ID);
	send_status(f, ID, gone(GF_PRESENCE_LOST, 1, 1), false, NOON);
	assert_int_equal(store_command_add(f->store, ID, GF_COMMAND_STOP, 1000, &rig_anna, NOON, &id, &diag),
	                 STORE_E_NOT_ALLOWED);
	assert_non_null(strstr(diag.text, "chair-1 is offline"));
	assert_int_equal(id, 77);
	assert_int_equal(rig_deeds(f, "device stop", NULL), 0);
}

static void i8_a_machine_has_a_few_open_commands_at_most(void **state)
{
	struct fixture *f = *state;
	struct gf_diag diag = {""};
	uint64_t id = 0;

	rig_machine(f, ID);
	for (size_t i = 0; i < 8; i++)
		id = command(f, ID, 1000, NOON);
	assert_int_equal(store_command_add(f->store, ID, GF_COMMAND_STOP, 1000, &rig_anna, NOON, &id, &diag),
	                 STORE_E_NOT_ALLOWED);
	reply(f, ID, id, GF_COMMAND_OUTCOME_DONE, "", NOON);
	command(f, ID, 1000, NOON);
}

static void ids_grow_though_the_database_is_lost(void **state)
{
	struct fixture *f = *state;

	rig_machine(f, ID);
	assert_true(command(f, ID, 1000, NOON) >= (uint64_t)NOON);
	assert_true(command(f, ID, 1000, NOON - HOUR) > (uint64_t)NOON);
}

/* ---- on its way ---- */

static int take_id(void *ctx, const struct store_command *command)
{
	uint64_t *ids = ctx;

	ids[++ids[0]] = command->id;
	return 0;
}

static void what_is_open_and_not_published_is_to_be_sent(void **state)
{
	struct fixture *f = *state;
	uint64_t ids[9] = {0}, first, second, third;
	uint64_t before;

	rig_machine(f, ID);
	before = store_wishes(f->store);
	first = command(f, ID, 1000, NOON);
	second = command(f, ID, 1000, NOON);
	third = command(f, ID, 1000, NOON);
	assert_int_equal(store_wishes(f->store), before + 3);
	assert_int_equal(store_command_published(f->store, second, NULL), 0);
	assert_true(get(f, second).published);
	assert_int_equal(store_read_commands_unsent(f->reader, 0, 8, take_id, ids, NULL), 0);
	assert_int_equal(ids[0], 2);
	assert_int_equal(ids[1], first);
	assert_int_equal(ids[2], third);
	ids[0] = 0;
	assert_int_equal(store_read_commands_unsent(f->reader, first, 8, take_id, ids, NULL), 0);
	assert_int_equal(ids[0], 1);
	ids[0] = 0;
	assert_int_equal(store_command_expire(f->store, NOON + 1000, NULL), 0);
	assert_int_equal(store_read_commands_unsent(f->reader, 0, 8, take_id, ids, NULL), 0);
	assert_int_equal(ids[0], 0);
}

/* ---- deeds ---- */

static int take_deed(void *ctx, const struct store_deed *deed)
{
	uint64_t *ids = ctx;

	ids[++ids[0]] = deed->id;
	return ids[0] == 2;
}

static void deeds_are_read_newest_first_in_pages(void **state)
{
	struct fixture *f = *state;
	uint64_t ids[9] = {0};

	assert_int_equal(store_begin(f->store, NULL), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(
		    store_deed_add(f->store, &rig_anna, "rollout start", "percussion@8", "all", NOON + i * HOUR, NULL), 0);
	assert_int_equal(store_commit(f->store, NULL), 0);
	assert_int_equal(store_read_deeds(f->reader, 0, 0, take_deed, ids, NULL), 1);
	assert_true(ids[1] > ids[2]);
	ids[0] = 0;
	assert_int_equal(store_read_deeds(f->reader, ids[2], 0, take_deed, ids, NULL), 1);
	assert_true(ids[1] < ids[2] + 2);
	ids[0] = 0;
	assert_int_equal(store_read_deeds(f->reader, 0, NOON + 4 * HOUR, take_deed, ids, NULL), 0);
	assert_int_equal(ids[0], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_command_is_open_until_its_reply),         TEST(i9_a_command_without_a_reply_expires),
	    TEST(i9_a_clock_set_back_keeps_no_command_open), TEST(i9_any_number_of_commands_expires),
	    TEST(a_late_reply_still_tells_what_happened),    TEST(i7_another_machines_reply_counts_for_nothing),
	    TEST(a_machine_that_cannot_hear_is_not_told),    TEST(i8_a_machine_has_a_few_open_commands_at_most),
	    TEST(ids_grow_though_the_database_is_lost),      TEST(what_is_open_and_not_published_is_to_be_sent),
	    TEST(deeds_are_read_newest_first_in_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
