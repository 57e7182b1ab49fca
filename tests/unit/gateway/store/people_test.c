/* People: tokens are forgotten after their time, and at once when somebody asks; nothing of them stays in any file. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/store/cases.h"
#include "gateway/store/sqlite/reader.h"
#include "gateway/store/sqlite/writer.h"
#include "proto/base/now.h"
#include "tests/unit/gateway/store/fixture.h"

#define ID "chair-1"

static const uint64_t token = UINT64_C(0xa1b2c3d4e5f60718), other = UINT64_C(0x1122334455667788);
static const struct store_actor anna = {"anna (uid 1000)", "unix socket"};

static struct gf_record session_of(uint64_t seq, uint64_t no, int64_t ended_ms, uint64_t subject, uint64_t staff)
{
	struct gf_record r = session(seq, no, ended_ms);

	r.session_ended.start.subject_token = subject;
	r.session_ended.start.staff_token = staff;
	return r;
}

static int64_t with_token(struct fixture *f)
{
	return number_of(f, "SELECT count(*) FROM sessions WHERE subject_token <> 0 OR staff_token <> 0");
}

static void run(struct fixture *f, const char *sql)
{
	struct gf_diag diag = {""};

	assert_int_equal(db_exec(&f->store->db, sql, &diag), 0);
}

/* ---- bytes ---- */

static bool has(const unsigned char *buf, size_t len, const void *what, size_t what_len)
{
	return memmem(buf, len, what, what_len) != NULL;
}

/* The token's bytes in either order, or its sixteen digits in either case. */
static bool file_has(const char *path, uint64_t wanted)
{
	unsigned char big[8], little[8], *buf;
	char lower[17], upper[17];
	bool found;
	struct stat st;
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return false;
	for (int i = 0; i < 8; i++)
		big[7 - i] = little[i] = (unsigned char)(wanted >> 8 * i);
	snprintf(lower, sizeof(lower), "%016llx", (unsigned long long)wanted);
	snprintf(upper, sizeof(upper), "%016llX", (unsigned long long)wanted);
	assert_int_equal(fstat(fd, &st), 0);
	buf = malloc((size_t)st.st_size + 1);
	assert_non_null(buf);
	assert_int_equal(read(fd, buf, (size_t)st.st_size), st.st_size);
	close(fd);
	found = has(buf, (size_t)st.st_size, big, 8) || has(buf, (size_t)st.st_size, little, 8) ||
	        has(buf, (size_t)st.st_size, lower, 16) || has(buf, (size_t)st.st_size, upper, 16);
	free(buf);
	return found;
}

/* In a backup made now. */
static bool backup_has(struct fixture *f, uint64_t wanted)
{
	char backup[128], sql[256];
	bool found;

	snprintf(backup, sizeof(backup), "%s-backup", f->path);
	snprintf(sql, sizeof(sql), "VACUUM INTO '%s'", backup);
	run(f, sql);
	found = file_has(backup, wanted);
	unlink(backup);
	return found;
}

/* In the database, its log, or a backup. */
static bool anywhere(struct fixture *f, uint64_t wanted)
{
	char wal[128];

	snprintf(wal, sizeof(wal), "%s-wal", f->path);
	return backup_has(f, wanted) || file_has(f->path, wanted) || file_has(wal, wanted);
}

/* ---- erasing ---- */

/* Many machines take turns, so that the tables' pages are split again and again. */
static void fill(struct fixture *f, uint64_t sessions, uint64_t subject)
{
	for (uint64_t no = 1; no <= sessions; no++)
		for (int machine = 0; machine < 12; machine++) {
			char id[32];
			struct gf_record r =
			    session_of(no, no, NOON + (int64_t)no * 3 * MINUTE, no % 3 ? subject : other, no % 5 ? 0 : subject);

			r.session_ended.outcome = (enum gf_outcome)(1 + no % 6);
			snprintf(id, sizeof(id), "chair-%d", machine);
			send_report(f, id, 1, &r, 1, NOON + DAY);
		}
}

