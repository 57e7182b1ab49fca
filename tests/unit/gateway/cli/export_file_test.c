/* The part of an export: nobody else gets at it, or into it. */
#include "gateway/cli/export_file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char *ends_with_lock; /* the part of an export that ends just before the lock is asked for; NULL = none */
static char whole[64];

int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);
int __wrap_flock(int fd, int operation)
{
	if (ends_with_lock != NULL)
		assert_int_equal(rename(ends_with_lock, whole), 0);
	return __real_flock(fd, operation);
}

/* A folder with the names in it, and what is said. */
struct place {
	char dir[32], path[64], part[72], said[512];
	struct cli cli;
};

static void begin(struct place *p)
{
	*p = (struct place){.dir = "/tmp/export.XXXXXX"};
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->path, sizeof(p->path), "%s/out", p->dir);
	snprintf(p->part, sizeof(p->part), "%s" EXPORT_PART, p->path);
	p->cli.out = stdout;
	p->cli.err = fmemopen(p->said, sizeof(p->said), "w");
	assert_non_null(p->cli.err);
}

static void end(struct place *p)
{
	assert_int_equal(fclose(p->cli.err), 0);
	assert_int_equal(rmdir(p->dir), 0);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(close(fd), 0);
}

static void expect(const char *path, const char *text)
{
	char found[64] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(read(fd, found, sizeof(found) - 1) >= 0);
	assert_int_equal(close(fd), 0);
	assert_string_equal(found, text);
}

static void expect_refusal(struct place *p, const char *name, const char *said)
{
	struct export_file f;

	assert_int_equal(export_file_open(&p->cli, name, false, &f), CLI_REFUSED);
	assert_int_equal(fflush(p->cli.err), 0);
	assert_non_null(strstr(p->said, said));
}

static void a_part_is_as_private_as_its_file(void **state)
{
	static const mode_t modes[] = {0600, 0640, 0400};
	struct export_file f;
	struct place p;
	struct stat st;

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		begin(&p);
		write_file(p.path, "the last one", modes[i]);
		assert_int_equal(export_file_open(&p.cli, p.path, false, &f), CLI_OK);
		assert_int_equal(stat(p.part, &st), 0);
		assert_int_equal(st.st_mode & ALLPERMS, modes[i] | S_IWUSR);
		assert_int_equal(export_file_begin(&f), 0);
		assert_int_equal(export_file_publish(&p.cli, &f), CLI_OK);
		assert_int_equal(stat(p.path, &st), 0);
		assert_int_equal(st.st_mode & ALLPERMS, modes[i]);
		assert_int_equal(unlink(p.path), 0);
		end(&p);
	}
}

static void what_another_has_just_ended_is_not_written_into(void **state)
{
	struct place p;

	(void)state;
	begin(&p);
	write_file(p.part, "whole", 0600);
	ends_with_lock = p.part;
	snprintf(whole, sizeof(whole), "%s", p.path);
	expect_refusal(&p, p.path, "another export writes /tmp/export.");
	ends_with_lock = NULL;
	expect(p.path, "whole");
	assert_int_equal(unlink(p.path), 0);
	end(&p);
}

static void a_part_that_is_a_link_leads_nowhere(void **state)
{
	char other[64];
	struct place p;

	(void)state;
	begin(&p);
	snprintf(other, sizeof(other), "%s/other", p.dir);
	write_file(other, "of somebody", 0600);
	assert_int_equal(symlink("other", p.part), 0);
	expect_refusal(&p, p.path, "can't write /tmp/export.");
	expect(other, "of somebody");
	assert_int_equal(unlink(p.part), 0);
	assert_int_equal(unlink(other), 0);
	end(&p);
}

static void a_link_to_nothing_stays_one(void **state)
{
	struct place p;
	struct stat st;

	(void)state;
	begin(&p);
	assert_int_equal(symlink("nowhere", p.path), 0);
	expect_refusal(&p, p.path, "is a link to what isn't there");
	assert_int_equal(lstat(p.path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(access(p.part, F_OK), -1);
	assert_int_equal(unlink(p.path), 0);
	end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_part_is_as_private_as_its_file),
	    cmocka_unit_test(what_another_has_just_ended_is_not_written_into),
	    cmocka_unit_test(a_part_that_is_a_link_leads_nowhere),
	    cmocka_unit_test(a_link_to_nothing_stays_one),
	};

	(void)umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
