/* With a key no badge is on the disk or of what is sent; the machine itself goes on as if it were. */
#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/file.h"
#include "proto/codec.h"
#include "tests/unit/agent/station_rig.h"

#define MEMBER UINT64_C(0x04a1b2c3d4e5f607)
#define STAFF UINT64_C(0x0817263544536271)
#define CLOSED UINT64_C(0x7ac1d2e3f4051627)

enum { FILE_MAX = 8 << 20, DAY_MS = 24 * 3600 * 1000 };

static struct gf_subject_key key, other_key;

/* --- looking for bytes ------------------------------------------------------------------------------------------- */

/* As a number of either byte order, or as hex digits. */
static bool has(const void *data, size_t len, uint64_t badge)
{
	unsigned char little[8], big[8];
	char hex[2][17];
	for (int i = 0; i < 8; i++)
		little[i] = big[7 - i] = (unsigned char)(badge >> (8 * i));
	(void)snprintf(hex[0], sizeof(hex[0]), "%016llx", (unsigned long long)badge);
	(void)snprintf(hex[1], sizeof(hex[1]), "%016llX", (unsigned long long)badge);
	return memmem(data, len, little, 8) != NULL || memmem(data, len, big, 8) != NULL ||
	       memmem(data, len, hex[0], 16) != NULL || memmem(data, len, hex[1], 16) != NULL;
}

static bool folder_has(const char *dir, uint64_t badge)
{
	bool found = false;
	DIR *d = opendir(dir);
	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d)) != NULL && !found;) {
		char path[512], *data = NULL;
		size_t len = 0;
		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (e->d_type == DT_DIR) {
			found = folder_has(path, badge);
		} else {
			assert_int_equal(gf_file_read(path, FILE_MAX, &data, &len, NULL), 0);
			found = has(data, len, badge);
			free(data);
		}
	}
	(void)closedir(d);
	return found;
}

static bool on_disk_or_wire(const struct world *w, uint64_t badge)
{
	for (size_t i = 0; i < fake_link->count; i++) {
		if (has(fake_link->published[i].data, fake_link->published[i].len, badge))
			return true;
	}
	return folder_has(w->t.dir, badge);
}

/* --- a session --------------------------------------------------------------------------------------------------- */

/* What its control core remembers: who sat, who holds it, whose calf is closed. */
static struct control_memory memory_of_badges(void)
{
	return (struct control_memory){
	    .sitting = {.token = MEMBER, .open = true},
	    .closed = {{GF_AREA_CALVES, GF_SIDE_LEFT, CLOSED, DAY_MS}, {GF_AREA_QUADS, GF_SIDE_LEFT, MEMBER, DAY_MS}},
	    .staff_token = STAFF,
	    .staff_idle_ms = 1000,
	};
}

static void begin(struct world *w)
{
	struct control_event event = {.kind = CONTROL_EVENT_SESSION_STARTED, .memory = memory_of_badges()};
	event.session_started =
	    (struct gf_session_started){.session_no = ++w->sessions, .subject_token = MEMBER, .staff_token = STAFF};
	rig_tell(w, event);
}

static void go_on(struct world *w, enum control_event_kind kind, int64_t started_mono_ms)
{
	struct control_event event = {
	    .kind = kind, .memory = memory_of_badges(), .mono_ms = w->now.mono_ms, .started_mono_ms = started_mono_ms};
	event.session_ended = (struct gf_session_ended){
	    .start = {.session_no = w->sessions, .subject_token = MEMBER, .staff_token = STAFF},
	    .motor_ms = 1000,
	    .outcome = GF_OUTCOME_INTERRUPTED,
	    .peak_motor_temp_c = NAN,
	    .peak_surface_temp_c = NAN,
	    .peak_current_ma = NAN,
	    .peak_pressure_mmhg = NAN,
	};
	station_event(w->station, &event, w->now);
}

/* A whole session, and what is to be sent of it. */
static void session(struct world *w)
{
	const int64_t started_ms = w->now.mono_ms;
	begin(w);
	rig_pass(w, 5000);
	go_on(w, CONTROL_EVENT_SESSION_PROGRESS, started_ms);
	rig_pass(w, 5000);
	go_on(w, CONTROL_EVENT_SESSION_ENDED, started_ms);
	rig_pass(w, 1000);
}

/* The newest session's end that was sent. */
static struct gf_session_ended sent(void)
{
	struct gf_session_ended ended = {0};
	for (size_t i = 0; i < fake_link->count; i++) {
		const struct fake_published *p = &fake_link->published[i];
		struct gf_report *report = NULL;
		if (strcmp(p->topic, BRANCH "report") != 0)
			continue;
		assert_int_equal(gf_report_decode(p->data, p->len, &report, NULL), 0);
		for (size_t k = 0; k < report->records_count; k++) {
			if (report->records[k].kind == GF_RECORD_SESSION_ENDED)
				ended = report->records[k].session_ended;
		}
		free(report);
	}
	assert_int_not_equal(ended.start.session_no, 0);
	return ended;
}

