/* The keys of catalogs in agent.yaml: each mistake said at its place. */
#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/file.h"
#include "proto/catalog_key.h"
#include "tests/unit/agent/config_rig.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* Where the section is put, without changing what stands there. */
#define BEFORE "log_level: info"
#define WITH(section) section "\n" BEFORE

enum { KEYS = 3 };
static uint8_t keys[KEYS][GF_KEY_LEN];

static int setup(void **state)
{
	static const char *const names[KEYS] = {"anna", "ben", "chris"};
	char path[192];
	int r = config_rig_setup(state);
	const struct shipped *s = *state;
	for (int i = 0; i < KEYS && r == 0; i++) {
		snprintf(path, sizeof(path), "%s/%s", s->dir, names[i]);
		r = gf_key_make(path, keys[i], NULL);
	}
	return r;
}

static void keys_are_read_in_their_order(void **state)
{
	struct shipped *s = *state;
	shipped_change(s, BEFORE, WITH("catalog_keys:\n  threshold: 2\n  files: [anna.pub, ben.pub, chris.pub]"));
	struct agent_config *c = config_rig_load(s);
	assert_int_equal(c->catalog_keys.threshold, 2);
	assert_int_equal(c->catalog_keys.count, 3);
	assert_memory_equal(c->catalog_keys.keys, keys, sizeof(keys));
	agent_config_free(c);
	char absolute[256];
	snprintf(absolute, sizeof(absolute), "catalog_keys: {threshold: 1, files: [%s/ben.pub]}\n" BEFORE, s->dir);
	shipped_change(s, BEFORE, absolute);
	c = config_rig_load(s);
	assert_memory_equal(c->catalog_keys.keys[0], keys[1], GF_KEY_LEN);
	agent_config_free(c);
}

static void a_trial_may_last_from_ten_seconds_to_a_day(void **state)
{
	static const struct config_mistake far[] = {
	    {BEFORE, WITH("catalog_trial_s: ^0"), "catalog_trial_s is 0; expected 1 to 86400"},
	    {BEFORE, WITH("catalog_trial_s: ^86401"), "catalog_trial_s is 86401; expected 1 to 86400"},
	};
	struct shipped *s = *state;
	struct agent_config *c = config_rig_load(s);
	assert_int_equal(c->catalog_trial_ms, 600000);
	assert_int_equal(c->catalog_keys.threshold, 0);
	agent_config_free(c);
	config_rig_refuses_all(s, far, COUNT(far));
	shipped_change(s, BEFORE, WITH("catalog_trial_s: 86400"));
	c = config_rig_load(s);
	assert_int_equal(c->catalog_trial_ms, 86400000);
	agent_config_free(c);
}

static void numbers_that_cannot_be_are_named(void **state)
{
	static const struct config_mistake far[] = {
	    {BEFORE, WITH("catalog_keys: {threshold: ^0, files: [anna.pub]}"),
	     "catalog_keys.threshold is 0; expected 1 to 1"},
	    {BEFORE, WITH("catalog_keys: {threshold: ^3, files: [anna.pub, ben.pub]}"),
	     "catalog_keys.threshold is 3; expected 1 to 2"},
	    {BEFORE, WITH("catalog_keys: ^{files: [anna.pub]}"), "missing key 'threshold' in 'catalog_keys'"},
	    {BEFORE, WITH("catalog_keys: ^{threshold: 1}"), "missing key 'files' in 'catalog_keys'"},
	};
	config_rig_refuses_all(*state, far, COUNT(far));
}

/* The sentence is the key reader's: here only where it is said, and of which file. */
static void expect_at_its_place(struct shipped *s, const char *section, const char *file)
{
	struct agent_config *config = NULL;
	char place[32];
	shipped_change(s, BEFORE, section);
	assert_int_equal(agent_config_load(s->path, &config, &s->diag), -EINVAL);
	snprintf(place, sizeof(place), "agent.yaml:%u:%u: ", s->line, s->column);
	if (strstr(s->diag.text, place) == NULL || strstr(s->diag.text, file) == NULL)
		fail_msg("'%s' and '%s' expected in '%s'", place, file, s->diag.text);
}

