#include "agent/rt_thread.h"

#include <errno.h>
#include <signal.h>

/* Signals are the main loop's: they must not interrupt a call to the hardware. But what the thread itself does wrong is told to it. */
static void all_but_its_own(sigset_t *set)
{
	static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGTRAP, SIGABRT};
	sigfillset(set);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		sigdelset(set, own[i]);
}

int rt_thread_create(int priority, size_t stack_bytes, void *(*run)(void *ctx), void *ctx, pthread_t *ret_thread)
{
	const struct sched_param wish = {.sched_priority = priority};
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t others, before;
	int r = pthread_attr_init(&attr);
	if (r != 0)
		return -r;
	pthread_attr_setstacksize(&attr, stack_bytes);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &wish);
	all_but_its_own(&others);
	pthread_sigmask(SIG_SETMASK, &others, &before);
	r = pthread_create(&thread, &attr, run, ctx);
	if (r == EPERM) {
		pthread_attr_setinheritsched(&attr, PTHREAD_INHERIT_SCHED);
		r = pthread_create(&thread, &attr, run, ctx);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (r == 0)
		*ret_thread = thread;
	return -r;
}
