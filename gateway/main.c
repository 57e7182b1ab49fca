/*
 * gymfleet-gateway: the fleet's truth.
 *
 *     broker ──> mailbox ──> ingest ──> store ──> ack          main loop (libuv): the only writer of what machines say
 *                                         └─────> API          threads of their own, each with a read-only connection
 *
 * The main loop also judges silence (presence), deletes what is past its time, and tells the API what only it knows. A disk that
 * stalls delays acks and nothing else: the machines keep what isn't acked.
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "gateway/api/api.h"
#include "gateway/broker.h"
#include "gateway/config.h"
#include "gateway/store/store.h"
#include "proto/base/file.h"
#include "proto/base/service.h"

enum {
	EXIT_CONFIG = 2,
	PRESENCE_MS = 10000,
	MAINTAIN_MS = 60000,
	MAINTAIN_SOON_MS = 1000,
	MAINTAIN_ROWS = 5000,
	WATCHDOG_MS = 10000,
	GOODBYE_MS = 2000,
};

struct gateway {
	struct gateway_config *config;
	const struct gf_clock *clock;
	int lock_fd;
	struct store *store;
	struct broker *broker;
	struct api *api;
	uint64_t epoch;
	int64_t started_ms, stop_deadline_ms, cert_not_after_ms;
	bool stopping;

	pthread_mutex_t facts_lock;
	struct api_facts facts;

	uv_loop_t loop;
	uv_async_t wake;
	uv_timer_t due, presence, maintain, watchdog;
	uv_signal_t terminate, interrupt;
};

static void wake_loop(void *ctx)
{
	struct gateway *g = ctx;
	uv_async_send(&g->wake);
}

static void close_handle(uv_handle_t *handle, void *ctx)
{
	(void)ctx;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

/* ---- what the API asks ---- */

static void refresh_facts(struct gateway *g, struct gf_time now)
{
	struct broker_state broker;
	struct ingest_state ingest;
	broker_state_get(g->broker, &broker);
	broker_ingest_state_get(g->broker, &ingest);
	struct api_facts facts = {
	    .up_ms = now.mono_ms - g->started_ms,
	    .epoch = g->epoch,
	    .broker_connected = broker.connected,
	    .broker_since_ms = broker.since_ms,
	    .cert_not_after_ms = g->cert_not_after_ms,
	    .clock_synced = now.synced,
	    .mailbox_dropped = broker.in.dropped + broker.in.too_large,
	    .ingest_failures = ingest.failures_in_a_row,
	    .ingest_failing_since_ms = ingest.failing_since_ms,
	    .ingest_backlog = broker.pending,
	    .ingest_room = INGEST_BATCH_MAX,
	};
	gf_strcpy(facts.broker_reason, sizeof(facts.broker_reason), broker.reason);
	gf_strcpy(facts.ingest_error, sizeof(facts.ingest_error), ingest.last_error.text);
	pthread_mutex_lock(&g->facts_lock);
	g->facts = facts;
	pthread_mutex_unlock(&g->facts_lock);
}

static void get_facts(void *ctx, struct api_facts *ret_facts)
{
	struct gateway *g = ctx;
	pthread_mutex_lock(&g->facts_lock);
	*ret_facts = g->facts;
	pthread_mutex_unlock(&g->facts_lock);
	/* The loop may rest for seconds; how long we are up goes on. */
	ret_facts->up_ms = gf_clock_now(g->clock).mono_ms - g->started_ms;
}

static int set_device(void *ctx, const char *device, const struct store_device_change *change, struct gf_diag *diag)
{
	struct gateway *g = ctx;
	return store_device_set(g->store, device, change, gf_clock_now(g->clock).wall_ms, diag);
}

/* ---- the main loop ---- */

static void step(struct gateway *g);

static void on_due(uv_timer_t *timer)
{
	step(timer->data);
}

static void on_wake(uv_async_t *async)
{
	step(async->data);
}

