/*
 * A person who asks to be forgotten is, with the real programs: in the database's file, its log and a backup made after there is nothing of the token,
 * in whatever form; nor in events, the audit log and the gateway's own log. What comes later doesn't bring it back.
 */
#include <ctype.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/base/file.h"
#include "tests/integration/lab.h"

enum { SOON_MS = 30000, SESSIONS = 60, IN_A_REPORT = 10, FILE_MAX = 64 << 20 };

static const uint64_t token = UINT64_C(0xa1b2c3d4e5f60718), other = UINT64_C(0x1122334455667788);
#define HEX "a1b2c3d4e5f60718"
#define HEX_UPPER "A1B2C3D4E5F60718"
/* What people say of the person. */
static const char of_person[] = "token=" HEX, told[] = "told person " HEX,
                  torn[] = "torn by " HEX " (was " HEX_UPPER ")", pays[] = HEX " pays", after[] = "after " HEX;

static int setup(void **state)
{
	struct it_lab *lab = it_lab_open(state, "forget");

	it_write(it_path(lab->w, "rules.yaml"),
	         "rules:\n"
	         "  - {id: P, title: too often, subject: person, metric: sessions, window: 7d, warn: 2, advice: Rest.}\n"
	         "  - {id: A, title: too much, subject: person_area, metric: area_s, window: 7d, warn: 60, advice: Rest.}\n"
	         "  - {id: S, title: too long, subject: staff, metric: sessions, window: 7d, warn: 1, advice: Rest.}\n");
	json_decref(it_ask(lab->w, "rules", "reload"));
	it_machine_birth(lab->m, NULL);
	return 0;
}

/* ---- bytes ---- */

/* The token as a number of either order, as its digits of either case, or as a decimal number. */
static bool has(const void *bytes, size_t len, uint64_t wanted)
{
	unsigned char big[8], little[8];
	char text[4][32];

	for (int i = 0; i < 8; i++)
		big[7 - i] = little[i] = (unsigned char)(wanted >> 8 * i);
	(void)snprintf(text[0], sizeof(text[0]), "%llx", (unsigned long long)wanted);
	(void)snprintf(text[1], sizeof(text[1]), "%llX", (unsigned long long)wanted);
	(void)snprintf(text[2], sizeof(text[2]), "%llu", (unsigned long long)wanted);
	(void)snprintf(text[3], sizeof(text[3]), "%lld", (long long)wanted);
	bool found = memmem(bytes, len, big, 8) != NULL || memmem(bytes, len, little, 8) != NULL;
	for (int i = 0; i < 4; i++)
		found = found || memmem(bytes, len, text[i], strlen(text[i])) != NULL;
	return found;
}

static bool file_has(struct it_lab *lab, const char *name, uint64_t wanted)
{
	struct gf_diag diag = {{0}};
	char *data = NULL;
	size_t len = 0;
	const char *path = it_path(lab->w, "%s", name);

	if (access(path, F_OK) != 0)
		return false;
	assert_int_equal(gf_file_read(path, FILE_MAX, &data, &len, &diag), 0);
	bool found = has(data, len, wanted);
	if (found)
		print_message("%s has it\n", name);
	free(data);
	return found;
}