static void add_flags(struct fixture *f)
{
	char sql[1024];

	snprintf(sql, sizeof(sql),
	         "INSERT INTO flags (id, rule, kind, key, opened_ms, last_ms, level, title, text, advice, metric, found_ms)"
	         " VALUES (1, 'P4', 1, %lld, 5, 5, 0, '', '', '', '', 5), (2, 'P2', 2, %lld, 5, 5, 0, '', '', '', '', 5),"
	         " (3, 'P9', 3, %lld, 5, 5, 0, '', '', '', '', 5), (4, 'P4', 1, %lld, 5, 5, 0, '', '', '', '', 5),"
	         " (5, 'D6', 0, 1, 5, 5, 0, '', '', '', '', 5);"
	         "INSERT INTO flag_facts VALUES (1, 0, 0, 1, 1), (4, 0, 0, 1, 1);"
	         "INSERT INTO events (at_ms, kind, device, text, ref, code) VALUES (5, 10, '', 'a flag', 1, 'opened'),"
	         " (5, 10, '', 'a flag', 4, 'opened'), (5, 2, '', 'a fault', 1, 'stall');"
	         "INSERT INTO judge VALUES (1, %lld, 5, 5, 5), (3, %lld, 5, 5, 5), (1, %lld, 5, 5, 5)",
	         (long long)token, (long long)token, (long long)token, (long long)other, (long long)token, (long long)token,
	         (long long)other);
	run(f, sql);
}

static void quarantine(struct fixture *f, uint64_t with, int64_t at_ms)
{
	unsigned char bytes[64];

	memset(bytes, 7, sizeof(bytes));
	bytes[20] = 6 << 3 | 1;
	for (int i = 0; i < 8; i++)
		bytes[21 + i] = (unsigned char)(with >> 8 * i);
	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_int_equal(store_quarantine(f->store, ID, "report", "cut off", bytes, sizeof(bytes), at_ms, NULL), 0);
	assert_int_equal(store_commit(f->store, NULL), 0);
}

static void what_is_erased_is_in_no_file(void **state)
{
	struct fixture *f = *state;
	struct gf_record running = started(121, 121, NOON + 8 * HOUR);
	struct store_erased erased;
	struct gf_diag diag = {""};

	running.session_started.subject_token = token;
	fill(f, 120, token);
	send_report(f, ID, 1, &running, 1, NOON + DAY);
	add_flags(f);
	quarantine(f, token, NOON);
	quarantine(f, other, NOON);
	assert_true(anywhere(f, token));
	assert_int_equal(store_subject_erase(f->store, token, &anna, NOON + DAY, &erased, &diag), 0);
	/* Of 120 two thirds as a person, of the others those as staff whose number 5 divides; and the running one. */
	assert_int_equal(erased.sessions, 12 * (80 + 8) + 1);
	assert_int_equal(erased.flags, 3);
	assert_int_equal(erased.events, 1);
	assert_int_equal(erased.quarantined, 1);
	assert_false(anywhere(f, token));
	assert_true(anywhere(f, other));
	assert_int_equal(number_of(f, "SELECT count(*) FROM flags"), 2);
	assert_int_equal(number_of(f, "SELECT count(*) FROM flag_facts"), 1);
	assert_int_equal(number_of(f, "SELECT count(*) FROM events WHERE kind = 10"), 1);
	assert_int_equal(number_of(f, "SELECT count(*) FROM judge WHERE kind IN (1, 3)"), 1);
	assert_int_equal(number_of(f, "SELECT count(*) FROM quarantine"), 1);
	assert_int_equal(number_of(f, "SELECT count(*) FROM sessions"), 12 * 120 + 1);
	assert_int_equal(store_read_integrity(f->reader, NULL), 0);
	/* Nothing is left to erase. */
	assert_int_equal(store_subject_erase(f->store, token, &anna, NOON + DAY, &erased, &diag), 0);
	assert_int_equal(erased.sessions + erased.flags + erased.events + erased.quarantined, 0);
}

