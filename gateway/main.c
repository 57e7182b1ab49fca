/*
 * gymfleet-gateway: the fleet's truth.
 *
 *     broker ──> mailbox ──> ingest ──> store ──> ack          main loop (libuv): the only writer of what machines say
 *                                         └─────> API          threads of their own, each with a read-only connection
 *     broker <── downlink <── store <── API, rollouts           what is wanted is committed first, and published by the main loop
 *     broker, webhooks <── tell <── store                       what happened; webhooks by a thread of their own
 *
 * The main loop also lets rollouts run, lets the rules judge what came (SIGHUP reads them again), ends commands that nobody answers, judges silence (presence), deletes what is past its time,
 * and tells the API what only it knows. A disk that stalls delays acks and nothing else: the machines keep what isn't acked.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/api/api.h"
#include "gateway/api/select.h"
#include "gateway/broker.h"
#include "gateway/config.h"
#include "gateway/rollout/runner.h"
#include "gateway/rulebook.h"
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

	pthread_mutex_t facts_lock;
	struct api_facts facts;

	struct gf_daemon daemon;
	uv_timer_t presence, maintain, watchdog, commands;
	uv_signal_t hangup;
	struct gf_log_limit commands_log, rules_log;
	struct steady steady;
};

/* ---- what the API asks ---- */

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

static int set_device(void *ctx, const char *device, const struct store_device_change *change,
                      const struct store_actor *actor, struct gf_diag *diag)
{
	struct gateway *g = ctx;
	return store_device_set(g->store, device, change, actor, gf_clock_now(g->clock).wall_ms, diag);
}

/* What is wanted of machines is in the store before the loop, which tells them, is woken. */

static int set_desired(void *ctx, const char *device, const struct gf_desired_limits *limits, const bool *locked,
                       const char *lock_reason, const struct store_actor *actor, struct gf_diag *diag)
{
	struct gateway *g = ctx;
	int r =
	    store_desired_set(g->store, device, limits, locked, lock_reason, actor, gf_clock_now(g->clock).wall_ms, diag);
	gf_daemon_wake(&g->daemon);
	return r;
}

static int add_command(void *ctx, const char *device, enum gf_command kind, uint32_t within_ms,
                       const struct store_actor *actor, uint64_t *ret_id, struct gf_diag *diag)
{
	struct gateway *g = ctx;
	int r = store_command_add(g->store, device, kind, within_ms, actor, gf_clock_now(g->clock).wall_ms, ret_id, diag);
	gf_daemon_wake(&g->daemon);
	return r;
}

static int add_catalog(void *ctx, const struct store_catalog *catalog, const void *data, size_t len,
                       const struct store_actor *actor, bool *ret_known, struct gf_diag *diag)
{
	struct gateway *g = ctx;
	return store_catalog_add(g->store, catalog, data, len, actor, gf_clock_now(g->clock).wall_ms, ret_known, diag);
}

static int start_rollout(void *ctx, const struct rollout_spec *spec, const struct store_actor *actor, uint64_t *ret_id,
                         size_t *ret_machines, struct gf_diag *diag)
{
	struct gateway *g = ctx;
	return runner_start(g->runner, spec, actor, gf_clock_now(g->clock), ret_id, ret_machines, diag);
}

static int order_rollout(void *ctx, uint64_t id, enum rollout_order order, const struct store_actor *actor,
                         struct gf_diag *diag)
{
	struct gateway *g = ctx;
	return runner_order(g->runner, id, order, actor, gf_clock_now(g->clock), diag);
}

static int ack_flag(void *ctx, uint64_t id, const char *note, bool release, const struct store_actor *actor,
                    struct gf_diag *diag)
{
	struct gateway *g = ctx;
	int r = store_flag_ack(g->store, id, note, release, actor, gf_clock_now(g->clock).wall_ms, diag);
	gf_daemon_wake(&g->daemon);
	return r;
}

static size_t get_tell_states(void *ctx, struct tell_state *ret_states, size_t max)
{
	struct gateway *g = ctx;
	return tell_states(g->tell, ret_states, max);
}

static int ack_case(void *ctx, uint64_t id, const char *note, const struct store_actor *actor, struct gf_diag *diag)
{
	struct gateway *g = ctx;
	return store_case_ack(g->store, id, note, actor, gf_clock_now(g->clock).wall_ms, diag);
}

static int clear_case(void *ctx, uint64_t id, const char *note, const struct store_actor *actor, struct gf_diag *diag)
{
	struct gateway *g = ctx;
	return store_case_clear(g->store, id, note, actor, gf_clock_now(g->clock).wall_ms, diag);
}

static int report_case(void *ctx, const char *device, const char *text, const struct store_actor *actor,
                       uint64_t *ret_id, struct gf_diag *diag)
{
	struct gateway *g = ctx;
	return store_case_report(g->store, device, text, actor, gf_clock_now(g->clock).wall_ms, ret_id, diag);
}

static int set_tag(void *ctx, const char *device, const struct store_tag *tag, const struct store_actor *actor,
                   struct gf_diag *diag)
{
	struct gateway *g = ctx;
	int r = store_tag_set(g->store, device, tag, actor, gf_clock_now(g->clock).wall_ms, diag);
	gf_daemon_wake(&g->daemon);
	return r;
}

