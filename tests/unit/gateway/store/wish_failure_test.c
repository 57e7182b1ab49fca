/*
 * What goes wrong around what is wanted: the disk fills in the middle of a change, the process dies, the database is of the version
 * before. A change is there with its deed and its revision, or not at all; a revision that was told is never given twice.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/store/sqlite/schema.h"
#include "gateway/store/sqlite/writer.h"
#include "tests/unit/gateway/store/wish_rig.h"

#define ID "chair-1"

static const bool yes = true;

static int count_catalog(void *ctx, const struct store_catalog *catalog)
{
	*(uint64_t *)ctx += catalog->size == 200 * 1024;
	return 0;
}

static uint64_t count_catalogs(struct fixture *f)
{
	uint64_t count = 0;

	assert_int_equal(store_read_catalogs(f->reader, count_catalog, &count, NULL), 0);
	return count;
}

static void a_full_disk_leaves_no_half_catalog(void **state)
{
	struct fixture *f = *state;
	struct gf_diag diag = {""};
	uint64_t version = 0;
	bool known;
	int r;

	fixture_room(3 << 20);
	do {
		version++;
		r = rig_publish(f, (uint8_t)version, version, (size_t)200 * 1024, &known, &diag);
	} while (r == 0 && version < 200);
	fixture_room(0);
	assert_int_equal(r, -ENOSPC);
	assert_non_null(strstr(diag.text, "no space left"));
	assert_true(version > 2);
	assert_int_equal(count_catalogs(f), version - 1);
	assert_int_equal(rig_deeds(f, "catalog publish", NULL), version - 1);
	/* There is room again: the same one goes in. */
	assert_int_equal(rig_publish(f, (uint8_t)version, version, (size_t)200 * 1024, &known, &diag), 0);
	assert_false(known);
	assert_int_equal(store_read_integrity(f->reader, NULL), 0);
}

static void a_full_disk_leaves_revision_and_deed_together(void **state)
{
	struct fixture *f = *state;
	struct gf_diag diag = {""};
	uint64_t done = 0, wishes;
	int r = 0;

	rig_machine(f, ID);
	fixture_room(1 << 20);
	while (r == 0 && done < 100000) {
		wishes = store_wishes(f->store);
		r = store_desired_set(f->store, ID, NULL, &yes, "a reason of some length that fills the disk", &rig_anna, NOON,
		                      &diag);
		done += r == 0;
	}
	fixture_room(0);
	assert_int_equal(r, -ENOSPC);
	assert_int_equal(store_wishes(f->store), wishes);
	assert_int_equal(rig_desired(f, ID).desired.revision, done);
	assert_int_equal(rig_deeds(f, "device lock", NULL), done);
	assert_int_equal(store_desired_set(f->store, ID, NULL, &yes, "", &rig_anna, NOON, &diag), 0);
	assert_int_equal(rig_desired(f, ID).desired.revision, done + 1);
}

/* In a child: desires for ever, and tells each revision through the pipe once it is committed, as a gateway would to the machine. */
static void desire_for_ever(struct fixture *f, uint64_t from, int pipe_fd)
{
	struct store_options options = {.path = f->path, .busy_timeout_ms = 1000};
	struct gf_desired_catalog wanted = rig_wanted(7, 8);

	(void)from;
	if (store_open(&options, &f->store, NULL))
		_exit(1);
	for (;;) {
		uint64_t revision;

		if (store_begin(f->store, NULL) || store_desired_catalog(f->store, 1, &wanted, NOON, &revision, NULL) ||
		    store_deed_add(f->store, &rig_anna, "wish", ID, "", NOON, NULL) || store_commit(f->store, NULL) ||
		    write(pipe_fd, &revision, sizeof(revision)) != sizeof(revision))
			_exit(1);
	}
}

static void a_revision_that_was_told_is_never_given_twice(void **state)
{
	struct fixture *f = *state;
	uint64_t told = 0;

	rig_machine(f, ID);
	assert_int_equal(rig_desired(f, ID).key, 1);
	for (int round = 0; round < 6; round++) {
		uint64_t before = told, revision;

		told = fixture_kill(f, desire_for_ever, told, 4 + round);
		assert_true(told > before);
		revision = rig_desired(f, ID).desired.revision;
		assert_in_range(revision, told, told + 1); /* committed, and not told any more */
		assert_int_equal(rig_deeds(f, "wish", NULL), revision);
		told = revision;
	}
}