static void what_people_wrote_of_somebody_is_erased_and_the_rest_of_it_stays(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = session_of(1, 1, NOON, token, 0);
	struct store_tag tag = {.reason = "torn by A1B2c3d4e5f60718"};
	const bool lock = true;
	struct store_erased erased;
	uint64_t id = 0;

	send_report(f, ID, 1, &r, 1, NOON);
	assert_int_equal(
	    store_case_report(f->store, ID, "torn by a1b2c3d4e5f60718, again a1b2c3d4e5f60718", &anna, NOON, &id, NULL), 0);
	assert_int_equal(store_case_ack(f->store, id, "A1B2C3D4E5F60718 pays", &anna, NOON, NULL, NULL), 0);
	tag.case_id = id;
	assert_int_equal(store_tag_set(f->store, ID, &tag, &anna, NOON, NULL, NULL), 0);
	assert_int_equal(store_service_add(f->store, ID, FACT_PART_COVER, "after a1b2c3d4e5f60718", &anna, NOON, NULL), 0);
	assert_int_equal(store_desired_set(f->store, ID, NULL, &lock, "a1b2c3d4e5f60718", &anna, NOON, NULL), 0);
	assert_int_equal(store_subject_erase(f->store, token, &anna, NOON, &erased, NULL), 0);
	assert_false(anywhere(f, token));
	assert_int_equal(number_of(f, "SELECT count(*) FROM cases WHERE detail = 'torn by (erased), again (erased)' AND "
	                              "ack_note = '(erased) pays'"),
	                 1);
	assert_int_equal(number_of(f, "SELECT count(*) FROM tags WHERE reason = 'torn by (erased)'"), 1);
	assert_int_equal(number_of(f, "SELECT count(*) FROM services WHERE note = 'after (erased)'"), 1);
	assert_int_equal(number_of(f, "SELECT count(*) FROM desired WHERE own_lock_reason = '(erased)'"), 1);
	assert_int_equal(number_of(f, "SELECT count(*) FROM holds WHERE reason = 'out of service: torn by (erased)'"), 1);
	assert_int_equal(number_of(f, "SELECT count(*) FROM events WHERE text LIKE '%(erased)%'"), 5);
	assert_int_equal(number_of(f, "SELECT count(*) FROM deeds WHERE detail LIKE '%(erased)%'"), 5);
}

/* Machines are named by people, and say of faults what they like. */
static void names_and_details_forget_somebody_too(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = fault(1, 1, GF_FAULT_STALL, GF_SEVERITY_STOP, NOON);
	const char words[] = "of a1b2c3d4e5f60718";
	const struct store_device_change change = {.name = words, .zone = words, .bay = words};
	struct store_erased erased;

	gf_strcpy(r.fault_raised.detail, sizeof(r.fault_raised.detail), words);
	send_report(f, ID, 1, &r, 1, NOON);
	assert_int_equal(store_device_set(f->store, ID, &change, &anna, NOON, NULL), 0);
	assert_int_equal(store_subject_erase(f->store, token, &anna, NOON, &erased, NULL), 0);
	assert_false(anywhere(f, token));
	assert_int_equal(number_of(f, "SELECT count(*) FROM devices WHERE name_set = 'of (erased)'"), 1);
}

static int take_deed(void *ctx, const struct store_deed *deed)
{
	*(struct store_deed *)ctx = *deed;
	return 1;
}

