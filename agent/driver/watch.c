#include "agent/driver/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/now.h"

enum {
	START_MS = 3000,    /* for the first beat */
	END_MS = 1000,      /* after the pipe has closed */
	RETRY_MIN_MS = 100, /* the first new one comes at once */
	RETRY_MAX_MS = 30000,
	PROVEN_MS = 10000, /* who lived so long was no failed start */
	ARGS_MAX = 4 + WATCH_OUTPUTS_MAX,
};

struct watch {
	struct watch_page *page;
	char *program;
	int fds[WATCH_OUTPUTS_MAX];
	size_t count;
	int page_fd, pipe[2]; /* the watcher reads, and never gets anything but the end */
	atomic_bool gone;     /* nobody watches; set and cleared by watch_mend */
	atomic_int pid;
	/* The control thread's view of the watcher's beat. */
	uint32_t seen_beat;
	int64_t seen_ms;
	bool seen;
	/* watch_mend's. */
	uint32_t mend_beat;
	int64_t mend_ms, born_ms, retry_at_ms, retry_ms;
};

/* Time in which the machine was suspended doesn't count: nobody could beat then. */
static int64_t now_ms(void)
{
	return gf_now_ms(CLOCK_MONOTONIC);
}

static void pause_ms(long ms)
{
	const struct timespec pause = {.tv_nsec = ms * 1000000L};
	nanosleep(&pause, NULL);
}

/* --- the process ------------------------------------------------------------------------------------------------- */

/* The few files it needs stay open across exec at their own numbers; it closes all others itself. */
static int hand_over(const struct watch *w, posix_spawn_file_actions_t *actions, posix_spawnattr_t *attr)
{
	sigset_t all;
	int r = 0;
	sigfillset(&all);
	for (int fd = 0; fd <= 2 && r == 0; fd++)
		r = posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_RDWR, 0);
	r = r != 0 ? r : posix_spawn_file_actions_adddup2(actions, w->pipe[0], w->pipe[0]);
	r = r != 0 ? r : posix_spawn_file_actions_adddup2(actions, w->page_fd, w->page_fd);
	for (size_t i = 0; i < w->count && r == 0; i++)
		r = posix_spawn_file_actions_adddup2(actions, w->fds[i], w->fds[i]);
	/* A session of its own and no signal: what ends the agent's group must not end who watches it. */
	r = r != 0 ? r : posix_spawnattr_setsigmask(attr, &all);
	return r != 0 ? r : posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
}

static int spawn(struct watch *w)
{
	static char name[] = "gymfleet-watcher";
	char numbers[2 + WATCH_OUTPUTS_MAX][12], *argv[ARGS_MAX] = {name};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	pid_t pid = 0;
	int r;

	for (size_t i = 0; i < 2 + w->count; i++) {
		const int fd = i == 0 ? w->pipe[0] : i == 1 ? w->page_fd : w->fds[i - 2];
		snprintf(numbers[i], sizeof(numbers[i]), "%d", fd);
		argv[i + 1] = numbers[i];
	}
	if (posix_spawn_file_actions_init(&actions) != 0)
		return -ENOMEM;
	if (posix_spawnattr_init(&attr) != 0) {
		posix_spawn_file_actions_destroy(&actions);
		return -ENOMEM;
	}
	r = hand_over(w, &actions, &attr);
	if (r == 0)
		r = posix_spawn(&pid, w->program, &actions, &attr, argv, (char *[]){NULL});
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	if (r != 0)
		return -r;
	w->mend_beat = atomic_load(&w->page->watcher_beat);
	w->mend_ms = w->born_ms = now_ms();
	atomic_store(&w->pid, pid);
	return 0;
}

static bool ended(struct watch *w)
{
	const pid_t pid = atomic_load(&w->pid);
	if (pid != 0 && waitpid(pid, NULL, WNOHANG) == 0)
		return false;
	atomic_store(&w->pid, 0);
	return true;
}

static void end(struct watch *w)
{
	const pid_t pid = atomic_load(&w->pid);
	if (pid == 0)
		return;
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	atomic_store(&w->pid, 0);
}

/* --- start and stop ---------------------------------------------------------------------------------------------- */

static int make_shared(struct watch *w)
{
	w->page_fd = memfd_create("gymfleet-watch", MFD_CLOEXEC);
	if (w->page_fd < 0 || ftruncate(w->page_fd, WATCH_PAGE_BYTES) != 0 || pipe2(w->pipe, O_CLOEXEC) != 0)
		return -errno;
	void *page = mmap(NULL, WATCH_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, w->page_fd, 0);
	if (page == MAP_FAILED)
		return -errno;
	w->page = page;
	return 0;
}

