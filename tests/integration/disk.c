#include "tests/integration/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/base/file.h"

enum { PATH_SIZE = 600, MOUNT_MS = 10000 };

/* Who isn't root becomes it in a user namespace, where mounting is allowed. */
static bool is_root(void)
{
	return geteuid() == 0;
}

struct it_proc *it_disk(struct it_world *w, const char *dir, unsigned kib)
{
	struct gf_diag diag = {""};
	struct it_proc *disk;
	char size[32];

	if (gf_dir_make(dir, &diag) != 0)
		fail_msg("%s", diag.text);
	snprintf(size, sizeof size, "size=%uk", kib);
	disk = it_spawn(w, "disk", "unshare", is_root() ? "-m" : "-rm", "sh", "-c",
	                "mount -t tmpfs -o \"$1\" tmpfs \"$2\" && echo mounted && exec sleep infinity", "sh", size, dir);
	IT_UNTIL(MOUNT_MS, it_log_has(disk, "mounted") || !it_alive(disk));
	if (!it_alive(disk))
		fail_msg("no disk can be mounted; see %s", it_log(disk));
	return disk;
}

struct it_proc *it_spawn_on_disk(struct it_world *w, const char *name, const struct it_proc *disk, const char *program,
                                 const char *config)
{
	char pid[16];

	snprintf(pid, sizeof pid, "%d", it_pid(disk));
	if (is_root())
		return it_spawn(w, name, "nsenter", "-t", pid, "-m", "--", program, "--config", config);
	return it_spawn(w, name, "nsenter", "-t", pid, "-U", "--preserve-credentials", "-m", "--", program, "--config",
	                config);
}

/* As the test reaches it, which isn't on the disk's side; in static memory until the next call. */
static const char *filler(const struct it_proc *disk, const char *dir)
{
	static char path[PATH_SIZE];

	snprintf(path, sizeof path, "/proc/%d/root%s/filler", it_pid(disk), dir);
	return path;
}

void it_disk_fill(const struct it_proc *disk, const char *dir)
{
	static const char zeroes[4096];
	int fd = open(filler(disk, dir), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	ssize_t written;

	if (fd < 0)
		fail_msg("%s: %s", filler(disk, dir), strerror(errno));
	do
		written = write(fd, zeroes, sizeof zeroes);
	while (written > 0);
	assert_int_equal(errno, ENOSPC);
	close(fd);
}

void it_disk_free(const struct it_proc *disk, const char *dir)
{
	assert_int_equal(unlink(filler(disk, dir)), 0);
}
