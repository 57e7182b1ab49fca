#include "proto/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(struct gf_diag *diag, int error, const char *doing, const char *path)
{
	gf_diag_set(diag, "%s: can't %s: %s", path, doing, strerror(error));
	return -error;
}

int gf_write_all(int fd, const void *data, size_t len)
{
	const char *at = data;
	while (len > 0) {
		ssize_t n = write(fd, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The folder of a path, "." when it has none. */
static void folder_of(const char *path, char folder[static PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	if (slash == NULL)
		memcpy(folder, ".", 2);
	else
		snprintf(folder, PATH_MAX, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

int gf_dir_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = fsync(fd) == 0 ? 0 : -errno;
	close(fd);
	return r;
}

int gf_file_replace(const char *path, const void *data, size_t len, mode_t mode, struct gf_diag *diag)
{
	char temporary[PATH_MAX], folder[PATH_MAX];
	if (snprintf(temporary, sizeof(temporary), "%s.new", path) >= (int)sizeof(temporary))
		return fail(diag, ENAMETOOLONG, "write", path);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0)
		return fail(diag, errno, "create", temporary);
	int r = fchmod(fd, mode) == 0 ? gf_write_all(fd, data, len) : -errno;
	if (r == 0 && fsync(fd) != 0)
		r = -errno;
	close(fd);
	if (r == 0 && rename(temporary, path) != 0)
		r = -errno;
	if (r != 0) {
		unlink(temporary);
		return fail(diag, -r, "write", path);
	}
	folder_of(path, folder);
	r = gf_dir_sync(folder);
	return r == 0 ? 0 : fail(diag, -r, "sync the folder of", path);
}

static int read_all(int fd, char *data, size_t size, size_t *ret_len)
{
	size_t len = 0;
	while (len < size) {
		ssize_t n = read(fd, data + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret_len = len;
	return 0;
}

int gf_file_read(const char *path, size_t max, char **ret_data, size_t *ret_len, struct gf_diag *diag)
{
	struct stat st;
	size_t len = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(diag, errno, "open", path);
	if (fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)) {
		int error = S_ISDIR(st.st_mode) ? EISDIR : errno;
		close(fd);
		return fail(diag, error, "read", path);
	}
	/* One byte over the limit tells that there is more. */
	size_t size = st.st_size > 0 && (size_t)st.st_size < max ? (size_t)st.st_size + 1 : max + 1;
	char *data = malloc(size + 1);
	int r = data != NULL ? read_all(fd, data, size, &len) : -ENOMEM;
	close(fd);
	if (r != 0 || len > max) {
		free(data);
		if (r != 0)
			return fail(diag, -r, "read", path);
		gf_diag_set(diag, "%s: larger than %zu bytes; is it the right file?", path, max);
		return -EFBIG;
	}
	data[len] = '\0';
	*ret_data = data;
	*ret_len = len;
	return 0;
}

static int make_one(const char *path)
{
	char parent[PATH_MAX];
	if (mkdir(path, 0750) != 0)
		return errno == EEXIST ? 0 : -errno;
	folder_of(path, parent);
	return gf_dir_sync(parent);
}

int gf_dir_make(const char *path, struct gf_diag *diag)
{
	char partial[PATH_MAX];
	struct stat st;
	if (path[0] == '\0')
		return fail(diag, ENOENT, "make the folder", path);
	const size_t len = strlen(path);
	if (len >= sizeof(partial))
		return fail(diag, ENAMETOOLONG, "make the folder", path);
	memcpy(partial, path, len + 1);
	for (char *at = partial + 1;; at++) {
		if (*at != '/' && *at != '\0')
			continue;
		bool last = *at == '\0';
		*at = '\0';
		int r = make_one(partial);
		if (r != 0)
			return fail(diag, -r, "make the folder", partial);
		if (last)
			break;
		*at = '/';
	}
	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return fail(diag, ENOTDIR, "make the folder", path);
	return 0;
}

int gf_file_check_private(const char *path, struct gf_diag *diag)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return fail(diag, errno, "read", path);
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		gf_diag_set(diag, "%s: a private key that others may read (mode %04o); run: chmod 600 %s", path,
		            (unsigned)(st.st_mode & 07777), path);
		return -EACCES;
	}
	return 0;
}

int gf_file_lock(const char *path, int *ret_fd, struct gf_diag *diag)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0)
		return fail(diag, errno, "open", path);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		int error = errno == EWOULDBLOCK ? EBUSY : errno;
		close(fd);
		if (error != EBUSY)
			return fail(diag, error, "lock", path);
		gf_diag_set(diag, "%s: another process holds it; is it running already? Stop that one first", path);
		return -EBUSY;
	}
	*ret_fd = fd;
	return 0;
}
