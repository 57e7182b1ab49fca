/* The state's bytes, and what lies in the slots. Power cuts and full disks: power_test.c. */
#include "tests/unit/agent/catalog/rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/base/crc32c.h"
#include "proto/base/file.h"

struct place {
	char dir[64], shelf_dir[80], path[128];
	struct shelf *shelf;
	struct shelf_state state;
	struct gf_diag diag;
};

static int setup(void **state)
{
	static struct place p;
	p = (struct place){.dir = "/tmp/gymfleet-shelf-XXXXXX"};
	disk_trouble(DISK_FINE, -1, 0);
	if (mkdtemp(p.dir) == NULL)
		return -1;
	snprintf(p.shelf_dir, sizeof(p.shelf_dir), "%s/a/catalog", p.dir);
	*state = &p;
	return shelf_open(p.shelf_dir, true, &p.shelf, &p.state, &p.diag);
}

static int teardown(void **state)
{
	struct place *p = *state;
	char command[96];
	shelf_close(p->shelf);
	snprintf(command, sizeof(command), "rm -rf %s", p->dir);
	return system(command);
}

static const char *path_of(struct place *p, const char *name)
{
	snprintf(p->path, sizeof(p->path), "%s/%s", p->shelf_dir, name);
	return p->path;
}

static int reopen(struct place *p)
{
	shelf_close(p->shelf);
	p->shelf = NULL;
	return shelf_open(p->shelf_dir, true, &p->shelf, &p->state, &p->diag);
}

/* Nobody need be told that a machine has never had a catalog over the air. */
static void the_first_start_finds_nothing_odd(void **state)
{
	const struct place *p = *state;
	const struct shelf_state nothing = {0};
	assert_memory_equal(&p->state, &nothing, sizeof(nothing));
	assert_string_equal(p->diag.text, "");
}

/* Every field has a value of its own. */
static void fill(struct shelf_state *s)
{
	memset(s, 0, sizeof(*s));
	s->active = SHELF_B;
	s->previous = SHELF_FILE;
	for (int slot = SHELF_FILE; slot < SHELF_SLOTS; slot++) {
		memset(s->digests[slot].bytes, 0x10 + slot, GF_DIGEST_LEN);
		s->versions[slot] = (uint64_t)slot * 100;
	}
	s->trial = true;
	s->trial_starts = 2;
	s->trial_faults = 1;
	s->trial_ms = 123456;
	s->cause = GF_CATALOG_CAUSE_OVER_THE_AIR;
	memset(s->told.bytes, 0x21, GF_DIGEST_LEN);
	s->told_version = 100;
	s->highest_version = GF_CATALOG_VERSION_MAX;
	s->rollback_floor = 7;
	memset(s->highest.bytes, 0x22, GF_DIGEST_LEN);
	for (int i = 0; i < SHELF_ROLLED_BACK_MAX; i++) {
		memset(s->rolled_back[i].digest.bytes, 0x30 + i, GF_DIGEST_LEN);
		s->rolled_back[i].refusal = i == 0 ? GF_REFUSAL_CRASHED : GF_REFUSAL_FAULTS;
	}
	memset(s->judging.digest.bytes, 0x24, GF_DIGEST_LEN);
	s->judging.starts = 1;
	memset(s->judging_file.digest.bytes, 0x25, GF_DIGEST_LEN);
	s->judging_file.starts = 3;
	s->revision = UINT64_C(1) << 40;
	memset(s->desired.digest.bytes, 0x26, GF_DIGEST_LEN);
	memset(s->desired.name, 'n', GF_NAME_MAX - 1);
	s->desired.version = 300;
	s->desired.size = GF_CATALOG_MAX;
	s->desired.left_ms = 86400000;
	rig_keyset(0xff, 5, &s->keys);
	memset(s->keys_from.bytes, 0x27, GF_DIGEST_LEN);
	s->not_before_wall_ms = RIG_TODAY;
	s->answered_revision = (UINT64_C(1) << 40) - 1;
	s->answered_step = GF_DESIRED_STEP_WAITING;
}

/* ---- the state's bytes ---- */

static void a_state_comes_back_as_it_was(void **state)
{
	struct place *p = *state;
	struct shelf_state s;
	fill(&s);
	assert_int_equal(shelf_save(p->shelf, &s, &p->diag), 0);
	assert_int_equal(reopen(p), 0);
	assert_memory_equal(&p->state, &s, sizeof(s));
	memset(&s, 0, sizeof(s));
	assert_int_equal(shelf_save(p->shelf, &s, &p->diag), 0);
	assert_int_equal(reopen(p), 0);
	assert_memory_equal(&p->state, &s, sizeof(s));
}

