#include "tests/unit/agent/catalog/disk.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/file.h"

enum { PATH_LEN = 256, FILE_MAX = 512 * 1024 };

/* A file that is not synced yet, and a name that a folder doesn't know for sure. */
struct unsynced {
	char path[PATH_LEN]; /* "": none */
};

struct renamed {
	char path[PATH_LEN];
	char *before; /* NULL: there was none */
	size_t before_len;
};

static struct {
	enum disk_trouble trouble;
	int at, many, count;
	bool dead, met;
	struct unsynced file;
	struct renamed name;
} disk = {.at = -1};

ssize_t __real_write(int fd, const void *data, size_t len);
int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __real_unlink(const char *path);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);
int __wrap_unlink(const char *path);

static void forget_name(void)
{
	free(disk.name.before);
	disk.name = (struct renamed){0};
}

void disk_trouble(enum disk_trouble trouble, int at, int many)
{
	disk.trouble = trouble;
	disk.at = at;
	disk.many = many;
	disk.count = 0;
	disk.dead = disk.met = false;
	disk.file.path[0] = '\0';
	forget_name();
}

int disk_met(void)
{
	return disk.met;
}

/* False, and errno, when the operation doesn't happen. *ret_last: it is the one in which the process ends. */
static bool happens(bool *ret_last)
{
	const int n = disk.count++;
	*ret_last = false;
	if (disk.dead) {
		errno = EIO;
		return false;
	}
	if (disk.trouble == DISK_FINE || disk.at < 0 || n < disk.at)
		return true;
	if (disk.trouble == DISK_FULL) {
		if (n >= disk.at + disk.many)
			return true;
		disk.met = true;
		errno = ENOSPC;
		return false;
	}
	disk.met = disk.dead = *ret_last = true;
	errno = EIO;
	return false;
}

static void path_of_fd(int fd, char path[static PATH_LEN])
{
	char link[64];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	const ssize_t n = readlink(link, path, PATH_LEN - 1);
	path[n > 0 ? n : 0] = '\0';
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	bool last;
	struct stat st;
	if (fd <= STDERR_FILENO || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return __real_write(fd, data, len);
	if (happens(&last)) {
		path_of_fd(fd, disk.file.path);
		return __real_write(fd, data, len);
	}
	if (last || disk.trouble == DISK_FULL) { /* half of it still gets there */
		const int error = errno;
		path_of_fd(fd, disk.file.path);
		(void)!__real_write(fd, data, len / 2);
		errno = error;
	}
	return -1;
}

int __wrap_fsync(int fd)
{
	bool last;
	struct stat st;
	if (!happens(&last))
		return -1;
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		forget_name();
	else
		disk.file.path[0] = '\0';
	return 0; /* the host's own disk is not what is tested */
}

int __wrap_rename(const char *from, const char *to)
{
	bool last;
	if (!happens(&last))
		return -1;
	forget_name();
	snprintf(disk.name.path, sizeof(disk.name.path), "%s", to);
	(void)!gf_file_read(to, FILE_MAX, &disk.name.before, &disk.name.before_len, NULL);
	return __real_rename(from, to);
}

int __wrap_unlink(const char *path)
{
	bool last;
	return happens(&last) ? __real_unlink(path) : -1;
}

static void put_back(const struct renamed *name)
{
	if (name->before == NULL) {
		__real_unlink(name->path);
		return;
	}
	FILE *f = fopen(name->path, "w");
	if (f == NULL || fwrite(name->before, 1, name->before_len, f) != name->before_len)
		abort();
	fclose(f);
}

/* Cut somewhere, or zeros from somewhere on. */
static void spoil(const char *path, struct gf_prng *prng)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return;
	const off_t keep = (off_t)gf_prng_below(prng, (uint64_t)st.st_size + 1);
	if (truncate(path, keep) != 0 || (gf_prng_below(prng, 2) == 0 && truncate(path, st.st_size) != 0))
		abort();
}

void disk_revive(struct gf_prng *prng)
{
	if (disk.trouble == DISK_POWER) {
		if (disk.file.path[0] != '\0')
			spoil(disk.file.path, prng);
		if (disk.name.path[0] != '\0' && gf_prng_below(prng, 2) == 0)
			put_back(&disk.name);
	}
	disk_trouble(DISK_FINE, -1, 0);
}
