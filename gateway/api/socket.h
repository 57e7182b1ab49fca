/* The API's listening Unix socket, and who is at its other end. */
#ifndef GATEWAY_API_SOCKET_H
#define GATEWAY_API_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

#include "proto/base/err.h"

enum { SOCKET_NO_GROUP = -1 };

/* The id of a group by its name; NULL gives SOCKET_NO_GROUP. Returns 0, or -ENOENT with diag. */
GF_MUST_CHECK int socket_group(const char *name, gid_t *ret_group, struct gf_diag *diag);

/*
 * Listens on `path`, mode 0660, owned by `group` unless that is SOCKET_NO_GROUP. A socket that nobody answers on is removed first.
 * Returns 0; -EADDRINUSE when somebody answers, -EEXIST when something else is there, or another negative errno; diag is set.
 */
GF_MUST_CHECK int socket_listen(const char *path, gid_t group, int *ret_fd, struct gf_diag *diag);

/* May the process at the other end use the API: root, our own user, a member of `group`. */
bool socket_peer_allowed(int fd, gid_t group);

#endif
