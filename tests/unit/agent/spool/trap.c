#include "tests/unit/agent/spool/trap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	abort();
}

/* ---- what was synced ---- */

static struct trap_file *file_of(struct trap *t, const char *path)
{
	for (size_t i = 0; i < t->files_count; i++) {
		if (strcmp(t->files[i].path, path) == 0)
			return &t->files[i];
	}
	return NULL;
}

static size_t track(struct trap *t, const char *path, bool empty)
{
	struct trap_file *file = file_of(t, path);
	struct stat st = {0};
	if (file == NULL) {
		if (t->files_count == TRAP_FILES_MAX)
			t->files_count = 0; /* only the newest matter: older ones are sealed and synced */
		file = &t->files[t->files_count++];
		snprintf(file->path, sizeof(file->path), "%s", path);
		file->synced = stat(path, &st) == 0 ? st.st_size : 0;
	}
	if (empty) {
		file->synced = 0;
		file->spoilt = false;
	}
	return (size_t)(file - t->files);
}

/* ---- the calls ---- */

/* True while the process lives; `cost` is what of it is still carried out. */
static bool lives(struct trap *t, int64_t *cost)
{
	if (t->dead)
		return false;
	if (t->spent + *cost > t->life) {
		*cost = t->life - t->spent;
		t->dead = true;
	}
	t->spent += *cost;
	return !t->dead || *cost > 0;
}

static bool step(struct trap *t)
{
	int64_t one = 1;
	return lives(t, &one);
}

static int result(int r)
{
	return r < 0 ? -errno : r;
}

static int trap_open(void *ctx, const char *path, int flags, mode_t mode)
{
	struct trap *t = ctx;
	if (!step(t))
		return -EIO;
	int fd = result(open(path, flags | O_CLOEXEC, mode));
	if (fd >= (int)(sizeof(t->fd_file) / sizeof(t->fd_file[0])))
		die("too many files");
	if (fd >= 0)
		t->fd_file[fd] = (int)track(t, path, (flags & O_TRUNC) != 0);
	return fd;
}

static ssize_t trap_pwrite(void *ctx, int fd, const void *data, size_t len, off_t at)
{
	struct trap *t = ctx;
	int64_t most = (int64_t)len;
	if (++t->writes == t->fail_write)
		return -EIO;
	if (t->space <= 0)
		return -ENOSPC;
	if (most > t->space)
		most = t->space;
	if (!lives(t, &most))
		return -EIO;
	ssize_t n = pwrite(fd, data, (size_t)most, at);
	if (n != most)
		die("pwrite");
	if (t->space != INT64_MAX)
		t->space -= n;
	return t->dead ? -EIO : n;
}

static int trap_truncate(void *ctx, int fd, off_t len)
{
	return step(ctx) ? result(ftruncate(fd, len)) : -EIO;
}

static int trap_fdatasync(void *ctx, int fd)
{
	struct trap *t = ctx;
	struct stat st;
	if (!step(t))
		return -EIO;
	struct trap_file *file = &t->files[t->fd_file[fd]];
	if (++t->syncs == t->fail_sync) {
		file->spoilt = true;
		return -EIO;
	}
	if (fstat(fd, &st) != 0)
		die("fstat");
	if (!file->spoilt)
		file->synced = st.st_size;
	return 0;
}

static int trap_rename(void *ctx, const char *from, const char *to)
{
	struct trap *t = ctx;
	if (!step(t))
		return -EIO;
	struct trap_file *source = file_of(t, from);
	if (source != NULL) {
		const struct trap_file moved = *source;
		struct trap_file *target = &t->files[track(t, to, false)];
		target->synced = moved.synced;
		target->spoilt = moved.spoilt;
	}
	/* The descriptor goes on under its new name. */
	for (size_t fd = 0; source != NULL && fd < sizeof(t->fd_file) / sizeof(t->fd_file[0]); fd++) {
		if (t->fd_file[fd] == (int)(source - t->files))
			t->fd_file[fd] = (int)(file_of(t, to) - t->files);
	}
	return result(rename(from, to));
}

static int trap_unlink(void *ctx, const char *path)
{
	struct trap *t = ctx;
	if (!step(t))
		return -EIO;
	if (strstr(path, "reserve") != NULL) {
		t->space += t->space != INT64_MAX ? t->allocated : 0;
		t->allocated = 0;
	}
	return result(unlink(path));
}

static int trap_dirsync(void *ctx, const char *dir)
{
	(void)dir;
	return step(ctx) ? 0 : -EIO;
}

