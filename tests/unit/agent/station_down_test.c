/* A station and what comes from the gateway: catalogs on their way to the control core, limits, a lock, a stop; and what it tells of them. */
#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/rand.h"
#include "proto/codec.h"
#include "proto/topic.h"
#include "tests/unit/agent/signed_catalog.h"
#include "tests/unit/agent/station_rig.h"

enum { TOLD_MAX = 64 };

/* What the gateway has of the machine's answers, in order. */
static struct gf_record told[TOLD_MAX];
static size_t told_count;

/* What else it published: births, the last of them, and replies. */
static size_t births;
static struct gf_status last_birth;
static size_t replies;
static struct fake_published last_reply;

/* What is brought where it doesn't matter which: gun@9. */
static struct signed_catalog nine;

static int setup(void **state)
{
	int r = rig_setup(state);
	struct world *w = *state;
	told_count = births = replies = 0;
	signed_catalog_keys(&w->keys);
	signed_catalog_make(GF_CLASS_PERCUSSION, 9, 1, &nine);
	rig_restart(w);
	return r;
}

static int teardown(void **state)
{
	signed_catalog_deinit(&nine);
	return rig_teardown(state);
}

static void keep_answers(const struct world *w)
{
	const struct fake_published *p;
	struct gf_report *report;
	uint64_t done = w->committed;
	for (size_t i = 0; (p = fake_link_nth("/report", i)) != NULL; i++) {
		assert_int_equal(gf_report_decode(p->data, p->len, &report, NULL), 0);
		for (size_t r = 0; r < report->records_count; r++) {
			const struct gf_record *record = &report->records[r];
			if (record->seq != done + 1)
				continue;
			done = gf_record_through(record);
			if (record->kind == GF_RECORD_DESIRED_APPLIED || record->kind == GF_RECORD_CATALOG_CHANGED) {
				assert_true(told_count < TOLD_MAX);
				told[told_count++] = *record;
			}
		}
		free(report);
	}
}

/* Takes all that was published, and acks the reports. */
static void gateway(struct world *w)
{
	const struct fake_published *p;
	for (size_t i = 0; (p = fake_link_nth("/status", i)) != NULL; i++, births++)
		last_birth = rig_status(p);
	for (size_t i = 0; (p = fake_link_nth("/reply", i)) != NULL; i++, replies++)
		last_reply = *p;
	keep_answers(w);
	rig_gateway(w);
}

/* Steps, until nothing new comes. */
static void run(struct world *w)
{
	for (int i = 0; i < 4; i++) {
		rig_step(w);
		gateway(w);
	}
}

static void come_up(struct world *w)
{
	fake_link_up();
	run(w);
}

static void say(const char *topic, const void *data, size_t len)
{
	fake_link_message(topic, data, len);
}

static void say_desired(struct world *w, const struct gf_desired *desired)
{
	unsigned char buf[GF_DESIRED_MAX];
	size_t len = 0;
	assert_int_equal(gf_desired_encode(desired, buf, sizeof(buf), &len), 0);
	say(BRANCH "desired", buf, len);
	run(w);
}

static void desire(struct world *w, uint64_t revision, const struct signed_catalog *made)
{
	struct gf_desired desired = {.revision = revision, .has_catalog = made != NULL};
	if (made != NULL)
		desired.catalog = made->desired;
	say_desired(w, &desired);
}

/* What the broker retains of it, in parts where it is large. */
static void deliver(struct world *w, const struct signed_catalog *made)
{
	char topic[GF_TOPIC_MAX];
	const size_t parts = gf_catalog_parts(made->len);
	if (parts == 0)
		say(gf_topic_catalog(topic, &made->desired.digest, GF_TOPIC_CATALOG_WHOLE), made->data, made->len);
	for (size_t i = 0; i < parts; i++) {
		const size_t at = i * GF_CATALOG_PART_MAX, left = made->len - at;
		say(gf_topic_catalog(topic, &made->desired.digest, (int)i), made->data + at,
		    left < GF_CATALOG_PART_MAX ? left : GF_CATALOG_PART_MAX);
	}
	run(w);
}

static const struct gf_desired_applied *last_answer(void)
{
	for (size_t i = told_count; i > 0; i--) {
		if (told[i - 1].kind == GF_RECORD_DESIRED_APPLIED)
			return &told[i - 1].desired_applied;
	}
	return NULL;
}

static void expect_answer(uint64_t revision, enum gf_desired_step step)
{
	assert_non_null(last_answer());
	assert_int_equal(last_answer()->revision, revision);
	assert_string_equal(gf_desired_step_name(last_answer()->step), gf_desired_step_name(step));
}

