/*
 * gymfleet-gateway: the fleet's truth.
 *
 *     broker ──> mailbox ──> ingest ──> store ──> ack          main loop (libuv): the only writer of what machines say
 *                                         └─────> API          threads of their own, each with a read-only connection
 *     broker <── downlink <── store <── API, rollouts           what is wanted is committed first, and published by the main loop
 *     broker, webhooks <── tell <── store                       what happened; webhooks by a thread of their own
 *
 * The main loop also lets rollouts run, lets the rules judge what came (SIGHUP reads them again, and the webhooks), ends commands that nobody answers, judges silence
 * (presence), deletes what is past its time, and tells the API what only it knows. A disk that stalls delays acks and nothing else: the machines keep
 * what isn't acked.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/api/select.h"
#include "gateway/broker.h"
#include "gateway/config.h"
#include "gateway/errands.h"
#include "gateway/rule_doubts.h"
#include "gateway/steady.h"
#include "gateway/store/incidents.h"
#include "gateway/store/store.h"
#include "proto/base/daemon.h"
#include "proto/base/file.h"
#include "proto/base/service.h"

enum {
	PRESENCE_MS = 10000,
	MAINTAIN_MS = 60000,
	MAINTAIN_SOON_MS = 1000,
	MAINTAIN_ROWS = 5000,
	WATCHDOG_MS = 10000,
	COMMANDS_MS = 1000,
};

struct gateway {
	const char *path; /* gateway.yaml */
	struct gateway_config *config;
	const struct gf_clock *clock;
	int lock_fd;
	struct store *store;
	struct broker *broker;
	struct tell *tell;
	struct runner *runner;
	struct rulebook *rules;
	struct judge_runner *judge;
	struct api *api;
	uint64_t epoch;
	int64_t started_ms, cert_not_after_ms;
	bool rollouts_held;
	struct errands errands; /* what the API has done */
	struct api_ops ops;
	struct select_view selects;

	struct gf_daemon daemon;
	uv_timer_t presence, maintain, watchdog, commands;
	uv_signal_t hangup;
	struct gf_log_limit commands_log, rules_log;
	struct steady steady;
};

/* ---- the main loop ---- */

static void refresh_facts(struct gateway *g, struct gf_time now)
{
	struct broker_state broker;
	struct ingest_state ingest;
	broker_state_get(g->broker, &broker);
	broker_ingest_state_get(g->broker, &ingest);
	struct judge_state judged;
	judge_runner_state(g->judge, &judged);
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
	    .ingest_unkept = ingest.unkept,
	    .downlink_failing_since_ms = broker.downlink.failing_since_ms,
	    .judge_failing_since_ms = judged.failing_since_ms,
	    .judge_backlog = judged.backlog,
	    .rollouts_held = g->rollouts_held,
	};
	gf_strcpy(facts.judge_error, sizeof(facts.judge_error), judged.last_error.text);
	gf_strcpy(facts.broker_reason, sizeof(facts.broker_reason), broker.reason);
	gf_strcpy(facts.ingest_error, sizeof(facts.ingest_error), ingest.last_error.text);
	gf_strcpy(facts.unkept_error, sizeof(facts.unkept_error), ingest.last_unkept.text);
	gf_strcpy(facts.downlink_error, sizeof(facts.downlink_error), broker.downlink.last_error.text);
	errands_tell(&g->errands, &facts);
}

static void log_doubt(void *ctx, const char *sentence)
{
	(void)ctx;
	gf_log(GF_LOG_WARNING, "rules", "%s", sentence);
}

/* What may be wrong in rules that are right. */
static void log_doubts(const struct gateway *g)
{
	struct rule_doubts asked = {.rules = rulebook_in_force(g->rules)->rules,
	                            .sites = g->config->sites,
	                            .file = g->config->rules,
	                            .tell = log_doubt};
	struct gf_diag diag = {{0}};
	int r = store_reader_open(g->config->database, &asked.reader, &diag);
	if (r == 0)
		r = rule_doubts(&asked, &diag);
	if (r != 0)
		gf_log(GF_LOG_WARNING, "rules", "can't be compared with what is stored: %s", diag.text);
	store_reader_close(asked.reader);
}