static void a_file_that_is_no_public_key_is_named_at_its_place(void **state)
{
	struct shipped *s = *state;
	char path[192];
	expect_at_its_place(s, WITH("catalog_keys: {threshold: 1, files: [anna.pub, ^nobody.pub]}"), "nobody.pub");
	expect_at_its_place(s, WITH("catalog_keys: {threshold: 1, files: [^pki/ca.pem]}"), "ca.pem");
	snprintf(path, sizeof(path), "%s/empty.pub", s->dir);
	assert_int_equal(gf_file_replace(path, "", 0, 0644, NULL), 0);
	expect_at_its_place(s, WITH("catalog_keys: {threshold: 1, files: [^empty.pub]}"), "empty.pub");
}

/* One person with two files would count twice. */
static void a_key_that_is_there_twice_is_refused(void **state)
{
	struct shipped *s = *state;
	expect_at_its_place(s, WITH("catalog_keys: {threshold: 2, files: ^[anna.pub, ben.pub, anna.pub]}"), "");
}

static void memory_that_runs_out_is_said(void **state)
{
	struct shipped *s = *state;
	shipped_change(s, BEFORE, WITH("catalog_keys:\n  threshold: 2\n  files: [anna.pub, ben.pub]"));
	config_rig_starve(s);
}

/* --- the key of subject tokens --- */

static void write_subjects(const struct shipped *s, const char *text, mode_t mode)
{
	char path[192];
	snprintf(path, sizeof(path), "%s/subjects.key", s->dir);
	assert_int_equal(gf_file_replace(path, text, strlen(text), mode, NULL), 0);
}

static void badges_become_tokens_with_a_key(void **state)
{
	struct shipped *s = *state;
	struct gf_subject_key key;
	struct agent_config *c = config_rig_load(s);
	assert_false(c->has_subjects);
	agent_config_free(c);
	write_subjects(s, "0123456789abcdef0123456789abcdef", 0600);
	shipped_change(s, BEFORE, WITH("subject_tokens: {key_file: subjects.key}"));
	c = config_rig_load(s);
	assert_true(c->has_subjects);
	assert_int_equal(gf_subject_key_of("0123456789abcdef0123456789abcdef", 32, &key), 0);
	assert_memory_equal(&c->subjects, &key, sizeof(key));
	agent_config_free(c);
	config_rig_starve(s);
}

static void a_key_of_tokens_that_is_none_is_refused(void **state)
{
	struct shipped *s = *state;
	shipped_change(s, BEFORE, WITH("subject_tokens: {key_file: ^subjects.key}"));
	config_rig_refuses(s, -ENOENT, "%D/subjects.key: can't open: No such file or directory");
	write_subjects(s, "0123456789abcdef0123456789abcdef", 0640);
	config_rig_refuses(
	    s, -EACCES, "%D/subjects.key: a private key that others may read (mode 0640); run: chmod 600 %D/subjects.key");
	write_subjects(s, "short", 0600);
	config_rig_refuses(s, -EINVAL,
	                   "%D/subjects.key: a key of 5 bytes; expected at least 32 that nobody can guess: head -c 32 "
	                   "/dev/urandom > %D/subjects.key");
	shipped_change(s, BEFORE, WITH("subject_tokens: ^{}"));
	config_rig_refuses(s, -EINVAL, "missing key 'key_file' in 'subject_tokens'");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, config_rig_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(keys_are_read_in_their_order),         TEST(a_trial_may_last_from_ten_seconds_to_a_day),
	    TEST(numbers_that_cannot_be_are_named),     TEST(a_file_that_is_no_public_key_is_named_at_its_place),
	    TEST(a_key_that_is_there_twice_is_refused), TEST(memory_that_runs_out_is_said),
	    TEST(badges_become_tokens_with_a_key),      TEST(a_key_of_tokens_that_is_none_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
