/*
 * A gateway that lies, against a real agent behind a real broker (I6): whatever it offers, only a catalog that enough of the pinned keys vouch for,
 * of this machine's class, newer, and within its envelope is ever played; all else is refused with its own code, and the machine plays
 * on. Versions below are those of the catalogs: the machine begins with BEGAN.
 *
 * tests/unit/agent/catalog has the same attacks at every byte of every write, with the clock in the test's hand.
 */
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/file.h"
#include "proto/base/rand.h"
#include "proto/topic.h"
#include "tests/integration/disk.h"
#include "tests/integration/fleet.h"
#include "tests/integration/rogue.h"

#define CHAIR "chair-1"

enum {
	SOON_MS = 60000,
	BEGAN = 5,
	NEWER = 6,
	KILLS = 5,
	STRANGER = 0x8,
	DISK_KIB = 2048,
	PADDING = 60,
	STEPS = 40,
	FLOOD = 20000,
	FLOOD_AT_ONCE = 100
};

struct attack {
	struct it_agent chair;
	struct it_world *w;
	struct it_rogue *r;
	struct it_proc *agent;
};

static const struct it_agent chair = {.id = CHAIR, .class = "chair", .busy = 1, .seed = 3, .extra = it_rogue_yaml};

static void write_first_catalog(struct attack *a)
{
	struct it_offer first = it_rogue_draft(a->r, BEGAN, IT_ROGUE_GOOD);
	struct gf_diag diag = {{0}};
	assert_int_equal(gf_dir_make(it_path(a->w, "catalogs"), &diag), 0);
	assert_int_equal(gf_file_replace(it_path(a->w, "catalogs/chair.catalog"), first.data, first.len, 0644, &diag), 0);
	it_offer_free(&first);
}

static int setup(void **state)
{
	struct attack *a = calloc(1, sizeof(*a));
	*state = a;
	a->chair = chair;
	a->w = it_open("attack");
	it_broker_start(a->w);
	a->r = it_rogue_open(a->w, CHAIR);
	write_first_catalog(a);
	a->agent = it_agent_start(a->w, &chair);
	return 0;
}

static int teardown(void **state)
{
	struct attack *a = *state;
	it_rogue_close(a->r);
	it_close(a->w);
	free(a);
	return 0;
}

/* One more session than before was begun, with the catalog it had. */
static void expect_playing(const struct attack *a, uint64_t version)
{
	const size_t before = (it_rogue_turn(a->r), a->r->sessions);
	IT_UNTIL(SOON_MS, (it_rogue_turn(a->r), a->r->sessions > before));
	assert_int_equal(a->r->session_version, version);
}

static void end_agent(const struct attack *a)
{
	expect_playing(a, BEGAN);
	it_signal(a->agent, SIGTERM);
	it_end_well(a->agent, SOON_MS);
}

/* Offers it, and ends it. */
static void expect_refused(const struct attack *a, struct it_offer offer, enum gf_refusal refusal)
{
	const uint64_t revision = it_rogue_offer(a->r, &offer);
	it_offer_free(&offer);
	assert_string_equal(gf_refusal_name(it_rogue_refusal(a->r, revision)), gf_refusal_name(refusal));
}

static struct it_offer sealed(const struct attack *a, struct gf_catalog *catalog)
{
	struct it_offer offer = it_rogue_seal(a->r, catalog, IT_ROGUE_GOOD);
	gf_catalog_deinit(catalog);
	return offer;
}

/* ---- signatures ---- */

static void i6_every_byte_flipped(void **state)
{
	struct attack *a = *state;
	struct it_offer offer = it_rogue_draft(a->r, NEWER, IT_ROGUE_GOOD);
	for (size_t i = 0; i < offer.len; i++) {
		offer.data[i] ^= 0x01;
		it_offer_restamp(&offer);
		const enum gf_refusal refusal = it_rogue_refusal(a->r, it_rogue_offer(a->r, &offer));
		if (refusal != GF_REFUSAL_MALFORMED && refusal != GF_REFUSAL_BAD_SIGNATURE &&
		    refusal != GF_REFUSAL_FEW_SIGNATURES)
			fail_msg("byte %zu: %s", i, gf_refusal_name(refusal));
		offer.data[i] ^= 0x01;
	}
	it_offer_free(&offer);
	expect_playing(a, BEGAN);
}