static int wait_for_beat(struct watch *w)
{
	const int64_t until_ms = now_ms() + START_MS;
	while (atomic_load(&w->page->watcher_beat) == w->mend_beat) {
		if (ended(w))
			return -ECHILD;
		if (now_ms() >= until_ms)
			return -ETIMEDOUT;
		pause_ms(1);
	}
	return 0;
}

int watch_start(const char *program, const int *fds, size_t count, struct watch **ret_watch, struct gf_diag *diag)
{
	struct watch *w = calloc(1, sizeof(*w));
	int r = w != NULL && count > 0 && count <= WATCH_OUTPUTS_MAX ? 0 : w == NULL ? -ENOMEM : -EINVAL;
	if (w != NULL) {
		w->page_fd = w->pipe[0] = w->pipe[1] = -1;
		w->program = strdup(program);
		r = r == 0 && w->program == NULL ? -ENOMEM : r;
	}
	if (r == 0) {
		memcpy(w->fds, fds, count * sizeof(*fds));
		w->count = count;
		if ((r = make_shared(w)) == 0 && (r = spawn(w)) == 0)
			r = wait_for_beat(w);
	}
	if (r != 0) {
		gf_diag_set(diag,
		            "the watcher %s doesn't start: %s; without it nobody turns the outputs off when the agent dies, so "
		            "nothing is turned on",
		            program, r == -ECHILD ? "it ended at once" : strerror(-r));
		watch_stop(w);
		return r;
	}
	*ret_watch = w;
	return 0;
}

void watch_stop(struct watch *watch)
{
	if (watch == NULL)
		return;
	if (watch->pipe[1] >= 0)
		close(watch->pipe[1]);
	for (const int64_t until_ms = now_ms() + END_MS; !ended(watch) && now_ms() < until_ms;)
		pause_ms(1);
	end(watch);
	if (watch->pipe[0] >= 0)
		close(watch->pipe[0]);
	if (watch->page != NULL)
		munmap(watch->page, WATCH_PAGE_BYTES);
	if (watch->page_fd >= 0)
		close(watch->page_fd);
	free(watch->program);
	free(watch);
}

/* --- in the tick ------------------------------------------------------------------------------------------------- */

void watch_beat(struct watch *watch)
{
	/* 0 stands for "never": skip it when the counter comes round. */
	const uint32_t next = atomic_load_explicit(&watch->page->beat, memory_order_relaxed) + 1;
	atomic_store(&watch->page->beat, next != 0 ? next : 1);
}

bool watch_fired(const struct watch *watch)
{
	return atomic_load(&watch->page->fired) != atomic_load(&watch->page->acked);
}

bool watch_take(struct watch *watch)
{
	const uint32_t fired = atomic_load(&watch->page->fired);
	return atomic_exchange(&watch->page->acked, fired) != fired;
}

bool watch_alive(struct watch *watch, int64_t mono_ms)
{
	const uint32_t beat = atomic_load(&watch->page->watcher_beat);
	if (!watch->seen || beat != watch->seen_beat) {
		watch->seen = true;
		watch->seen_beat = beat;
		watch->seen_ms = mono_ms;
	}
	return !atomic_load(&watch->gone) && mono_ms - watch->seen_ms < WATCH_TIMEOUT_MS;
}

/* --- beside it --------------------------------------------------------------------------------------------------- */

static void start_again(struct watch *w, int64_t now)
{
	if (now < w->retry_at_ms)
		return;
	w->retry_ms = w->retry_ms == 0 ? RETRY_MIN_MS : w->retry_ms * 2;
	if (w->retry_ms > RETRY_MAX_MS)
		w->retry_ms = RETRY_MAX_MS;
	w->retry_at_ms = now + w->retry_ms;
	(void)spawn(w); /* tried again */
}

void watch_mend(struct watch *watch)
{
	const int64_t now = now_ms();
	const uint32_t beat = atomic_load(&watch->page->watcher_beat);

	if (!ended(watch) && beat != watch->mend_beat) {
		watch->mend_beat = beat;
		watch->mend_ms = now;
		atomic_store(&watch->gone, false);
		if (now - watch->born_ms > PROVEN_MS)
			watch->retry_ms = watch->retry_at_ms = 0;
		return;
	}
	const bool runs = atomic_load(&watch->pid) != 0;
	if (runs && now - watch->mend_ms < WATCH_TIMEOUT_MS)
		return;
	/* As if it had fired: what happened while nobody watched must not pass unnoticed, however soon there is a new one. */
	if (!atomic_exchange(&watch->gone, true))
		atomic_fetch_add(&watch->page->fired, 1);
	end(watch);
	start_again(watch, now);
}

pid_t watch_pid(const struct watch *watch)
{
	return atomic_load(&watch->pid);
}
