/*
 * The frame of a daemon: its command line, and a main loop (libuv) that steps whenever something woke it or is due, and that ends
 * gracefully at SIGTERM and SIGINT.
 *
 *     start ──> gf_daemon_run: step, step, … ──signal──> stop, step, … until stopped or GF_DAEMON_GOODBYE_MS ──> returns
 */
#ifndef GF_BASE_DAEMON_H
#define GF_BASE_DAEMON_H

#include <uv.h>

#include "proto/base/clock.h"

enum {
	GF_EXIT_CONFIG = 2,          /* the command line or the configuration is wrong: starting again helps nothing */
	GF_DAEMON_GOODBYE_MS = 3000, /* how long an end may take: less than the units' TimeoutStopSec */
};

struct gf_daemon_ops {
	/* Moves what can move. Returns when to be called again at the latest (mono ms); INT64_MAX: only when woken. */
	int64_t (*step)(void *ctx);
	/* Begins to stop, once; steps follow. */
	void (*stop)(void *ctx);
	bool (*stopped)(const void *ctx);
};

/* Zeroed, then gf_daemon_init. Others may put timers of their own on `loop`; gf_daemon_deinit closes them too. */
struct gf_daemon {
	uv_loop_t loop;
	const char *name;
	const struct gf_clock *clock;
	const struct gf_daemon_ops *ops;
	void *ctx;
	uv_async_t wake;
	uv_timer_t due;
	uv_signal_t terminate, interrupt;
	bool stopping;
	int64_t stop_deadline_ms;
};

/* A word of a program's own on the command line, `--name`. A list of them ends with an entry whose name is NULL. */
struct gf_daemon_flag {
	const char *name, *about;
	bool given;
};
enum { GF_DAEMON_FLAGS_MAX = 8 };

/*
 * Reads `--config FILE`, `--version`, `--help`, and `flags` (may be NULL), of which at most one may be given. Returns the file; NULL when
 * the program is to end with *ret_status: it has printed what was asked for, or how it is used. `about` says what the file is for.
 * Ignores SIGPIPE for the whole process.
 */
const char *gf_daemon_args(int argc, char **argv, const char *name, const char *about, struct gf_daemon_flag *flags,
                           int *ret_status);

/* `name`, `ops` and `ctx` outlive the daemon. 0, or a negative errno: then there is nothing to deinit. */
GF_MUST_CHECK int gf_daemon_init(struct gf_daemon *daemon, const char *name, const struct gf_clock *clock,
                                 const struct gf_daemon_ops *ops, void *ctx);
/* Steps until a signal has stopped it. */
void gf_daemon_run(struct gf_daemon *daemon);
/* Steps soon; from any thread, between init and deinit. Takes the daemon, as callbacks do. */
void gf_daemon_wake(void *daemon);
/* Closes every handle and the loop. First free all that may wake it. */
void gf_daemon_deinit(struct gf_daemon *daemon);

#endif
