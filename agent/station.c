/*
 * Happy path: station_event writes through the recorder into the spool; station_step lets the link move, hands its events to the
 * uplink and to what comes down, and the uplink publishes what the spool holds. After each connect a retained birth tells who is there,
 * and again when the catalog is another one. At the end what is
 * in the spool gets a short time to be acked: a machine that is switched off for the night has told of its last session.
 *
 * Failure modes:
 * - no broker: the link tries on; everything waits in the spool;
 * - a full disk: the recorder keeps what it can in memory and tries again every second;
 * - a spool that failed: it is closed and opened anew, with backoff; meanwhile the recorder keeps what it can. The machine goes on
 *   working;
 * - more messages at once than there is room for: the broker is asked for what it retains, so that what is desired is not lost;
 * - a birth that the broker refuses is published again every few seconds;
 * - an end without broker or spool waits for nothing, one without acks not long: the rest is told after the next start.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/station_impl.h"
#include "proto/base/log.h"
#include "proto/codec.h"
#include "proto/topic.h"

enum {
	BIRTH_RETRY_MS = 5000,
	RENEW_MS = 5000,
	MAILBOX = 32,
	OTHER_WINDOW = 4, /* publishes in flight beside the reports: a birth, a goodbye, replies */
};

static const char module[] = "station";

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* ---- status ---- */

static void fill_birth(const struct station *s, struct gf_time now, struct gf_status *status)
{
	const struct station_config *c = &s->config;
	status->uptime_ms = (uint64_t)recorder_uptime_ms(s->recorder, now.mono_ms);
	status->wall_ms = now.wall_ms > 0 ? (uint64_t)now.wall_ms : 0;
	status->clock_synced = now.synced;
	status->class = c->class;
	gf_strcpy(status->model, sizeof(status->model), c->model);
	gf_strcpy(status->serial, sizeof(status->serial), c->serial);
	gf_strcpy(status->agent_version, sizeof(status->agent_version), GF_VERSION);
	gf_strcpy(status->driver, sizeof(status->driver), s->driver);
	status->location = c->location;
	status->odometer = recorder_odometer(s->recorder);
	gf_strcpy(status->catalog, sizeof(status->catalog), update_active(s->update)->name);
	status->catalog_version = update_active(s->update)->version;
	status->catalog_digest = update_active_digest(s->update);
	status->catalog_on_trial = update_on_trial(s->update);
	status->desired_revision = update_revision(s->update);
	if (status->desired_revision < downlink_revision(s->downlink))
		status->desired_revision = downlink_revision(s->downlink);
	status->stream = spool_stream(s->spool);
	status->next_seq = spool_next_seq(s->spool);
	status->acked_seq = spool_acked(s->spool);
	status->cert_not_after_ms = gf_link_cert_not_after_ms(s->cert_file);
	status->rated_motor_h = c->rated_motor_h;
	status->hour_meter_ms = recorder_hour_meter_ms(s->recorder);
	status->motor_before_ms = (uint64_t)((double)c->motor_hours_before * 3600e3);
	status->vibration_ms2 = c->vibration_ms2;
	status->motor_temp_stop_c = c->envelope.motor_temp_stop_c;
	status->surface_temp_stop_c = c->envelope.surface_temp_stop_c;
}

static int publish_status(struct station *s, const struct gf_status *status)
{
	unsigned char buf[GF_STATUS_MAX];
	size_t len;
	int r = gf_status_encode(status, buf, sizeof(buf), &len);
	return r != 0 ? r
	              : gf_link_publish(s->link, s->topics[GF_TOPIC_STATUS], buf, len, 1, true, 0, STATION_COOKIE_STATUS);
}

void station_birth(struct station *s, struct gf_time now)
{
	struct gf_status status = {
	    .presence = GF_PRESENCE_BIRTH,
	    .boot = recorder_boot(s->recorder),
	    .connection = s->connection,
	};
	s->birth_due_ms = INT64_MAX;
	if (s->spool == NULL)
		return;
	fill_birth(s, now, &status);
	s->told_digest = status.catalog_digest;
	s->told_on_trial = status.catalog_on_trial;
	int r = publish_status(s, &status);
	if (r == 0)
		return;
	gf_log(GF_LOG_WARNING, module, "%s: can't publish the birth: %s", s->config.id, strerror(-r));
	s->birth_due_ms = now.mono_ms + BIRTH_RETRY_MS;
}

/* From any thread. */
static void wake_owner(void *ctx)
{
	const struct station *s = ctx;
	s->config.wake(s->config.wake_ctx);
}