static void i6_the_wrong_people_signed(void **state)
{
	struct attack *a = *state;
	expect_refused(a, it_rogue_draft(a->r, NEWER, STRANGER), GF_REFUSAL_UNKNOWN_KEY);
	expect_refused(a, it_rogue_draft(a->r, NEWER, 0x1), GF_REFUSAL_FEW_SIGNATURES);
	expect_refused(a, it_rogue_draft(a->r, NEWER, 0x1 | STRANGER), GF_REFUSAL_FEW_SIGNATURES);
	expect_refused(a, it_rogue_draft(a->r, NEWER, 0), GF_REFUSAL_FEW_SIGNATURES);
	expect_playing(a, BEGAN);
}

/* The key that lets the machine into the broker is of no use for signing. */
static void i6_a_tls_key_signs_nothing(void **state)
{
	struct attack *a = *state;
	struct it_offer offer = it_rogue_draft(a->r, NEWER, 0);
	struct gf_diag diag = {{0}};
	assert_int_equal(gf_file_replace(it_path(a->w, "unsigned"), offer.data, offer.len, 0644, &diag), 0);
	it_offer_free(&offer);
	struct it_output output = it_run(a->w, it_program("gymfleet"), "catalog", "sign", it_path(a->w, "unsigned"),
	                                 "--key", it_path(a->w, "pki/devices/" CHAIR ".key"));
	assert_int_equal(output.status, 1);
	assert_non_null(strstr(output.err, "keygen"));
	it_output_free(&output);
}

/* ---- what is signed and still not taken ---- */

static void i6_other_versions_than_newer_ones(void **state)
{
	struct attack *a = *state;
	expect_refused(a, it_rogue_draft(a->r, BEGAN - 1, IT_ROGUE_GOOD), GF_REFUSAL_OLDER_VERSION);
	struct it_offer last = it_rogue_draft(a->r, UINT64_MAX, IT_ROGUE_GOOD);
	last.version = NEWER; /* as the desired state calls it, which could not even say the other one */
	expect_refused(a, last, GF_REFUSAL_VERSION_RANGE);
	struct gf_catalog same = it_rogue_catalog("chair", BEGAN, 9);
	expect_refused(a, sealed(a, &same), GF_REFUSAL_VERSION_REUSED);
	expect_playing(a, BEGAN);
}

static void i6_a_catalog_for_others(void **state)
{
	struct attack *a = *state;
	struct gf_catalog roller = it_rogue_catalog("roller", NEWER, 4), late = it_rogue_catalog("chair", NEWER, 4),
	                  modern = it_rogue_catalog("chair", NEWER, 4);
	late.created_ms = 1500000000000;
	late.expires_ms = 1600000000000;
	gf_strcpy(modern.min_agent, sizeof(modern.min_agent), "99.0.0");
	expect_refused(a, sealed(a, &roller), GF_REFUSAL_WRONG_CLASS);
	expect_refused(a, sealed(a, &late), GF_REFUSAL_EXPIRED);
	expect_refused(a, sealed(a, &modern), GF_REFUSAL_AGENT_TOO_OLD);
	expect_playing(a, BEGAN);
}

static void i6_outside_this_machines_envelope(void **state)
{
	struct attack *a = *state;
	const struct it_agent narrow = {.id = CHAIR,
	                                .class = "chair",
	                                .busy = 1,
	                                .seed = 3,
	                                .extra = "envelope: {intensity_max_pct: 30}\n"
	                                         "catalog_keys: {threshold: 2, files: [../../k0.pub, ../../k1.pub]}\n"};
	struct gf_catalog strong = it_rogue_catalog("chair", NEWER, 30);
	strong.routines[0].steps[0].to_pct = 40;
	strong.routines[0].steps[0].ramp_ms = 25000;
	end_agent(a);
	a->agent = it_agent_start(a->w, &narrow);
	expect_refused(a, sealed(a, &strong), GF_REFUSAL_ENVELOPE);
	expect_playing(a, BEGAN);
}

