#include "agent/rt_thread.h"

#include <errno.h>

int rt_thread_create(int priority, size_t stack_bytes, void *(*run)(void *ctx), void *ctx, pthread_t *ret_thread)
{
	const struct sched_param wish = {.sched_priority = priority};
	pthread_attr_t attr;
	pthread_t thread;
	int r = pthread_attr_init(&attr);
	if (r != 0)
		return -r;
	pthread_attr_setstacksize(&attr, stack_bytes);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &wish);
	r = pthread_create(&thread, &attr, run, ctx);
	if (r == EPERM) {
		pthread_attr_setinheritsched(&attr, PTHREAD_INHERIT_SCHED);
		r = pthread_create(&thread, &attr, run, ctx);
	}
	pthread_attr_destroy(&attr);
	if (r == 0)
		*ret_thread = thread;
	return -r;
}
