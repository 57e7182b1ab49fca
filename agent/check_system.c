#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/check_impl.h"

enum {
	PRIORITY = 11,            /* the watcher's; the control thread has 10 */
	MEMLOCK_BYTES = 32 << 20, /* more than an agent ever has */
};

static void *nothing(void *ctx)
{
	return ctx;
}

/* As the control thread is made (rt_thread.c), but that a refusal is the answer. */
static int try_priority(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	int r = pthread_attr_init(&attr);
	if (r != 0)
		return r;
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &(struct sched_param){.sched_priority = PRIORITY});
	r = pthread_create(&thread, &attr, nothing, NULL);
	if (r == 0)
		pthread_join(thread, NULL);
	pthread_attr_destroy(&attr);
	return r;
}

static void check_priority(struct check *check)
{
	const int r = try_priority();
	if (r == 0)
		check_say(check, DRIVER_FINE, "priority", "real-time priority %d is granted", PRIORITY);
	else
		check_say(
		    check, DRIVER_DOUBTFUL, "priority",
		    "no real-time priority %d for this user (%s): a busy computer may delay ticks; the unit asks for it by "
		    "LimitRTPRIO",
		    PRIORITY, strerror(r));
}

static void check_memory(struct check *check)
{
	struct rlimit limit = {0};
	const bool known = getrlimit(RLIMIT_MEMLOCK, &limit) == 0;
	if (geteuid() == 0 || (known && limit.rlim_cur >= MEMLOCK_BYTES))
		check_say(check, DRIVER_FINE, "memory", "may be locked");
	else
		check_say(check, DRIVER_DOUBTFUL, "memory",
		          "this user may lock only %llu KiB: a stalled disk may delay ticks; the unit asks for more by "
		          "LimitMEMLOCK",
		          (unsigned long long)limit.rlim_cur / 1024);
}

static void check_clock(struct check *check)
{
	if (gf_clock_now(gf_clock_system(check->config->clock)).synced)
		check_say(check, DRIVER_FINE, "clock", "synchronised");
	else
		check_say(check, DRIVER_DOUBTFUL, "clock",
		          "not synchronised: sessions are reported with times that can't be trusted; see timedatectl");
}

void check_system(struct check *check)
{
	check_priority(check);
	check_memory(check);
	check_clock(check);
}
