/*
 * What goes wrong: the process dies, the disk is full, another process has the lock, the file is damaged, of another
 * version, or not there. Nothing that was acked is ever missing (I2), and each failure has a sentence for a person.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/store/sqlite/schema.h"
#include "gateway/store/sqlite/writer.h"
#include "tests/unit/gateway/store/fixture.h"

#define ID "chair-1"

static int try_open(struct fixture *f, struct gf_diag *diag)
{
	struct store_options options = {.path = f->path, .busy_timeout_ms = 1};

	return store_open(&options, &f->store, diag);
}

/* ---- death ---- */

/* In a child: one session, committed or not, then gone without a word. */
static void die_with_a_session(struct fixture *f, bool commit)
{
	struct gf_record r = session(1, 1, NOON);
	struct gf_report report = {stream_id(1), 1, 1, &r};
	struct gf_ack ack;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (try_open(f, NULL) || store_begin(f->store, NULL) ||
		    store_apply_report(f->store, ID, &report, NULL, NOON, &ack, NULL) ||
		    (commit && store_commit(f->store, NULL)))
			_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void i2_death_before_the_commit_leaves_nothing(void **state)
{
	struct fixture *f = *state;

	fixture_close(f);
	die_with_a_session(f, false);
	fixture_reopen(f);
	assert_int_equal(count_sessions(f, NULL), 0);
}

static void i2_death_after_the_commit_loses_nothing(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = session(1, 1, NOON);

	fixture_close(f);
	die_with_a_session(f, true);
	fixture_reopen(f);
	assert_int_equal(count_sessions(f, NULL), 1);
	assert_int_equal(send_report(f, ID, 1, &r, 1, NOON).through_seq, 1);
	assert_int_equal(count_sessions(f, NULL), 1);
}

/* In a child: commits session after session, and tells each ack through the pipe as a gateway would to the machine. */
static void commit_for_ever(struct fixture *f, uint64_t from, int pipe_fd)
{
	if (try_open(f, NULL))
		_exit(1);
	for (uint64_t seq = from;; seq++) {
		struct gf_record r = session(seq, seq, NOON);
		struct gf_report report = {stream_id(1), seq, 1, &r};
		struct gf_ack ack;

		if (store_begin(f->store, NULL) || store_apply_report(f->store, ID, &report, NULL, NOON, &ack, NULL) ||
		    store_commit(f->store, NULL) ||
		    write(pipe_fd, &ack.through_seq, sizeof(ack.through_seq)) != sizeof(ack.through_seq))
			_exit(1);
	}
}

static void i2_what_was_acked_survives_a_kill_at_any_moment(void **state)
{
	struct fixture *f = *state;
	uint64_t acked = 0;

	for (int round = 0; round < 6; round++) {
		uint64_t stored;

		acked = fixture_kill(f, commit_for_ever, acked + 1, 5 + round);
		stored = get_device(f, ID, NOON).acked_seq;
		assert_true(stored >= acked);
		assert_int_equal(count_sessions(f, ID), stored);
		assert_int_equal(store_read_integrity(f->reader, NULL), 0);
		acked = stored;
	}
}

/* ---- disk ---- */

/* Commits sessions from `seq` on until the store refuses; returns the error, and the first seq not stored. */
static int fill(struct fixture *f, uint64_t *seq, struct gf_diag *diag)
{
	int r = 0;

	while (!r && *seq < 100000) {
		struct gf_record rec = session(*seq, *seq, NOON);
		struct gf_report report = {stream_id(1), *seq, 1, &rec};
		struct gf_ack ack;

		r = store_begin(f->store, diag);
		if (r)
			return r;
		r = store_apply_report(f->store, ID, &report, NULL, NOON, &ack, diag);
		if (r)
			store_rollback(f->store);
		else
			r = store_commit(f->store, diag);
		if (!r)
			++*seq;
	}
	return r;
}

static void i2_a_full_disk_acks_nothing_and_heals(void **state)
{
	struct fixture *f = *state;
	struct gf_diag diag = {""};
	struct gf_record next;
	uint64_t seq = 1;
	int r;

	fixture_room(1 << 20);
	r = fill(f, &seq, &diag);
	fixture_room(0);
	assert_int_equal(r, -ENOSPC);
	assert_non_null(strstr(diag.text, "no space left"));
	assert_true(seq > 1);
	assert_int_equal(get_device(f, ID, NOON).acked_seq, seq - 1);
	assert_int_equal(count_sessions(f, ID), seq - 1);
	next = session(seq, seq, NOON);
	assert_int_equal(send_report(f, ID, 1, &next, 1, NOON).through_seq, seq);
	assert_int_equal(store_read_integrity(f->reader, NULL), 0);
}

static void i2_after_a_failure_of_the_disk_the_file_is_opened_anew(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {session(1, 1, NOON), session(2, 2, NOON)};
	struct stat wal;
	char path[128];

	snprintf(path, sizeof(path), "%s-wal", f->path);
	send_report(f, ID, 1, rs, 1, NOON);
	assert_int_equal(stat(path, &wal), 0);
	assert_true(wal.st_size > 0);
	/* As store_commit marks it when an fsync failed. */
	f->store->suspect = true;
	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_false(f->store->suspect);
	store_rollback(f->store);
	assert_int_equal(stat(path, &wal), 0);
	assert_int_equal(wal.st_size, 0);
	assert_int_equal(send_report(f, ID, 1, rs, 2, NOON).through_seq, 2);
	assert_int_equal(count_sessions(f, ID), 2);
}

static void i2_a_file_that_stays_away_acks_nothing(void **state)
{
	struct fixture *f = *state;
	struct gf_diag diag = {""};
	char away[128];

	snprintf(away, sizeof(away), "%s.away", f->path);
	assert_int_equal(rename(f->path, away), 0);
	assert_int_equal(mkdir(f->path, 0700), 0);
	f->store->suspect = true;
	assert_true(store_begin(f->store, &diag) != 0);
	assert_non_null(strstr(diag.text, "cannot open the database"));
	assert_int_equal(rmdir(f->path), 0);
	assert_int_equal(rename(away, f->path), 0);
	assert_int_equal(store_begin(f->store, &diag), 0);
	assert_int_equal(store_commit(f->store, &diag), 0);
}

static void a_missing_folder_is_named(void **state)
{
	struct store_options options = {.path = "/nonexistent/fleet.db"};
	struct gf_diag diag = {""};
	struct store *store;

	(void)state;
	assert_int_equal(store_open(&options, &store, &diag), -ENOENT);
	assert_non_null(strstr(diag.text, "'/nonexistent/fleet.db'"));
	assert_non_null(strstr(diag.text, "check that the folder exists"));
}

/* ---- locks ---- */

static void a_locked_database_is_named(void **state)
{
	struct fixture *f = *state;
	struct gf_diag diag = {""};
	sqlite3 *other;

	assert_int_equal(sqlite3_open(f->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(store_begin(f->store, &diag), -EBUSY);
	assert_non_null(strstr(diag.text, "locked by another process"));
	/* Readers don't mind. */
	assert_int_equal(count_sessions(f, NULL), 0);
	sqlite3_close(other);
	assert_int_equal(store_begin(f->store, &diag), 0);
	assert_int_equal(store_commit(f->store, &diag), 0);
}

static void readers_see_only_what_is_committed(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = session(1, 1, NOON);
	struct gf_report report = {stream_id(1), 1, 1, &r};
	struct gf_ack ack;

	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_int_equal(store_apply_report(f->store, ID, &report, NULL, NOON, &ack, NULL), 0);
	assert_int_equal(count_sessions(f, NULL), 0);
	assert_int_equal(store_commit(f->store, NULL), 0);
	assert_int_equal(count_sessions(f, NULL), 1);
}

/* ---- damage ---- */

static void damage(const char *path, off_t at, size_t len)
{
	unsigned char junk[4096];
	int fd = open(path, O_WRONLY);

	memset(junk, 0xa5, sizeof(junk));
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, junk, len, at), len);
	close(fd);
}

static void a_file_that_is_no_database_is_refused(void **state)
{
	struct fixture *f = *state;
	struct gf_diag diag = {""};

	fixture_close(f);
	damage(f->path, 0, 100);
	assert_int_equal(try_open(f, &diag), STORE_E_CORRUPT);
	assert_non_null(strstr(diag.text, "is damaged"));
	assert_non_null(strstr(diag.text, "gymfleet doctor"));
	assert_non_null(strstr(diag.text, "restore"));
	assert_int_equal(store_reader_open(f->path, &f->reader, &diag), STORE_E_CORRUPT);
}

static void damage_within_is_found_by_the_integrity_check(void **state)
{
	struct fixture *f = *state;
	struct gf_diag diag = {""};
	uint64_t seq = 1;

	while (seq <= 50) {
		struct gf_record r = session(seq, seq, NOON);

		send_report(f, ID, 1, &r, 1, NOON);
		seq++;
	}
	assert_int_equal(store_read_integrity(f->reader, &diag), 0);
	fixture_close(f);
	for (off_t page = 2; page < 30; page++)
		damage(f->path, page * 4096, 512);
	assert_int_equal(store_reader_open(f->path, &f->reader, &diag), 0);
	assert_int_equal(store_read_integrity(f->reader, &diag), STORE_E_CORRUPT);
	assert_non_null(strstr(diag.text, "damaged"));
}

/* ---- versions ---- */

static void exec_file(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void a_newer_schema_is_refused(void **state)
{
	struct fixture *f = *state;
	struct gf_diag diag = {""};

	fixture_close(f);
	exec_file(f->path, "PRAGMA user_version = 999");
	assert_int_equal(try_open(f, &diag), STORE_E_NEWER);
	assert_non_null(strstr(diag.text, "has schema 999"));
	assert_non_null(strstr(diag.text, "upgrade this gateway"));
	assert_int_equal(store_reader_open(f->path, &f->reader, &diag), STORE_E_NEWER);
}

static void every_older_version_is_brought_up_with_its_data(void **state)
{
	struct fixture *f = *state;

	for (unsigned version = 1; version <= schema_version; version++) {
		struct gf_record r = heartbeat(1, NOON, 40);
		struct db old;

		fixture_close(f);
		assert_int_equal(unlink(f->path), 0);
		assert_int_equal(db_open(&old, f->path, DB_WRITER, 1, NULL), 0);
		assert_int_equal(schema_migrate(&old, version, NULL), 0);
		assert_int_equal(db_exec(&old,
		                         "INSERT INTO devices (id, first_seen_ms, last_seen_ms, model)"
		                         " VALUES ('chair-1', 1, 2, 'old one')",
		                         NULL),
		                 0);
		db_close(&old);
		fixture_reopen(f);
		assert_string_equal(get_device(f, ID, NOON).model, "old one");
		assert_int_equal(send_report(f, ID, 1, &r, 1, NOON).through_seq, 1);
		assert_true(get_device(f, ID, NOON).has_heartbeat);
	}
}

static void stats_tell_what_doctor_asks(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = session(1, 1, NOON);
	struct store_stats stats;

	send_report(f, ID, 1, &r, 1, NOON);
	assert_int_equal(store_read_stats(f->reader, &stats, NULL), 0);
	assert_int_equal(stats.schema_version, schema_version);
	assert_int_equal(stats.devices, 1);
	assert_int_equal(stats.sessions, 1);
	assert_true(stats.db_bytes + stats.wal_bytes > 0);
	assert_int_equal(stats.quarantined, 0);
	assert_int_equal(stats.events_last, store_last_event(f->store));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(i2_death_before_the_commit_leaves_nothing),
	    TEST(i2_death_after_the_commit_loses_nothing),
	    TEST(i2_what_was_acked_survives_a_kill_at_any_moment),
	    TEST(i2_a_full_disk_acks_nothing_and_heals),
	    TEST(i2_after_a_failure_of_the_disk_the_file_is_opened_anew),
	    TEST(i2_a_file_that_stays_away_acks_nothing),
	    TEST(a_missing_folder_is_named),
	    TEST(a_locked_database_is_named),
	    TEST(readers_see_only_what_is_committed),
	    TEST(a_file_that_is_no_database_is_refused),
	    TEST(damage_within_is_found_by_the_integrity_check),
	    TEST(a_newer_schema_is_refused),
	    TEST(every_older_version_is_brought_up_with_its_data),
	    TEST(stats_tell_what_doctor_asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