/* ---- the way it comes ---- */

static void i6_a_gateway_that_lies_about_the_digest(void **state)
{
	struct attack *a = *state;
	struct it_offer offer = it_rogue_draft(a->r, NEWER, IT_ROGUE_GOOD);
	offer.digest.bytes[0] ^= 0xff; /* topic and desired state agree on it, the bytes don't */
	expect_refused(a, offer, GF_REFUSAL_DIGEST);
	expect_playing(a, BEGAN);
}

/* Of several parts: many routines. */
static struct it_offer large(const struct attack *a, uint64_t version, unsigned seconds)
{
	struct gf_catalog catalog = it_rogue_catalog("chair", version, seconds);
	struct gf_routine first = catalog.routines[0];
	catalog.routines = reallocarray(catalog.routines, PADDING, sizeof(first));
	assert_non_null(catalog.routines);
	for (unsigned i = 0; i < PADDING; i++) {
		struct gf_routine *routine = &catalog.routines[i];
		*routine = first;
		snprintf(routine->id, sizeof(routine->id), "padding_%u", i);
		routine->steps = calloc(STEPS, sizeof(*routine->steps));
		assert_non_null(routine->steps);
		routine->steps_count = STEPS;
		for (unsigned k = 0; k < STEPS; k++) {
			routine->steps[k] = first.steps[0];
			routine->steps[k].duration_ms = 4000 + seconds;
		}
	}
	free(first.steps);
	catalog.routines_count = PADDING;
	struct it_offer offer = sealed(a, &catalog);
	assert_true(gf_catalog_parts(offer.len) > 2);
	return offer;
}

static void i6_parts_of_two_catalogs_mixed(void **state)
{
	struct attack *a = *state;
	struct it_offer one = large(a, NEWER, 1), other = large(a, NEWER, 2);
	assert_int_equal(one.len, other.len);
	/* Each is good, and so is each part; what comes out of both is neither. */
	memcpy(one.data + GF_CATALOG_PART_MAX, other.data + GF_CATALOG_PART_MAX, GF_CATALOG_PART_MAX);
	it_offer_free(&other);
	expect_refused(a, one, GF_REFUSAL_DIGEST);
	expect_playing(a, BEGAN);
}

static void publish_part(const struct attack *a, const struct it_offer *offer, int part, const void *data, size_t len)
{
	char topic[GF_TOPIC_MAX];
	gf_topic_catalog(topic, &offer->digest, part);
	assert_int_equal(it_client_publish(a->r->client, topic, data, len, false) & 0x80, 0);
}

/* What is no part of it is left aside, and what is comes through all the same. */
static void i6_endless_and_truncated_parts(void **state)
{
	struct attack *a = *state;
	static const unsigned char flood[GF_CATALOG_PART_MAX + 1];
	struct it_offer offer = large(a, NEWER, 1);
	it_rogue_desire(a->r, &offer, ++a->r->revision);
	IT_UNTIL(SOON_MS, it_rogue_heard(a->r, a->r->revision, GF_DESIRED_STEP_FETCHING));
	for (int part = 0; part < 400; part++)
		publish_part(a, &offer, part + 100, flood, GF_CATALOG_PART_MAX);
	publish_part(a, &offer, 0, offer.data, GF_CATALOG_PART_MAX - 1);
	publish_part(a, &offer, 0, flood, sizeof(flood));
	publish_part(a, &offer, 1, "", 0);
	publish_part(a, &offer, GF_TOPIC_CATALOG_WHOLE, offer.data, GF_CATALOG_PART_MAX);
	expect_playing(a, BEGAN);
	it_rogue_publish(a->r, &offer);
	IT_UNTIL(SOON_MS, it_rogue_heard(a->r, a->r->revision, GF_DESIRED_STEP_ACTIVE));
	it_offer_free(&offer);
}