static void step(struct gateway *g)
{
	struct gf_time now = gf_clock_now(g->clock);
	int64_t due_ms = broker_step(g->broker, now);
	refresh_facts(g, now);
	if (g->stopping && (broker_stopped(g->broker) || now.mono_ms >= g->stop_deadline_ms)) {
		uv_walk(&g->loop, close_handle, NULL);
		return;
	}
	if (g->stopping && due_ms > g->stop_deadline_ms)
		due_ms = g->stop_deadline_ms;
	if (due_ms == INT64_MAX) {
		uv_timer_stop(&g->due);
		return;
	}
	uv_timer_start(&g->due, on_due, due_ms > now.mono_ms ? (uint64_t)(due_ms - now.mono_ms) : 0, 0);
}

static void on_presence(uv_timer_t *timer)
{
	struct gateway *g = timer->data;
	struct gf_time now = gf_clock_now(g->clock);
	int64_t listening_since_ms = broker_listening_since_ms(g->broker);
	struct gf_diag diag = {{0}};
	unsigned gone = 0;
	if (listening_since_ms == 0)
		return;
	if (store_presence(g->store, listening_since_ms, now.wall_ms, &gone, &diag) != 0)
		gf_log(GF_LOG_ERROR, "presence", "%s", diag.text);
	else if (gone > 0)
		gf_log(GF_LOG_WARNING, "presence", "%u machines fell silent", gone);
}

static void on_maintain(uv_timer_t *timer)
{
	struct gateway *g = timer->data;
	struct gf_diag diag = {{0}};
	bool more = false;
	if (store_maintain(g->store, gf_clock_now(g->clock).wall_ms, MAINTAIN_ROWS, &more, &diag) != 0)
		gf_log(GF_LOG_ERROR, "store", "%s", diag.text);
	uv_timer_start(timer, on_maintain, more ? MAINTAIN_SOON_MS : MAINTAIN_MS, 0);
}

static void on_watchdog(uv_timer_t *timer)
{
	struct gateway *g = timer->data;
	gf_service_watchdog();
	/* The certificate may have been renewed meanwhile. */
	g->cert_not_after_ms = (int64_t)gf_link_cert_not_after_ms(g->config->link.cert_file);
}

static void on_signal(uv_signal_t *handle, int signum)
{
	struct gateway *g = handle->data;
	if (g->stopping)
		return;
	gf_log(GF_LOG_NOTICE, "gateway", "%s: stopping", signum == SIGTERM ? "SIGTERM" : "SIGINT");
	gf_service_stopping();
	struct gf_time now = gf_clock_now(g->clock);
	g->stopping = true;
	g->stop_deadline_ms = now.mono_ms + GOODBYE_MS;
	uv_timer_stop(&g->presence);
	uv_timer_stop(&g->maintain);
	broker_stop(g->broker, now);
	step(g);
}

static int open_loop(struct gateway *g)
{
	int r = uv_loop_init(&g->loop);
	if (r != 0)
		return r;
	uv_async_init(&g->loop, &g->wake, on_wake);
	uv_timer_t *timers[] = {&g->due, &g->presence, &g->maintain, &g->watchdog};
	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
		uv_timer_init(&g->loop, timers[i]);
		timers[i]->data = g;
	}
	g->wake.data = g->terminate.data = g->interrupt.data = g;
	uv_signal_init(&g->loop, &g->terminate);
	uv_signal_init(&g->loop, &g->interrupt);
	return 0;
}

static void start_loop(struct gateway *g)
{
	uv_signal_start(&g->terminate, on_signal, SIGTERM);
	uv_signal_start(&g->interrupt, on_signal, SIGINT);
	uv_timer_start(&g->presence, on_presence, PRESENCE_MS, PRESENCE_MS);
	uv_timer_start(&g->maintain, on_maintain, MAINTAIN_SOON_MS, 0);
	uv_timer_start(&g->watchdog, on_watchdog, 0, WATCHDOG_MS);
	broker_start(g->broker);
	step(g);
}

/* ---- coming up and going down ---- */

