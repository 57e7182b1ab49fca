/*
 * The floor of the tick's lateness: the control thread's loop with nothing in it, in the same scheduling class where that is allowed. Prints
 * how late it woke: p99 and worst, in microseconds.
 *
 *     bench_tick SECONDS
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#include "agent/control/control.h"
#include "agent/tick_stats.h"

enum { PRIORITY = 10, NS_PER_MS = 1000000 };

static int64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec;
}

int main(int argc, char **argv)
{
	const struct sched_param priority = {.sched_priority = PRIORITY};
	const int64_t period_ns = (int64_t)CONTROL_TICK_MS * NS_PER_MS;
	const int64_t end_ns = now_ns() + (argc > 1 ? strtoll(argv[1], NULL, 10) : 10) * 1000 * NS_PER_MS;
	struct tick_stats stats = {.count = 0};
	struct gf_heartbeat beat;

	if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0 || mlockall(MCL_CURRENT | MCL_ONFAULT) != 0)
		fprintf(stderr, "bench_tick: an ordinary process: neither is the agent allowed more\n");
	prctl(PR_SET_TIMERSLACK, 1UL);
	for (int64_t due_ns = now_ns(); due_ns < end_ns; due_ns += period_ns) {
		const struct timespec due = {.tv_sec = due_ns / (1000LL * NS_PER_MS), .tv_nsec = due_ns % (1000LL * NS_PER_MS)};
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
			continue;
		tick_stats_add(&stats, (now_ns() - due_ns) / 1000, false);
	}
	tick_stats_take(&stats, &beat);
	printf("%u %u\n", beat.tick_p99_us, beat.tick_worst_us);
	return EXIT_SUCCESS;
}
