/* Who asks, for the audit trail: the process at the other end of the socket. */
#ifndef GATEWAY_API_ACTOR_H
#define GATEWAY_API_ACTOR_H

#include <sys/types.h>

#include "gateway/store/wishes.h"

/*
 * "anna (uid 1000)", "unix socket, pid 4711, gymfleet". Who became root by sudo is named too: ", logged in as anna". What can't be known
 * (the process has ended, a uid without a name) is left out; the uid is always there.
 */
void actor_of_socket(int fd, struct store_actor *ret_actor);

/* The same of a process's numbers; `proc` is where its files are ("/proc" but in tests). */
void actor_of_process(const char *proc, pid_t pid, uid_t uid, struct store_actor *ret_actor);

#endif
