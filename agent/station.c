/*
 * Happy path: station_event writes through the recorder into the spool; station_step lets the link move, hands its events to the
 * uplink, and the uplink publishes what the spool holds. After each connect a retained birth tells who is there.
 *
 * Failure modes:
 * - no broker: the link tries on; everything waits in the spool;
 * - a full disk: the recorder keeps what it can in memory and tries again every second;
 * - a spool that failed: it is closed and opened anew, with backoff; meanwhile the recorder keeps what it can. The machine goes on
 *   working;
 * - a birth that the broker refuses is published again every few seconds.
 */
#include "agent/station.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/uplink.h"
#include "proto/base/log.h"
#include "proto/codec.h"
#include "proto/topic.h"

enum {
	FLUSH_MS = 1000,
	REOPEN_MIN_MS = 1000,
	REOPEN_MAX_MS = 60000,
	BIRTH_RETRY_MS = 5000,
	MAILBOX = 32,
	STATUS_WINDOW = 2, /* publishes in flight beside the reports: a birth and a goodbye */
};

/* The uplink's cookies count from 1. */
#define COOKIE_STATUS (UINT64_C(1) << 63)

static const char module[] = "station";

struct station {
	struct station_config config; /* its pointers are the copies below */
	char *spool_dir, *cert_file;
	struct spool *spool; /* NULL between a failure and its reopening */
	struct recorder *recorder;
	struct uplink *uplink; /* NULL without spool or link */
	struct gf_link *link;  /* NULL: offline for good */
	char status_topic[GF_TOPIC_MAX], report_topic[GF_TOPIC_MAX], ack_topic[GF_TOPIC_MAX];
	bool online, stopping, disk_full;
	uint64_t connection;
	int64_t birth_due_ms, flush_due_ms, reopen_due_ms, reopen_wait_ms;
	struct gf_log_limit down_log, ack_log;
};

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
	gf_strcpy(status->driver, sizeof(status->driver), c->driver);
	status->location = c->location;
	status->odometer = recorder_odometer(s->recorder);
	gf_strcpy(status->catalog, sizeof(status->catalog), c->catalog);
	status->catalog_version = c->catalog_version;
	status->stream = spool_stream(s->spool);
	status->next_seq = spool_next_seq(s->spool);
	status->acked_seq = spool_acked(s->spool);
	status->cert_not_after_ms = gf_link_cert_not_after_ms(s->cert_file);
	status->rated_motor_h = c->rated_motor_h;
	status->motor_temp_stop_c = c->envelope.motor_temp_stop_c;
	status->surface_temp_stop_c = c->envelope.surface_temp_stop_c;
}

static int publish_status(struct station *s, const struct gf_status *status)
{
	unsigned char buf[GF_STATUS_MAX];
	size_t len;
	int r = gf_status_encode(status, buf, sizeof(buf), &len);
	return r != 0 ? r : gf_link_publish(s->link, s->status_topic, buf, len, 1, true, 0, COOKIE_STATUS);
}

/* Who is there. Needs the spool, whose stream it names; published again when it was refused or the spool came back. */
static void publish_birth(struct station *s, struct gf_time now)
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
	ret_will->topic = s->status_topic;
	ret_will->len = len;
	ret_will->retained = true;
	return true;
}

/* ---- the spool ---- */

static int open_spool(struct station *s, struct gf_diag *diag)
{
	const struct spool_config config = {
	    .dir = s->spool_dir,
	    .bytes_max = s->config.spool_bytes_max,
	    .sync = s->config.spool_sync,
	};
	int r = spool_open(&config, &s->spool, diag);
	if (r != 0)
		return r;
	struct spool_stats stats = spool_stats(s->spool);
	if (stats.recreated)
		gf_log(GF_LOG_ERROR, module,
		       "%s: %s was damaged; its files are set aside as *.corrupt and a new stream begins, check the disk",
		       s->config.id, s->spool_dir);
	if (stats.torn_bytes > 0)
		gf_log(GF_LOG_NOTICE, module, "%s: cut %llu bytes of an unfinished write off the spool", s->config.id,
		       (unsigned long long)stats.torn_bytes);
	return 0;
}

static int publish_report(void *ctx, const void *data, size_t len, uint64_t cookie)
{
	struct station *s = ctx;
	return gf_link_publish(s->link, s->report_topic, data, len, 1, false, 0, cookie);
}