static bool make_will(void *ctx, uint64_t connection, struct gf_link_will *ret_will)
{
	struct station *s = ctx;
	const struct gf_status status = {
	    .presence = GF_PRESENCE_LOST,
	    .boot = recorder_boot(s->recorder),
	    .connection = connection,
	};
	size_t len;
	if (gf_status_encode(&status, ret_will->payload, sizeof(ret_will->payload), &len) != 0)
		return false;
	ret_will->topic = s->topics[GF_TOPIC_STATUS];
	ret_will->len = len;
	ret_will->retained = true;
	return true;
}

/* ---- the link ---- */

static void on_up(struct station *s, const struct gf_link_event *event, struct gf_time now)
{
	s->online = true;
	s->connection = event->connection;
	gf_log(GF_LOG_INFO, module, "%s: connected", s->config.id);
	if (s->phase == STATION_LEAVING)
		return;
	station_birth(s, now);
	if (s->uplink != NULL)
		uplink_link_up(s->uplink, now.mono_ms);
	station_down_link(s, true, now);
}

static void on_down(struct station *s, const struct gf_link_event *event, struct gf_time now)
{
	if (s->online && s->phase != STATION_LEAVING)
		gf_log(GF_LOG_WARNING, module, "%s: connection lost: %s", s->config.id, event->reason);
	else if (s->phase != STATION_LEAVING)
		gf_log_limited(&s->down_log, now.mono_ms, GF_LOG_WARNING, module, "%s: no connection: %s", s->config.id,
		               event->reason);
	s->online = false;
	s->birth_due_ms = INT64_MAX;
	if (s->uplink != NULL)
		uplink_link_down(s->uplink);
	station_down_link(s, false, now);
}

static void take_ack(struct station *s, const struct gf_link_event *event, struct gf_time now)
{
	struct gf_diag diag = {{0}};
	if (s->uplink == NULL)
		return;
	uint64_t rejected = uplink_stats(s->uplink).rejected_records;
	int r = uplink_ack(s->uplink, event->payload, event->len, now.mono_ms, &diag);
	rejected = uplink_stats(s->uplink).rejected_records - rejected;
	if (rejected > 0)
		gf_log_limited(&s->ack_log, now.mono_ms, GF_LOG_WARNING, module,
		               "%s: the gateway refused %llu records and keeps them in its quarantine: see 'gymfleet doctor'",
		               s->config.id, (unsigned long long)rejected);
	if (diag.text[0] != '\0')
		gf_log_limited(&s->ack_log, now.mono_ms, GF_LOG_WARNING, module, "%s: an ack that can't be read: %s",
		               s->config.id, diag.text);
	else
		station_spool_check(s, r, now);
	if (s->uplink != NULL && uplink_overtaken(s->uplink) && s->phase != STATION_LEAVING)
		station_spool_restart(s, now);
}

static void on_message(struct station *s, const struct gf_link_event *event, struct gf_time now)
{
	if (strcmp(event->topic, s->topics[GF_TOPIC_ACK]) == 0)
		take_ack(s, event, now);
	else
		station_down_message(s, event, now);
}

static void on_published(struct station *s, const struct gf_link_event *event, struct gf_time now)
{
	if ((event->cookie & STATION_COOKIE_REPLY) != 0) {
		downlink_replied(s->downlink, event->cookie & ~STATION_COOKIE_REPLY, event->code);
	} else if ((event->cookie & STATION_COOKIE_STATUS) == 0) {
		if (s->uplink != NULL)
			uplink_published(s->uplink, event->cookie, event->code, now.mono_ms);
	} else if (event->code >= 0x80 && s->phase != STATION_LEAVING) {
		gf_log(GF_LOG_WARNING, module, "%s: the broker refused the birth (code 0x%02x); check its access list",
		       s->config.id, (unsigned)event->code);
		s->birth_due_ms = now.mono_ms + BIRTH_RETRY_MS;
	}
}

static void on_watched(struct station *s, const struct gf_link_event *event, struct gf_time now)
{
	if (event->code >= 0x80)
		gf_log_limited(&s->down_log, now.mono_ms, GF_LOG_WARNING, module,
		               "%s: the broker refused the catalog's topic (code 0x%02x); check its access list", s->config.id,
		               (unsigned)event->code);
}

static void (*const handlers[])(struct station *, const struct gf_link_event *, struct gf_time) = {
    [GF_LINK_EVENT_UP] = on_up,           [GF_LINK_EVENT_DOWN] = on_down,
    [GF_LINK_EVENT_MESSAGE] = on_message, [GF_LINK_EVENT_PUBLISHED] = on_published,
    [GF_LINK_EVENT_WATCHED] = on_watched,
};

static void take_link_events(struct station *s, struct gf_time now)
{
	struct gf_link_event event;
	while (gf_link_next(s->link, &event)) {
		handlers[event.kind](s, &event, now);
		gf_link_event_deinit(&event);
	}
}

