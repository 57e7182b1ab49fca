/*
 * The order of the calls that make a replacement safe against a power cut is watched by wrapping them at link time
 * (--wrap): each is written down, and may be told to fail.
 */
#include "proto/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATH_LEN = 256, NOBODY = 65534 };

static struct {
	char calls[128];        /* "write fsync rename fsyncdir " */
	const char *fails;      /* the call that fails, e.g. "fsync" */
	int error;              /* with this errno */
	size_t write_max;       /* a write takes at most so many bytes; 0 = all */
	unsigned interruptions; /* so many reads and writes are interrupted first */
} watch;

static bool watched(const char *call)
{
	strncat(watch.calls, call, sizeof(watch.calls) - strlen(watch.calls) - 1);
	strncat(watch.calls, " ", sizeof(watch.calls) - strlen(watch.calls) - 1);
	if (watch.fails == NULL || strcmp(watch.fails, call) != 0)
		return true;
	errno = watch.error;
	return false;
}

static bool interrupted(void)
{
	if (watch.interruptions == 0)
		return false;
	watch.interruptions--;
	errno = EINTR;
	return true;
}

ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	if (fd > STDERR_FILENO && interrupted())
		return -1;
	if (fd > STDERR_FILENO && !watched("write"))
		return -1;
	return __real_write(fd, data, watch.write_max != 0 && len > watch.write_max ? watch.write_max : len);
}

ssize_t __real_read(int fd, void *data, size_t len);
ssize_t __wrap_read(int fd, void *data, size_t len);
ssize_t __wrap_read(int fd, void *data, size_t len)
{
	if (interrupted() || !watched("read"))
		return -1;
	return __real_read(fd, data, len > 3 ? 3 : len);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	struct stat st;
	bool folder = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
	return watched(folder ? "fsyncdir" : "fsync") ? __real_fsync(fd) : -1;
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
	return watched("rename") ? __real_rename(from, to) : -1;
}

/* --- a folder for each test --- */

struct folder {
	char dir[64];
	char path[PATH_LEN];
	struct gf_diag diag;
};

static int setup(void **state)
{
	static struct folder f;

	f = (struct folder){.dir = "/tmp/gymfleet-file-XXXXXX"};
	memset(&watch, 0, sizeof(watch));
	*state = &f;
	if (mkdtemp(f.dir) == NULL)
		return -1;
	snprintf(f.path, sizeof(f.path), "%s/file", f.dir);
	return 0;
}

static int teardown(void **state)
{
	const struct folder *f = *state;
	char command[PATH_LEN];
	snprintf(command, sizeof(command), "chmod -R u+rwx %s && rm -rf %s", f->dir, f->dir);
	return system(command);
}

static int replace(struct folder *f, const char *text)
{
	watch.calls[0] = '\0';
	return gf_file_replace(f->path, text, strlen(text), 0640, &f->diag);
}

static void assert_content(const char *path, const char *want)
{
	char *data = NULL;
	size_t len = 0;

	memset(&watch, 0, sizeof(watch));
	assert_int_equal(gf_file_read(path, 1 << 16, &data, &len, NULL), 0);
	assert_int_equal(len, strlen(want));
	assert_string_equal(data, want);
	free(data);
}

static void assert_no_leftover(const struct folder *f)
{
	char temporary[PATH_LEN + 8];
	snprintf(temporary, sizeof(temporary), "%s.new", f->path);
	assert_int_equal(access(temporary, F_OK), -1);
}

/* --- replacing --- */

static void a_file_is_on_the_disk_before_it_takes_its_name(void **state)
{
	struct folder *f = *state;

	assert_int_equal(replace(f, "one"), 0);
	assert_string_equal(watch.calls, "write fsync rename fsyncdir ");
	assert_content(f->path, "one");
	assert_int_equal(replace(f, "second"), 0);
	assert_string_equal(watch.calls, "write fsync rename fsyncdir ");
	assert_content(f->path, "second");
	assert_int_equal(replace(f, ""), 0);
	assert_content(f->path, "");
	assert_no_leftover(f);
}