static int make_uplink(struct station *s)
{
	const struct uplink_ops ops = {.publish = publish_report, .ctx = s};
	return s->link != NULL ? uplink_new(s->spool, &ops, &s->uplink) : 0;
}

static void close_spool(struct station *s)
{
	uplink_free(s->uplink);
	s->uplink = NULL;
	if (s->recorder != NULL)
		recorder_set_spool(s->recorder, NULL);
	spool_close(s->spool);
	s->spool = NULL;
}

/* What the disk said: a spool that failed is closed, and opened anew when its time has come. */
static void check_spool(struct station *s, int error, struct gf_time now)
{
	if (error == 0)
		return;
	if (error != SPOOL_E_FAILED) {
		gf_log(GF_LOG_ERROR, module, "%s: can't record: %s", s->config.id, strerror(error < 0 ? -error : EIO));
		return;
	}
	gf_log(GF_LOG_ERROR, module, "%s: writing to %s failed; it is opened again in %lld s, check the disk", s->config.id,
	       s->spool_dir, (long long)(s->reopen_wait_ms / 1000));
	close_spool(s);
	s->reopen_due_ms = now.mono_ms + s->reopen_wait_ms;
	s->reopen_wait_ms = earlier(s->reopen_wait_ms * 2, REOPEN_MAX_MS);
}

static void reopen_spool(struct station *s, struct gf_time now)
{
	struct gf_diag diag = {{0}};
	s->reopen_due_ms = INT64_MAX;
	int r = open_spool(s, &diag);
	if (r == 0)
		r = make_uplink(s);
	if (r != 0) {
		gf_log(GF_LOG_ERROR, module, "%s: %s", s->config.id, diag.text[0] != '\0' ? diag.text : strerror(ENOMEM));
		close_spool(s);
		s->reopen_due_ms = now.mono_ms + s->reopen_wait_ms;
		s->reopen_wait_ms = earlier(s->reopen_wait_ms * 2, REOPEN_MAX_MS);
		return;
	}
	recorder_set_spool(s->recorder, s->spool);
	s->flush_due_ms = now.mono_ms;
	if (s->online && !s->stopping) {
		publish_birth(s, now);
		uplink_link_up(s->uplink, now.mono_ms);
	}
}

/* The gateway has more of the stream than the spool. */
static void restart_stream(struct station *s, struct gf_time now)
{
	gf_log(GF_LOG_ERROR, module,
	       "%s: the gateway has later records of this stream than %s: the disk went back, as with an old image or a "
	       "card that "
	       "forgets; a new stream begins with what isn't acked, check the disk",
	       s->config.id, s->spool_dir);
	uplink_free(s->uplink);
	s->uplink = NULL;
	int r = spool_restart(s->spool);
	if (r == 0)
		r = make_uplink(s);
	if (r != 0) {
		check_spool(s, SPOOL_E_FAILED, now);
		return;
	}
	recorder_set_spool(s->recorder, s->spool);
	publish_birth(s, now);
	uplink_link_up(s->uplink, now.mono_ms);
}

/* Said when it begins and when it is over. */
static void note_room(struct station *s, size_t waiting)
{
	bool full = waiting > 0 || spool_stats(s->spool).disk_full;
	if (full == s->disk_full)
		return;
	s->disk_full = full;
	if (full)
		gf_log(
		    GF_LOG_ERROR, module,
		    "%s: no space left for %s; sessions and faults go into its reserve, heartbeats wait in memory: free some",
		    s->config.id, s->spool_dir);
	else
		gf_log(GF_LOG_NOTICE, module, "%s: there is space for %s again", s->config.id, s->spool_dir);
}

/* Once a second: what waits is written, and a spool that failed under the uplink's hands is found. */
static void flush(struct station *s, struct gf_time now)
{
	size_t waiting = 0;
	s->flush_due_ms = now.mono_ms + FLUSH_MS;
	if (s->spool == NULL)
		return;
	int error = recorder_flush(s->recorder, &waiting);
	if (error == 0)
		error = spool_append(s->spool, NULL, 0, NULL, 0);
	if (error == 0 && waiting == 0)
		s->reopen_wait_ms = REOPEN_MIN_MS;
	note_room(s, waiting);
	check_spool(s, error, now);
}