static int64_t judge(struct gateway *g, struct gf_time now)
{
	const struct judgement_config *before = rulebook_in_force(g->rules);
	struct gf_diag diag = {{0}};
	if (rulebook_step(g->rules, g->judge, now, &diag) != 0)
		gf_log_limited(&g->rules_log, now.mono_ms, GF_LOG_ERROR, "rules", "the new rules aren't in force yet: %s",
		               diag.text);
	if (rulebook_in_force(g->rules) != before)
		log_doubts(g);
	return judge_runner_step(g->judge, broker_listening_since_ms(g->broker) != 0, now);
}

static int64_t step(void *ctx)
{
	struct gateway *g = ctx;
	struct gf_time now = gf_clock_now(g->clock);
	g->rollouts_held = runner_hears(g->runner, broker_listening_since_ms(g->broker), now);
	/* Before the broker: what is decided is in the store before anybody hears of it. */
	int64_t runner_due_ms = runner_step(g->runner, now), due_ms = broker_step(g->broker, now);
	/* After it: what has just been taken in is judged at once. */
	int64_t judge_due_ms = judge(g, now);
	refresh_facts(g, now);
	due_ms = runner_due_ms < due_ms ? runner_due_ms : due_ms;
	return judge_due_ms < due_ms ? judge_due_ms : due_ms;
}

static void on_hangup(uv_signal_t *signal, int number)
{
	struct gateway *g = signal->data;
	struct gf_diag diag = {{0}};
	size_t rules = 0, webhooks = 0;
	(void)number;
	if (rulebook_read(g->rules, &rules, &diag) != 0)
		gf_log(GF_LOG_ERROR, "rules", "the rules stay as they were: %s", diag.text);
	if (errands_read_webhooks(&g->errands, &webhooks, &diag) != 0)
		gf_log(GF_LOG_ERROR, "tell", "the webhooks stay as they were: %s", diag.text);
	gf_daemon_wake(&g->daemon);
}