static void restart_with(struct world *w, const struct gf_subject_key *subjects)
{
	w->subjects = subjects;
	rig_restart(w);
	fake_link_up();
	rig_step(w);
}

/* --- what holds -------------------------------------------------------------------------------------------------- */

static void without_a_key_tokens_pass_as_they_are(void **state)
{
	struct world *w = *state;
	restart_with(w, NULL);
	session(w);
	assert_true(sent().start.subject_token == MEMBER && sent().start.staff_token == STAFF);
	/* So this is how bytes are found. */
	assert_true(on_disk_or_wire(w, MEMBER) && on_disk_or_wire(w, STAFF) && on_disk_or_wire(w, CLOSED));
	assert_true(folder_has(w->t.dir, MEMBER) && folder_has(w->t.dir, CLOSED));
}

static void with_a_key_no_badge_reaches_disk_or_wire(void **state)
{
	struct world *w = *state;
	restart_with(w, &key);
	session(w);
	const uint64_t wall_ms = (uint64_t)w->now.wall_ms;
	assert_true(sent().start.subject_token == gf_subject_token(&key, MEMBER, wall_ms));
	assert_true(sent().start.staff_token == gf_subject_token(&key, STAFF, wall_ms));
	begin(w); /* and one that is cut off */
	restart_with(w, &key);
	assert_true(sent().start.subject_token == gf_subject_token(&key, MEMBER, wall_ms));
	assert_false(on_disk_or_wire(w, MEMBER));
	assert_false(on_disk_or_wire(w, STAFF));
	assert_false(on_disk_or_wire(w, CLOSED));
}

static void the_machine_remembers_people_as_before(void **state)
{
	struct world *w = *state;
	const struct control_memory before = memory_of_badges();
	restart_with(w, &key);
	session(w);
	for (int i = 0; i < 3; i++) {
		restart_with(w, &key);
		const struct control_memory *after = &w->resume.memory;
		assert_true(after->sitting.token == MEMBER && after->staff_token == STAFF);
		assert_int_equal(after->staff_idle_ms, 1000);
		assert_memory_equal(after->closed, before.closed, sizeof(before.closed));
	}
}

/* Anybody may be the one whose calf hurt: it is closed to all. */
static void what_another_key_sealed_is_anybody_s(void **state)
{
	struct world *w = *state;
	const struct gf_subject_key *const others[] = {&other_key, NULL};
	for (size_t i = 0; i < 2; i++) {
		restart_with(w, &key);
		session(w);
		restart_with(w, others[i]);
		const struct control_memory *after = &w->resume.memory;
		assert_true(after->sitting.open && after->sitting.token == 0 && after->staff_token == 0);
		assert_int_equal(after->closed[0].area, GF_AREA_CALVES);
		assert_true(after->closed[0].left_ms > 0 && after->closed[0].token == 0);
	}
}

static void without_a_clock_no_token_is_told(void **state)
{
	struct world *w = *state;
	w->now.synced = false;
	restart_with(w, &key);
	session(w);
	assert_int_equal(sent().start.subject_token, 0);
	assert_int_equal(sent().start.staff_token, 0);
	assert_false(on_disk_or_wire(w, MEMBER));
	/* The machine itself needs none. */
	restart_with(w, &key);
	assert_true(w->resume.memory.sitting.token == MEMBER);
}

/* A session that goes on beyond the moment of change has the token of its begin. */
static void a_session_has_one_token(void **state)
{
	struct world *w = *state;
	restart_with(w, &key);
	const uint64_t change_ms =
	    (uint64_t)gf_subject_since_ms(&key, MEMBER, (uint64_t)w->now.wall_ms) + GF_SUBJECT_PERIOD_MS;
	rig_pass(w, (int64_t)change_ms - w->now.wall_ms - 3000);
	fake_link->count = 0;
	session(w);
	assert_true((uint64_t)w->now.wall_ms > change_ms);
	assert_true(sent().start.subject_token == gf_subject_token(&key, MEMBER, change_ms - 1));
	fake_link->count = 0;
	(void)rig_gateway(w);
	session(w);
	assert_true(sent().start.subject_token == gf_subject_token(&key, MEMBER, change_ms));
}

static int keys(void **state)
{
	(void)state;
	int r = gf_subject_key_of("some key that nobody can guess...", 33, &key);
	return r != 0 ? r : gf_subject_key_of("some other key................", 30, &other_key);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(without_a_key_tokens_pass_as_they_are),  TEST(with_a_key_no_badge_reaches_disk_or_wire),
	    TEST(the_machine_remembers_people_as_before), TEST(what_another_key_sealed_is_anybody_s),
	    TEST(without_a_clock_no_token_is_told),       TEST(a_session_has_one_token),
	};
	return cmocka_run_group_tests(tests, keys, NULL);
}
