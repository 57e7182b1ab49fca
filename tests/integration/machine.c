#include "tests/integration/machine.h"

#include <math.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/clock.h"
#include "proto/base/rand.h"

enum { EIGHT_DAYS_MS = 8 * 24 * 3600 * 1000, CONNECT_MS = 15000, REFUSED = 0x80 };

int64_t it_wall_ms(void)
{
	return gf_clock_now(gf_clock_system(GF_CLOCK_TRUST_SYSTEM)).wall_ms;
}

struct it_machine *it_machine_begin(struct it_world *w, const char *id)
{
	struct it_machine *m = calloc(1, sizeof *m);
	char ack[GF_TOPIC_MAX], desired[GF_TOPIC_MAX];

	assert_non_null(m);
	gf_strcpy(m->id, sizeof m->id, id);
	gf_rand_bytes(&m->stream, sizeof m->stream);
	m->boot = 1;
	m->connection = 1;
	m->opened_ms = it_wall_ms();
	m->booted_ms = m->opened_ms - EIGHT_DAYS_MS;
	m->clock_synced = true;
	m->client = it_client_open(w, id,
	                           &(struct it_client_options){.filters = {gf_topic_device(ack, id, GF_TOPIC_ACK),
	                                                                   gf_topic_device(desired, id, GF_TOPIC_DESIRED)},
	                                                       .mailbox_max = 4096});
	return m;
}

struct it_machine *it_machine_open(struct it_world *w, const char *id)
{
	struct it_machine *m = it_machine_begin(w, id);

	IT_UNTIL(CONNECT_MS, it_client_up(m->client));
	return m;
}

void it_machine_close(struct it_machine *m)
{
	if (!m)
		return;
	it_client_close(m->client);
	free(m);
}

static uint64_t uptime(const struct it_machine *m, int64_t wall_ms)
{
	assert_true(wall_ms >= m->booted_ms);
	return (uint64_t)(wall_ms - m->booted_ms);
}

struct gf_status it_birth(const struct it_machine *m)
{
	int64_t now_ms = it_wall_ms();

	return (struct gf_status){
	    .presence = GF_PRESENCE_BIRTH,
	    .boot = m->boot,
	    .connection = m->connection,
	    .uptime_ms = uptime(m, now_ms),
	    .wall_ms = m->clock_synced ? (uint64_t)now_ms : 0,
	    .clock_synced = m->clock_synced,
	    .class = GF_CLASS_CHAIR,
	    .model = "by-hand",
	    .agent_version = "0.1.0",
	    .driver = "none",
	    .location = {.site = "lab"},
	    .catalog = "chair",
	    .catalog_version = 1,
	    .stream = m->stream,
	    .next_seq = 1,
	    .rated_motor_h = 2000,
	    .motor_temp_stop_c = 70,
	};
}

void it_machine_birth(struct it_machine *m, const struct gf_status *birth)
{
	struct gf_status own = birth ? *birth : it_birth(m);
	unsigned char buf[GF_STATUS_MAX];
	char topic[GF_TOPIC_MAX];
	size_t len;

	assert_int_equal(gf_status_encode(&own, buf, sizeof buf, &len), 0);
	gf_topic_device(topic, m->id, GF_TOPIC_STATUS);
	assert_in_range(it_client_publish(m->client, topic, buf, len, true), 0, REFUSED - 1);
}

static struct gf_record stamped(const struct it_machine *m, uint64_t seq, int64_t wall_ms, enum gf_record_kind kind)
{
	return (struct gf_record){
	    .seq = seq,
	    .boot = m->boot,
	    .uptime_ms = uptime(m, wall_ms),
	    .wall_ms = m->clock_synced ? (uint64_t)wall_ms : 0,
	    .clock_synced = m->clock_synced,
	    .kind = kind,
	};
}

static struct gf_session_started start(uint64_t no)
{
	return (struct gf_session_started){
	    .session_no = no,
	    .routine = "by_hand",
	    .catalog = "chair",
	    .catalog_version = 1,
	    .planned_s = IT_SESSION_MS / 1000,
	};
}

struct gf_record it_started(const struct it_machine *m, uint64_t seq, uint64_t no, int64_t started_ms)
{
	struct gf_record record = stamped(m, seq, started_ms, GF_RECORD_SESSION_STARTED);

	record.session_started = start(no);
	return record;
}

struct gf_record it_session(const struct it_machine *m, uint64_t seq, uint64_t no, int64_t started_ms)
{
	struct gf_record record = stamped(m, seq, started_ms + IT_SESSION_MS, GF_RECORD_SESSION_ENDED);

