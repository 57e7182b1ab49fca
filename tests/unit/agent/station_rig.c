#include "tests/unit/agent/station_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/station_impl.h"
#include "proto/codec.h"

/* ---- the disk: the system's, until it fails (the linker puts these in the way) ---- */

int rig_disk_error;
int rig_sync_error;
uint64_t rig_failed_syncs, rig_syncs_after_failure;

ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
int __real_fdatasync(int fd);
int __real_posix_fallocate(int fd, off_t from, off_t len);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);
int __wrap_fdatasync(int fd);
int __wrap_posix_fallocate(int fd, off_t from, off_t len);

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
	errno = rig_disk_error;
	return rig_disk_error != 0 ? -1 : __real_pwrite(fd, data, len, at);
}

int __wrap_fdatasync(int fd)
{
	rig_syncs_after_failure += rig_failed_syncs > 0 ? 1 : 0;
	rig_failed_syncs += rig_sync_error != 0 ? 1 : 0;
	errno = rig_sync_error;
	return rig_sync_error != 0 ? -1 : __real_fdatasync(fd);
}

int __wrap_posix_fallocate(int fd, off_t from, off_t len)
{
	return rig_disk_error != 0 ? rig_disk_error : __real_posix_fallocate(fd, from, len);
}

/* ---- the station ---- */

static void count_wake(void *ctx)
{
	((struct world *)ctx)->wakes++;
}

/* ---- the control core: it does what it is told when the test says so ---- */

static int use_catalog(void *ctx, const struct gf_catalog *catalog)
{
	struct world *w = ctx;
	if (w->control_error != 0)
		return w->control_error;
	w->handed = catalog;
	return 0;
}

static int set_limits(void *ctx, const struct control_limits *limits)
{
	struct world *w = ctx;
	if (w->control_error != 0)
		return w->control_error;
	w->limits = *limits;
	w->limits_set++;
	return 0;
}

static int stop_session(void *ctx, enum gf_outcome outcome)
{
	struct world *w = ctx;
	if (w->control_error != 0)
		return w->control_error;
	w->stopped_as = outcome;
	w->stops++;
	return 0;
}

void rig_takes_catalog(struct world *w)
{
	const struct gf_catalog *catalog = w->handed;
	assert_non_null(catalog);
	w->handed = NULL;
	w->playing = catalog;
	rig_tell(w, (struct control_event){.kind = CONTROL_EVENT_CATALOG, .catalog = catalog});
}

int rig_open(struct world *w, bool online, struct gf_diag *diag)
{
	static char host[] = "broker", cert_file[] = "device.pem";
	const struct gf_link_config link = {.host = host, .port = 8883, .cert_file = cert_file, .keepalive_s = 15};
	const struct recorder_meter meter = {.present = true, .motor_ms = RIG_METER_MS};
	struct station_config config = {
	    .id = "gun-berlin-01",
	    .class = GF_CLASS_PERCUSSION,
	    .model = "g1",
	    .rated_motor_h = 2000,
	    .motor_hours_before = 0.5F,
	    .vibration_ms2 = 7.5F,
	    .subjects = w->subjects,
	    .catalog = &w->catalog,
	    .catalog_digest = &w->digest,
	    .catalog_keys = w->keys,
	    .catalog_trial_ms = RIG_TRIAL_MS,
	    .control = {.use = use_catalog, .limits = set_limits, .stop = stop_session, .ctx = w},
	    .state_dir = w->t.dir,
	    .spool_bytes_max = 4 << 20,
	    .sync = true,
	    .link = online ? &link : NULL,
	    .wake = count_wake,
	    .wake_ctx = w,
	};
	control_envelope_defaults(GF_CLASS_PERCUSSION, &config.envelope);
	config.envelope.motor_temp_stop_c = 70;
	int r = station_new(&config, w->now, &w->station, diag);
	if (r == 0)
		r = station_open(w->station, "sim", &meter, w->now, &w->resume, diag);
	if (r == 0) {
		w->playing = station_catalog(w->station);
		w->limits = *station_limits(w->station);
		return 0;
	}
	station_free(w->station);
	w->station = NULL;
	return r;
}

