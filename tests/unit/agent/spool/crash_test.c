/* The spool and everything that ends a process or harms a disk: killed at any byte, without power, failing syncs, flipped bits. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/codec.h"
#include "tests/unit/agent/spool/model.h"

enum { ROOMY = 16 << 20 };

/* One run that ends after `life`; then, with or without power, what is left must satisfy the model, and go on from there. */
static int64_t die_and_return(int64_t life, size_t steps, size_t big, struct gf_prng *power)
{
	struct trap t;
	struct model m = {0};
	trap_init(&t);
	t.life = life;
	struct spool *spool = model_open(&t, SPOOL_BYTES_MIN);
	if (spool != NULL) {
		for (size_t i = 0; i < big && m.last_error == 0; i++) {
			m.last_error = model_append(&m, spool, i % 3 == 0 ? 0 : SPOOL_BATCH_MAX);
			if (m.last_error == 0 && i % 400 == 399)
				m.last_error = model_ack(&m, spool, m.written - 700);
		}
		if (m.last_error == 0)
			model_run(&m, spool, steps);
	}
	int64_t spent = t.spent;
	spool_close(spool);
	if (power != NULL)
		trap_power_cut(&t, power);

	trap_revive(&t);
	spool = model_open(&t, SPOOL_BYTES_MIN);
	assert_non_null(spool);
	assert_false(spool_stats(spool).recreated);
	model_check(&m, spool);
	m = (struct model){
	    .written = spool_next_seq(spool) - 1, .attempted = spool_next_seq(spool) - 1, .acked = spool_acked(spool)};
	model_run(&m, spool, 6);
	assert_int_equal(m.last_error, 0);
	model_check(&m, spool);
	spool_close(spool);
	trap_deinit(&t);
	return spent;
}

static void i1_killed_at_any_byte_each_record_is_there_once(void **state)
{
	(void)state;
	int64_t whole = die_and_return(INT64_MAX, 8, 0, NULL);
	for (int64_t life = 0; life < whole; life++)
		die_and_return(life, 8, 0, NULL);
}

static void i1_without_power_at_any_byte_each_record_is_there_once(void **state)
{
	(void)state;
	struct gf_prng prng;
	gf_prng_seed(&prng, 7);
	int64_t whole = die_and_return(INT64_MAX, 8, 0, NULL);
	for (int64_t life = 0; life < whole; life++)
		die_and_return(life, 8, 0, &prng);
}

/* The same where segments begin, are removed and are written anew: samples, and every change around them. */
static void i1_killed_while_segments_change(void **state)
{
	(void)state;
	struct gf_prng prng;
	gf_prng_seed(&prng, 8);
	int64_t whole = die_and_return(INT64_MAX, 20, 1800, NULL);
	for (int i = 0; i < 60; i++) {
		int64_t life = (int64_t)gf_prng_below(&prng, (uint64_t)whole);
		die_and_return(life, 20, 1800, i % 2 == 0 ? &prng : NULL);
	}
}

/* Runs until the spool's nth change of segments, then cuts at each byte and step near it. */
static void i1_killed_at_each_step_of_a_rotation(void **state)
{
	(void)state;
	struct gf_prng prng;
	gf_prng_seed(&prng, 9);
	struct trap t;
	struct model m = {0};
	trap_init(&t);
	struct spool *spool = model_open(&t, SPOOL_BYTES_MIN);
	size_t big = 0;
	int64_t before = 0;
	while (trap_count(&t, ".seg") < 2) {
		before = t.spent;
		assert_int_equal(model_append(&m, spool, big % 3 == 0 ? 0 : SPOOL_BATCH_MAX), 0);
		big++;
	}
	int64_t after = t.spent;
	spool_close(spool);
	trap_deinit(&t);
	for (int64_t life = before; life <= after; life += 3)
		die_and_return(life, 0, big, life % 2 == 0 ? &prng : NULL);
}

static void a_sync_that_fails_is_never_tried_again(void **state)
{
	(void)state;
	for (int64_t nth = 2; nth < 14; nth++) {
		struct trap t;
		struct model m = {0};
		trap_init(&t);
		struct spool *spool = model_open(&t, ROOMY);
		t.syncs = 0;
		t.fail_sync = nth;
		model_run(&m, spool, 20);
		assert_int_equal(m.last_error, SPOOL_E_FAILED);
		int64_t syncs = t.syncs;
		assert_int_equal(model_append(&m, spool, 1), SPOOL_E_FAILED);
		assert_int_equal(spool_ack(spool, 1), SPOOL_E_FAILED);
		assert_int_equal(spool_sync(spool), SPOOL_E_FAILED);
		assert_int_equal(t.syncs, syncs);
		spool_close(spool);
		trap_revive(&t);
		spool = model_open(&t, ROOMY);
		model_check(&m, spool);
		spool_close(spool);
		trap_deinit(&t);
	}
}

