/* Tokens that are forgotten in their time leave the database's file and its log, too. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/store/cases.h"
#include "gateway/store/sqlite/reader.h"
#include "gateway/store/sqlite/writer.h"
#include "tests/unit/gateway/store/fixture.h"

enum { SESSIONS = 1200, MACHINES = 12 };

static uint64_t token_of(uint64_t session)
{
	return UINT64_C(0x4000000000000000) | session * UINT64_C(0x1f3d5b79a86c4e21);
}

/* Each of another person, on the machines in no order, so that the tables' pages are split again and again. */
static void fill(struct fixture *f)
{
	uint64_t nos[MACHINES] = {0};
	unsigned seed = 3;

	for (uint64_t i = 1; i <= SESSIONS; i++) {
		unsigned m = (seed >> 16) % MACHINES;
		struct gf_record r = session(nos[m] + 1, nos[m] + 1, NOON + (int64_t)i * MINUTE);
		char id[32];

		seed = seed * 1664525 + 1013904223;
		nos[m]++;
		r.session_ended.start.subject_token = token_of(i);
		snprintf(id, sizeof(id), "chair-%u", m);
		send_report(f, id, 1, &r, 1, NOON + (int64_t)i * MINUTE);
	}
}

/* How many of the tokens the file has, as they are stored. */
static size_t tokens_in(const char *path)
{
	unsigned char *buf, bytes[8];
	struct stat st;
	size_t found = 0;
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	buf = malloc((size_t)st.st_size + 1);
	assert_non_null(buf);
	assert_int_equal(read(fd, buf, (size_t)st.st_size), st.st_size);
	close(fd);
	for (uint64_t i = 1; i <= SESSIONS; i++) {
		for (int b = 0; b < 8; b++)
			bytes[b] = (unsigned char)(token_of(i) >> (56 - 8 * b));
		found += memmem(buf, (size_t)st.st_size, bytes, sizeof(bytes)) != NULL;
	}
	free(buf);
	return found;
}

static void maintain(struct fixture *f, int64_t now_ms)
{
	bool more = true;

	while (more)
		assert_int_equal(store_maintain(f->store, now_ms, 1000, &more, NULL), 0);
}

static const char *wal_of(const struct fixture *f)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s-wal", f->path);
	return path;
}

/* But for copies where pages were split: one in a hundred at most. */
static void hardly_a_byte_stays_of_what_is_past_its_time(void **state)
{
	struct fixture *f = *state;

	fill(f);
	assert_true(tokens_in(wal_of(f)) > SESSIONS / 2);
	maintain(f, NOON + 2 * DAY);
	assert_int_equal(tokens_in(f->path), SESSIONS);
	maintain(f, NOON + 40 * DAY);
	assert_int_equal(number_of(f, "SELECT count(*) FROM sessions WHERE subject_token <> 0"), 0);
	assert_int_equal(tokens_in(wal_of(f)), 0);
	assert_in_range(tokens_in(f->path), 0, SESSIONS / 100);
}

/* The log isn't waited for; it is emptied by the next one, or by that of the next hour. */
static void a_reader_leaves_the_log_for_later(void **state)
{
	struct fixture *f = *state;

	maintain(f, NOON);
	fill(f);
	assert_int_equal(read_begin(f->reader, NULL), 0);
	assert_int_equal(number_of(f, "SELECT count(*) FROM sessions"), SESSIONS);
	maintain(f, NOON + 40 * DAY);
	assert_true(tokens_in(wal_of(f)) > 0);
	assert_int_equal(read_end(f->reader, 0), 0);
	maintain(f, NOON + 40 * DAY + MINUTE);
	assert_int_equal(tokens_in(wal_of(f)), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(hardly_a_byte_stays_of_what_is_past_its_time),
	    TEST(a_reader_leaves_the_log_for_later),
	};

	return cmocka_run_group_tests_name("store people age", tests, NULL, NULL);
}
