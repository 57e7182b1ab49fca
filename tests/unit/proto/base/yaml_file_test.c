#include "proto/base/yaml.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/proto/base/yaml_sample.h"

enum { NOBODY = 65534 };

struct folder {
	char dir[64], path[128];
	struct gf_diag diag;
};

static int setup(void **state)
{
	static struct folder f;
	f = (struct folder){.dir = "/tmp/gymfleet-yaml-XXXXXX"};
	*state = &f;
	if (mkdtemp(f.dir) == NULL)
		return -1;
	snprintf(f.path, sizeof(f.path), "%s/t.yaml", f.dir);
	return 0;
}

static int teardown(void **state)
{
	const struct folder *f = *state;
	unlink(f->path);
	return rmdir(f->dir);
}

static void write_file(const struct folder *f, const char *text, size_t fill)
{
	FILE *file = fopen(f->path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	for (size_t i = 0; i < fill; i++)
		assert_true(fputc('#', file) != EOF);
	assert_int_equal(fclose(file), 0);
}

static int load(struct folder *f, const char *path)
{
	struct gf_yaml *doc = NULL;
	void *data = NULL;
	int r = gf_yaml_load(path, &sample_schema, &doc, &data, &f->diag);
	if (r == 0)
		gf_yaml_free(doc);
	else if (doc != NULL || data != NULL)
		return -EPROTO;
	return r;
}

static void assert_diag(const struct folder *f, const char *path, const char *rest)
{
	char want[256];
	snprintf(want, sizeof(want), "%s%s", path, rest);
	assert_string_equal(f->diag.text, want);
}

static void a_file_is_named_in_what_is_wrong_with_it(void **state)
{
	struct folder *f = *state;

	write_file(f, "name: x\n", 0);
	assert_int_equal(load(f, f->path), 0);
	write_file(f, "nam: x\n", 0);
	assert_int_equal(load(f, f->path), -EINVAL);
	assert_diag(f, f->path, ":1:1: unknown key 'nam'; did you mean 'name'?");
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
	struct folder *f = *state;

	assert_int_equal(load(f, f->path), -ENOENT);
	assert_diag(f, f->path, ": can't open: No such file or directory");
	assert_int_equal(load(f, f->dir), -EISDIR);
	assert_diag(f, f->dir, ": can't read: Is a directory");
}

static void a_file_without_permission_is_named(void **state)
{
	struct folder *f = *state;
	int status = -1;

	write_file(f, "name: x\n", 0);
	assert_int_equal(chmod(f->path, 0), 0);
	assert_int_equal(chmod(f->dir, 0755), 0);
	pid_t child = fork();
	if (child == 0) {
		/* Root reads everything. */
		if (geteuid() == 0 && setuid(NOBODY) != 0)
			_exit(9);
		_exit(load(f, f->path) == -EACCES && strstr(f->diag.text, ": can't open: Permission denied") != NULL ? 0 : 1);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void i8_a_file_is_of_bounded_size(void **state)
{
	struct folder *f = *state;

	write_file(f, "name: x\n", GF_YAML_FILE_MAX - 8);
	assert_int_equal(load(f, f->path), 0);
	write_file(f, "name: x\n", GF_YAML_FILE_MAX - 7);
	assert_int_equal(load(f, f->path), -EFBIG);
	assert_diag(f, f->path, ": larger than 1048576 bytes; is it the right file?");
}

#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    FILE_TEST(a_file_is_named_in_what_is_wrong_with_it),
	    FILE_TEST(a_file_that_cannot_be_read_is_named),
	    FILE_TEST(a_file_without_permission_is_named),
	    FILE_TEST(i8_a_file_is_of_bounded_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