/* As whoever makes backups does. */
static void back_up(struct it_lab *lab)
{
	sqlite3 *db = NULL;
	char sql[512];

	(void)unlink(it_path(lab->w, "backup.db"));
	(void)snprintf(sql, sizeof(sql), "VACUUM INTO '%s'", it_path(lab->w, "backup.db"));
	assert_int_equal(sqlite3_open_v2(it_path(lab->w, "gateway/gymfleet.db"), &db, SQLITE_OPEN_READWRITE, NULL),
	                 SQLITE_OK);
	sqlite3_busy_timeout(db, SOON_MS);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static bool answer_has(struct it_lab *lab, const char *const *argv, uint64_t wanted)
{
	json_t *answer = it_ask_args(lab->w, argv);
	char *text = answer != NULL ? json_dumps(answer, JSON_COMPACT) : NULL;

	assert_non_null(text);
	bool found = has(text, strlen(text), wanted);
	free(text);
	json_decref(answer);
	return found;
}
#define ANSWER_HAS(lab, wanted, ...) answer_has((lab), (const char *[]){__VA_ARGS__, NULL}, wanted)

static bool anywhere(struct it_lab *lab, uint64_t wanted)
{
	static const char *const files[] = {"gateway/gymfleet.db", "gateway/gymfleet.db-wal", "gateway/gymfleet.db-shm",
	                                    "backup.db"};
	bool found = false;

	back_up(lab);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		found = file_has(lab, files[i], wanted) || found;
	return found;
}

/* ---- what there is of the person ---- */

static void tell_sessions(struct it_lab *lab, unsigned count, uint64_t subject, uint64_t staff)
{
	struct gf_record records[IN_A_REPORT];

	for (unsigned i = 0; i < count; i += IN_A_REPORT) {
		for (unsigned k = 0; k < IN_A_REPORT; k++) {
			uint64_t no = ++lab->seq;

			records[k] =
			    it_session(lab->m, no, no, it_wall_ms() - (4 * (int64_t)SESSIONS - (int64_t)no) * IT_SESSION_MS);
			records[k].session_ended.start.subject_token = k % 2 == 0 ? subject : other;
			records[k].session_ended.start.staff_token = k % 3 == 0 ? staff : 0;
		}
		it_machine_report(lab->m, records, IN_A_REPORT);
	}
	IT_UNTIL(SOON_MS, (it_client_turn(lab->m->client), it_machine_acked(lab->m) == lab->seq));
}

/* A message that nobody understands, with the token inside. */
static void tell_nonsense(struct it_lab *lab)
{
	unsigned char buf[GF_REPORT_MAX];
	struct gf_record record = it_session(lab->m, lab->seq + 1, lab->seq + 1, it_wall_ms() - IT_SESSION_MS);

	record.session_ended.start.subject_token = token;
	size_t len = it_report_encode(lab->m, &record, 1, buf);
	assert_true(has(buf, len, token));
	(void)it_machine_say(lab->m, GF_TOPIC_REPORT, buf, len - 3);
	IT_UNTIL(SOON_MS, it_doctor_says(lab->w, "quarantine", "attention", "1 message"));
}

/* How many open flags are about the person: of each rule one. */
static size_t flags(struct it_lab *lab, char number[static 16])
{
	json_t *answer = it_ask(lab->w, "overuse", "--open", "--where", of_person);
	size_t count = json_array_size(it_items(answer));

	(void)snprintf(number, 16, "%d",
	               (int)json_integer_value(json_object_get(json_array_get(it_items(answer), 0), "id")));
	json_decref(answer);
	return count;
}

static void expect_ok(struct it_lab *lab, const char *const *argv)
{
	json_t *answer = it_ask_args(lab->w, argv);

	assert_non_null(answer);
	json_decref(answer);
}
#define DO(lab, ...) expect_ok((lab), (const char *[]){__VA_ARGS__, NULL})

static void nothing_of_an_erased_person_stays(void **state)
{
	struct it_lab *lab = *state;
	char number[16];

	tell_sessions(lab, SESSIONS, token, 0);
	tell_sessions(lab, IN_A_REPORT, 0, token);
	tell_nonsense(lab);
	IT_UNTIL(SOON_MS, flags(lab, number) == 4); /* of both sides of the area */
	/* No event has it of itself. */
	assert_false(ANSWER_HAS(lab, token, "events", "--limit", "1000"));
	/* But people write what they like. */
	DO(lab, "overuse", "ack", number, "--note", told);
	DO(lab, "faults", "report", IT_CHAIR, "--text", torn, "--out-of-service");
	DO(lab, "faults", "ack", "1", "--note", pays);
	DO(lab, "device", "service", IT_CHAIR, "cover", "--note", after);
	assert_true(ANSWER_HAS(lab, token, "audit", "log", "--limit", "1000"));
	assert_true(anywhere(lab, token));

	DO(lab, "subject", "erase", HEX, "--yes");
	it_signal(lab->gateway, SIGKILL); /* what the files have, they have */
	assert_false(anywhere(lab, token));
	assert_true(anywhere(lab, other));
	assert_false(file_has(lab, "gateway.log", token));
	lab->gateway = it_gateway_start(lab->w);
	IT_UNTIL(SOON_MS, it_gateway_listens(lab->w));
	assert_false(ANSWER_HAS(lab, token, "events", "--limit", "1000"));
	assert_false(ANSWER_HAS(lab, token, "audit", "log", "--limit", "1000"));
	assert_false(ANSWER_HAS(lab, token, "overuse", "--since", "30d", "--limit", "1000"));
	assert_false(ANSWER_HAS(lab, token, "faults"));
	assert_false(ANSWER_HAS(lab, token, "device", "show", IT_CHAIR));

	/* A machine that was away tells late. */
	tell_sessions(lab, IN_A_REPORT, token, token);
	assert_false(anywhere(lab, token));
	it_signal(lab->gateway, SIGTERM);
	it_end_well(lab->gateway, SOON_MS);
	assert_false(anywhere(lab, token));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(nothing_of_an_erased_person_stays, setup, it_lab_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