/* ---- the link ---- */

static void on_up(struct station *s, const struct gf_link_event *event, struct gf_time now)
{
	s->online = true;
	s->connection = event->connection;
	gf_log(GF_LOG_INFO, module, "%s: connected", s->config.id);
	if (s->stopping)
		return;
	publish_birth(s, now);
	if (s->uplink != NULL)
		uplink_link_up(s->uplink, now.mono_ms);
}

static void on_down(struct station *s, const struct gf_link_event *event, struct gf_time now)
{
	if (s->online && !s->stopping)
		gf_log(GF_LOG_WARNING, module, "%s: connection lost: %s", s->config.id, event->reason);
	else if (!s->stopping)
		gf_log_limited(&s->down_log, now.mono_ms, GF_LOG_WARNING, module, "%s: no connection: %s", s->config.id,
		               event->reason);
	s->online = false;
	s->birth_due_ms = INT64_MAX;
	if (s->uplink != NULL)
		uplink_link_down(s->uplink);
}

static void on_message(struct station *s, const struct gf_link_event *event, struct gf_time now)
{
	struct gf_diag diag = {{0}};
	if (s->uplink == NULL || strcmp(event->topic, s->ack_topic) != 0)
		return;
	int r = uplink_ack(s->uplink, event->payload, event->len, now.mono_ms, &diag);
	if (diag.text[0] != '\0')
		gf_log_limited(&s->ack_log, now.mono_ms, GF_LOG_WARNING, module, "%s: an ack that can't be read: %s",
		               s->config.id, diag.text);
	else
		check_spool(s, r, now);
	if (s->uplink != NULL && uplink_overtaken(s->uplink) && !s->stopping)
		restart_stream(s, now);
}

static void on_published(struct station *s, const struct gf_link_event *event, struct gf_time now)
{
	if ((event->cookie & COOKIE_STATUS) == 0) {
		if (s->uplink != NULL)
			uplink_published(s->uplink, event->cookie, event->code, now.mono_ms);
	} else if (event->code >= 0x80 && !s->stopping) {
		gf_log(GF_LOG_WARNING, module, "%s: the broker refused the birth (code 0x%02x); check its access list",
		       s->config.id, (unsigned)event->code);
		s->birth_due_ms = now.mono_ms + BIRTH_RETRY_MS;
	}
}

static void (*const handlers[])(struct station *, const struct gf_link_event *, struct gf_time) = {
    [GF_LINK_EVENT_UP] = on_up,
    [GF_LINK_EVENT_DOWN] = on_down,
    [GF_LINK_EVENT_MESSAGE] = on_message,
    [GF_LINK_EVENT_PUBLISHED] = on_published,
};

static void take_link_events(struct station *s, struct gf_time now)
{
	struct gf_link_event event;
	while (gf_link_next(s->link, &event)) {
		handlers[event.kind](s, &event, now);
		gf_link_event_deinit(&event);
	}
}

/* ---- what the station does ---- */

void station_start(struct station *station)
{
	if (station->link != NULL)
		gf_link_start(station->link);
}

void station_event(struct station *station, const struct control_event *event, struct gf_time now,
                   const struct recorder_link_facts *ticks)
{
	struct recorder_link_facts facts = *ticks;
	if (station->link != NULL)
		facts.connects = (uint32_t)gf_link_stats(station->link).connects;
	check_spool(station, recorder_event(station->recorder, event, now, &facts), now);
	/* There may be something to send. */
	if (station->online && event->kind != CONTROL_EVENT_SESSION_PROGRESS)
		station->config.wake(station->config.wake_ctx);
}

int64_t station_step(struct station *station, struct gf_time now)
{
	int64_t due_ms;

	if (now.mono_ms >= station->reopen_due_ms)
		reopen_spool(station, now);
	if (now.mono_ms >= station->flush_due_ms)
		flush(station, now);
	due_ms = earlier(station->flush_due_ms, station->reopen_due_ms);
	if (station->link == NULL)
		return due_ms;
	due_ms = earlier(due_ms, gf_link_step(station->link, now.mono_ms));
	take_link_events(station, now);
	if (station->online && !station->stopping && now.mono_ms >= station->birth_due_ms)
		publish_birth(station, now);
	if (station->uplink != NULL && !station->stopping)
		due_ms = earlier(due_ms, uplink_step(station->uplink, now.mono_ms));
	return earlier(due_ms, station->birth_due_ms);
}