/*
 * After a failed sync the data stands in memory only, and the next sync says nothing. What the reopened spool still shows is made
 * durable anew before anybody relies on it.
 */
static void i1_what_a_failed_sync_left_in_memory_outlives_the_power(void **state)
{
	(void)state;
	struct gf_prng prng;
	gf_prng_seed(&prng, 12);
	for (int64_t nth = 2; nth < 14; nth++) {
		struct trap t;
		struct model m = {0};
		trap_init(&t);
		struct spool *spool = model_open(&t, ROOMY);
		t.syncs = 0;
		t.fail_sync = nth;
		model_run(&m, spool, 20);
		assert_int_equal(m.last_error, SPOOL_E_FAILED);
		spool_close(spool);
		t.fail_sync = 0;
		spool = model_open(&t, ROOMY);
		model_check(&m, spool);
		m.written = m.attempted = spool_next_seq(spool) - 1;
		m.state_written = m.state_attempted;
		model_run(&m, spool, 10);
		assert_int_equal(m.last_error, 0);
		spool_close(spool);
		trap_power_cut(&t, &prng);
		trap_revive(&t);
		spool = model_open(&t, ROOMY);
		assert_false(spool_stats(spool).recreated);
		model_check(&m, spool);
		spool_close(spool);
		trap_deinit(&t);
	}
}

static void a_write_that_fails_ends_the_trust(void **state)
{
	(void)state;
	for (int64_t nth = 1; nth < 12; nth++) {
		struct trap t;
		struct model m = {0};
		trap_init(&t);
		struct spool *spool = model_open(&t, ROOMY);
		t.writes = 0;
		t.fail_write = nth;
		model_run(&m, spool, 20);
		assert_int_equal(m.last_error, SPOOL_E_FAILED);
		assert_int_equal(model_append(&m, spool, 1), SPOOL_E_FAILED);
		spool_close(spool);
		trap_revive(&t);
		spool = model_open(&t, ROOMY);
		assert_false(spool_stats(spool).recreated);
		model_check(&m, spool);
		spool_close(spool);
		trap_deinit(&t);
	}
}

/* ---- damage ---- */

/* A spool of several segments, closed in order. */
static struct model fill(struct trap *t)
{
	struct model m = {0};
	trap_init(t);
	struct spool *spool = model_open(t, ROOMY);
	while (trap_count(t, ".seg") < 3)
		assert_int_equal(model_append(&m, spool, SPOOL_BATCH_MAX), 0);
	for (size_t i = 0; i < 30; i++)
		assert_int_equal(model_append(&m, spool, i % 3), 0);
	spool_close(spool);
	return m;
}

static uint64_t state_of(struct spool *spool)
{
	uint64_t state = 0;
	size_t len;
	const void *data = spool_state(spool, &len);
	assert_int_equal(len, sizeof(state));
	memcpy(&state, data, len);
	return state;
}

static void damage_sets_the_files_aside_and_keeps_the_newest_state(void **state)
{
	(void)state;
	struct trap t;
	char path[160];
	struct model m = fill(&t);
	struct spool *spool = model_open(&t, ROOMY);
	const struct gf_stream_id old = spool_stream(spool);
	spool_close(spool);

	/* The last segment, in its first frames: the newest state stands behind the damage. */
	trap_nth(&t, ".seg", 2, path);
	trap_flip(path, 60, 3);
	spool = model_open(&t, ROOMY);
	assert_non_null(spool);
	const struct gf_stream_id new = spool_stream(spool);
	assert_memory_not_equal(&old, &new, sizeof(old));
	assert_true(spool_stats(spool).recreated);
	assert_int_equal(state_of(spool), m.state_written);
	assert_int_equal(spool_next_seq(spool), 1);
	assert_int_equal(spool_acked(spool), 0);
	assert_int_equal(trap_count(&t, ".corrupt"), 3);
	assert_int_equal(trap_count(&t, ".seg"), 1);
	struct model fresh = {.state_written = m.state_written, .state_attempted = m.state_written};
	model_run(&fresh, spool, 10);
	spool_close(spool);

	/* A second time: the set before it makes room. */
	trap_nth(&t, ".seg", 0, path);
	trap_flip(path, 40, 0);
	spool = model_open(&t, ROOMY);
	assert_true(spool_stats(spool).recreated);
	assert_int_equal(trap_count(&t, ".corrupt"), 1);
	spool_close(spool);
	spool = model_open(&t, ROOMY);
	assert_false(spool_stats(spool).recreated);
	spool_close(spool);
	trap_deinit(&t);
}

/* On a full disk the new stream begins in the room of the reserve: the odometers are there, the machine can start. */
static void damage_on_a_full_disk_costs_no_state_either(void **state)
{
	(void)state;
	struct trap t;
	char path[160];
	struct model m = fill(&t);
	trap_nth(&t, ".seg", 0, path);
	trap_flip(path, 60, 3);
	t.space = 10;
	struct spool *spool = model_open(&t, ROOMY);
	assert_non_null(spool);
	assert_true(spool_stats(spool).recreated);
	assert_true(spool_stats(spool).disk_full);
	assert_int_equal(state_of(spool), m.state_written);
	struct model fresh = {0};
	assert_int_equal(model_append(&fresh, spool, 2), 0);
	model_check(&fresh, spool);
	spool_close(spool);
	trap_deinit(&t);
}