static void on_presence(uv_timer_t *timer)
{
	struct gateway *g = timer->data;
	struct gf_time now = gf_clock_now(g->clock);
	int64_t steady_ms = steady_since_ms(&g->steady, now), listening_since_ms = broker_listening_since_ms(g->broker);
	struct gf_diag diag = {{0}};
	unsigned gone = 0, opened = 0, closed = 0;
	if (listening_since_ms == 0)
		return;
	/* After a jump of the clock all that was heard seems hours old, or still to come: listen anew. */
	if (listening_since_ms < steady_ms || listening_since_ms > now.wall_ms)
		listening_since_ms = steady_ms;
	if (store_presence(g->store, listening_since_ms, now.wall_ms, &gone, &diag) != 0)
		gf_log(GF_LOG_ERROR, "presence", "%s", diag.text);
	else if (gone > 0)
		gf_log(GF_LOG_WARNING, "presence", "%u machines fell silent", gone);
	if (store_incidents(g->store, g->config->sites, now.wall_ms, &opened, &closed, &diag) != 0)
		gf_log(GF_LOG_ERROR, "presence", "%s", diag.text);
	else if (opened + closed > 0)
		gf_log(GF_LOG_WARNING, "presence", "%u sites vanished, %u are back; gymfleet status names them", opened,
		       closed);
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

/* Each command ends, whatever became of the machine and of the connection. */
static void on_commands(uv_timer_t *timer)
{
	struct gateway *g = timer->data;
	struct gf_time now = gf_clock_now(g->clock);
	struct gf_diag diag = {{0}};
	if (store_command_expire(g->store, now.wall_ms, &diag) != 0)
		gf_log_limited(&g->commands_log, now.mono_ms, GF_LOG_ERROR, "store", "commands past their time stay open: %s",
		               diag.text);
}

static void on_watchdog(uv_timer_t *timer)
{
	struct gateway *g = timer->data;
	gf_service_watchdog();
	/* The certificate may have been renewed meanwhile. */
	g->cert_not_after_ms = (int64_t)gf_link_cert_not_after_ms(g->config->link.cert_file);
}

static void stop(void *ctx)
{
	struct gateway *g = ctx;
	uv_timer_stop(&g->presence);
	uv_timer_stop(&g->maintain);
	uv_timer_stop(&g->commands);
	broker_stop(g->broker, gf_clock_now(g->clock));
}

static bool stopped(const void *ctx)
{
	const struct gateway *g = ctx;
	return broker_stopped(g->broker);
}

static void start_timers(struct gateway *g)
{
	uv_timer_t *timers[] = {&g->presence, &g->maintain, &g->watchdog, &g->commands};
	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
		uv_timer_init(&g->daemon.loop, timers[i]);
		timers[i]->data = g;
	}
	uv_timer_start(&g->presence, on_presence, PRESENCE_MS, PRESENCE_MS);
	uv_timer_start(&g->maintain, on_maintain, MAINTAIN_SOON_MS, 0);
	uv_timer_start(&g->watchdog, on_watchdog, 0, WATCHDOG_MS);
	uv_timer_start(&g->commands, on_commands, COMMANDS_MS, COMMANDS_MS);
	uv_signal_init(&g->daemon.loop, &g->hangup);
	g->hangup.data = g;
	uv_signal_start(&g->hangup, on_hangup, SIGHUP);
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

static int open_rules(struct gateway *g, struct gf_diag *diag)
{
	bool known = false;
	int r = store_rules_known(g->store, &known, diag);
	if (r != 0)
		return r;
	/* Without a file there are no rules; but one that got lost must not end all flags and lift what they hold. */
	r = rulebook_new(g->config->rules, g->config->rules_optional && !known, &g->rules, diag);
	if (r == -ENOENT && known)
		gf_diag_set(diag,
		            "there is no '%s', but its rules were in force here: put it back, or write 'rules: []' into it"
		            " so that nothing is judged",
		            g->config->rules);
	if (r != 0)
		return r;
	const struct judge_runner_config config = {
	    .store = g->store,
	    .sites = g->config->sites,
	    .config = rulebook_in_force(g->rules),
	    .wake = gf_daemon_wake,
	    .wake_ctx = &g->daemon,
	};
	return judge_runner_new(&config, gf_clock_now(g->clock), &g->judge, diag);
}

/* Rollouts select by what the API shows: by its errands, too. */
static void ready_errands(struct gateway *g)
{
	g->errands.clock = g->clock;
	g->errands.started_ms = g->started_ms;
	g->errands.store = g->store;
	g->errands.rules = g->rules;
	g->errands.rules_path = g->config->rules;
	g->errands.config_path = g->path;
	g->errands.sites = g->config->sites;
	g->errands.wake = gf_daemon_wake;
	g->errands.wake_ctx = &g->daemon;
	g->ops = errands_ops(&g->errands);
	g->selects = (struct select_view){.sites = g->config->sites, .ops = &g->ops};
}

static int open_tell(struct gateway *g, struct gf_diag *diag)
{
	const struct tell_config config = {
	    .store = g->store,
	    .database = g->config->database,
	    .clock = g->clock,
	    .webhooks = g->config->webhooks,
	    .webhooks_count = g->config->webhooks_count,
	    .publish = broker_publish_event,
	    .window = broker_event_window,
	    .ctx = g->broker,
	};
	int r = tell_new(&config, &g->tell, diag);
	if (r == 0)
		broker_tell(g->broker, g->tell);
	return r;
}

static int open_runner(struct gateway *g, struct gf_diag *diag)
{
	const struct runner_config config = {
	    .store = g->store,
	    .database = g->config->database,
	    .zones = sites_zones(g->config->sites),
	    .select = &select_ops,
	    .select_ctx = &g->selects,
	    .wake = gf_daemon_wake,
	    .wake_ctx = &g->daemon,
	};
	return runner_new(&config, &g->runner, diag);
}

static int open_api(struct gateway *g, struct gf_diag *diag)
{
	const struct api_config config = {
	    .socket = g->config->socket,
	    .group = g->config->socket_group,
	    .database = g->config->database,
	    .store = g->store,
	    .clock = g->clock,
	    .sites = g->config->sites,
	    .catalog_keys = g->config->catalog_keys.threshold > 0 ? &g->config->catalog_keys : NULL,
	};
	g->errands.runner = g->runner;
	g->errands.tell = g->tell;
	refresh_facts(g, gf_clock_now(g->clock));
	return api_new(&config, &g->ops, &g->api, diag);
}

static int open_all(struct gateway *g, struct gf_diag *diag)
{
	int r = open_store(g, diag);
	if (r == 0)
		r = open_rules(g, diag);
	if (r != 0)
		return r;
	ready_errands(g);
	r = broker_new(&g->config->link, g->store, g->config->database, g->epoch, gf_daemon_wake, &g->daemon, &g->broker,
	               diag);
	if (r == 0)
		r = open_tell(g, diag);
	if (r == 0)
		r = open_runner(g, diag);
	return r == 0 ? open_api(g, diag) : r;
}

static void close_all(struct gateway *g)
{
	api_free(g->api);
	tell_free(g->tell);
	broker_free(g->broker);
	runner_free(g->runner);
	judge_runner_free(g->judge);
	rulebook_free(g->rules);
	store_close(g->store);
	gateway_config_free(g->config);
}

static int run(struct gateway *g)
{
	static const struct gf_daemon_ops ops = {.step = step, .stop = stop, .stopped = stopped};
	struct gf_diag diag = {{0}};
	gf_log_set_level(g->config->log_level);
	g->clock = gf_clock_system(GF_CLOCK_TRUST_SYSTEM);
	g->started_ms = gf_clock_now(g->clock).mono_ms;
	g->commands_log = g->rules_log = (struct gf_log_limit){.interval_ms = 60000, .burst = 1};
	int r = gf_daemon_init(&g->daemon, "gateway", g->clock, &ops, g);
	if (r != 0) {
		gf_log(GF_LOG_ERROR, "gateway", "no event loop: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	r = open_all(g, &diag);
	if (r == 0) {
		gf_log(GF_LOG_NOTICE, "gateway", "start %llu; database %s, socket %s", (unsigned long long)g->epoch,
		       g->config->database, g->config->socket);
		if (rulebook_in_force(g->rules)->rules->count == 0)
			gf_log(GF_LOG_NOTICE, "rules", "there are none in '%s': nothing is judged", g->config->rules);
		log_doubts(g);
		start_timers(g);
		broker_start(g->broker);
		gf_daemon_run(&g->daemon);
	} else {
		gf_log(GF_LOG_ERROR, "gateway", "%s", diag.text[0] != '\0' ? diag.text : strerror(r < 0 ? -r : EIO));
	}
	close_all(g);
	gf_daemon_deinit(&g->daemon);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct gateway gateway = {.lock_fd = -1, .errands.lock = PTHREAD_MUTEX_INITIALIZER};
	struct gf_diag diag = {{0}};
	int status = EXIT_SUCCESS;
	const char *path = gf_daemon_args(argc, argv, "gymfleet-gateway",
	                                  "broker, store and socket (see config/gateway.yaml)", NULL, &status);
	if (path == NULL)
		return status;
	gateway.path = path;
	if (gateway_config_load(path, &gateway.config, &diag) != 0) {
		fprintf(stderr, "gymfleet-gateway: %s\n", diag.text);
		return GF_EXIT_CONFIG;
	}
	return run(&gateway);
}