/* ---- catalogs ---- */

static void bring(struct world *w, uint64_t revision, const struct signed_catalog *made)
{
	desire(w, revision, made);
	deliver(w, made);
}

/* The machine is left on trial with it. */
static void install(struct world *w, uint64_t revision, const struct signed_catalog *made)
{
	bring(w, revision, made);
	rig_takes_catalog(w);
	run(w);
}

static void pass_trial(struct world *w)
{
	for (int i = 0; i < 2 + RIG_TRIAL_MS / 1000; i++) {
		rig_pass(w, 1000);
		run(w);
	}
}

static void a_new_catalog_comes_over_the_air(void **state)
{
	struct world *w = *state;
	struct signed_catalog made;
	char filter[GF_TOPIC_MAX];
	signed_catalog_make(GF_CLASS_PERCUSSION, 9, 64, &made);
	assert_true(gf_catalog_parts(made.len) > 1);
	come_up(w);
	desire(w, 3, &made);
	assert_string_equal(fake_link->watching, gf_topic_catalog_all(filter, &made.desired.digest));
	expect_answer(3, GF_DESIRED_STEP_FETCHING);
	deliver(w, &made);
	assert_string_equal(fake_link->watching, "");
	assert_non_null(w->handed);
	assert_int_equal(w->handed->version, 9);
	assert_int_equal(w->handed->routines_count, 64);
	births = 0;
	rig_takes_catalog(w);
	/* The birth is said again, on the same connection: what it plays now. */
	run(w);
	const struct gf_status birth = last_birth;
	assert_int_equal(birth.presence, GF_PRESENCE_BIRTH);
	assert_int_equal(birth.connection, 1);
	assert_int_equal(birth.catalog_version, 9);
	assert_true(gf_digest_equal(&birth.catalog_digest, &made.desired.digest));
	assert_true(birth.catalog_on_trial);
	assert_int_equal(birth.desired_revision, 3);
	assert_int_equal(births, 1);
	expect_answer(3, GF_DESIRED_STEP_ACTIVE);
	pass_trial(w);
	expect_answer(3, GF_DESIRED_STEP_CONFIRMED);
	signed_catalog_deinit(&made);
}

static void the_birth_is_said_again_when_the_trial_is_over(void **state)
{
	struct world *w = *state;
	come_up(w);
	install(w, 3, &nine);
	births = 0;
	pass_trial(w);
	assert_int_equal(births, 1);
	assert_false(last_birth.catalog_on_trial);
	assert_int_equal(last_birth.catalog_version, 9);
}

static void it_waits_for_the_end_of_the_session(void **state)
{
	struct world *w = *state;
	come_up(w);
	rig_tell(w, (struct control_event){.kind = CONTROL_EVENT_SESSION_STARTED, .session_started = {.session_no = 1}});
	bring(w, 3, &nine);
	assert_null(w->handed);
	expect_answer(3, GF_DESIRED_STEP_WAITING);
	fake_link_down("cut"); /* it doesn't need the network for it any more */
	run(w);
	w->wakes = 0;
	rig_session(w); /* which ends */
	assert_true(w->wakes > 0);
	run(w);
	assert_non_null(w->handed);
}

/* The control thread's mailbox is full: tried again with a later step, and told only once. */
static void without_room_it_is_handed_over_later(void **state)
{
	struct world *w = *state;
	come_up(w);
	w->control_error = -EAGAIN;
	bring(w, 3, &nine);
	assert_null(w->handed);
	w->control_error = 0;
	rig_pass(w, 1000);
	run(w);
	assert_non_null(w->handed);
	rig_takes_catalog(w);
	run(w);
	expect_answer(3, GF_DESIRED_STEP_ACTIVE);
}

static void the_change_is_recorded_with_its_cause_and_digest(void **state)
{
	struct world *w = *state;
	const struct gf_catalog_changed *changed = NULL;
	come_up(w);
	assert_true(told_count > 0 && told[0].kind == GF_RECORD_CATALOG_CHANGED);
	assert_string_equal(told[0].catalog_changed.catalog, "gun");
	assert_int_equal(told[0].catalog_changed.version, 4);
	assert_int_equal(told[0].catalog_changed.cause, GF_CATALOG_CAUSE_BY_HAND);
	install(w, 3, &nine);
	size_t changes = 0;
	for (size_t i = 0; i < told_count; i++) {
		if (told[i].kind != GF_RECORD_CATALOG_CHANGED)
			continue;
		changed = &told[i].catalog_changed;
		changes++;
	}
	assert_int_equal(changes, 2);
	assert_int_equal(changed->version, 9);
	assert_int_equal(changed->previous_version, 4);
	assert_int_equal(changed->cause, GF_CATALOG_CAUSE_OVER_THE_AIR);
	assert_true(gf_digest_equal(&changed->digest, &nine.desired.digest));
}