void rig_restart(struct world *w)
{
	struct gf_diag diag = {{0}};
	station_free(w->station);
	w->station = NULL;
	if (rig_open(w, true, &diag) != 0)
		fail_msg("%s", diag.text);
	station_start(w->station);
}

int rig_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	trap_init(&w->t);
	w->now = (struct gf_time){.mono_ms = 5000, .wall_ms = 1767225600000, .synced = true};
	rig_disk_error = rig_sync_error = 0;
	rig_failed_syncs = rig_syncs_after_failure = 0;
	*state = w;
	w->catalog = (struct gf_catalog){
	    .name = "gun", .class = GF_CLASS_PERCUSSION, .version = 4, .routines_count = 1, .routines = &w->routine};
	memset(&w->digest, 4, sizeof(w->digest));
	rig_restart(w);
	return 0;
}

int rig_teardown(void **state)
{
	struct world *w = *state;
	rig_disk_error = rig_sync_error = 0;
	char command[128];
	station_free(w->station);
	snprintf(command, sizeof(command), "rm -rf %s", w->t.dir);
	assert_int_equal(system(command), 0);
	free(w);
	return 0;
}

int64_t rig_step(struct world *w)
{
	return station_step(w->station, w->now);
}

void rig_pass(struct world *w, int64_t ms)
{
	w->now.mono_ms += ms;
	w->now.wall_ms += ms;
	rig_step(w);
}

void rig_tell(struct world *w, struct control_event event)
{
	event.mono_ms = event.started_mono_ms = w->now.mono_ms;
	station_event(w->station, &event, w->now);
}

void rig_beat(struct world *w)
{
	rig_tell(w, (struct control_event){.kind = CONTROL_EVENT_TELEMETRY, .heartbeat = {.interval_ms = 60000}});
}

void rig_session(struct world *w)
{
	struct control_event ended = {.kind = CONTROL_EVENT_SESSION_ENDED};
	rig_tell(w, (struct control_event){.kind = CONTROL_EVENT_SESSION_STARTED,
	                                   .session_started = {.session_no = ++w->sessions}});
	ended.session_ended = (struct gf_session_ended){
	    .start.session_no = w->sessions,
	    .motor_ms = 1000,
	    .outcome = GF_OUTCOME_COMPLETED,
	    .peak_motor_temp_c = NAN,
	    .peak_surface_temp_c = NAN,
	    .peak_current_ma = NAN,
	    .peak_pressure_mmhg = NAN,
	};
	rig_tell(w, ended);
}

struct spool_stats rig_spool(const struct world *w)
{
	const struct station *s = w->station;
	struct spool_stats stats = {0};
	if (s->spool != NULL)
		stats = spool_stats(s->spool);
	stats.dropped += recorder_dropped(s->recorder);
	return stats;
}

struct gf_status rig_status(const struct fake_published *p)
{
	struct gf_status status = {0};
	assert_non_null(p);
	assert_int_equal(gf_status_decode(p->data, p->len, &status, NULL), 0);
	return status;
}

uint64_t rig_gateway(struct world *w)
{
	uint64_t sessions = 0;
	const struct fake_published *p;
	struct gf_report *report;
	struct gf_ack ack = {.through_seq = 0};
	unsigned char buf[GF_ACK_MAX];
	size_t len, done = 0;
	for (; (p = fake_link_nth("/report", done)) != NULL; done++) {
		assert_int_equal(gf_report_decode(p->data, p->len, &report, NULL), 0);
		ack.stream = report->stream;
		for (size_t i = 0; i < report->records_count; i++) {
			const struct gf_record *r = &report->records[i];
			if (r->seq != w->committed + 1)
				continue;
			w->committed = gf_record_through(r);
			sessions += r->kind == GF_RECORD_SESSION_ENDED ? 1 : 0;
		}
		free(report);
	}
	fake_link->count = 0;
	if (done == 0)
		return 0;
	ack.through_seq = w->committed;
	assert_int_equal(gf_ack_encode(&ack, buf, sizeof(buf), &len), 0);
	fake_link_message(BRANCH "ack", buf, len);
	rig_step(w);
	return sessions;
}
