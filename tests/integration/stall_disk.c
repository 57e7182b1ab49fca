/*
 * Preloaded into a program: a disk that stalls. Each call that reaches for a file under a folder takes so long as the control file says
 * at that moment; see stall.h. Files elsewhere, pipes and sockets are left alone. Calls that only look (stat) and mapped files are
 * not held up.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "tests/integration/stall_control.h"

static struct stall_control *control;
static const char *folder;

static __attribute__((constructor)) void begin(void)
{
	const char *path = getenv(STALL_CONTROL_ENV);
	const int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	void *page = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (page == MAP_FAILED)
		return;
	folder = getenv(STALL_FOLDER_ENV);
	control = page;
}

static bool is_ours(const char *path)
{
	const size_t len = strlen(folder);
	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static void stall(void)
{
	const int64_t ms = atomic_load(&control->stall_ms);
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	if (ms <= 0)
		return;
	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
		continue;
	atomic_fetch_add(&control->stalls, 1);
}

static bool stalls_now(void)
{
	return control != NULL && folder != NULL && atomic_load(&control->stall_ms) > 0;
}

static void stall_path(const char *path)
{
	const int error = errno;
	if (stalls_now() && is_ours(path))
		stall();
	errno = error;
}

static void stall_fd(int fd)
{
	const int error = errno;
	char link[32], path[PATH_MAX];
	if (stalls_now()) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		const ssize_t len = readlink(link, path, sizeof(path) - 1);
		path[len > 0 ? len : 0] = '\0';
		if (is_ours(path))
			stall();
	}
	errno = error;
}

/* Whoever has the name after us: libc, or a sanitizer in front of it. */
#define NEXT(name) ((__typeof__(&(name)))next(#name))

static void *next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

#define STALLED(type, name, params, args, reach) \
	type name params;                            \
	type name params                             \
	{                                            \
		reach;                                   \
		return NEXT(name) args;                  \
	}

STALLED(int, fsync, (int fd), (fd), stall_fd(fd))
STALLED(int, fdatasync, (int fd), (fd), stall_fd(fd))
STALLED(int, ftruncate, (int fd, off_t len), (fd, len), stall_fd(fd))
STALLED(int, posix_fallocate, (int fd, off_t from, off_t len), (fd, from, len), stall_fd(fd))
STALLED(ssize_t, read, (int fd, void *buf, size_t len), (fd, buf, len), stall_fd(fd))
STALLED(ssize_t, pread, (int fd, void *buf, size_t len, off_t at), (fd, buf, len, at), stall_fd(fd))
STALLED(ssize_t, write, (int fd, const void *buf, size_t len), (fd, buf, len), stall_fd(fd))
STALLED(ssize_t, pwrite, (int fd, const void *buf, size_t len, off_t at), (fd, buf, len, at), stall_fd(fd))
STALLED(int, rename, (const char *from, const char *to), (from, to), stall_path(to))
STALLED(int, unlink, (const char *path), (path), stall_path(path))

static int mode_of(int flags, va_list args)
{
	return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(args, int) : 0;
}

int open(const char *path, int flags, ...)
{
	va_list args;
	va_start(args, flags);
	const int mode = mode_of(flags, args);
	va_end(args);
	stall_path(path);
	return NEXT(open)(path, flags, mode);
}

/* A relative path is one to the folder that `at` is. */
int openat(int at, const char *path, int flags, ...)
{
	va_list args;
	va_start(args, flags);
	const int mode = mode_of(flags, args);
	va_end(args);
	if (path[0] == '/')
		stall_path(path);
	else
		stall_fd(at);
	return NEXT(openat)(at, path, flags, mode);
}