static void the_mode_is_what_was_asked_whatever_the_umask(void **state)
{
	struct folder *f = *state;
	struct stat st;
	mode_t before = umask(0777);

	assert_int_equal(gf_file_replace(f->path, "x", 1, 0640, &f->diag), 0);
	umask(0);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(gf_file_replace(f->path, "x", 1, 0600, &f->diag), 0);
	umask(before);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void short_and_interrupted_writes_go_on(void **state)
{
	struct folder *f = *state;

	watch.write_max = 2;
	watch.interruptions = 3;
	assert_int_equal(replace(f, "seven!!"), 0);
	assert_string_equal(watch.calls, "write write write write fsync rename fsyncdir ");
	assert_content(f->path, "seven!!");
}

/* At each step that can fail: the old file is whole, and nothing lies about. */
static void a_failure_leaves_the_old_file(void **state)
{
	static const struct {
		const char *call;
		int error;
	} failures[] = {{"write", ENOSPC}, {"write", EIO}, {"fsync", EIO}, {"fsync", ENOSPC}, {"rename", EACCES}};
	struct folder *f = *state;
	char want[PATH_LEN + 64];

	assert_int_equal(replace(f, "old"), 0);
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		watch.fails = failures[i].call;
		watch.error = failures[i].error;
		assert_int_equal(replace(f, "new"), -failures[i].error);
		snprintf(want, sizeof(want), "%s: can't write: %s", f->path, strerror(failures[i].error));
		assert_string_equal(f->diag.text, want);
		assert_content(f->path, "old");
		assert_no_leftover(f);
	}
}

static void a_rename_that_may_be_lost_is_a_failure(void **state)
{
	struct folder *f = *state;

	watch.fails = "fsyncdir";
	watch.error = EIO;
	assert_int_equal(replace(f, "new"), -EIO);
	assert_non_null(strstr(f->diag.text, "can't sync the folder of: Input/output error"));
	assert_content(f->path, "new");
}

/* A real limit instead of a pretended one: the kernel cuts the write short, then refuses. */
static void a_disk_without_room_leaves_the_old_file(void **state)
{
	struct folder *f = *state;
	static char large[64 * 1024];

	assert_int_equal(replace(f, "old"), 0);
	memset(large, 'x', sizeof(large) - 1);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		const struct rlimit limit = {.rlim_cur = 1000, .rlim_max = 1000};
		signal(SIGXFSZ, SIG_IGN);
		_exit(setrlimit(RLIMIT_FSIZE, &limit) == 0 && replace(f, large) == -EFBIG ? 0 : 1);
	}
	int status = -1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_content(f->path, "old");
	assert_no_leftover(f);
}

static void what_stands_in_the_way_is_named(void **state)
{
	struct folder *f = *state;
	char *long_name = malloc(5000);

	snprintf(f->path, sizeof(f->path), "%s/missing/file", f->dir);
	assert_int_equal(replace(f, "x"), -ENOENT);
	assert_non_null(strstr(f->diag.text, "/missing/file.new: can't create: No such file or directory"));

	snprintf(f->path, sizeof(f->path), "%s/folder", f->dir);
	assert_int_equal(mkdir(f->path, 0700), 0);
	assert_int_equal(replace(f, "x"), -EISDIR);
	assert_no_leftover(f);

	assert_non_null(long_name);
	memset(long_name, 'a', 4999);
	long_name[4999] = '\0';
	assert_int_equal(gf_file_replace(long_name, "x", 1, 0600, NULL), -ENAMETOOLONG);
	free(long_name);
}

