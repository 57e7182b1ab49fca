#include "agent/driver/sysfs_keeper.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum {
	STACK_BYTES = 128 * 1024,
	PRIORITY = 9, /* below the control thread's */
	SLOTS = 3,
	FRESH = 4, /* beside a slot's number: nobody has taken it yet */
};

/* Three slots, so that neither side ever waits: one is being written, one is being read, one changes hands. */
struct keeper {
	const struct sensors *sensors;
	struct watch *watch;
	pthread_t thread;
	bool started;
	atomic_bool stopping;
	struct keeper_reading slots[SLOTS];
	unsigned writing, reading;
	atomic_uint between;
};

static int64_t mono_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void read_once(struct keeper *k)
{
	struct keeper_reading *reading = &k->slots[k->writing];
	reading->begun_ms = mono_ms();
	sensors_read(k->sensors, reading->values);
	reading->took_ms = (uint32_t)(mono_ms() - reading->begun_ms);
	k->writing = atomic_exchange(&k->between, k->writing | FRESH) & ~(unsigned)FRESH;
}

static void *run(void *ctx)
{
	struct keeper *k = ctx;
	const struct timespec period = {.tv_nsec = KEEPER_PERIOD_MS * 1000000L};
	while (!atomic_load(&k->stopping)) {
		read_once(k);
		watch_mend(k->watch);
		nanosleep(&period, NULL);
	}
	return NULL;
}

/* As the control thread: real-time where it may. No signal: they are the main loop's. */
static int create(struct keeper *k)
{
	pthread_attr_t attr;
	sigset_t all, before;
	int r = pthread_attr_init(&attr);
	if (r != 0)
		return -r;
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &(struct sched_param){.sched_priority = PRIORITY});
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&k->thread, &attr, run, k);
	if (r == EPERM) {
		pthread_attr_setinheritsched(&attr, PTHREAD_INHERIT_SCHED);
		r = pthread_create(&k->thread, &attr, run, k);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	k->started = r == 0;
	return -r;
}

int keeper_start(const struct sensors *sensors, struct watch *watch, struct keeper **ret_keeper)
{
	struct keeper *k = calloc(1, sizeof(*k));
	if (k == NULL)
		return -ENOMEM;
	k->sensors = sensors;
	k->watch = watch;
	k->reading = 1;
	atomic_store(&k->between, 2);
	read_once(k);
	const int r = create(k);
	if (r != 0) {
		keeper_stop(k);
		return r;
	}
	*ret_keeper = k;
	return 0;
}

void keeper_stop(struct keeper *keeper)
{
	if (keeper == NULL)
		return;
	atomic_store(&keeper->stopping, true);
	if (keeper->started)
		pthread_join(keeper->thread, NULL);
	free(keeper);
}

const struct keeper_reading *keeper_newest(struct keeper *keeper)
{
	if ((atomic_load(&keeper->between) & FRESH) != 0)
		keeper->reading = atomic_exchange(&keeper->between, keeper->reading) & ~(unsigned)FRESH;
	return &keeper->slots[keeper->reading];
}