static void any_flipped_bit_and_any_cut_is_found(void **state)
{
	unsigned char bytes[SHELF_STATE_MAX];
	struct shelf_state s, out;
	struct gf_diag diag;
	(void)state;
	fill(&s);
	const size_t len = shelf_state_encode(&s, bytes);
	for (size_t i = 0; i < len * 8; i++) {
		bytes[i / 8] ^= (unsigned char)(1U << i % 8);
		assert_int_equal(shelf_state_decode(bytes, len, &out, &diag), -EINVAL);
		bytes[i / 8] ^= (unsigned char)(1U << i % 8);
	}
	for (size_t n = 0; n < len; n++)
		assert_int_equal(shelf_state_decode(bytes, n, &out, &diag), -EINVAL);
	assert_int_equal(shelf_state_decode(bytes, len, &out, &diag), 0);
}

/* As if somebody had written it with a right sum. */
static void seal(unsigned char *bytes, size_t len)
{
	const uint32_t sum = gf_crc32c(gf_crc32c(0, bytes, 12), bytes + 16, len - 16);
	for (int i = 0; i < 4; i++)
		bytes[12 + i] = (unsigned char)(sum >> 8 * i);
}

static void a_state_that_makes_no_sense_is_refused(void **state)
{
	static const struct {
		size_t at;
		unsigned char value;
	} wrongs[] = {
	    {16, SHELF_SLOTS},   /* active */
	    {17, SHELF_SLOTS},   /* previous */
	    {17, SHELF_B},       /* the same */
	    {17, SHELF_NONE},    /* a trial with no way back */
	    {18, 2},             /* flags */
	    {19 + 32 + 7, 0xff}, /* a version beyond all */
	};
	unsigned char bytes[SHELF_STATE_MAX];
	struct shelf_state s, out;
	struct gf_diag diag;
	(void)state;
	fill(&s);
	const size_t len = shelf_state_encode(&s, bytes);
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		const unsigned char was = bytes[wrongs[i].at];
		bytes[wrongs[i].at] = wrongs[i].value;
		seal(bytes, len);
		assert_int_equal(shelf_state_decode(bytes, len, &out, &diag), -EINVAL);
		assert_string_equal(diag.text, "the catalog shelf's state makes no sense");
		bytes[wrongs[i].at] = was;
	}
	seal(bytes, len);
	assert_int_equal(shelf_state_decode(bytes, len, &out, &diag), 0);
}

static void keys_that_prove_nothing_are_refused(void **state)
{
	unsigned char bytes[SHELF_STATE_MAX];
	struct shelf_state s, out;
	(void)state;
	fill(&s);
	memset(s.keys.keys[3], 0, GF_KEY_LEN); /* of small order */
	assert_int_equal(shelf_state_decode(bytes, shelf_state_encode(&s, bytes), &out, NULL), -EINVAL);
	fill(&s);
	s.keys.threshold = 9;
	assert_int_equal(shelf_state_decode(bytes, shelf_state_encode(&s, bytes), &out, NULL), -EINVAL);
}

/* agent/catalog/FORMAT.md's example. */
static void the_first_state_of_a_machine_is_what_the_document_shows(void **state)
{
	static const unsigned char head[] = {'G', 'F', 'C', 'A', 'T', 'S', 'H', 1};
	unsigned char bytes[SHELF_STATE_MAX];
	struct shelf_state s = {.active = SHELF_FILE, .cause = GF_CATALOG_CAUSE_BY_HAND};
	(void)state;
	memset(s.digests[SHELF_FILE].bytes, 0xd1, GF_DIGEST_LEN);
	s.versions[SHELF_FILE] = s.highest_version = s.told_version = 5;
	s.highest = s.told = s.digests[SHELF_FILE];
	assert_int_equal(shelf_state_encode(&s, bytes), 556);
	assert_memory_equal(bytes, head, sizeof(head));
	assert_int_equal(bytes[8] | bytes[9] << 8, 540);
	assert_int_equal(bytes[16], SHELF_FILE);
	assert_int_equal(bytes[19], 0xd1);
	assert_int_equal(bytes[51], 5);
}

/* ---- files ---- */

static void a_damaged_state_is_set_aside(void **state)
{
	struct place *p = *state;
	struct shelf_state s;
	fill(&s);
	assert_int_equal(shelf_save(p->shelf, &s, &p->diag), 0);
	assert_int_equal(truncate(path_of(p, "state"), 100), 0);
	assert_int_equal(reopen(p), -EINVAL);
	assert_non_null(strstr(p->diag.text, "/a/catalog/state: the catalog shelf's state is damaged"));
	assert_int_equal(access(path_of(p, "state.bad"), F_OK), 0);
	assert_int_equal(reopen(p), 0);
	assert_int_equal(p->state.active, SHELF_NONE);
}