/* In a child without root's powers, which ignore modes. Its exit status counts the steps that went wrong. */
static int as_nobody(struct folder *f, int (*act)(struct folder *f))
{
	int status = -1;
	pid_t child = fork();
	if (child == 0) {
		if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
			_exit(99);
		_exit(act(f));
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static int write_refused(struct folder *f)
{
	return replace(f, "new") == -EACCES && strstr(f->diag.text, "Permission denied") != NULL ? 0 : 1;
}

static int read_refused(struct folder *f)
{
	char *data = NULL;
	size_t len = 7;
	int r = gf_file_read(f->path, 100, &data, &len, &f->diag);
	return r == -EACCES && data == NULL && len == 7 && strstr(f->diag.text, "Permission denied") != NULL ? 0 : 1;
}

static void without_permission_nothing_is_touched(void **state)
{
	struct folder *f = *state;

	assert_int_equal(replace(f, "old"), 0);
	assert_int_equal(chmod(f->path, 0), 0);
	assert_int_equal(chmod(f->dir, 0555), 0);
	assert_int_equal(as_nobody(f, write_refused), 0);
	assert_int_equal(as_nobody(f, read_refused), 0);
	assert_int_equal(chmod(f->path, 0600), 0);
	assert_content(f->path, "old");
}

static void a_file_beside_the_working_folder_needs_no_slash(void **state)
{
	struct folder *f = *state;
	char before[PATH_LEN];

	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(f->dir), 0);
	watch.calls[0] = '\0';
	assert_int_equal(gf_file_replace("bare", "x", 1, 0600, NULL), 0);
	assert_string_equal(watch.calls, "write fsync rename fsyncdir ");
	assert_content("bare", "x");
	assert_int_equal(chdir(before), 0);
}

/* --- reading --- */

static void a_file_of_the_limits_size_is_read_and_no_larger_one(void **state)
{
	struct folder *f = *state;
	char *data = NULL;
	size_t len = 77;

	assert_int_equal(replace(f, "0123456789"), 0);
	watch.interruptions = 2;
	assert_int_equal(gf_file_read(f->path, 10, &data, &len, &f->diag), 0);
	assert_int_equal(len, 10);
	assert_string_equal(data, "0123456789");
	free(data);

	data = NULL;
	len = 77;
	assert_int_equal(gf_file_read(f->path, 9, &data, &len, &f->diag), -EFBIG);
	assert_non_null(strstr(f->diag.text, "/file: larger than 9 bytes; is it the right file?"));
	assert_null(data);
	assert_int_equal(len, 77);
}

/* Files of /proc say 0 for their size; /dev/zero never ends. */
static void the_size_that_a_file_claims_is_not_believed(void **state)
{
	char *data = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(gf_file_read("/proc/self/stat", 4096, &data, &len, NULL), 0);
	assert_true(len > 10);
	free(data);
	data = NULL;
	assert_int_equal(gf_file_read("/dev/zero", 100, &data, &len, NULL), -EFBIG);
	assert_null(data);
}

static void what_cannot_be_read_is_named(void **state)
{
	struct folder *f = *state;
	char *data = NULL;
	size_t len = 0;

	assert_int_equal(gf_file_read(f->path, 10, &data, &len, &f->diag), -ENOENT);
	assert_non_null(strstr(f->diag.text, "/file: can't open: No such file or directory"));
	assert_int_equal(gf_file_read(f->dir, 10, &data, &len, &f->diag), -EISDIR);
	assert_non_null(strstr(f->diag.text, "can't read: Is a directory"));
	assert_int_equal(replace(f, "x"), 0);
	watch.fails = "read";
	watch.error = EIO;
	assert_int_equal(gf_file_read(f->path, 10, &data, &len, &f->diag), -EIO);
	assert_non_null(strstr(f->diag.text, "/file: can't read: Input/output error"));
	assert_null(data);
}

/* --- folders, secrets, locks --- */

static void a_folder_is_made_with_its_parents(void **state)
{
	struct folder *f = *state;
	struct stat st;

	snprintf(f->path, sizeof(f->path), "%s/a/b//c/", f->dir);
	watch.calls[0] = '\0';
	assert_int_equal(gf_dir_make(f->path, &f->diag), 0);
	assert_string_equal(watch.calls, "fsyncdir fsyncdir fsyncdir ");
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777 & ~0750U, 0);
	watch.calls[0] = '\0';
	assert_int_equal(gf_dir_make(f->path, &f->diag), 0);
	assert_string_equal(watch.calls, "");
}

