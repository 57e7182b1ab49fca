/*
 * gymfleet-watcher: turns outputs off when nobody looks after them any more. gymfleet-agent starts it beside itself where the hardware
 * has no dead man of its own (agent/driver/watch.c), with open files by their numbers:
 *
 *     gymfleet-watcher PIPE PAGE OUTPUT...
 *
 * PIPE   ends when the agent is dead, however it died: zeros at once, then this program ends.
 * PAGE   carries the agent's beat (watch_page.h). None for half a second while the agent lives (it hangs, or is stopped): zeros, again and
 *        again until the agent has taken notice.
 * OUTPUT is off when "0" is written to it.
 *
 * It opens nothing, allocates nothing, logs nothing, and hears no signal but SIGKILL; it is locked into memory and runs before
 * the agent's threads where it may. Should it be killed, the agent turns everything off and starts another one.
 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "agent/driver/watch_page.h"

enum {
	PRIORITY = 11,             /* the control thread has 10 */
	LAST_ZEROS_MS = 10 * 1000, /* how long an output that refuses its zero is tried */
	FD_MAX = 1 << 20,
};

struct watcher {
	int pipe;
	struct watch_page *page;
	int outputs[WATCH_OUTPUTS_MAX];
	int count;
	bool armed; /* the agent has beaten since it was last turned off */
	uint32_t beat;
	int64_t beat_ms;
};

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* All of them, whatever fails. */
static bool zero(const struct watcher *w)
{
	bool done = true;
	for (int i = 0; i < w->count; i++)
		done = pwrite(w->outputs[i], "0\n", 2, 0) == 2 && done;
	return done;
}

static void look_at_beat(struct watcher *w)
{
	const uint32_t beat = atomic_load(&w->page->beat);
	const int64_t now = now_ms();
	if (beat != w->beat) {
		w->beat = beat;
		w->beat_ms = now;
		w->armed = true;
	} else if (w->armed && now - w->beat_ms >= WATCH_TIMEOUT_MS) {
		w->armed = false;
		/* Told first: an agent that wakes up between the two must not turn on what has just been turned off. */
		atomic_fetch_add(&w->page->fired, 1);
	}
	if (atomic_load(&w->page->fired) != atomic_load(&w->page->acked))
		(void)zero(w);
}

static void watch(struct watcher *w)
{
	struct pollfd pipe = {.fd = w->pipe, .events = POLLIN};
	do {
		atomic_fetch_add(&w->page->watcher_beat, 1);
		look_at_beat(w);
	} while (poll(&pipe, 1, WATCH_POLL_MS) <= 0);

	for (const int64_t until_ms = now_ms() + LAST_ZEROS_MS; !zero(w) && now_ms() < until_ms;)
		(void)poll(NULL, 0, WATCH_POLL_MS);
}

/* --- beginning --------------------------------------------------------------------------------------------------- */

static int number(const char *text)
{
	char *end;
	const long value = strtol(text, &end, 10);
	return *text != '\0' && *end == '\0' && value > 2 && value < FD_MAX && fcntl((int)value, F_GETFD) != -1 ? (int)value
	                                                                                                        : -1;
}

static bool take(struct watcher *w, int argc, char **argv)
{
	if (argc < 4 || argc > 3 + WATCH_OUTPUTS_MAX)
		return false;
	w->pipe = number(argv[1]);
	const int page_fd = number(argv[2]);
	bool good = w->pipe >= 0 && page_fd >= 0;
	for (int i = 3; i < argc; i++) {
		w->outputs[w->count] = number(argv[i]);
		good = good && w->outputs[w->count++] >= 0;
	}
	if (!good)
		return false;
	void *page = mmap(NULL, WATCH_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, page_fd, 0);
	if (page == MAP_FAILED)
		return false;
	w->page = page;
	w->beat = atomic_load(&w->page->beat);
	w->beat_ms = now_ms();
	w->armed = w->beat != 0; /* one that takes over from another */
	return true;
}

static bool needed(const struct watcher *w, int fd)
{
	bool is = fd <= 2 || fd == w->pipe;
	for (int i = 0; i < w->count; i++)
		is = is || fd == w->outputs[i];
	return is;
}

/* The agent's sockets, locks and files must not live on in here. */
static void close_others(const struct watcher *w)
{
	int last = w->pipe;
	for (int i = 0; i < w->count; i++)
		last = w->outputs[i] > last ? w->outputs[i] : last;
	for (int fd = 3; fd < last; fd++) {
		if (!needed(w, fd))
			(void)close(fd);
	}
	(void)close_range((unsigned)last + 1, ~0U, 0);
}

int main(int argc, char **argv)
{
	struct watcher w = {0};
	sigset_t all;

	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	if (!take(&w, argc, argv)) {
		(void)fputs("gymfleet-watcher is started by gymfleet-agent, not by hand; see agent/watcher/main.c\n", stderr);
		return 2;
	}
	close_others(&w);
	(void)mlockall(MCL_CURRENT | MCL_FUTURE);
	(void)sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = PRIORITY});
	watch(&w);
	_exit(0);
}