static void i6_an_old_desired_state_replayed(void **state)
{
	struct attack *a = *state;
	struct it_offer offer = it_rogue_draft(a->r, NEWER, IT_ROGUE_GOOD);
	a->r->revision = 7;
	it_rogue_desire(a->r, NULL, 7);
	IT_UNTIL(SOON_MS, it_rogue_heard(a->r, 7, GF_DESIRED_STEP_APPLIED));
	it_rogue_publish(a->r, &offer);
	it_rogue_desire(a->r, &offer, 6); /* good in itself, and of yesterday */
	it_rogue_desire(a->r, NULL, 8);
	IT_UNTIL(SOON_MS, it_rogue_heard(a->r, 8, GF_DESIRED_STEP_APPLIED));
	for (size_t i = 0; i < a->r->answers_count; i++)
		assert_int_not_equal(a->r->answers[i].revision, 6);
	it_signal(a->agent, SIGKILL);
	a->agent = it_agent_start(a->w, &chair);
	it_rogue_desire(a->r, &offer, 6); /* also to an agent that has just started */
	it_rogue_desire(a->r, NULL, 9);
	IT_UNTIL(SOON_MS, it_rogue_heard(a->r, 9, GF_DESIRED_STEP_APPLIED));
	for (size_t i = 0; i < a->r->answers_count; i++)
		assert_int_not_equal(a->r->answers[i].revision, 6);
	it_offer_free(&offer);
	expect_playing(a, BEGAN);
}

/* Each of these could be the newest, and most find no room: the one that is, is found again. */
static void i8_desired_states_faster_than_they_can_be_taken(void **state)
{
	struct attack *a = *state;
	unsigned char buf[GF_DESIRED_MAX];
	char topic[GF_TOPIC_MAX];
	size_t len;
	gf_topic_device(topic, CHAIR, GF_TOPIC_DESIRED);
	for (unsigned i = 0; i < FLOOD; i++) {
		const struct gf_desired desired = {.revision = ++a->r->revision, .limits = {.intensity_max_pct = 60}};
		assert_int_equal(gf_desired_encode(&desired, buf, sizeof(buf), &len), 0);
		IT_UNTIL(SOON_MS, (it_client_turn(a->r->client),
		                   gf_link_publish(it_client_link(a->r->client), topic, buf, len, 0, true, 0, 0) == 0));
		if (i % FLOOD_AT_ONCE == 0) {
			it_pause();
			it_rogue_turn(a->r);
		}
	}
	it_rogue_desire(a->r, NULL, ++a->r->revision);
	IT_UNTIL(SOON_MS, it_rogue_heard(a->r, a->r->revision, GF_DESIRED_STEP_APPLIED));
	expect_playing(a, BEGAN);
}

/* ---- cuts ---- */

static void restart(struct attack *a)
{
	it_signal(a->agent, SIGKILL);
	a->agent = it_agent_start(a->w, &a->chair);
}

/* Killed at any moment of the way, it plays the old one or the new one, and ends up with the new one. */
static void i6_killed_at_every_step_of_the_switch(void **state)
{
	struct attack *a = *state;
	struct gf_prng chance;
	struct it_offer offer = it_rogue_draft(a->r, NEWER, IT_ROGUE_GOOD);
	gf_prng_seed(&chance, 11);
	a->chair.extra = it_rogue_yaml_brief; /* each of them waits for the end of the trial before it */
	for (unsigned kill = 0; kill < KILLS; kill++) {
		const uint64_t version = NEWER + kill;
		it_offer_free(&offer);
		offer = it_rogue_draft(a->r, version, IT_ROGUE_GOOD);
		const uint64_t revision = it_rogue_offer(a->r, &offer);
		const int64_t until_ms = it_now_ms() + (int64_t)(gf_prng_next(&chance) % 400);
		IT_UNTIL(SOON_MS, (it_rogue_turn(a->r), it_now_ms() >= until_ms));
		restart(a);
		IT_UNTIL(SOON_MS, it_rogue_heard(a->r, revision, GF_DESIRED_STEP_ACTIVE));
		expect_playing(a, version);
	}
	it_offer_free(&offer);
}