static int trap_allocate(void *ctx, int fd, off_t len)
{
	struct trap *t = ctx;
	(void)fd;
	if (!step(t))
		return -EIO;
	if (t->allocated >= len)
		return 0; /* it has been there since an earlier life */
	if (t->space < len)
		return -ENOSPC;
	if (t->space != INT64_MAX)
		t->space -= len;
	t->allocated = len;
	return 0;
}

static int trap_close(void *ctx, int fd)
{
	(void)ctx;
	return result(close(fd));
}

void trap_revive(struct trap *t)
{
	t->life = t->space = INT64_MAX;
	t->spent = t->fail_sync = t->syncs = t->fail_write = t->writes = 0;
	t->dead = false;
}

void trap_init(struct trap *t)
{
	*t = (struct trap){
	    .io =
	        {
	            .open = trap_open,
	            .pwrite = trap_pwrite,
	            .truncate = trap_truncate,
	            .fdatasync = trap_fdatasync,
	            .rename = trap_rename,
	            .unlink = trap_unlink,
	            .dirsync = trap_dirsync,
	            .allocate = trap_allocate,
	            .close = trap_close,
	            .ctx = t,
	        },
	    .dir = "/tmp/spool-XXXXXX",
	};
	trap_revive(t);
	if (mkdtemp(t->dir) == NULL)
		die("mkdtemp");
}

/* ---- the folder ---- */

static void each(const struct trap *t, void (*visit)(void *ctx, const char *path), void *ctx)
{
	char path[400];
	DIR *dir = opendir(t->dir);
	if (dir == NULL)
		die("opendir");
	for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
		snprintf(path, sizeof(path), "%s/%s", t->dir, e->d_name);
		if (e->d_name[0] != '.')
			visit(ctx, path);
	}
	closedir(dir);
}

static void remove_one(void *ctx, const char *path)
{
	(void)ctx;
	unlink(path);
}

void trap_deinit(struct trap *t)
{
	each(t, remove_one, NULL);
	rmdir(t->dir);
}

off_t trap_size(const char *path)
{
	struct stat st = {0};
	return stat(path, &st) == 0 ? st.st_size : 0;
}

void trap_power_cut(struct trap *t, struct gf_prng *prng)
{
	static const char zeros[4096];
	for (size_t i = 0; i < t->files_count; i++) {
		const struct trap_file *file = &t->files[i];
		off_t size = trap_size(file->path);
		if (size <= file->synced)
			continue;
		off_t keep = file->synced + (off_t)gf_prng_below(prng, (uint64_t)(size - file->synced) + 1);
		if (truncate(file->path, keep) != 0)
			die("truncate");
		off_t hole = file->synced + (off_t)gf_prng_below(prng, (uint64_t)(keep - file->synced) + 1);
		size_t len = gf_prng_below(prng, (uint64_t)(keep - hole) + 1);
		int fd = open(file->path, O_WRONLY | O_CLOEXEC);
		if (pwrite(fd, zeros, len < sizeof(zeros) ? len : sizeof(zeros), hole) < 0)
			die("pwrite");
		close(fd);
	}
}

static void add_size(void *ctx, const char *path)
{
	*(uint64_t *)ctx += (uint64_t)trap_size(path);
}

uint64_t trap_usage(const struct trap *t)
{
	uint64_t sum = 0;
	each(t, add_size, &sum);
	return sum;
}

struct search {
	const char *suffix, *after;
	size_t count;
	char least[160];
};

static void look(void *ctx, const char *path)
{
	struct search *s = ctx;
	size_t len = strlen(path), tail = strlen(s->suffix);
	if (len < tail || strcmp(path + len - tail, s->suffix) != 0)
		return;
	s->count++;
	if (strcmp(path, s->after) > 0 && (s->least[0] == '\0' || strcmp(path, s->least) < 0))
		snprintf(s->least, sizeof(s->least), "%s", path);
}

size_t trap_count(const struct trap *t, const char *suffix)
{
	struct search s = {.suffix = suffix, .after = ""};
	each(t, look, &s);
	return s.count;
}

void trap_nth(const struct trap *t, const char *suffix, size_t n, char path[static 160])
{
	path[0] = '\0';
	for (size_t i = 0; i <= n; i++) {
		char after[160];
		memcpy(after, path, sizeof(after));
		struct search s = {.suffix = suffix, .after = after};
		each(t, look, &s);
		memcpy(path, s.least, sizeof(s.least));
	}
}

void trap_flip(const char *path, off_t at, unsigned bit)
{
	unsigned char byte = 0;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || pread(fd, &byte, 1, at) != 1)
		die(path);
	byte ^= (unsigned char)(1U << bit);
	if (pwrite(fd, &byte, 1, at) != 1)
		die(path);
	close(fd);
}