static void i6_a_catalog_that_nobody_signed_is_refused(void **state)
{
	struct world *w = *state;
	w->keys.keys[0][0] ^= 1; /* another key counts here */
	rig_restart(w);
	come_up(w);
	bring(w, 3, &nine);
	expect_answer(3, GF_DESIRED_STEP_REFUSED);
	assert_int_equal(last_answer()->refusal, GF_REFUSAL_UNKNOWN_KEY);
	assert_true(last_answer()->detail[0] != '\0');
	assert_null(w->handed);
	assert_int_equal(last_birth.catalog_version, 4);
}

static void i6_without_keys_nothing_over_the_air_is_taken(void **state)
{
	struct world *w = *state;
	w->keys = (struct gf_keyset){0};
	rig_restart(w);
	come_up(w);
	desire(w, 3, &nine);
	expect_answer(3, GF_DESIRED_STEP_REFUSED);
	assert_int_equal(last_answer()->refusal, GF_REFUSAL_NO_KEYS);
	assert_string_equal(fake_link->watching, "");
}

static void it_goes_on_fetching_after_the_connection_was_lost(void **state)
{
	struct world *w = *state;
	come_up(w);
	desire(w, 3, &nine);
	const size_t watches = fake_link->watches;
	fake_link_down("cut");
	run(w);
	come_up(w);
	assert_true(fake_link->watches > watches);
	deliver(w, &nine);
	assert_non_null(w->handed);
}

/* What the birth says is the highest, so that a gateway whose store went back begins above it. */
static void the_highest_revision_is_told_with_the_birth_over_restarts(void **state)
{
	struct world *w = *state;
	come_up(w);
	assert_int_equal(last_birth.desired_revision, 0);
	desire(w, 41, NULL);
	expect_answer(41, GF_DESIRED_STEP_APPLIED);
	rig_restart(w);
	come_up(w);
	assert_int_equal(last_birth.desired_revision, 41);
	desire(w, 40, NULL);
	assert_int_equal(last_answer()->revision, 41);
}

/* ---- restarts ---- */

static void the_new_catalog_is_what_the_control_core_begins_with_after_a_restart(void **state)
{
	struct world *w = *state;
	come_up(w);
	install(w, 3, &nine);
	rig_restart(w);
	assert_int_equal(w->playing->version, 9);
}

static void three_crashes_bring_the_old_one_back_and_a_graceful_end_is_none(void **state)
{
	struct world *w = *state;
	come_up(w);
	install(w, 3, &nine);
	for (int i = 0; i < 5; i++) {
		station_stop(w->station, w->now);
		rig_restart(w);
		assert_int_equal(w->playing->version, 9);
	}
	for (int i = 0; i < UPDATE_TRIAL_CRASHES; i++)
		rig_restart(w);
	assert_int_equal(w->playing->version, 4);
	come_up(w);
	expect_answer(3, GF_DESIRED_STEP_ROLLED_BACK);
	assert_int_equal(last_answer()->refusal, GF_REFUSAL_CRASHED);
}

/* ---- limits, lock, commands ---- */

static void lock(struct world *w, uint64_t revision)
{
	say_desired(w, &(struct gf_desired){.revision = revision, .locked = true, .lock_reason = "torn"});
}

static void a_lock_holds_over_a_restart_without_network(void **state)
{
	struct world *w = *state;
	come_up(w);
	lock(w, 3);
	assert_true(w->limits.locked);
	assert_int_equal(w->limits_set, 1);
	expect_answer(3, GF_DESIRED_STEP_APPLIED);
	w->limits = (struct control_limits){0};
	rig_restart(w);
	assert_true(w->limits.locked); /* before the first tick */
}

static void command(struct world *w, uint64_t id)
{
	const struct gf_command_order order = {
	    .id = id, .kind = GF_COMMAND_STOP, .issued_ms = (uint64_t)w->now.wall_ms, .within_ms = 30000};
	unsigned char buf[GF_COMMAND_MAX];
	size_t len = 0;
	assert_int_equal(gf_command_encode(&order, buf, sizeof(buf), &len), 0);
	say(BRANCH "command", buf, len);
	run(w);
}