/* Wherever a bit flips: a new stream or a cut tail, no crash, no record changed, the state of a moment that was. */
static void a_flipped_bit_anywhere_is_found(void **state)
{
	(void)state;
	struct gf_prng prng;
	gf_prng_seed(&prng, 10);
	for (int i = 0; i < 120; i++) {
		struct trap t;
		char path[160];
		struct model m = {0};
		trap_init(&t);
		struct spool *spool = model_open(&t, ROOMY);
		model_run(&m, spool, 24);
		spool_close(spool);
		trap_nth(&t, ".seg", 0, path);
		trap_flip(path, (off_t)gf_prng_below(&prng, (uint64_t)trap_size(path)), (unsigned)gf_prng_below(&prng, 8));
		spool = model_open(&t, ROOMY);
		assert_non_null(spool);
		bool recreated = spool_stats(spool).recreated;
		/* What stood behind a torn tail's last promise can't be known; all before it is whole. */
		m.written = recreated ? 0 : spool_next_seq(spool) - 1;
		m.attempted = m.written;
		if (!recreated) {
			m.state_written = 0;
			model_check(&m, spool);
		} else {
			assert_int_equal(spool_next_seq(spool), 1);
			assert_true(state_of(spool) <= m.state_written);
		}
		spool_close(spool);
		trap_deinit(&t);
	}
}

/* Killed at each step while a damaged spool is set aside: the state comes through all the same. */
static void a_damaged_spool_may_be_killed_while_it_is_set_aside(void **state)
{
	(void)state;
	bool finished = false;
	for (int64_t life = 0; !finished; life++) {
		struct trap t;
		char path[160];
		struct model m = fill(&t);
		trap_nth(&t, ".seg", 1, path);
		trap_flip(path, 500, 1);
		trap_revive(&t);
		t.life = life < 30 ? life : life * 4;
		struct spool *spool = model_open(&t, ROOMY);
		finished = spool != NULL && !t.dead;
		spool_close(spool);
		trap_revive(&t);
		spool = model_open(&t, ROOMY);
		assert_non_null(spool);
		assert_int_equal(state_of(spool), m.state_written);
		assert_int_equal(spool_next_seq(spool), 1);
		assert_int_equal(trap_count(&t, ".seg"), 1);
		spool_close(spool);
		trap_deinit(&t);
	}
}

/* Bytes behind the last frame, as long as they like: cut off. */
static void a_torn_tail_of_any_bytes_is_cut(void **state)
{
	(void)state;
	struct gf_prng prng;
	gf_prng_seed(&prng, 11);
	for (int i = 0; i < 60; i++) {
		struct trap t;
		char path[160];
		struct model m = {0};
		unsigned char junk[600];
		trap_init(&t);
		struct spool *spool = model_open(&t, ROOMY);
		model_run(&m, spool, 10);
		spool_close(spool);
		trap_nth(&t, ".seg", 0, path);
		size_t len = gf_prng_below(&prng, sizeof(junk)) + 1;
		for (size_t k = 0; k < len; k++)
			junk[k] = i % 3 == 0 ? 0 : (unsigned char)gf_prng_next(&prng);
		FILE *file = fopen(path, "ab");
		assert_non_null(file);
		assert_int_equal(fwrite(junk, 1, len, file), len);
		fclose(file);
		spool = model_open(&t, ROOMY);
		assert_int_equal(spool_stats(spool).torn_bytes, len);
		assert_false(spool_stats(spool).recreated);
		model_check(&m, spool);
		spool_close(spool);
		trap_deinit(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(i1_killed_at_any_byte_each_record_is_there_once),
	    cmocka_unit_test(i1_without_power_at_any_byte_each_record_is_there_once),
	    cmocka_unit_test(i1_killed_while_segments_change),
	    cmocka_unit_test(i1_killed_at_each_step_of_a_rotation),
	    cmocka_unit_test(a_sync_that_fails_is_never_tried_again),
	    cmocka_unit_test(i1_what_a_failed_sync_left_in_memory_outlives_the_power),
	    cmocka_unit_test(a_write_that_fails_ends_the_trust),
	    cmocka_unit_test(damage_sets_the_files_aside_and_keeps_the_newest_state),
	    cmocka_unit_test(damage_on_a_full_disk_costs_no_state_either),
	    cmocka_unit_test(a_flipped_bit_anywhere_is_found),
	    cmocka_unit_test(a_damaged_spool_may_be_killed_while_it_is_set_aside),
	    cmocka_unit_test(a_torn_tail_of_any_bytes_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