static void the_audit_log_says_that_somebody_was_erased_and_not_who(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = session_of(1, 1, NOON, token, 0);
	struct store_erased erased;
	struct store_deed deed;

	send_report(f, ID, 1, &r, 1, NOON);
	assert_int_equal(store_subject_erase(f->store, token, &anna, NOON, &erased, NULL), 0);
	assert_int_equal(store_read_deeds(f->reader, 0, 0, take_deed, &deed, NULL), 1);
	assert_string_equal(deed.action, "subject erase");
	assert_string_equal(deed.actor.who, "anna (uid 1000)");
	assert_string_equal(deed.detail, "1 sessions, 0 flags, 0 events, 0 quarantined messages");
	assert_int_equal(store_subject_erase(f->store, 0, &anna, NOON, &erased, NULL), -EINVAL);
}

/* As an earlier version left it, which didn't overwrite what it deleted. */
static void what_an_earlier_version_left_behind_goes_too(void **state)
{
	struct fixture *f = *state;
	struct gf_diag diag = {""};
	struct store_erased erased;

	run(f, "PRAGMA secure_delete = OFF");
	fill(f, 20, token);
	run(f, "UPDATE sessions SET subject_token = 0, staff_token = 0");
	run(f, "PRAGMA secure_delete = ON");
	assert_int_equal(with_token(f), 0);
	assert_int_equal(sqlite3_wal_checkpoint_v2(f->store->db.handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL),
	                 SQLITE_OK);
	assert_true(file_has(f->path, token));
	assert_int_equal(store_subject_erase(f->store, token, &anna, NOON + DAY, &erased, &diag), 0);
	assert_false(anywhere(f, token));
	assert_int_equal(store_read_integrity(f->reader, NULL), 0);
}

static void a_reader_that_never_pauses_is_told(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = session_of(1, 1, NOON, token, 0);
	struct store_erased erased = {.sessions = 77};
	struct gf_diag diag = {""};

	send_report(f, ID, 1, &r, 1, NOON);
	assert_int_equal(read_begin(f->reader, NULL), 0);
	assert_int_equal(with_token(f), 1);
	assert_int_equal(store_subject_erase(f->store, token, &anna, NOON, &erased, &diag), -EBUSY);
	assert_int_equal(erased.sessions, 77);
	assert_non_null(strstr(diag.text, "call again"));
	assert_int_equal(read_end(f->reader, 0), 0);
	assert_int_equal(with_token(f), 0);
	assert_int_equal(store_subject_erase(f->store, token, &anna, NOON, &erased, &diag), 0);
	assert_false(anywhere(f, token));
}

struct eraser {
	struct store *store;
	struct gf_diag diag;
	int result;
};

static void *erase_on_a_thread(void *ctx)
{
	struct eraser *e = ctx;
	struct store_erased erased;

	e->result = store_subject_erase(e->store, token, &anna, NOON, &erased, &e->diag);
	return NULL;
}

/* By the writer's own connection: a reader would be one more that keeps the log from being emptied. */
static void wait_for_the_deed(struct store *s)
{
	const int64_t end_ms = gf_now_ms(CLOCK_MONOTONIC) + 10 * 1000;
	int64_t deeds = 0;

	while (deeds == 0 && gf_now_ms(CLOCK_MONOTONIC) < end_ms) {
		struct query q;

		assert_int_equal(store_begin(s, NULL), 0);
		query_begin(&q, &s->db, "SELECT count(*) FROM deeds");
		assert_int_equal(query_value(&q, 0, &deeds, NULL), 0);
		store_rollback(s);
	}
	assert_int_equal(deeds, 1);
}

