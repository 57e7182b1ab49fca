/* Tokens instead of badges: who can follow whom, for how long, and that no key means no way back. */
#include "proto/subject.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/base/rand.h"

#define NOW_MS UINT64_C(1767571200000) /* 2026-01-05T00:00:00Z */
#define DAY_MS (UINT64_C(24) * 3600 * 1000)

static struct gf_subject_key key_of(const char *text)
{
	struct gf_subject_key key;
	assert_int_equal(gf_subject_key_of(text, strlen(text), &key), 0);
	return key;
}

/* --- tokens ------------------------------------------------------------------------------------------------------ */

/* Computed once with Python's hmac module, after the words of the header. */
static void the_token_is_the_one_that_the_header_describes(void **state)
{
	(void)state;
	const struct gf_subject_key key = key_of("0123456789abcdef0123456789abcdef");
	assert_true(gf_subject_token(&key, 4711, NOW_MS) == UINT64_C(0xc2302f5c1dd4e6da));
	assert_true(gf_subject_since_ms(&key, 4711, NOW_MS) == INT64_C(1766334334793));
	assert_true(gf_subject_key_id(&key) == UINT32_C(0xe033949b));
}

static void a_token_lasts_31_days_and_then_is_another(void **state)
{
	(void)state;
	const struct gf_subject_key key = key_of("some key that nobody can guess...");
	for (uint64_t badge = 1; badge < 200; badge++) {
		const int64_t since_ms = gf_subject_since_ms(&key, badge, NOW_MS);
		const uint64_t first_ms = (uint64_t)since_ms, last_ms = first_ms + GF_SUBJECT_PERIOD_MS - 1;
		const uint64_t token = gf_subject_token(&key, badge, NOW_MS);
		assert_true(since_ms <= (int64_t)NOW_MS && NOW_MS <= last_ms);
		assert_true(token != 0 && token != badge);
		assert_true(gf_subject_token(&key, badge, first_ms) == token);
		assert_true(gf_subject_token(&key, badge, last_ms) == token);
		assert_true(gf_subject_token(&key, badge, first_ms - 1) != token);
		assert_true(gf_subject_token(&key, badge, last_ms + 1) != token);
		assert_true(gf_subject_since_ms(&key, badge, last_ms + 1) == (int64_t)(last_ms + 1));
		assert_true(gf_subject_since_ms(&key, badge, last_ms) == since_ms);
	}
}

/* Were all to change in one night, the old and the new ones could be told from each other's habits. */
static void the_moment_of_change_differs_from_person_to_person(void **state)
{
	(void)state;
	const struct gf_subject_key key = key_of("some key that nobody can guess...");
	unsigned days[GF_SUBJECT_DAYS] = {0};
	for (uint64_t badge = 1; badge <= 3100; badge++)
		days[(NOW_MS - (uint64_t)gf_subject_since_ms(&key, badge, NOW_MS)) / DAY_MS]++;
	for (int i = 0; i < GF_SUBJECT_DAYS; i++)
		assert_in_range(days[i], 50, 160);
}

static void another_key_or_badge_is_another_token(void **state)
{
	(void)state;
	const struct gf_subject_key one = key_of("some key that nobody can guess..."), two = key_of("some other key...");
	assert_true(gf_subject_token(&one, 1, NOW_MS) != gf_subject_token(&two, 1, NOW_MS));
	assert_true(gf_subject_token(&one, 1, NOW_MS) != gf_subject_token(&one, 2, NOW_MS));
	assert_true(gf_subject_key_id(&one) != gf_subject_key_id(&two));
	assert_true(gf_subject_token(&one, 0, NOW_MS) == 0);
	assert_true(gf_subject_token(&one, UINT64_MAX, UINT64_MAX) != 0);
	assert_true(gf_subject_token(&one, 1, 0) != 0);
}

/* --- sealing ----------------------------------------------------------------------------------------------------- */