static int add_service(void *ctx, const char *device, enum fact_part part, const char *note,
                       const struct store_actor *actor, struct gf_diag *diag)
{
	struct gateway *g = ctx;
	int r = store_service_add(g->store, device, part, note, actor, gf_clock_now(g->clock).wall_ms, diag);
	gf_daemon_wake(&g->daemon);
	return r;
}

static int erase_subject(void *ctx, uint64_t token, const struct store_actor *actor, struct store_erased *ret_erased,
                         struct gf_diag *diag)
{
	struct gateway *g = ctx;
	return store_subject_erase(g->store, token, actor, gf_clock_now(g->clock).wall_ms, ret_erased, diag);
}

static int look_at_rules(void *ctx, api_rules_fn look, void *look_ctx)
{
	struct gateway *g = ctx;
	return rulebook_look(g->rules, look, look_ctx);
}

static int note_reload(struct gateway *g, const struct store_actor *actor, size_t rules, struct gf_diag *diag)
{
	char detail[GF_NAME_MAX];
	int r = store_begin(g->store, diag);
	if (r != 0)
		return r;
	snprintf(detail, sizeof(detail), "%zu rules", rules);
	r = store_deed_add(g->store, actor, "rules reload", g->config->rules, detail, gf_clock_now(g->clock).wall_ms, diag);
	if (r == 0)
		return store_commit(g->store, diag);
	store_rollback(g->store);
	return r;
}

static int reload_rules(void *ctx, const struct store_actor *actor, size_t *ret_rules, struct gf_diag *diag)
{
	struct gateway *g = ctx;
	int r = rulebook_read(g->rules, ret_rules, diag);
	if (r == 0)
		r = note_reload(g, actor, *ret_rules, diag);
	gf_daemon_wake(&g->daemon);
	return r;
}

/* ---- the main loop ---- */

static int64_t judge(struct gateway *g, struct gf_time now)
{
	struct gf_diag diag = {{0}};
	if (rulebook_step(g->rules, g->judge, now, &diag) != 0)
		gf_log_limited(&g->rules_log, now.mono_ms, GF_LOG_ERROR, "rules", "the new rules aren't in force yet: %s",
		               diag.text);
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
	size_t rules = 0;
	(void)number;
	if (rulebook_read(g->rules, &rules, &diag) != 0)
		gf_log(GF_LOG_ERROR, "rules", "the rules stay as they were: %s", diag.text);
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
	int r = rulebook_new(g->config->rules, g->config->rules_optional, &g->rules, diag);
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

static int open_all(struct gateway *g, struct gf_diag *diag)
{
	const struct api_ops ops = {.facts = get_facts,
	                            .device_set = set_device,
	                            .desired_set = set_desired,
	                            .command_add = add_command,
	                            .catalog_add = add_catalog,
	                            .rollout_start = start_rollout,
	                            .rollout_order = order_rollout,
	                            .flag_ack = ack_flag,
	                            .case_ack = ack_case,
	                            .case_clear = clear_case,
	                            .case_report = report_case,
	                            .tag_set = set_tag,
	                            .service_add = add_service,
	                            .subject_erase = erase_subject,
	                            .rules_look = look_at_rules,
	                            .rules_reload = reload_rules,
	                            .tell_states = get_tell_states,
	                            .ctx = g};
	int r = open_store(g, diag);
	if (r == 0)
		r = open_rules(g, diag);
	if (r == 0)
		r = broker_new(&g->config->link, g->store, g->config->database, g->epoch, gf_daemon_wake, &g->daemon,
		               &g->broker, diag);
	const struct tell_config tell = {
	    .store = g->store,
	    .database = g->config->database,
	    .webhooks = g->config->webhooks,
	    .webhooks_count = g->config->webhooks_count,
	    .publish = broker_publish_event,
	    .window = broker_event_window,
	    .ctx = g->broker,
	};
	if (r == 0)
		r = tell_new(&tell, &g->tell, diag);
	if (r == 0)
		broker_tell(g->broker, g->tell);
	const struct runner_config runner = {
	    .store = g->store,
	    .database = g->config->database,
	    .zones = sites_zones(g->config->sites),
	    .select = &select_ops,
	    .wake = gf_daemon_wake,
	    .wake_ctx = &g->daemon,
	};
	if (r == 0)
		r = runner_new(&runner, &g->runner, diag);
	if (r != 0)
		return r;
	refresh_facts(g, gf_clock_now(g->clock));
	const struct api_config api = {
	    .socket = g->config->socket,
	    .group = g->config->socket_group,
	    .database = g->config->database,
	    .store = g->store,
	    .clock = g->clock,
	    .sites = g->config->sites,
	    .catalog_keys = g->config->catalog_keys.threshold > 0 ? &g->config->catalog_keys : NULL,
	};
	return api_new(&api, &ops, &g->api, diag);
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
	pthread_mutex_destroy(&g->facts_lock);
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
	struct gateway gateway = {.lock_fd = -1, .facts_lock = PTHREAD_MUTEX_INITIALIZER};
	struct gf_diag diag = {{0}};
	int status = EXIT_SUCCESS;
	const char *path = gf_daemon_args(argc, argv, "gymfleet-gateway",
	                                  "broker, store and socket (see config/gateway.yaml)", NULL, &status);
	if (path == NULL)
		return status;
	if (gateway_config_load(path, &gateway.config, &diag) != 0) {
		fprintf(stderr, "gymfleet-gateway: %s\n", diag.text);
		return GF_EXIT_CONFIG;
	}
	return run(&gateway);
}