static void crash_with(struct attack *a, const struct it_offer *offer)
{
	const uint64_t revision = it_rogue_offer(a->r, offer);
	IT_UNTIL(SOON_MS, it_rogue_heard(a->r, revision, GF_DESIRED_STEP_ACTIVE));
	for (unsigned crash = 0; crash < 3; crash++) {
		expect_playing(a, offer->version);
		restart(a);
	}
	IT_UNTIL(SOON_MS, it_rogue_heard(a->r, revision, GF_DESIRED_STEP_ROLLED_BACK));
}

/* Whatever kills the agent three times after a switch is gone with the fourth start, and doesn't come back. */
static void i6_a_catalog_that_makes_the_agent_crash(void **state)
{
	struct attack *a = *state;
	struct it_offer offer = it_rogue_draft(a->r, NEWER, IT_ROGUE_GOOD);
	crash_with(a, &offer);
	assert_int_equal(a->r->answers[a->r->answers_count - 1].refusal, GF_REFUSAL_CRASHED);
	expect_playing(a, BEGAN);
	expect_refused(a, offer, GF_REFUSAL_ROLLED_BACK);
	/* The next one is welcome; one below what has been here is not. */
	expect_refused(a, it_rogue_draft(a->r, BEGAN - 1, IT_ROGUE_GOOD), GF_REFUSAL_OLDER_VERSION);
	struct it_offer mended = it_rogue_draft(a->r, NEWER + 1, IT_ROGUE_GOOD);
	const uint64_t revision = it_rogue_offer(a->r, &mended);
	IT_UNTIL(SOON_MS, it_rogue_heard(a->r, revision, GF_DESIRED_STEP_ACTIVE));
	expect_playing(a, NEWER + 1);
	it_offer_free(&mended);
}

static void i6_a_disk_that_is_full_while_the_slot_is_written(void **state)
{
	struct attack *a = *state;
	struct it_offer offer = it_rogue_draft(a->r, NEWER, IT_ROGUE_GOOD);
	const char *dir = it_path(a->w, "machines/" CHAIR "/catalog");
	end_agent(a);
	struct it_proc *disk = it_disk(a->w, dir, DISK_KIB);
	a->agent = it_spawn_on_disk(a->w, "agent-on-disk", disk, it_program("gymfleet-agent"),
	                            it_path(a->w, "machines/" CHAIR "/agent.yaml"));
	expect_playing(a, BEGAN);
	it_disk_fill(disk, dir);
	assert_int_equal(it_rogue_refusal(a->r, it_rogue_offer(a->r, &offer)), GF_REFUSAL_STORAGE);
	expect_playing(a, BEGAN);
	it_disk_free(disk, dir);
	const uint64_t revision = it_rogue_offer(a->r, &offer);
	IT_UNTIL(SOON_MS, it_rogue_heard(a->r, revision, GF_DESIRED_STEP_ACTIVE));
	expect_playing(a, NEWER);
	it_offer_free(&offer);
}

#define ATTACK(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ATTACK(i6_every_byte_flipped),
	    ATTACK(i6_the_wrong_people_signed),
	    ATTACK(i6_a_tls_key_signs_nothing),
	    ATTACK(i6_other_versions_than_newer_ones),
	    ATTACK(i6_a_catalog_for_others),
	    ATTACK(i6_outside_this_machines_envelope),
	    ATTACK(i6_a_gateway_that_lies_about_the_digest),
	    ATTACK(i6_parts_of_two_catalogs_mixed),
	    ATTACK(i6_endless_and_truncated_parts),
	    ATTACK(i6_an_old_desired_state_replayed),
	    ATTACK(i8_desired_states_faster_than_they_can_be_taken),
	    ATTACK(i6_killed_at_every_step_of_the_switch),
	    ATTACK(i6_a_catalog_that_makes_the_agent_crash),
	    ATTACK(i6_a_disk_that_is_full_while_the_slot_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
