#include "proto/base/daemon.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/base/log.h"
#include "proto/base/service.h"

/* ---- the command line ---- */

/* What getopt gives for flags[i]. */
enum { FLAG = 256 };

static void usage(FILE *to, const char *name, const char *about, const struct gf_daemon_flag *flags)
{
	fprintf(to, "usage: %s", name);
	for (const struct gf_daemon_flag *f = flags; f != NULL && f->name != NULL; f++)
		fprintf(to, " %s--%s", f == flags ? "[" : "| ", f->name);
	fprintf(to,
	        "%s --config FILE\n"
	        "\n"
	        "  -c, --config FILE   %s\n",
	        flags != NULL && flags->name != NULL ? "]" : "", about);
	for (const struct gf_daemon_flag *f = flags; f != NULL && f->name != NULL; f++)
		fprintf(to, "      --%-14s%s\n", f->name, f->about);
	fprintf(to, "  -V, --version       print the version\n"
	            "  -h, --help          print this\n");
}

/* Our own options, then the program's. Returns how many of the program's there are. */
static size_t list_options(const struct gf_daemon_flag *flags, struct option options[static 4 + GF_DAEMON_FLAGS_MAX])
{
	size_t count = 0;
	options[0] = (struct option){"config", required_argument, NULL, 'c'};
	options[1] = (struct option){"version", no_argument, NULL, 'V'};
	options[2] = (struct option){"help", no_argument, NULL, 'h'};
	for (; flags != NULL && flags[count].name != NULL && count < GF_DAEMON_FLAGS_MAX; count++)
		options[3 + count] = (struct option){flags[count].name, no_argument, NULL, FLAG + (int)count};
	options[3 + count] = (struct option){NULL, 0, NULL, 0};
	return count;
}

const char *gf_daemon_args(int argc, char **argv, const char *name, const char *about, struct gf_daemon_flag *flags,
                           int *ret_status)
{
	struct option options[4 + GF_DAEMON_FLAGS_MAX];
	const size_t flags_count = list_options(flags, options);
	const char *path = NULL;
	unsigned given = 0;
	bool wrong = false;

	for (int option; (option = getopt_long(argc, argv, "c:Vh", options, NULL)) != -1;) {
		if (option == 'c') {
			path = optarg;
		} else if (option == 'V') {
			printf("%s %s\n", name, GF_VERSION);
			*ret_status = EXIT_SUCCESS;
			return NULL;
		} else if (option == 'h') {
			usage(stdout, name, about, flags);
			*ret_status = EXIT_SUCCESS;
			return NULL;
		} else if (option >= FLAG && option < FLAG + (int)flags_count) {
			given += flags[option - FLAG].given ? 0 : 1;
			flags[option - FLAG].given = true;
		} else {
			wrong = true;
		}
	}
	if (wrong || given > 1 || path == NULL || optind != argc) {
		usage(stderr, name, about, flags);
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