/* What found no room was acked to the broker all the same, and may have been the newest that is desired. Returns when it is due. */
static int64_t renew(struct station *s, struct gf_time now)
{
	const uint64_t dropped = gf_link_stats(s->link).dropped;
	if (!s->online || s->phase != STATION_RUNNING || dropped == s->dropped)
		return INT64_MAX;
	if (now.mono_ms < s->renew_due_ms)
		return s->renew_due_ms;
	s->dropped = dropped;
	s->renew_due_ms = now.mono_ms + RENEW_MS;
	gf_log_limited(&s->stray_log, now.mono_ms, GF_LOG_WARNING, module,
	               "%s: messages came faster than they could be taken; the broker is asked again for what it retains",
	               s->config.id);
	gf_link_renew(s->link);
	return INT64_MAX;
}

/* ---- what the station does ---- */

void station_start(struct station *station)
{
	if (station->link != NULL)
		gf_link_start(station->link);
}

void station_event(struct station *station, const struct control_event *event, struct gf_time now)
{
	struct recorder_link_facts facts = {0};
	if (station->link != NULL)
		facts.connects = (uint32_t)gf_link_stats(station->link).connects;
	station_spool_check(station, recorder_event(station->recorder, event, now, &facts), now);
	const bool due = station_down_event(station, event, now);
	/* There may be something to send, or a catalog that waited for this. */
	if (station->link != NULL && (due || (station->online && event->kind != CONTROL_EVENT_SESSION_PROGRESS)))
		station->config.wake(station->config.wake_ctx);
}

/* While DRAINING: everything is acked, or no ack is to be waited for. */
static bool is_drained(const struct station *s, struct gf_time now)
{
	return !s->online || s->uplink == NULL || now.mono_ms >= s->drain_until_ms || spool_stats(s->spool).records == 0;
}

static void leave(struct station *s)
{
	uint64_t records = s->spool != NULL ? spool_stats(s->spool).records : 0;
	s->phase = STATION_LEAVING;
	station_down_say_unusable(s);
	if (records > 0)
		gf_log(GF_LOG_INFO, module, "%s: %llu records are not acked, they wait for the next start", s->config.id,
		       (unsigned long long)records);
	if (s->online) {
		const struct gf_status goodbye = {
		    .presence = GF_PRESENCE_GOODBYE,
		    .boot = recorder_boot(s->recorder),
		    .connection = s->connection,
		};
		int r = publish_status(s, &goodbye);
		if (r != 0)
			gf_log(GF_LOG_INFO, module, "%s: no goodbye: %s", s->config.id, strerror(-r));
	}
	gf_link_stop(s->link);
}

/* From what the last birth said. */
static bool catalog_differs(const struct station *s)
{
	const struct gf_digest digest = update_active_digest(s->update);
	return s->birth_due_ms == INT64_MAX &&
	       (!gf_digest_equal(&digest, &s->told_digest) || update_on_trial(s->update) != s->told_on_trial);
}

/* Sends what can be sent, at the end the goodbye. Returns when to be called again at the latest. */
static int64_t send_due(struct station *s, struct gf_time now)
{
	int64_t due_ms = INT64_MAX;
	if (s->phase == STATION_LEAVING)
		return INT64_MAX;
	if (s->online && (now.mono_ms >= s->birth_due_ms || catalog_differs(s)))
		station_birth(s, now);
	if (s->uplink != NULL)
		due_ms = uplink_step(s->uplink, now.mono_ms);
	if (s->phase == STATION_DRAINING) {
		if (is_drained(s, now)) {
			leave(s);
			return now.mono_ms; /* for the link to close */
		}
		due_ms = earlier(due_ms, s->drain_until_ms);
	}
	return earlier(due_ms, s->birth_due_ms);
}

int64_t station_step(struct station *station, struct gf_time now)
{
	int64_t due_ms;

	if (now.mono_ms >= station->reopen_due_ms)
		station_spool_reopen(station, now);
	if (now.mono_ms >= station->flush_due_ms)
		station_spool_flush(station, now);
	due_ms = earlier(station->flush_due_ms, station->reopen_due_ms);
	station->stepped = true;
	if (station->link == NULL)
		return earlier(due_ms, station_down_step(station, now));
	due_ms = earlier(due_ms, gf_link_step(station->link, now.mono_ms));
	take_link_events(station, now);
	due_ms = earlier(due_ms, renew(station, now));
	due_ms = earlier(due_ms, station_down_step(station, now));
	return earlier(due_ms, send_due(station, now));
}

void station_stop(struct station *station, struct gf_time now)
{
	if (station->phase != STATION_RUNNING)
		return;
	station->phase = STATION_DRAINING;
	station->drain_until_ms = now.mono_ms + STATION_DRAIN_MS;
	update_stop(station->update);
	if (station->recorder == NULL)
		return;
	station_spool_flush(station, now);
	if (station->uplink != NULL)
		uplink_hurry(station->uplink, now.mono_ms);
	if (station->link != NULL)
		send_due(station, now);
}

