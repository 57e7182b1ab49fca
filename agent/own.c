#include "agent/own.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "proto/base/file.h"

static int path_of(const char *state_dir, char ret_path[static PATH_MAX])
{
	const int len = snprintf(ret_path, PATH_MAX, "%s/lock", state_dir);
	return len < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int own_machine(const char *state_dir, int *ret_fd, struct gf_diag *diag)
{
	char path[PATH_MAX];
	int r = gf_dir_make(state_dir, diag);
	if (r != 0)
		return r;
	r = path_of(state_dir, path);
	if (r != 0) {
		gf_diag_set(diag, "%.200s...: the path is too long", state_dir);
		return r;
	}
	return gf_file_lock(path, ret_fd, diag);
}

int own_for_a_look(const char *state_dir, int *ret_fd)
{
	char path[PATH_MAX];
	const int r = path_of(state_dir, path);
	if (r != 0)
		return r;
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT)
		return -errno;
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		const int error = errno == EWOULDBLOCK ? EBUSY : errno;
		close(fd);
		return -error;
	}
	*ret_fd = fd;
	return 0;
}