/* ---- the version before ---- */

static void the_version_before_is_brought_up_with_its_data(void **state)
{
	struct fixture *f = *state;
	struct gf_status st = birth(2, 1, 1);
	struct store_device d;
	bool known;
	struct db old;

	fixture_close(f);
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(db_open(&old, f->path, DB_WRITER, 1, NULL), 0);
	assert_int_equal(schema_migrate(&old, 5, NULL), 0);
	assert_int_equal(
	    db_exec(
	        &old,
	        "INSERT INTO devices (id, first_seen_ms, last_seen_ms, catalog, catalog_version, born, boot, connection)"
	        " VALUES ('chair-1', 1, 2, 'percussion', 7, 1, 1, 1);"
	        "INSERT INTO catalog_changes (device, stream, seq, at_ms, catalog, version, previous_version)"
	        " VALUES (1, 1, 1, 5, 'percussion', 7, 6);"
	        "INSERT INTO events (at_ms, kind, device, text, ref, code) VALUES (1, 5, 'chair-1', 'old', 7, '')",
	        NULL),
	    0);
	db_close(&old);
	fixture_reopen(f);
	d = get_device(f, ID, NOON);
	assert_string_equal(d.catalog, "percussion");
	assert_int_equal(d.catalog_version, 7);
	assert_int_equal(d.catalog_digest.bytes[0], 0);
	assert_false(d.catalog_on_trial);
	assert_int_equal(d.desired.revision, 0);
	assert_int_equal(rig_events(f, STORE_EVENT_CATALOG, "old"), 1);
	assert_int_equal(rig_publish(f, 9, 9, 100, &known, NULL), 0);
	assert_int_equal(rig_desire(f, ID, 9, 9), 1);
	st.catalog_digest = rig_digest(6);
	send_status(f, ID, st, false, NOON);
	assert_int_equal(get_device(f, ID, NOON).catalog_digest.bytes[0], 6);
	rig_send(f, ID, rig_answer(1, 1, GF_DESIRED_STEP_WAITING, 9));
	assert_int_equal(rig_desired(f, ID).answer.step, GF_DESIRED_STEP_WAITING);
	assert_int_equal(store_read_integrity(f->reader, NULL), 0);
}

/* ---- what is kept of it ---- */

static void i8_old_commands_and_deeds_go(void **state)
{
	struct fixture *f = *state;
	bool more = true;

	rig_machine(f, ID);
	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_int_equal(db_exec(&f->store->db,
	                         "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100500)"
	                         " INSERT INTO deeds (id, at_ms, who, origin, action, subject, detail)"
	                         " SELECT i, i, '', '', 'wish', '', '' FROM n;"
	                         "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10500)"
	                         " INSERT INTO commands (id, device, kind, state, issued_ms, deadline_ms)"
	                         " SELECT i * 1000, 1, 1, i > 3, 1, 2 FROM n",
	                         NULL),
	                 0);
	assert_int_equal(store_commit(f->store, NULL), 0);
	for (int i = 0; i < 20 && more; i++)
		assert_int_equal(store_maintain(f->store, NOON, 200, &more, NULL), 0);
	assert_false(more);
	assert_int_equal(rig_deeds(f, "wish", NULL), STORE_DEEDS_KEPT);
	for (uint64_t i = 1; i <= 10500; i++) {
		struct store_command c;
		/* An open one stays until it has ended. */
		int r = i <= 3 || i > 500 ? 0 : -ENOENT;

		assert_int_equal(store_read_command(f->reader, i * 1000, &c, NULL), r);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_full_disk_leaves_no_half_catalog),
	    TEST(a_full_disk_leaves_revision_and_deed_together),
	    TEST(a_revision_that_was_told_is_never_given_twice),
	    TEST(the_version_before_is_brought_up_with_its_data),
	    TEST(i8_old_commands_and_deeds_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
