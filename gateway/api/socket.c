#include "gateway/api/socket.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/base/text.h"

enum { BACKLOG = 64, SOCKET_MODE = 0660, GROUPS_MAX = 1024 };

int socket_group(const char *name, gid_t *ret_group, struct gf_diag *diag)
{
	struct group entry, *found = NULL;
	char buf[16 * 1024];

	if (name == NULL) {
		*ret_group = (gid_t)SOCKET_NO_GROUP;
		return 0;
	}
	if (getgrnam_r(name, &entry, buf, sizeof(buf), &found) != 0 || found == NULL) {
		gf_diag_set(diag, "api.group: there is no group '%s'; make it (groupadd --system %s) or name another", name,
		            name);
		return -ENOENT;
	}
	*ret_group = entry.gr_gid;
	return 0;
}

/* Removes what a gateway that ended badly left behind. */
static int remove_stale(const char *path, const struct sockaddr_un *address, struct gf_diag *diag)
{
	struct stat st;
	int error = 0;

	if (lstat(path, &st) != 0)
		return 0; /* nothing there; if the folder is missing, bind will say so */
	if (!S_ISSOCK(st.st_mode)) {
		gf_diag_set(diag, "%s exists and is no socket; remove it or choose another api.socket", path);
		return -EEXIST;
	}
	int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe < 0)
		return -errno;
	if (connect(probe, (const struct sockaddr *)address, sizeof(*address)) != 0)
		error = errno;
	(void)close(probe);
	if (error == 0 || error == EAGAIN) {
		gf_diag_set(diag,
		            "the socket %s is in use: another gymfleet-gateway answers on it; stop that one, or choose "
		            "another api.socket",
		            path);
		return -EADDRINUSE;
	}
	if (error == ECONNREFUSED && unlink(path) != 0 && errno != ENOENT) {
		error = errno;
		gf_diag_set(diag, "can't remove the stale socket %s: %s", path, strerror(error));
		return -error;
	}
	return 0;
}

static int bind_error(const char *path, int error, struct gf_diag *diag)
{
	const char *remedy = error == ENOENT   ? "; its folder is missing, make it"
	                     : error == EACCES ? "; the gateway's user needs write permission for the folder"
	                                       : "";
	gf_diag_set(diag, "can't listen on the socket %s: %s%s", path, strerror(error), remedy);
	return -error;
}

int socket_listen(const char *path, gid_t group, int *ret_fd, struct gf_diag *diag)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, r;

	if (!gf_strcpy(address.sun_path, sizeof(address.sun_path), path))
		return bind_error(path, ENAMETOOLONG, diag);
	if ((r = remove_stale(path, &address, diag)) != 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* The mode is set before the name exists, so that there is no moment in which everybody could connect; the umask may have
	 * narrowed it, so it is set again. */
	if (fd < 0 || fchmod(fd, SOCKET_MODE) != 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		r = bind_error(path, errno, diag);
		goto fail;
	}
	if (group != (gid_t)SOCKET_NO_GROUP && chown(path, (uid_t)-1, group) != 0) {
		r = -errno;
		gf_diag_set(diag, "can't give the socket %s to api.group: %s; add the gateway's user to that group", path,
		            strerror(-r));
		goto fail_bound;
	}
	if (chmod(path, SOCKET_MODE) != 0 || listen(fd, BACKLOG) != 0) {
		r = bind_error(path, errno, diag);
		goto fail_bound;
	}
	*ret_fd = fd;
	return 0;
fail_bound:
	(void)unlink(path);
fail:
	if (fd >= 0)
		(void)close(fd);
	return r;
}

bool socket_peer_allowed(int fd, gid_t group)
{
	struct ucred peer;
	gid_t groups[GROUPS_MAX];
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return false;
	if (peer.uid == 0 || peer.uid == geteuid())
		return true;
	if (group == (gid_t)SOCKET_NO_GROUP)
		return false;
	if (peer.gid == group)
		return true;
	len = sizeof(groups);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) != 0)
		return false;
	for (size_t i = 0; i < len / sizeof(groups[0]); i++)
		if (groups[i] == group)
			return true;
	return false;
}