static void what_was_sealed_comes_back_with_the_same_key_boot_and_time(void **state)
{
	(void)state;
	const struct gf_subject_key key = key_of("some key that nobody can guess..."), other = key_of("some other key...");
	struct gf_prng prng;
	gf_prng_seed(&prng, 31);
	for (int i = 0; i < 2000; i++) {
		const uint64_t badge = i < 100 ? (uint64_t)i : gf_prng_next(&prng), boot = gf_prng_below(&prng, 100);
		uint64_t sealed = badge, again = badge, later, wrong;
		assert_int_equal(gf_subject_seal(&key, boot, NOW_MS, &sealed), 0);
		assert_true((sealed == 0) == (badge == 0));
		if (badge == 0)
			continue;
		assert_true(sealed != badge);
		assert_int_equal(gf_subject_seal(&key, boot, NOW_MS, &again), 0);
		assert_true(again == sealed);
		later = wrong = badge;
		assert_int_equal(gf_subject_seal(&key, boot, NOW_MS + 1, &later), 0);
		assert_int_equal(gf_subject_seal(&key, boot + 1, NOW_MS, &wrong), 0);
		assert_true(later != sealed && wrong != sealed);
		wrong = sealed;
		assert_int_equal(gf_subject_unseal(&other, boot, NOW_MS, &wrong), 0);
		assert_true(wrong != badge);
		assert_int_equal(gf_subject_unseal(&key, boot, NOW_MS, &sealed), 0);
		assert_true(sealed == badge);
	}
}

/* --- the file ---------------------------------------------------------------------------------------------------- */

static char dir[] = "/tmp/subject_test.XXXXXX", path[64];

static int setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/key", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

static void write_key(size_t len, mode_t mode)
{
	(void)unlink(path);
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, mode);
	assert_true(fd >= 0);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(write(fd, &(unsigned char){(unsigned char)(i % 7)}, 1), 1);
	(void)fchmod(fd, mode);
	(void)close(fd);
}

static void a_key_file_is_long_enough_and_private(void **state)
{
	(void)state;
	struct gf_subject_key key, same;
	struct gf_diag diag = {{0}};
	unsigned char bytes[GF_SUBJECT_FILE_MIN];

	write_key(GF_SUBJECT_FILE_MIN, 0600);
	assert_int_equal(gf_subject_key_read(path, &key, &diag), 0);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i % 7); /* with a NUL in it */
	assert_int_equal(gf_subject_key_of(bytes, sizeof(bytes), &same), 0);
	assert_memory_equal(&key, &same, sizeof(key));

	write_key(GF_SUBJECT_FILE_MIN - 1, 0600);
	assert_int_equal(gf_subject_key_read(path, &key, &diag), -EINVAL);
	assert_non_null(strstr(diag.text, "a key of 31 bytes; expected at least 32"));
	write_key(GF_SUBJECT_FILE_MIN, 0640);
	assert_int_equal(gf_subject_key_read(path, &key, &diag), -EACCES);
	assert_non_null(strstr(diag.text, "chmod 600"));
	write_key(GF_SUBJECT_FILE_MAX + 1, 0600);
	assert_int_equal(gf_subject_key_read(path, &key, &diag), -EFBIG);
	(void)unlink(path);
	assert_int_equal(gf_subject_key_read(path, &key, &diag), -ENOENT);
	assert_non_null(strstr(diag.text, path));
	gf_subject_key_wipe(&same);
	assert_memory_equal(&same, &(struct gf_subject_key){{0}}, sizeof(same));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_token_is_the_one_that_the_header_describes),
	    cmocka_unit_test(a_token_lasts_31_days_and_then_is_another),
	    cmocka_unit_test(the_moment_of_change_differs_from_person_to_person),
	    cmocka_unit_test(another_key_or_badge_is_another_token),
	    cmocka_unit_test(what_was_sealed_comes_back_with_the_same_key_boot_and_time),
	    cmocka_unit_test(a_key_file_is_long_enough_and_private),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