bool station_stopped(const struct station *station)
{
	return station->link == NULL || gf_link_state(station->link) == GF_LINK_IDLE;
}

/* ---- life ---- */

static int open_link(struct station *s, const struct gf_link_config *config, struct gf_diag *diag)
{
	struct gf_link_config link = *config;
	const struct gf_link_ops ops = {.wake = wake_owner, .will = make_will, .ctx = s};
	if (link.mailbox_max == 0)
		link.mailbox_max = MAILBOX;
	link.window_max = UPLINK_WINDOW + OTHER_WINDOW;
	link.packet_max = GF_REPORT_MAX;
	link.client_id = s->config.id;
	int r = gf_link_new(&link, &ops, &s->link, diag);
	if (r == 0)
		r = gf_link_subscribe(s->link, s->topics[GF_TOPIC_ACK], 0);
	if (r == 0)
		r = gf_link_subscribe(s->link, s->topics[GF_TOPIC_DESIRED], 1);
	return r == 0 ? gf_link_subscribe(s->link, s->topics[GF_TOPIC_COMMAND], 1) : r;
}

int station_open(struct station *station, const char *driver, const struct recorder_meter *meter, struct gf_time now,
                 struct control_resume *ret_resume, struct gf_diag *diag)
{
	struct station *s = station;
	const struct gf_link_config *link = s->config.link;
	struct control_resume resume;

	gf_strcpy(s->driver, sizeof(s->driver), driver);
	int r = station_spool_open(s, diag);
	if (r == 0)
		r = recorder_open(s->spool, meter, s->config.subjects, now, &s->recorder, &resume, diag);
	if (r == 0)
		r = station_down_begin(s, now);
	if (r == 0 && link != NULL)
		r = open_link(s, link, diag);
	s->config.link = NULL; /* the caller's, and copied by now */
	s->config.subjects = NULL;
	if (r == 0)
		r = station_uplink_make(s);
	if (r == 0)
		*ret_resume = resume;
	return r;
}

static int copy_config(struct station *s, const struct station_config *config)
{
	s->config = *config;
	s->state_dir = strdup(config->state_dir);
	s->catalog_file = config->catalog_file != NULL ? strdup(config->catalog_file) : NULL;
	s->cert_file = strdup(config->link != NULL ? config->link->cert_file : "");
	if (asprintf(&s->spool_dir, "%s/spool", config->state_dir) < 0)
		s->spool_dir = NULL;
	s->config.state_dir = s->state_dir;
	s->config.catalog_file = s->catalog_file;
	return s->state_dir != NULL && s->spool_dir != NULL && s->cert_file != NULL &&
	               (s->catalog_file != NULL || config->catalog_file == NULL)
	           ? 0
	           : -ENOMEM;
}

int station_new(const struct station_config *config, struct gf_time now, struct station **ret_station,
                struct gf_diag *diag)
{
	struct station *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	for (int i = 0; i < GF_TOPIC_LEAF_COUNT; i++)
		gf_topic_device(s->topics[i], config->id, (enum gf_topic_leaf)i);
	s->birth_due_ms = s->reopen_due_ms = INT64_MAX;
	s->flush_due_ms = now.mono_ms;
	s->reopen_wait_ms = STATION_REOPEN_MIN_MS;
	s->down_log = s->ack_log = s->stray_log = (struct gf_log_limit){.interval_ms = 60000, .burst = 2};
	int r = copy_config(s, config);
	if (r == 0)
		r = station_down_open(s, now, diag);
	if (r != 0) {
		station_free(s);
		return r;
	}
	*ret_station = s;
	return 0;
}

void station_free(struct station *station)
{
	if (station == NULL)
		return;
	gf_link_free(station->link);
	/* What was appended without syncing, by a history, becomes durable here. */
	if (station->spool != NULL && !station->config.sync && spool_sync(station->spool) != 0)
		gf_log(GF_LOG_ERROR, module, "%s: can't sync %s", station->config.id, station->spool_dir);
	station_spool_close(station);
	recorder_free(station->recorder);
	station_down_close(station);
	free(station->state_dir);
	free(station->spool_dir);
	free(station->cert_file);
	free(station->catalog_file);
	free(station);
}

void station_abandon(struct station *station)
{
	if (station != NULL)
		station->update = NULL; /* with the catalog that it holds */
	station_free(station);
}

const struct gf_catalog *station_catalog(const struct station *station)
{
	return update_active(station->update);
}

const struct control_limits *station_limits(const struct station *station)
{
	return downlink_limits(station->downlink);
}

bool station_online(const struct station *station)
{
	return station->online;
}

bool station_storage_full(const struct station *station)
{
	return station->disk_full;
}
