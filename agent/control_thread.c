#include "agent/control_thread.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "agent/rt_thread.h"
#include "agent/tick.h"
#include "proto/base/now.h"

enum {
	PRIORITY = 10, /* where it is not granted, the tick is late more often, and that is measured */
	STACK_BYTES = 256 * 1024,
	STACK_TOUCHED = 64 * 1024, /* far more than a tick needs */
	PAGE_BYTES = 4096,
	/* Free slots below which the less important kinds are no longer put in. */
	ROOM_FOR_PROGRESS = 88,
	ROOM_FOR_TELEMETRY = 76,
	NS_PER_MS = 1000000,
};

/* Grouped by meaning: there is one of it. NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct control_thread {
	struct control_thread_config config;
	struct gf_spsc mailbox, commands;
	struct tick tick; /* the thread's own, but for its phase */
	struct control_event events[CONTROL_EVENTS_PER_STEP_MAX];
	struct control_event owed; /* a catalog was taken, and there was no room to say so */
	bool owes;
	pthread_t thread;
	sem_t ended;
	bool started; /* and not joined yet */
	atomic_bool stopping;
	atomic_int outcome;
	atomic_uint_fast64_t ticks, lost;
};

static struct timespec timespec_of(int64_t ns)
{
	return (struct timespec){.tv_sec = ns / (1000LL * NS_PER_MS), .tv_nsec = ns % (1000LL * NS_PER_MS)};
}

/* ---- the thread ---- */

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
	case CONTROL_EVENT_CATALOG:
		break;
	}
	return 1;
}

/* The main loop frees the catalog before this one when it hears of it, and waits for that. */
static void owe(struct control_thread *t, const struct control_event *event)
{
	t->owed = *event;
	t->owes = true;
}

static void pay(struct control_thread *t)
{
	if (!t->owes || !gf_spsc_push(&t->mailbox, &t->owed))
		return;
	t->owes = false;
	t->config.wake(t->config.wake_ctx);
}

static void deliver(struct control_thread *t, size_t count)
{
	pay(t);
	for (size_t i = 0; i < count; i++) {
		const struct control_event *event = &t->events[i];
		if (gf_spsc_free_slots(&t->mailbox) >= room_needed(event->kind) && gf_spsc_push(&t->mailbox, event))
			continue;
		if (event->kind == CONTROL_EVENT_CATALOG)
			owe(t, event);
		else
			atomic_fetch_add_explicit(&t->lost, 1, memory_order_relaxed);
	}
	if (count > 0)
		t->config.wake(t->config.wake_ctx);
}

static void carry_out_commands(struct control_thread *t)
{
	struct control_command command;
	while (gf_spsc_pop(&t->commands, &command)) {
		switch (command.kind) {
		case CONTROL_COMMAND_STORAGE:
			control_set_storage(t->config.control, command.storage_full);
			break;
		case CONTROL_COMMAND_LIMITS:
			control_set_limits(t->config.control, &command.limits);
			break;
		case CONTROL_COMMAND_STOP:
			control_stop(t->config.control, command.outcome);
			break;
		case CONTROL_COMMAND_CATALOG:
			control_set_catalog(t->config.control, command.catalog);
			break;
		}
	}
}

/* Waits for the tick's moment and notes how late we woke. A thread that fell behind by more than one tick skips to the present. */
static int64_t wait_for_tick(struct control_thread *t, int64_t due_ns)
{
	const int64_t period_ns = (int64_t)CONTROL_TICK_MS * NS_PER_MS;
	const struct timespec due = timespec_of(due_ns);

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
		continue;
	int64_t late_ns = gf_now_ns(CLOCK_MONOTONIC) - due_ns;
	tick_stats_add(&t->tick.stats, late_ns / 1000, late_ns > period_ns);
	if (late_ns > period_ns)
		return due_ns + late_ns + period_ns;
	return due_ns + period_ns;
}

/* So that no tick is the first to need a page of the stack. */
static __attribute__((noinline)) void touch_stack(void)
{
	volatile unsigned char stack[STACK_TOUCHED];
	for (size_t i = 0; i < sizeof(stack); i += PAGE_BYTES)
		stack[i] = 0;
}

