#include "agent/driver/sysfs_keeper.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "agent/driver/newest.h"
#include "agent/rt_thread.h"
#include "proto/base/now.h"

enum {
	STACK_BYTES = 128 * 1024,
	PRIORITY = 9, /* below the control thread's */
	END_S = 1,
};

struct keeper {
	const struct sensors *sensors;
	struct watch *watch;
	pthread_t thread;
	bool started;
	atomic_bool stopping;
	struct newest newest;
};

static struct keeper_reading read_once(const struct keeper *k)
{
	struct keeper_reading reading = {.begun_ms = gf_now_ms(CLOCK_BOOTTIME)};
	sensors_read(k->sensors, reading.values);
	return reading;
}

static void *run(void *ctx)
{
	struct keeper *k = ctx;
	const struct timespec period = {.tv_nsec = KEEPER_PERIOD_MS * 1000000L};
	while (!atomic_load(&k->stopping)) {
		const struct keeper_reading reading = read_once(k);
		newest_put(&k->newest, &reading);
		watch_mend(k->watch);
		nanosleep(&period, NULL);
	}
	return NULL;
}

int keeper_start(const struct sensors *sensors, struct watch *watch, struct keeper **ret_keeper)
{
	struct keeper *k = calloc(1, sizeof(*k));
	if (k == NULL)
		return -ENOMEM;
	k->sensors = sensors;
	k->watch = watch;
	const struct keeper_reading first = read_once(k);
	int r = newest_init(&k->newest, sizeof(first), &first);
	if (r == 0)
		r = rt_thread_create(PRIORITY, STACK_BYTES, run, k, &k->thread);
	k->started = r == 0;
	if (r != 0) {
		(void)!keeper_stop(k);
		return r;
	}
	*ret_keeper = k;
	return 0;
}

static bool join(const struct keeper *k)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += END_S;
	return pthread_timedjoin_np(k->thread, NULL, &until) == 0;
}

bool keeper_stop(struct keeper *keeper)
{
	if (keeper == NULL)
		return true;
	atomic_store(&keeper->stopping, true);
	if (keeper->started && !join(keeper))
		return false;
	newest_deinit(&keeper->newest);
	free(keeper);
	return true;
}

const struct keeper_reading *keeper_newest(struct keeper *keeper)
{
	return newest_get(&keeper->newest);
}