/* While it waits for the log, others write, and find that the disk has failed. */
static void a_file_that_goes_away_meanwhile_is_told(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = session_of(1, 1, NOON, token, 0);
	struct eraser eraser = {.store = f->store};
	struct store_erased erased;
	char away[128];
	pthread_t thread;

	(void)snprintf(away, sizeof(away), "%s.away", f->path);
	send_report(f, ID, 1, &r, 1, NOON);
	assert_int_equal(read_begin(f->reader, NULL), 0);
	assert_int_equal(with_token(f), 1);
	assert_int_equal(pthread_create(&thread, NULL, erase_on_a_thread, &eraser), 0);
	wait_for_the_deed(f->store);
	assert_int_equal(store_lock(f->store, NULL), 0);
	assert_int_equal(rename(f->path, away), 0);
	assert_int_equal(mkdir(f->path, 0700), 0);
	f->store->suspect = true;
	store_unlock(f->store);
	assert_true(store_begin(f->store, NULL) != 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(eraser.result != 0);
	assert_non_null(strstr(eraser.diag.text, "cannot open the database"));
	assert_int_equal(rmdir(f->path), 0);
	assert_int_equal(rename(away, f->path), 0);
	assert_int_equal(read_end(f->reader, 0), 0);
	assert_int_equal(store_subject_erase(f->store, token, &anna, NOON, &erased, NULL), 0);
	assert_int_equal(with_token(f), 0);
	assert_false(anywhere(f, token));
}

static void a_full_disk_erases_nothing_or_all(void **state)
{
	struct fixture *f = *state;
	struct store_erased erased = {.sessions = 77};
	struct gf_diag diag = {""};
	int64_t before;

	fill(f, 60, token);
	before = with_token(f);
	assert_int_equal(sqlite3_wal_checkpoint_v2(f->store->db.handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL),
	                 SQLITE_OK);
	fixture_room(32 << 10);
	assert_int_equal(store_subject_erase(f->store, token, &anna, NOON, &erased, &diag), -ENOSPC);
	fixture_room(0);
	assert_non_null(strstr(diag.text, "no space left"));
	assert_int_equal(erased.sessions, 77);
	assert_int_equal(with_token(f), before);
	assert_int_equal(number_of(f, "SELECT count(*) FROM erased"), 0);
	assert_int_equal(store_subject_erase(f->store, token, &anna, NOON, &erased, &diag), 0);
	assert_false(anywhere(f, token));
}

/* ---- what comes later ---- */

static void a_late_report_does_not_bring_an_erased_token_back(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {
	    session_of(1, 1, NOON, token, other),
	    started(2, 2, NOON + HOUR),
	    session_of(3, 2, NOON + 2 * HOUR, other, token),
	    session_of(4, 3, NOON + 40 * DAY, token, 0),
	};
	struct store_erased erased;
	bool more;

	rs[1].session_started.subject_token = token;
	assert_int_equal(store_subject_erase(f->store, token, &anna, NOON, &erased, NULL), 0);
	send_report(f, ID, 1, rs, 2, NOON + 30 * DAY);
	quarantine(f, token, NOON + 30 * DAY);
	assert_int_equal(number_of(f, "SELECT count(*) FROM sessions WHERE outcome = 0"), 1);
	send_report(f, ID, 1, &rs[2], 1, NOON + 30 * DAY);
	assert_false(anywhere(f, token));
	assert_int_equal(number_of(f, "SELECT count(*) FROM sessions WHERE subject_token <> 0"), 1);
	assert_int_equal(number_of(f, "SELECT count(*) FROM sessions WHERE staff_token <> 0"), 1);
	/* The same again changes nothing; and after a month nothing of it is known any more. */
	send_report(f, ID, 1, rs, 3, NOON + 30 * DAY);
	assert_int_equal(count_sessions(f, ID), 2);
	assert_int_equal(store_maintain(f->store, NOON + 32 * DAY, 1000, &more, NULL), 0);
	assert_int_equal(number_of(f, "SELECT count(*) FROM erased"), 0);
	send_report(f, ID, 1, &rs[3], 1, NOON + 40 * DAY);
	assert_true(anywhere(f, token));
}

/* ---- age ---- */

static void tokens_are_forgotten_after_their_time(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {
	    session_of(1, 1, NOON - 32 * DAY, token, 0),
	    session_of(2, 2, NOON - 31 * DAY, 0, token), /* began before */
	    session_of(3, 3, NOON - 31 * DAY + HOUR, token, token),
	};
	bool more = true;

	send_report(f, ID, 1, rs, 3, NOON);
	while (more)
		assert_int_equal(store_maintain(f->store, NOON, 1, &more, NULL), 0);
	assert_int_equal(with_token(f), 1);
	assert_int_equal(count_sessions(f, ID), 3);
	assert_int_equal(number_of(f, "SELECT session_no FROM sessions WHERE subject_token <> 0"), 3);
}

/* A token that is made anew every 31 days: of the one before no backup has anything once its time is over, of the present one all does. */
static void what_is_past_its_time_is_in_no_backup(void **state)
{
	struct fixture *f = *state;
	bool more = true;

	fill(f, 120, token);
	add_flags(f);
	quarantine(f, token, NOON);
	assert_true(backup_has(f, token));
	for (uint64_t day = 1; day <= 33; day++) {
		int64_t now_ms = NOON + (int64_t)day * DAY;
		struct gf_record r = session_of(120 + day, 120 + day, now_ms, UINT64_C(0x5a5a6b6b7c7c8d8d), 0);

		send_report(f, ID, 1, &r, 1, now_ms);
		for (more = true; more;)
			assert_int_equal(store_maintain(f->store, now_ms, 1000, &more, NULL), 0);
		if (day == 30)
			assert_true(backup_has(f, token));
	}
	assert_false(backup_has(f, token));
	assert_true(backup_has(f, UINT64_C(0x5a5a6b6b7c7c8d8d)));
	assert_int_equal(count_sessions(f, ID), 120 + 33);
}

static void a_running_session_forgets_too(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = started(1, 1, NOON - 32 * DAY);
	bool more;

	r.session_started.subject_token = token;
	send_report(f, ID, 1, &r, 1, NOON);
	assert_int_equal(with_token(f), 1);
	assert_int_equal(store_maintain(f->store, NOON, 100, &more, NULL), 0);
	assert_int_equal(with_token(f), 0);
	assert_int_equal(get_device(f, ID, NOON).running_session, 1);
}

static void flags_stay_as_history_of_nobody_and_bytes_go(void **state)
{
	struct fixture *f = *state;
	bool more;

	add_flags(f);
	quarantine(f, token, NOON - 32 * DAY);
	assert_int_equal(store_maintain(f->store, NOON, 100, &more, NULL), 0);
	assert_int_equal(number_of(f, "SELECT count(*) FROM flags"), 5);
	assert_int_equal(number_of(f, "SELECT count(*) FROM flags WHERE kind IN (1, 2, 3) AND (key <> 0 OR ended_ms = 0)"),
	                 0);
	assert_int_equal(number_of(f, "SELECT count(*) FROM flags WHERE kind = 0 AND key = 1 AND ended_ms = 0"), 1);
	assert_int_equal(number_of(f, "SELECT count(*) FROM judge WHERE kind IN (1, 3)"), 0);
	assert_int_equal(number_of(f, "SELECT sum(length(bytes)) FROM quarantine"), 0);
	assert_int_equal(number_of(f, "SELECT count(*) FROM quarantine"), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(what_is_erased_is_in_no_file),
	    TEST(what_people_wrote_of_somebody_is_erased_and_the_rest_of_it_stays),
	    TEST(names_and_details_forget_somebody_too),
	    TEST(the_audit_log_says_that_somebody_was_erased_and_not_who),
	    TEST(what_an_earlier_version_left_behind_goes_too),
	    TEST(a_reader_that_never_pauses_is_told),
	    TEST(a_file_that_goes_away_meanwhile_is_told),
	    TEST(a_full_disk_erases_nothing_or_all),
	    TEST(a_late_report_does_not_bring_an_erased_token_back),
	    TEST(tokens_are_forgotten_after_their_time),
	    TEST(what_is_past_its_time_is_in_no_backup),
	    TEST(a_running_session_forgets_too),
	    TEST(flags_stay_as_history_of_nobody_and_bytes_go),
	};

	return cmocka_run_group_tests_name("store people", tests, NULL, NULL);
}
