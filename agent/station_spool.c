/*
 * The station's disk: the spool is opened, closed when it failed, opened anew with backoff, and begun anew when it went back; what
 * waits in memory is written once a second.
 */
#include <errno.h>
#include <string.h>

#include "agent/station_impl.h"
#include "proto/base/log.h"

enum { FLUSH_MS = 1000, REOPEN_MAX_MS = 60000 };

static const char module[] = "station";

int station_spool_open(struct station *s, struct gf_diag *diag)
{
	const struct spool_config config = {
	    .dir = s->spool_dir,
	    .bytes_max = s->config.spool_bytes_max,
	    .sync = s->config.sync,
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
	return gf_link_publish(s->link, s->topics[GF_TOPIC_REPORT], data, len, 1, false, 0, cookie);
}

int station_uplink_make(struct station *s)
{
	const struct uplink_ops ops = {.publish = publish_report, .ctx = s};
	return s->link != NULL ? uplink_new(s->spool, &ops, &s->uplink) : 0;
}

void station_spool_close(struct station *s)
{
	uplink_free(s->uplink);
	s->uplink = NULL;
	if (s->recorder != NULL)
		recorder_set_spool(s->recorder, NULL);
	spool_close(s->spool);
	s->spool = NULL;
}

static void reopen_later(struct station *s, struct gf_time now)
{
	s->reopen_due_ms = now.mono_ms + s->reopen_wait_ms;
	s->reopen_wait_ms = s->reopen_wait_ms * 2 < REOPEN_MAX_MS ? s->reopen_wait_ms * 2 : REOPEN_MAX_MS;
}

void station_spool_check(struct station *s, int error, struct gf_time now)
{
	if (error == 0)
		return;
	if (error != SPOOL_E_FAILED) {
		gf_log(GF_LOG_ERROR, module, "%s: can't record: %s", s->config.id, strerror(error < 0 ? -error : EIO));
		return;
	}
	gf_log(GF_LOG_ERROR, module, "%s: writing to %s failed; it is opened again in %lld s, check the disk", s->config.id,
	       s->spool_dir, (long long)(s->reopen_wait_ms / 1000));
	station_spool_close(s);
	reopen_later(s, now);
}

void station_spool_reopen(struct station *s, struct gf_time now)
{
	struct gf_diag diag = {{0}};
	s->reopen_due_ms = INT64_MAX;
	int r = station_spool_open(s, &diag);
	if (r == 0)
		r = station_uplink_make(s);
	if (r != 0) {
		gf_log(GF_LOG_ERROR, module, "%s: %s", s->config.id, diag.text[0] != '\0' ? diag.text : strerror(ENOMEM));
		station_spool_close(s);
		reopen_later(s, now);
		return;
	}
	recorder_set_spool(s->recorder, s->spool);
	s->flush_due_ms = now.mono_ms;
	if (s->online && s->phase != STATION_LEAVING) {
		station_birth(s, now);
		uplink_link_up(s->uplink, now.mono_ms);
	}
}

void station_spool_restart(struct station *s, struct gf_time now)
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
		r = station_uplink_make(s);
	if (r != 0) {
		station_spool_check(s, SPOOL_E_FAILED, now);
		return;
	}
	recorder_set_spool(s->recorder, s->spool);
	station_birth(s, now);
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

void station_spool_flush(struct station *s, struct gf_time now)
{
	size_t waiting = 0;
	s->flush_due_ms = now.mono_ms + FLUSH_MS;
	if (s->spool == NULL)
		return;
	int error = recorder_flush(s->recorder, &waiting);
	if (error == 0)
		error = spool_append(s->spool, NULL, 0, NULL, 0);
	if (error == 0 && waiting == 0)
		s->reopen_wait_ms = STATION_REOPEN_MIN_MS;
	note_room(s, waiting);
	station_spool_check(s, error, now);
}
