#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/spool/internal.h"
#include "proto/base/file.h"

enum { SEGMENT_READ_MAX = 4 * SPOOL_SEGMENT_BYTES };

static int result(long r)
{
	return r < 0 ? -errno : (int)r;
}

static int system_open(void *ctx, const char *path, int flags, mode_t mode)
{
	(void)ctx;
	return result(open(path, flags | O_CLOEXEC, mode));
}

static ssize_t system_pwrite(void *ctx, int fd, const void *data, size_t len, off_t at)
{
	(void)ctx;
	return result(pwrite(fd, data, len, at));
}

static int system_truncate(void *ctx, int fd, off_t len)
{
	(void)ctx;
	return result(ftruncate(fd, len));
}

static int system_fdatasync(void *ctx, int fd)
{
	(void)ctx;
	return result(fdatasync(fd));
}

static int system_rename(void *ctx, const char *from, const char *to)
{
	(void)ctx;
	return result(rename(from, to));
}

static int system_unlink(void *ctx, const char *path)
{
	(void)ctx;
	return result(unlink(path));
}

static int system_dirsync(void *ctx, const char *dir)
{
	(void)ctx;
	return gf_dir_sync(dir);
}

static int system_allocate(void *ctx, int fd, off_t len)
{
	(void)ctx;
	return -posix_fallocate(fd, 0, len);
}

static int system_close(void *ctx, int fd)
{
	(void)ctx;
	return result(close(fd));
}

const struct spool_io spool_io_system = {
    .open = system_open,
    .pwrite = system_pwrite,
    .truncate = system_truncate,
    .fdatasync = system_fdatasync,
    .rename = system_rename,
    .unlink = system_unlink,
    .dirsync = system_dirsync,
    .allocate = system_allocate,
    .close = system_close,
};

void spool_path(const struct spool *s, uint32_t number, const char *suffix, char path[static SPOOL_PATH_MAX + 32])
{
	snprintf(path, SPOOL_PATH_MAX + 32, "%s/%010u%s", s->dir, number, suffix);
}

int spool_write(struct spool *s, int fd, const void *data, size_t len, uint64_t at)
{
	const unsigned char *from = data;
	while (len > 0) {
		ssize_t n = s->io.pwrite(s->io.ctx, fd, from, len, (off_t)at);
		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		from += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int spool_put_segment(struct spool *s, uint32_t number, const struct bytes *content, int *ret_fd)
{
	char temporary[SPOOL_PATH_MAX + 32], path[SPOOL_PATH_MAX + 32];
	if (content->failed)
		return -ENOMEM;
	spool_path(s, number, ".new", temporary);
	spool_path(s, number, ".seg", path);
	int fd = s->io.open(s->io.ctx, temporary, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return fd;
	int r = spool_write(s, fd, content->data, content->len, 0);
	if (r == 0)
		r = s->io.fdatasync(s->io.ctx, fd);
	if (r == 0)
		r = s->io.rename(s->io.ctx, temporary, path);
	if (r == 0)
		r = s->io.dirsync(s->io.ctx, s->dir);
	if (r != 0)
		(void)s->io.unlink(s->io.ctx, temporary);
	if (r != 0 || ret_fd == NULL)
		(void)s->io.close(s->io.ctx, fd);
	else
		*ret_fd = fd;
	return r;
}

int spool_get_segment(const struct spool *s, const struct segment *segment, unsigned char **ret_data, size_t *ret_len)
{
	char path[SPOOL_PATH_MAX + 32], *data;
	spool_path(s, segment->number, ".seg", path);
	int r = gf_file_read(path, SEGMENT_READ_MAX, &data, ret_len, NULL);
	if (r == 0)
		*ret_data = (unsigned char *)data;
	return r;
}

int spool_remove_segment(struct spool *s, size_t index)
{
	char path[SPOOL_PATH_MAX + 32];
	spool_path(s, s->segments[index].number, ".seg", path);
	int r = s->io.unlink(s->io.ctx, path);
	if (r != 0 && r != -ENOENT)
		return r;
	if (s->cursor.valid && s->cursor.number == s->segments[index].number)
		spool_forget_cursor(s);
	s->stats.bytes -= s->segments[index].bytes;
	memmove(&s->segments[index], &s->segments[index + 1], (s->count - index - 1) * sizeof(s->segments[0]));
	s->count--;
	return 0;
}

void spool_keep_state(struct spool *s, const void *state, size_t len)
{
	memcpy(s->state, state, len);
	s->state_len = len;
}
