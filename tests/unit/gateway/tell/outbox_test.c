/* What a receiver is told when events are deleted before it had them: nothing is left out in silence. */
#include "gateway/tell/outbox.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/gateway/store/fixture.h"

struct rig {
	struct fixture *f;
	struct store_reader *reader;
	struct outbox outbox;
	struct gf_time now;
	int64_t step_ms; /* between two looks */
};

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	void *f = NULL;

	assert_int_equal(fixture_setup(&f), 0);
	r->f = f;
	assert_int_equal(store_reader_open(r->f->path, &r->reader, NULL), 0);
	r->step_ms = 1000;
	r->now = (struct gf_time){.mono_ms = 1000, .wall_ms = NOON};
	r->outbox = (struct outbox){.store = r->f->store, .reader = r->reader, .receiver = "test"};
	for (int i = 0; i < 20; i++)
		assert_int_equal(store_tell_note(r->f->store, "maker", "something", NOON, NULL), 0);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;
	void *f = r->f;

	store_reader_close(r->reader);
	assert_int_equal(fixture_teardown(&f), 0);
	free(r);
	return 0;
}

static void delete_up_to(struct rig *r, int id)
{
	char text[64];
	sqlite3 *db = NULL;

	(void)snprintf(text, sizeof(text), "DELETE FROM events WHERE id <= %d", id);
	assert_int_equal(sqlite3_open(r->f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_busy_timeout(db, 10000), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* The next message, which there must be within two looks, without its body. */
static struct outbox_message next(struct rig *r)
{
	struct outbox_message m = {0};
	int64_t due_ms = 0;
	int result;

	for (int look = 0; look < 2; look++) {
		r->now.mono_ms += r->step_ms;
		result = outbox_next(&r->outbox, r->now, &m, &due_ms, NULL);
		if (result == 0)
			break;
	}
	assert_int_equal(result, 0);
	struct outbox_message copy = m;
	outbox_message_deinit(&m);
	copy.body = NULL;
	return copy;
}

static void gets_one_the_missed_and_a_sum(struct rig *r, void (*meanwhile)(struct outbox *o))
{
	struct outbox_message m = next(r);

	assert_int_equal(m.told, 1);
	assert_int_equal(m.to, 1);
	delete_up_to(r, 12);
	if (meanwhile != NULL)
		meanwhile(&r->outbox);
	m = next(r);
	assert_int_equal(m.missed, 11);
	assert_int_equal(m.from, 2);
	assert_int_equal(m.to, 12);
	r->step_ms = 1000;
	m = next(r);
	assert_int_equal(m.summed, 8);
	assert_int_equal(m.from, 13);
	assert_int_equal(m.to, 20);
}

static void what_is_deleted_while_it_waits_is_missed_not_forgotten(void **state)
{
	struct rig *r = *state;

	flood_init(&r->outbox.flood, 1000, 1000, 1000, r->now.mono_ms);
	gets_one_the_missed_and_a_sum(r, outbox_behind);
}

static void what_is_deleted_before_it_is_summed_up_is_missed_not_forgotten(void **state)
{
	struct rig *r = *state;

	/* A message a second, two in a row. */
	flood_init(&r->outbox.flood, 1, 1000, 2, r->now.mono_ms);
	r->step_ms = 1;
	gets_one_the_missed_and_a_sum(r, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_deleted_while_it_waits_is_missed_not_forgotten),
	    TEST(what_is_deleted_before_it_is_summed_up_is_missed_not_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