static void a_stop_ends_the_session_and_is_answered(void **state)
{
	struct world *w = *state;
	struct gf_reply reply;
	come_up(w);
	rig_tell(w, (struct control_event){.kind = CONTROL_EVENT_SESSION_STARTED, .session_started = {.session_no = 1}});
	command(w, 77);
	assert_int_equal(w->stops, 1);
	assert_int_equal(w->stopped_as, GF_OUTCOME_STAFF_STOPPED);
	assert_int_equal(replies, 1);
	assert_string_equal(last_reply.topic, BRANCH "reply");
	assert_int_equal(last_reply.qos, 1);
	assert_false(last_reply.retained);
	assert_int_equal(gf_reply_decode(last_reply.data, last_reply.len, &reply, NULL), 0);
	assert_int_equal(reply.id, 77);
	assert_int_equal(reply.outcome, GF_COMMAND_OUTCOME_DONE);
	assert_string_equal(reply.detail, "the session is stopped");
	/* Lost with the connection: said again on the next one. */
	fake_link_published(last_reply.cookie, -1);
	fake_link_down("cut");
	run(w);
	come_up(w);
	rig_pass(w, 200);
	run(w);
	assert_int_equal(replies, 2);
	assert_int_equal(w->stops, 1);
}

static void the_cookies_of_replies_disturb_neither_reports_nor_births(void **state)
{
	struct world *w = *state;
	come_up(w);
	command(w, 1); /* as the first report's */
	assert_int_equal(replies, 1);
	fake_link_published(last_reply.cookie, 0);
	rig_step(w);
	rig_session(w);
	run(w);
	assert_int_equal(rig_spool(w).records, 0);
}

/* ---- whatever comes ---- */

static void i10_whatever_comes_changes_nothing(void **state)
{
	struct world *w = *state;
	static const char *const topics[] = {
	    BRANCH "desired", BRANCH "command", BRANCH "reply", "gymfleet/v1/catalogs/x", "gymfleet/v1/gateway/status", ""};
	unsigned char bytes[2000];
	char topic[GF_TOPIC_MAX];
	struct gf_prng prng;
	struct gf_digest digest;
	gf_prng_seed(&prng, 99);
	come_up(w);
	for (int i = 0; i < 3000; i++) {
		const size_t len = gf_prng_below(&prng, sizeof(bytes));
		for (size_t at = 0; at < len; at++)
			bytes[at] = (unsigned char)gf_prng_below(&prng, 256);
		memcpy(&digest, bytes, sizeof(digest));
		gf_topic_catalog(topic, &digest, (int)gf_prng_below(&prng, 30) - 1);
		say(gf_prng_below(&prng, 3) == 0 ? topic : topics[gf_prng_below(&prng, 6)], bytes, len);
		rig_step(w);
		fake_link->count = 0;
	}
	assert_null(w->handed);
	assert_int_equal(w->limits_set, 0);
	assert_int_equal(w->stops, 0);
	fake_link_down("cut");
	run(w);
	come_up(w);
	assert_int_equal(last_birth.catalog_version, 4);
	assert_int_equal(last_birth.desired_revision, 0);
}

static void nothing_is_taken_any_more_once_it_says_goodbye(void **state)
{
	struct world *w = *state;
	come_up(w);
	station_stop(w->station, w->now);
	desire(w, 3, &nine);
	assert_string_equal(fake_link->watching, "");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_new_catalog_comes_over_the_air),
	    TEST(the_birth_is_said_again_when_the_trial_is_over),
	    TEST(it_waits_for_the_end_of_the_session),
	    TEST(without_room_it_is_handed_over_later),
	    TEST(the_change_is_recorded_with_its_cause_and_digest),
	    TEST(i6_a_catalog_that_nobody_signed_is_refused),
	    TEST(i6_without_keys_nothing_over_the_air_is_taken),
	    TEST(it_goes_on_fetching_after_the_connection_was_lost),
	    TEST(the_highest_revision_is_told_with_the_birth_over_restarts),
	    TEST(the_new_catalog_is_what_the_control_core_begins_with_after_a_restart),
	    TEST(three_crashes_bring_the_old_one_back_and_a_graceful_end_is_none),
	    TEST(a_lock_holds_over_a_restart_without_network),
	    TEST(a_stop_ends_the_session_and_is_answered),
	    TEST(the_cookies_of_replies_disturb_neither_reports_nor_births),
	    TEST(i10_whatever_comes_changes_nothing),
	    TEST(nothing_is_taken_any_more_once_it_says_goodbye),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