static int open_store(struct gateway *g, struct gf_diag *diag)
{
	char *lock = NULL;
	const struct gateway_config *c = g->config;
	const struct store_options options = {
	    .path = c->database,
	    .keep_raw_ms = c->keep_raw_ms,
	    .keep_5min_ms = c->keep_5min_ms,
	    .keep_hour_ms = c->keep_hour_ms,
	};
	int r = gf_dir_make(c->state_dir, diag);
	if (r != 0)
		return r;
	if (asprintf(&lock, "%s/gateway.lock", c->state_dir) < 0)
		return -ENOMEM;
	r = gf_file_lock(lock, &g->lock_fd, diag);
	free(lock);
	if (r == 0)
		r = store_open(&options, &g->store, diag);
	return r == 0 ? store_next_epoch(g->store, &g->epoch, diag) : r;
}

static int open_all(struct gateway *g, struct gf_diag *diag)
{
	const struct api_ops ops = {.facts = get_facts, .device_set = set_device, .ctx = g};
	int r = open_store(g, diag);
	if (r == 0)
		r = broker_new(&g->config->link, g->store, g->epoch, wake_loop, g, &g->broker, diag);
	if (r != 0)
		return r;
	refresh_facts(g, gf_clock_now(g->clock));
	const struct api_config api = {
	    .socket = g->config->socket,
	    .group = g->config->socket_group,
	    .database = g->config->database,
	    .store = g->store,
	    .clock = g->clock,
	};
	return api_new(&api, &ops, &g->api, diag);
}

static void close_all(struct gateway *g)
{
	api_free(g->api);
	broker_free(g->broker);
	store_close(g->store);
	gateway_config_free(g->config);
	pthread_mutex_destroy(&g->facts_lock);
}

static int run(struct gateway *g)
{
	struct gf_diag diag = {{0}};
	int r = open_loop(g);
	if (r != 0) {
		gf_log(GF_LOG_ERROR, "gateway", "no event loop: %s", uv_strerror(r));
		return EXIT_FAILURE;
	}
	r = open_all(g, &diag);
	if (r != 0) {
		gf_log(GF_LOG_ERROR, "gateway", "%s", diag.text[0] != '\0' ? diag.text : strerror(r < 0 ? -r : EIO));
		uv_walk(&g->loop, close_handle, NULL);
	} else {
		gf_log(GF_LOG_NOTICE, "gateway", "start %llu; database %s, socket %s", (unsigned long long)g->epoch,
		       g->config->database, g->config->socket);
		start_loop(g);
		gf_service_ready();
	}
	uv_run(&g->loop, UV_RUN_DEFAULT);
	uv_loop_close(&g->loop);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void usage(FILE *out)
{
	fputs("usage: gymfleet-gateway --config FILE\n"
	      "\n"
	      "  -c, --config FILE   broker, store and socket (see config/gateway.yaml)\n"
	      "  -V, --version       print the version\n"
	      "  -h, --help          print this\n",
	      out);
}

int main(int argc, char **argv)
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
			puts("gymfleet-gateway " GF_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			usage(stdout);
			return EXIT_SUCCESS;
		default:
			usage(stderr);
			return EXIT_CONFIG;
		}
	}
	if (path == NULL || optind != argc) {
		usage(stderr);
		return EXIT_CONFIG;
	}

	static struct gateway gateway = {.lock_fd = -1, .facts_lock = PTHREAD_MUTEX_INITIALIZER};
	struct gf_diag diag = {{0}};
	signal(SIGPIPE, SIG_IGN);
	if (gateway_config_load(path, &gateway.config, &diag) != 0) {
		fprintf(stderr, "gymfleet-gateway: %s\n", diag.text);
		return EXIT_CONFIG;
	}
	gf_log_set_level(gateway.config->log_level);
	gateway.clock = gf_clock_system(GF_CLOCK_TRUST_SYSTEM);
	gateway.started_ms = gf_clock_now(gateway.clock).mono_ms;
	int status = run(&gateway);
	close_all(&gateway);
	return status;
}