static void a_state_of_a_later_version_is_set_aside(void **state)
{
	struct place *p = *state;
	unsigned char bytes[SHELF_STATE_MAX];
	struct shelf_state s;
	fill(&s);
	const size_t len = shelf_state_encode(&s, bytes);
	bytes[7] = 2;
	seal(bytes, len);
	assert_int_equal(gf_file_replace(path_of(p, "state"), bytes, len, 0640, NULL), 0);
	assert_int_equal(reopen(p), -EINVAL);
	assert_non_null(strstr(p->diag.text, "has version 2, this agent knows 1"));
	assert_int_equal(reopen(p), 0);
}

static void a_slot_holds_what_it_was_given(void **state)
{
	struct place *p = *state;
	unsigned char *data = NULL;
	struct gf_digest digest;
	size_t len = 0;
	gf_digest_of("some bytes", 10, &digest);
	assert_int_equal(shelf_get(p->shelf, SHELF_A, &digest, &data, &len, &p->diag), -ENOENT);
	assert_int_equal(shelf_put(p->shelf, SHELF_A, "some bytes", 10, &p->diag), 0);
	assert_int_equal(reopen(p), 0);
	assert_int_equal(shelf_get(p->shelf, SHELF_A, &digest, &data, &len, &p->diag), 0);
	assert_int_equal(len, 10);
	assert_memory_equal(data, "some bytes", 10);
	free(data);
	data = NULL;
	assert_int_equal(shelf_get(p->shelf, SHELF_B, &digest, &data, &len, &p->diag), -ENOENT);
	assert_int_equal(truncate(path_of(p, "a.catalog"), 9), 0);
	assert_int_equal(shelf_get(p->shelf, SHELF_A, &digest, &data, &len, &p->diag), -EILSEQ);
	assert_null(data);
}

static void there_are_two_slots_and_no_more(void **state)
{
	struct place *p = *state;
	static unsigned char large[GF_CATALOG_MAX + 1];
	unsigned char *data = NULL;
	size_t len = 0;
	assert_int_equal(shelf_put(p->shelf, SHELF_FILE, "x", 1, &p->diag), -EINVAL);
	assert_int_equal(shelf_put(p->shelf, SHELF_NONE, "x", 1, &p->diag), -EINVAL);
	assert_int_equal(shelf_put(p->shelf, SHELF_SLOTS, "x", 1, &p->diag), -EINVAL);
	assert_int_equal(shelf_read(p->shelf, SHELF_FILE, &data, &len, &p->diag), -EINVAL);
	assert_int_equal(shelf_put(p->shelf, SHELF_A, large, 0, &p->diag), -EINVAL);
	assert_int_equal(shelf_put(p->shelf, SHELF_A, large, sizeof(large), &p->diag), -EINVAL);
	assert_int_equal(shelf_put(p->shelf, SHELF_B, large, GF_CATALOG_MAX, &p->diag), 0);
}

static void without_syncing_it_is_the_same_files(void **state)
{
	struct place *p = *state;
	struct shelf_state s;
	shelf_close(p->shelf);
	p->shelf = NULL;
	assert_int_equal(shelf_open(p->shelf_dir, false, &p->shelf, &p->state, &p->diag), 0);
	fill(&s);
	assert_int_equal(shelf_save(p->shelf, &s, &p->diag), 0);
	assert_int_equal(reopen(p), 0);
	assert_memory_equal(&p->state, &s, sizeof(s));
}

static void a_folder_that_can_not_be_is_said(void **state)
{
	struct place *p = *state;
	struct shelf *shelf = NULL;
	assert_int_equal(shelf_open("/proc/nowhere/catalog", true, &shelf, &p->state, &p->diag), -ENOENT);
	assert_non_null(strstr(p->diag.text, "/proc/nowhere"));
	assert_null(shelf);
}

#define SHELF_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SHELF_TEST(the_first_start_finds_nothing_odd),
	    SHELF_TEST(a_state_comes_back_as_it_was),
	    SHELF_TEST(any_flipped_bit_and_any_cut_is_found),
	    SHELF_TEST(a_state_that_makes_no_sense_is_refused),
	    SHELF_TEST(keys_that_prove_nothing_are_refused),
	    SHELF_TEST(the_first_state_of_a_machine_is_what_the_document_shows),
	    SHELF_TEST(a_damaged_state_is_set_aside),
	    SHELF_TEST(a_state_of_a_later_version_is_set_aside),
	    SHELF_TEST(a_slot_holds_what_it_was_given),
	    SHELF_TEST(there_are_two_slots_and_no_more),
	    SHELF_TEST(without_syncing_it_is_the_same_files),
	    SHELF_TEST(a_folder_that_can_not_be_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
