/* The file of what the gateway has limited. */
#include "agent/limits.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/base/file.h"
#include "proto/base/text.h"

struct folder {
	char dir[64], path[96];
	struct gf_diag diag;
};

static const struct limits some = {
    .revision = 12,
    .limits =
        {.locked = true, .intensity_max_pct = 40, .frequency_max_hz = 20, .heat_max_c = 38, .session_max_ms = 900000},
    .lock_reason = "the cover is torn",
};

static int setup(void **state)
{
	static struct folder f;
	snprintf(f.dir, sizeof(f.dir), "/tmp/gf-limits-XXXXXX");
	if (mkdtemp(f.dir) == NULL)
		return -1;
	snprintf(f.path, sizeof(f.path), "%s/limits", f.dir);
	f.diag.text[0] = '\0';
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	const struct folder *f = *state;
	unlink(f->path);
	return rmdir(f->dir);
}

static void what_is_saved_is_loaded(void **state)
{
	struct folder *f = *state;
	struct limits got;
	assert_int_equal(limits_save(f->path, &some, &f->diag), 0);
	assert_int_equal(limits_load(f->path, &got, &f->diag), 0);
	assert_true(limits_same(&got, &some));
	assert_int_equal(got.revision, 12);
	assert_string_equal(got.lock_reason, "the cover is torn");
	struct limits other = some;
	other.limits.locked = false;
	other.lock_reason[0] = '\0';
	assert_int_equal(limits_save(f->path, &other, &f->diag), 0);
	assert_int_equal(limits_load(f->path, &got, &f->diag), 0);
	assert_false(got.limits.locked);
}

/* A small difference counts too: what is the same isn't written. */
static void every_limit_makes_a_difference(void **state)
{
	struct limits other[7];
	(void)state;
	for (size_t i = 0; i < 7; i++)
		other[i] = some;
	assert_true(limits_same(&some, &other[0]));
	other[0].limits.locked = false;
	other[1].limits.intensity_max_pct += 0.5F;
	other[2].limits.frequency_max_hz = 0;
	other[3].limits.pressure_max_mmhg = 50;
	other[4].limits.heat_max_c = 37;
	other[5].limits.session_max_ms--;
	other[6].lock_reason[0] = 'T';
	for (size_t i = 0; i < 7; i++)
		assert_false(limits_same(&some, &other[i]));
	other[1] = some;
	other[1].revision++;
	assert_true(limits_same(&some, &other[1]));
}

static void without_a_file_nothing_is_limited(void **state)
{
	struct folder *f = *state;
	struct limits got = some;
	assert_int_equal(limits_load(f->path, &got, &f->diag), 0);
	assert_false(got.limits.locked);
	assert_int_equal(got.revision, 0);
}

static void expect_locked(struct folder *f, const char *said)
{
	struct limits got = {0};
	f->diag.text[0] = '\0';
	assert_true(limits_load(f->path, &got, &f->diag) < 0);
	assert_true(got.limits.locked);
	assert_int_equal(got.revision, 0);
	assert_true(got.lock_reason[0] != '\0');
	if (strstr(f->diag.text, f->path) == NULL || strstr(f->diag.text, said) == NULL)
		fail_msg("'%s' expected in '%s'", said, f->diag.text);
}

/* Each bit, and each length: none is taken for another state, least of all for an unlocked one. */
static void a_damaged_file_keeps_the_machine_locked(void **state)
{
	struct folder *f = *state;
	char *data = NULL;
	size_t len = 0;
	assert_int_equal(limits_save(f->path, &some, &f->diag), 0);
	assert_int_equal(gf_file_read(f->path, 4096, &data, &len, &f->diag), 0);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		data[bit / 8] = (char)(data[bit / 8] ^ 1 << bit % 8);
		assert_int_equal(gf_file_replace(f->path, data, len, 0640, &f->diag), 0);
		expect_locked(f, bit < 64 ? "no file of this agent's" : "damaged");
		data[bit / 8] = (char)(data[bit / 8] ^ 1 << bit % 8);
	}
	for (size_t cut = 0; cut < len; cut++) {
		assert_int_equal(gf_file_replace(f->path, data, cut, 0640, &f->diag), 0);
		expect_locked(f, "");
	}
	free(data);
}

static void what_is_no_readable_file_keeps_the_machine_locked(void **state)
{
	struct folder *f = *state;
	assert_int_equal(mkdir(f->path, 0700), 0);
	expect_locked(f, "");
	assert_int_equal(rmdir(f->path), 0);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
	struct folder *f = *state;
	char path[128];
	snprintf(path, sizeof(path), "%s/none/limits", f->dir);
	assert_int_equal(limits_save(path, &some, &f->diag), -ENOENT);
	assert_non_null(strstr(f->diag.text, "none/limits"));
}

static void a_lock_without_a_lock_has_no_reason(void **state)
{
	const struct gf_desired desired = {.revision = 3, .lock_reason = "left over", .limits = {.intensity_max_pct = 50}};
	const struct limits limits = limits_of(&desired);
	(void)state;
	assert_string_equal(limits.lock_reason, "");
	assert_true(limits.limits.intensity_max_pct > 49);
	assert_int_equal(limits.revision, 3);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(what_is_saved_is_loaded),
	    TEST(every_limit_makes_a_difference),
	    TEST(without_a_file_nothing_is_limited),
	    TEST(a_damaged_file_keeps_the_machine_locked),
	    TEST(what_is_no_readable_file_keeps_the_machine_locked),
	    TEST(a_folder_that_is_not_there_is_named),
	    TEST(a_lock_without_a_lock_has_no_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
