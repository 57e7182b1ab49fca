#include "agent/control_thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/tick.h"

enum {
	STACK_BYTES = 256 * 1024,
	/* Free slots below which the less important kinds are no longer put in. */
	ROOM_FOR_PROGRESS = 88,
	ROOM_FOR_TELEMETRY = 76,
	NS_PER_MS = 1000000,
};

struct control_thread {
	struct control_thread_config config;
	struct gf_spsc mailbox;
	struct tick tick; /* the thread's own */
	pthread_t thread;
	bool started;
	atomic_bool stopping, storage_full;
	atomic_int outcome;
	atomic_uint_fast64_t ticks, lost;
};

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec;
}

static size_t room_needed(enum control_event_kind kind)
{
	switch (kind) {
	case CONTROL_EVENT_SESSION_PROGRESS:
		return ROOM_FOR_PROGRESS;
	case CONTROL_EVENT_TELEMETRY:
		return ROOM_FOR_TELEMETRY;
	case CONTROL_EVENT_SESSION_STARTED:
	case CONTROL_EVENT_SESSION_ENDED:
	case CONTROL_EVENT_FAULT_RAISED:
	case CONTROL_EVENT_FAULT_CLEARED:
	case CONTROL_EVENT_LIMIT_HIT:
		break;
	}
	return 1;
}

static void deliver(struct control_thread *t, struct control_event *events, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct control_event *event = &events[i];
		if (gf_spsc_free_slots(&t->mailbox) < room_needed(event->kind) || !gf_spsc_push(&t->mailbox, event))
			atomic_fetch_add_explicit(&t->lost, 1, memory_order_relaxed);
	}
	if (count > 0)
		t->config.wake(t->config.wake_ctx);
}

static void tick(struct control_thread *t, struct control_event *events)
{
	control_set_storage(t->config.control, atomic_load_explicit(&t->storage_full, memory_order_relaxed));
	deliver(t, events, tick_run(&t->tick, clock_ns(CLOCK_BOOTTIME) / NS_PER_MS, events));
	atomic_fetch_add_explicit(&t->ticks, 1, memory_order_relaxed);
}

/* Waits for the tick's moment and notes how late we woke. A thread that fell behind by more than one tick skips to the present. */
static int64_t wait_for_tick(struct control_thread *t, int64_t due_ns)
{
	const int64_t period_ns = (int64_t)CONTROL_TICK_MS * NS_PER_MS;
	struct timespec due = {.tv_sec = due_ns / (1000LL * NS_PER_MS), .tv_nsec = due_ns % (1000LL * NS_PER_MS)};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
		continue;
	int64_t late_ns = clock_ns(CLOCK_MONOTONIC) - due_ns;
	tick_stats_add(&t->tick.stats, late_ns / 1000, late_ns > period_ns);
	if (late_ns > period_ns)
		return due_ns + late_ns + period_ns;
	return due_ns + period_ns;
}

static void *run(void *ctx)
{
	struct control_thread *t = ctx;
	struct control_event events[CONTROL_EVENTS_PER_STEP_MAX];
	int64_t due_ns = clock_ns(CLOCK_MONOTONIC);

	while (!atomic_load_explicit(&t->stopping, memory_order_acquire)) {
		due_ns = wait_for_tick(t, due_ns);
		tick(t, events);
	}

	int64_t mono_ms = clock_ns(CLOCK_BOOTTIME) / NS_PER_MS;
	deliver(t, events, tick_end(&t->tick, mono_ms, (enum gf_outcome)atomic_load(&t->outcome), events));
	return NULL;
}

/* Real-time priority where the unit allows it (LimitRTPRIO); an ordinary thread elsewhere: the tick's lateness is measured either way. */
static int create(struct control_thread *t)
{
	pthread_attr_t attr;
	int r = pthread_attr_init(&attr);
	if (r != 0)
		return -r;
	struct sched_param priority = {.sched_priority = 10};
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &priority);
	r = pthread_create(&t->thread, &attr, run, t);
	if (r == EPERM) {
		pthread_attr_setinheritsched(&attr, PTHREAD_INHERIT_SCHED);
		r = pthread_create(&t->thread, &attr, run, t);
	}
	pthread_attr_destroy(&attr);
	return -r;
}

int control_thread_start(const struct control_thread_config *config, struct control_thread **ret_thread)
{
	struct control_thread *t = aligned_alloc(64, (sizeof(*t) + 63) / 64 * 64);
	if (t == NULL)
		return -ENOMEM;
	memset(t, 0, sizeof(*t));
	t->config = *config;
	t->tick = (struct tick){.control = config->control, .driver = config->driver};
	int r = gf_spsc_init(&t->mailbox, sizeof(struct control_event), CONTROL_MAILBOX);
	if (r == 0)
		r = create(t);
	if (r != 0) {
		control_thread_free(t);
		return r;
	}
	t->started = true;
	*ret_thread = t;
	return 0;
}

bool control_thread_next(struct control_thread *thread, struct control_event *ret_event)
{
	return gf_spsc_pop(&thread->mailbox, ret_event);
}

void control_thread_set_storage(struct control_thread *thread, bool full)
{
	atomic_store_explicit(&thread->storage_full, full, memory_order_relaxed);
}

uint64_t control_thread_ticks(const struct control_thread *thread)
{
	return atomic_load_explicit(&thread->ticks, memory_order_relaxed);
}

uint64_t control_thread_lost(const struct control_thread *thread)
{
	return atomic_load_explicit(&thread->lost, memory_order_relaxed);
}

void control_thread_join(struct control_thread *thread, enum gf_outcome outcome)
{
	if (thread == NULL || !thread->started)
		return;
	atomic_store(&thread->outcome, (int)outcome);
	atomic_store_explicit(&thread->stopping, true, memory_order_release);
	pthread_join(thread->thread, NULL);
	thread->started = false;
}

void control_thread_free(struct control_thread *thread)
{
	if (thread == NULL)
		return;
	control_thread_join(thread, GF_OUTCOME_INTERRUPTED);
	gf_spsc_deinit(&thread->mailbox);
	free(thread);
}