static void *run(void *ctx)
{
	struct control_thread *t = ctx;
	int64_t due_ns = gf_now_ns(CLOCK_MONOTONIC);

	pthread_setname_np(pthread_self(), "control");
	prctl(PR_SET_TIMERSLACK, 1UL); /* what an ordinary thread is woken late by, ns; real-time ones have none */
	touch_stack();
	while (!atomic_load_explicit(&t->stopping, memory_order_acquire)) {
		due_ns = wait_for_tick(t, due_ns);
		carry_out_commands(t);
		deliver(t, tick_run(&t->tick, gf_now_ms(CLOCK_BOOTTIME), t->events));
		atomic_fetch_add_explicit(&t->ticks, 1, memory_order_relaxed);
	}
	enum gf_outcome outcome = (enum gf_outcome)atomic_load(&t->outcome);
	deliver(t, tick_end(&t->tick, gf_now_ms(CLOCK_BOOTTIME), outcome, t->events));
	sem_post(&t->ended);
	return NULL;
}

/* ---- its start and end ---- */

int control_thread_start(const struct control_thread_config *config, struct control_thread **ret_thread)
{
	struct control_thread *t = aligned_alloc(64, (sizeof(*t) + 63) / 64 * 64);
	if (t == NULL)
		return -ENOMEM;
	memset(t, 0, sizeof(*t));
	t->config = *config;
	t->tick.control = config->control;
	t->tick.driver = config->driver;
	sem_init(&t->ended, 0, 0);
	int r = gf_spsc_init(&t->mailbox, sizeof(struct control_event), CONTROL_MAILBOX);
	if (r == 0)
		r = gf_spsc_init(&t->commands, sizeof(struct control_command), CONTROL_COMMANDS);
	if (r == 0)
		r = rt_thread_create(PRIORITY, STACK_BYTES, run, t, &t->thread);
	if (r != 0) {
		control_thread_free(t);
		return r;
	}
	t->started = true;
	*ret_thread = t;
	return 0;
}

/* False when it hasn't by the deadline. */
static bool has_ended(struct control_thread *t)
{
	const struct timespec deadline = timespec_of(gf_now_ns(CLOCK_MONOTONIC) + (int64_t)CONTROL_JOIN_MS * NS_PER_MS);
	int r;
	while ((r = sem_clockwait(&t->ended, CLOCK_MONOTONIC, &deadline)) != 0 && errno == EINTR)
		continue;
	return r == 0;
}

int control_thread_join(struct control_thread *thread, enum gf_outcome outcome)
{
	if (thread == NULL || !thread->started)
		return 0;
	atomic_store(&thread->outcome, (int)outcome);
	atomic_store_explicit(&thread->stopping, true, memory_order_release);
	if (!has_ended(thread))
		return CONTROL_THREAD_E_HANGS;
	pthread_join(thread->thread, NULL);
	thread->started = false;
	return 0;
}

void control_thread_free(struct control_thread *thread)
{
	if (thread == NULL || control_thread_join(thread, GF_OUTCOME_INTERRUPTED) != 0)
		return;
	gf_spsc_deinit(&thread->mailbox);
	gf_spsc_deinit(&thread->commands);
	sem_destroy(&thread->ended);
	free(thread);
}

/* ---- what the main loop asks ---- */

bool control_thread_next(struct control_thread *thread, struct control_event *ret_event)
{
	return gf_spsc_pop(&thread->mailbox, ret_event);
}

bool control_thread_tell(struct control_thread *thread, const struct control_command *command)
{
	return gf_spsc_push(&thread->commands, command);
}

uint64_t control_thread_ticks(const struct control_thread *thread)
{
	return atomic_load_explicit(&thread->ticks, memory_order_relaxed);
}

uint64_t control_thread_lost(const struct control_thread *thread)
{
	return atomic_load_explicit(&thread->lost, memory_order_relaxed);
}

const char *control_thread_doing(const struct control_thread *thread)
{
	switch ((enum tick_phase)atomic_load_explicit(&thread->tick.phase, memory_order_relaxed)) {
	case TICK_READS:
		return "in the driver's read";
	case TICK_STEPS:
		return "in the control core";
	case TICK_WRITES:
		return "in the driver's write";
	case TICK_MAKES_SAFE:
		return "in making the hardware safe";
	case TICK_WAITS:
		break;
	}
	return "between two ticks";
}