static void a_folder_that_cannot_be_is_named(void **state)
{
	struct folder *f = *state;
	char below[PATH_LEN + 8];

	assert_int_equal(replace(f, "a file"), 0);
	assert_int_equal(gf_dir_make(f->path, &f->diag), -ENOTDIR);
	assert_non_null(strstr(f->diag.text, "/file: can't make the folder: Not a directory"));
	snprintf(below, sizeof(below), "%s/below", f->path);
	assert_int_equal(gf_dir_make(below, &f->diag), -ENOTDIR);
	assert_int_equal(gf_dir_make("", &f->diag), -ENOENT);
	assert_int_equal(gf_dir_sync(below), -ENOTDIR);
}

static void a_key_is_for_its_owner_only(void **state)
{
	static const mode_t good[] = {0600, 0400, 0700}, bad[] = {0640, 0604, 0620, 0601, 0644, 0666};
	struct folder *f = *state;
	char want[3 * PATH_LEN];

	assert_int_equal(gf_file_check_private(f->path, &f->diag), -ENOENT);
	assert_int_equal(replace(f, "secret"), 0);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(chmod(f->path, good[i]), 0);
		assert_int_equal(gf_file_check_private(f->path, &f->diag), 0);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(chmod(f->path, bad[i]), 0);
		assert_int_equal(gf_file_check_private(f->path, &f->diag), -EACCES);
		snprintf(want, sizeof(want), "%s: a private key that others may read (mode %04o); run: chmod 600 %s", f->path,
		         (unsigned)bad[i], f->path);
		assert_string_equal(f->diag.text, want);
	}
}

static void a_lock_is_held_by_one_until_it_is_closed(void **state)
{
	struct folder *f = *state;
	int first = -1, second = -77;

	assert_int_equal(gf_file_lock(f->path, &first, &f->diag), 0);
	assert_int_equal(gf_file_lock(f->path, &second, &f->diag), -EBUSY);
	assert_non_null(strstr(f->diag.text, "another process holds it; is it running already?"));
	assert_int_equal(second, -77);
	assert_int_equal(fcntl(first, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(first);
	assert_int_equal(gf_file_lock(f->path, &second, &f->diag), 0);
	close(second);
	snprintf(f->path, sizeof(f->path), "%s/missing/lock", f->dir);
	assert_int_equal(gf_file_lock(f->path, &second, &f->diag), -ENOENT);
}

#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    FILE_TEST(a_file_is_on_the_disk_before_it_takes_its_name),
	    FILE_TEST(the_mode_is_what_was_asked_whatever_the_umask),
	    FILE_TEST(short_and_interrupted_writes_go_on),
	    FILE_TEST(a_failure_leaves_the_old_file),
	    FILE_TEST(a_rename_that_may_be_lost_is_a_failure),
	    FILE_TEST(a_disk_without_room_leaves_the_old_file),
	    FILE_TEST(what_stands_in_the_way_is_named),
	    FILE_TEST(without_permission_nothing_is_touched),
	    FILE_TEST(a_file_beside_the_working_folder_needs_no_slash),
	    FILE_TEST(a_file_of_the_limits_size_is_read_and_no_larger_one),
	    FILE_TEST(the_size_that_a_file_claims_is_not_believed),
	    FILE_TEST(what_cannot_be_read_is_named),
	    FILE_TEST(a_folder_is_made_with_its_parents),
	    FILE_TEST(a_folder_that_cannot_be_is_named),
	    FILE_TEST(a_key_is_for_its_owner_only),
	    FILE_TEST(a_lock_is_held_by_one_until_it_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
