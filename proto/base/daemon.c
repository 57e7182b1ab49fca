#include "proto/base/daemon.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/base/log.h"
#include "proto/base/service.h"

/* ---- the command line ---- */

static void usage(FILE *to, const char *name, const char *about)
{
	fprintf(to,
	        "usage: %s --config FILE\n"
	        "\n"
	        "  -c, --config FILE   %s\n"
	        "  -V, --version       print the version\n"
	        "  -h, --help          print this\n",
	        name, about);
}

const char *gf_daemon_args(int argc, char **argv, const char *name, const char *about, int *ret_status)
{
	static const struct option options[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"version", no_argument, NULL, 'V'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	const char *path = NULL;
	for (int option; (option = getopt_long(argc, argv, "c:Vh", options, NULL)) != -1;) {
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 'V':
			printf("%s %s\n", name, GF_VERSION);
			*ret_status = EXIT_SUCCESS;
			return NULL;
		case 'h':
			usage(stdout, name, about);
			*ret_status = EXIT_SUCCESS;
			return NULL;
		default:
			usage(stderr, name, about);
			*ret_status = GF_EXIT_CONFIG;
			return NULL;
		}
	}
	if (path == NULL || optind != argc) {
		usage(stderr, name, about);
		*ret_status = GF_EXIT_CONFIG;
		return NULL;
	}
	signal(SIGPIPE, SIG_IGN);
	return path;
}

/* ---- the loop ---- */

static void step(struct gf_daemon *d);

static void on_due(uv_timer_t *timer)
{
	step(timer->data);
}

static void on_wake(uv_async_t *async)
{
	step(async->data);
}

/* Everything that can move, moves; then the timer is set for the next thing that is due. */
static void step(struct gf_daemon *d)
{
	int64_t due_ms = d->ops->step(d->ctx);
	int64_t now_ms = gf_clock_now(d->clock).mono_ms;
	if (d->stopping && (d->ops->stopped(d->ctx) || now_ms >= d->stop_deadline_ms)) {
		uv_stop(&d->loop);
		return;
	}
	if (d->stopping && due_ms > d->stop_deadline_ms)
		due_ms = d->stop_deadline_ms;
	if (due_ms == INT64_MAX) {
		uv_timer_stop(&d->due);
		return;
	}
	uv_timer_start(&d->due, on_due, due_ms > now_ms ? (uint64_t)(due_ms - now_ms) : 0, 0);
}

static void on_signal(uv_signal_t *handle, int signum)
{
	struct gf_daemon *d = handle->data;
	if (d->stopping)
		return;
	gf_log(GF_LOG_NOTICE, d->name, "%s: stopping", signum == SIGTERM ? "SIGTERM" : "SIGINT");
	gf_service_stopping();
	d->stopping = true;
	d->stop_deadline_ms = gf_clock_now(d->clock).mono_ms + GF_DAEMON_GOODBYE_MS;
	d->ops->stop(d->ctx);
	step(d);
}

int gf_daemon_init(struct gf_daemon *daemon, const char *name, const struct gf_clock *clock,
                   const struct gf_daemon_ops *ops, void *ctx)
{
	int r = uv_loop_init(&daemon->loop);
	if (r != 0)
		return r;
	daemon->name = name;
	daemon->clock = clock;
	daemon->ops = ops;
	daemon->ctx = ctx;
	daemon->wake.data = daemon->due.data = daemon->terminate.data = daemon->interrupt.data = daemon;
	uv_timer_init(&daemon->loop, &daemon->due);
	uv_signal_init(&daemon->loop, &daemon->terminate);
	uv_signal_init(&daemon->loop, &daemon->interrupt);
	r = uv_async_init(&daemon->loop, &daemon->wake, on_wake);
	if (r != 0) {
		gf_daemon_deinit(daemon);
		return r;
	}
	/* Who is told to end while it opens ends as soon as it has opened: gracefully. */
	uv_signal_start(&daemon->terminate, on_signal, SIGTERM);
	uv_signal_start(&daemon->interrupt, on_signal, SIGINT);
	return 0;
}

void gf_daemon_run(struct gf_daemon *daemon)
{
	gf_service_ready();
	step(daemon);
	uv_run(&daemon->loop, UV_RUN_DEFAULT);
}

void gf_daemon_wake(void *daemon)
{
	struct gf_daemon *d = daemon;
	uv_async_send(&d->wake);
}

static void close_handle(uv_handle_t *handle, void *ctx)
{
	(void)ctx;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

void gf_daemon_deinit(struct gf_daemon *daemon)
{
	uv_walk(&daemon->loop, close_handle, NULL);
	uv_run(&daemon->loop, UV_RUN_DEFAULT);
	uv_loop_close(&daemon->loop);
}