	record.session_ended = (struct gf_session_ended){
	    .start = start(no),
	    .started_boot = m->boot,
	    .started_uptime_ms = uptime(m, started_ms),
	    .started_wall_ms = m->clock_synced ? (uint64_t)started_ms : 0,
	    .started_clock_synced = m->clock_synced,
	    .duration_ms = IT_SESSION_MS,
	    .motor_ms = IT_SESSION_MS,
	    .outcome = GF_OUTCOME_COMPLETED,
	    .areas_count = 1,
	    .areas = {{GF_AREA_UPPER_BACK, GF_SIDE_BOTH, GF_TECHNIQUE_KNEAD, IT_SESSION_MS, 30, 40}},
	    .peak_motor_temp_c = 41.5F,
	    .peak_surface_temp_c = NAN,
	    .peak_current_ma = NAN,
	    .peak_pressure_mmhg = NAN,
	    .odometer = {.motor_ms = no * IT_SESSION_MS, .sessions = no, .cycles = no * 100},
	};
	return record;
}

struct gf_record it_heartbeat(const struct it_machine *m, uint64_t seq, int64_t wall_ms, float motor_temp_c)
{
	struct gf_record record = stamped(m, seq, wall_ms, GF_RECORD_HEARTBEAT);

	record.heartbeat = (struct gf_heartbeat){.interval_ms = 60000};
	if (!isnan(motor_temp_c))
		record.heartbeat.sensors[GF_SENSOR_MOTOR_TEMP_C] =
		    (struct gf_stat){true, motor_temp_c, motor_temp_c, motor_temp_c, motor_temp_c};
	return record;
}

struct gf_record it_answer(const struct it_machine *m, uint64_t seq, const struct gf_desired *desired,
                           enum gf_desired_step step)
{
	struct gf_record record = stamped(m, seq, it_wall_ms(), GF_RECORD_DESIRED_APPLIED);

	record.desired_applied = (struct gf_desired_applied){.revision = desired->revision,
	                                                     .step = step,
	                                                     .version = desired->catalog.version,
	                                                     .digest = desired->catalog.digest};
	gf_strcpy(record.desired_applied.catalog, GF_NAME_MAX, desired->catalog.name);
	return record;
}

struct gf_record it_changed(const struct it_machine *m, uint64_t seq, const struct gf_desired_catalog *catalog,
                            uint64_t previous_version)
{
	struct gf_record record = stamped(m, seq, it_wall_ms(), GF_RECORD_CATALOG_CHANGED);

	record.catalog_changed = (struct gf_catalog_changed){.version = catalog->version,
	                                                     .previous_version = previous_version,
	                                                     .cause = GF_CATALOG_CAUSE_OVER_THE_AIR,
	                                                     .digest = catalog->digest};
	gf_strcpy(record.catalog_changed.catalog, GF_NAME_MAX, catalog->name);
	return record;
}

size_t it_report_encode(const struct it_machine *m, const struct gf_record *records, size_t count,
                        unsigned char buf[GF_REPORT_MAX])
{
	struct gf_report_writer writer;
	unsigned char record[GF_RECORD_MAX];
	size_t len;

	assert_int_equal(gf_report_begin(&writer, buf, GF_REPORT_MAX, &m->stream, records[0].seq), 0);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(gf_record_encode(&records[i], record, sizeof record, &len), 0);
		assert_int_equal(gf_report_add(&writer, record, len), 0);
	}
	return writer.len;
}

void it_machine_report(struct it_machine *m, const struct gf_record *records, size_t count)
{
	unsigned char buf[GF_REPORT_MAX];
	size_t len = it_report_encode(m, records, count, buf);

	assert_in_range(it_machine_say(m, GF_TOPIC_REPORT, buf, len), 0, REFUSED - 1);
}

int it_machine_say(struct it_machine *m, enum gf_topic_leaf leaf, const void *data, size_t len)
{
	char topic[GF_TOPIC_MAX];

	return it_client_publish(m->client, gf_topic_device(topic, m->id, leaf), data, len, false);
}

size_t it_machine_acks(struct it_machine *m)
{
	char topic[GF_TOPIC_MAX];

	return it_client_heard(m->client, gf_topic_device(topic, m->id, GF_TOPIC_ACK));
}

struct gf_ack it_machine_ack(struct it_machine *m)
{
	char topic[GF_TOPIC_MAX];
	const struct it_message *last = it_client_last(m->client, gf_topic_device(topic, m->id, GF_TOPIC_ACK));
	struct gf_ack ack = {0};

	if (last)
		assert_int_equal(gf_ack_decode(last->payload, last->len, &ack, NULL), 0);
	return ack;
}

uint64_t it_machine_acked(struct it_machine *m)
{
	struct gf_ack ack = it_machine_ack(m);

	return memcmp(&ack.stream, &m->stream, sizeof m->stream) == 0 ? ack.through_seq : UINT64_MAX;
}

struct gf_desired it_machine_desired(struct it_machine *m)
{
	char topic[GF_TOPIC_MAX];
	const struct it_message *last = it_client_last(m->client, gf_topic_device(topic, m->id, GF_TOPIC_DESIRED));
	struct gf_desired desired = {.revision = 0};

	if (last)
		assert_int_equal(gf_desired_decode(last->payload, last->len, &desired, NULL), 0);
	return desired;
}
