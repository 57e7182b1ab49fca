/*
 * A thread at hardware: of real-time priority where the user may have it (the unit asks by LimitRTPRIO), an ordinary one elsewhere. It
 * must do the same either way, only later on a busy machine. `gymfleet-agent --check` tells which it is.
 *
 * The priorities of one process, highest first: gymfleet-watcher 11, control thread and bus 10, sysfs_keeper 9.
 */
#ifndef AGENT_RT_THREAD_H
#define AGENT_RT_THREAD_H

#include <pthread.h>
#include <stddef.h>

#include "proto/base/err.h"

/* Starts run(ctx); no signal from outside is delivered to it. 0, or pthread_create's error negated. */
GF_MUST_CHECK int rt_thread_create(int priority, size_t stack_bytes, void *(*run)(void *ctx), void *ctx,
                                   pthread_t *ret_thread);

#endif