void station_stop(struct station *station, struct gf_time now)
{
	if (station->stopping)
		return;
	station->stopping = true;
	station->birth_due_ms = INT64_MAX;
	flush(station, now);
	if (station->link == NULL)
		return;
	if (station->online) {
		const struct gf_status goodbye = {
		    .presence = GF_PRESENCE_GOODBYE,
		    .boot = recorder_boot(station->recorder),
		    .connection = station->connection,
		};
		int r = publish_status(station, &goodbye);
		if (r != 0)
			gf_log(GF_LOG_INFO, module, "%s: no goodbye: %s", station->config.id, strerror(-r));
	}
	gf_link_stop(station->link);
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
	link.window_max = UPLINK_WINDOW + STATUS_WINDOW;
	link.packet_max = GF_REPORT_MAX;
	link.client_id = s->config.id;
	int r = gf_link_new(&link, &ops, &s->link, diag);
	if (r != 0)
		return r;
	return gf_link_subscribe(s->link, s->ack_topic, 0);
}

static int open_all(struct station *s, const struct recorder_meter *meter, struct gf_time now,
                    const struct gf_link_config *link, struct control_resume *ret_resume, struct gf_diag *diag)
{
	int r = open_spool(s, diag);
	if (r == 0)
		r = recorder_open(s->spool, meter, now, &s->recorder, ret_resume, diag);
	if (r == 0)
		r = recorder_catalog(s->recorder, s->config.catalog, s->config.catalog_version, now);
	if (r == 0 && link != NULL)
		r = open_link(s, link, diag);
	return r == 0 ? make_uplink(s) : r;
}

static int copy_config(struct station *s, const struct station_config *config)
{
	s->config = *config;
	s->config.spool_dir = NULL;
	s->config.link = NULL;
	s->spool_dir = strdup(config->spool_dir);
	s->cert_file = strdup(config->link != NULL ? config->link->cert_file : "");
	return s->spool_dir != NULL && s->cert_file != NULL ? 0 : -ENOMEM;
}

int station_new(const struct station_config *config, const struct recorder_meter *meter, struct gf_time now,
                struct station **ret_station, struct control_resume *ret_resume, struct gf_diag *diag)
{
	struct station *s = calloc(1, sizeof(*s));
	struct control_resume resume;
	if (s == NULL)
		return -ENOMEM;
	gf_topic_device(s->status_topic, config->id, GF_TOPIC_STATUS);
	gf_topic_device(s->report_topic, config->id, GF_TOPIC_REPORT);
	gf_topic_device(s->ack_topic, config->id, GF_TOPIC_ACK);
	s->birth_due_ms = s->reopen_due_ms = INT64_MAX;
	s->flush_due_ms = now.mono_ms;
	s->reopen_wait_ms = REOPEN_MIN_MS;
	s->down_log = (struct gf_log_limit){.interval_ms = 60000, .burst = 2};
	s->ack_log = (struct gf_log_limit){.interval_ms = 60000, .burst = 2};
	int r = copy_config(s, config);
	if (r == 0)
		r = open_all(s, meter, now, config->link, &resume, diag);
	if (r != 0) {
		station_free(s);
		return r;
	}
	*ret_station = s;
	*ret_resume = resume;
	return 0;
}

void station_free(struct station *station)
{
	if (station == NULL)
		return;
	gf_link_free(station->link);
	/* What was appended without syncing, by a history, becomes durable here. */
	if (station->spool != NULL && !station->config.spool_sync && spool_sync(station->spool) != 0)
		gf_log(GF_LOG_ERROR, module, "%s: can't sync %s", station->config.id, station->spool_dir);
	close_spool(station);
	recorder_free(station->recorder);
	free(station->spool_dir);
	free(station->cert_file);
	free(station);
}

struct spool_stats station_spool(const struct station *station)
{
	struct spool_stats stats = {0};
	if (station->spool != NULL)
		stats = spool_stats(station->spool);
	stats.dropped += recorder_dropped(station->recorder);
	return stats;
}

bool station_online(const struct station *station)
{
	return station->online;
}

bool station_storage_full(const struct station *station)
{
	return station->disk_full;
}
