#include "gateway/api/device_row.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MS_PER_HOUR 3600e3

enum { READING_FRESH_MS = 5 * 60 * 1000 };

#define NAME(symbol, name) name,
static const char *const class_words[] = {GF_CLASSES(NAME) NULL};
static const char *const health_words[] = {HEALTH_SEVERITIES(NAME) NULL};
static const char *const offline_words[] = {STORE_OFFLINES(NAME) NULL};
#undef NAME
static const char *const presence_words[] = {"online", "offline", NULL};

const struct where_field device_fields[] = {
    {"id", WHERE_TEXT, NULL},
    {"class", WHERE_TEXT, class_words},
    {"model", WHERE_TEXT, NULL},
    {"serial", WHERE_TEXT, NULL},
    {"site", WHERE_TEXT, NULL},
    {"zone", WHERE_TEXT, NULL},
    {"bay", WHERE_TEXT, NULL},
    {"name", WHERE_TEXT, NULL},
    {"presence", WHERE_TEXT, presence_words},
    {"offline_reason", WHERE_TEXT, offline_words},
    {"last_seen", WHERE_TIME, NULL},
    {"online_since", WHERE_TIME, NULL},
    {"first_seen", WHERE_TIME, NULL},
    {"health", WHERE_TEXT, health_words},
    {"reasons", WHERE_NUMBER, NULL},
    {"open_faults", WHERE_NUMBER, NULL},
    {"in_session", WHERE_BOOL, NULL},
    {"sessions", WHERE_NUMBER, NULL},
    {"sessions_today", WHERE_NUMBER, NULL},
    {"motor_hours", WHERE_NUMBER, NULL},
    {"rated_motor_h", WHERE_NUMBER, NULL},
    {"motor_temp_c", WHERE_NUMBER, NULL},
    {"surface_temp_c", WHERE_NUMBER, NULL},
    {"current_ma", WHERE_NUMBER, NULL},
    {"supply_mv", WHERE_NUMBER, NULL},
    {"spool_records", WHERE_NUMBER, NULL},
    {"clock_synced", WHERE_BOOL, NULL},
    {"cert_not_after", WHERE_TIME, NULL},
    {"catalog", WHERE_TEXT, NULL},
    {"catalog_version", WHERE_NUMBER, NULL},
    {"agent_version", WHERE_TEXT, NULL},
    {"driver", WHERE_TEXT, NULL},
    {"resting", WHERE_BOOL, NULL},
    {"rest_until", WHERE_TIME, NULL},
    {"out_of_service", WHERE_BOOL, NULL},
    {"duty_s", WHERE_NUMBER, NULL},
    {"duty_max_s", WHERE_NUMBER, NULL},
};
const size_t device_fields_count = sizeof(device_fields) / sizeof(device_fields[0]);

static enum health_presence presence(const struct store_device *d)
{
	static const enum health_presence offline[] = {
	    [STORE_OFFLINE_NEVER] = HEALTH_NEVER_SEEN,
	    [STORE_OFFLINE_GOODBYE] = HEALTH_GOODBYE,
	    [STORE_OFFLINE_LOST] = HEALTH_LOST,
	    [STORE_OFFLINE_SILENT] = HEALTH_SILENT,
	};
	return d->online ? HEALTH_ONLINE : offline[d->offline_reason];
}

static double motor_hours(const struct store_device *d)
{
	return (double)d->odometer.motor_ms / MS_PER_HOUR;
}

/* While a machine uploads what it kept offline, its newest heartbeat here is an old one. */
static bool reads_now(const struct store_device *d, int64_t now_ms)
{
	int64_t fresh_ms = 3 * (int64_t)d->heartbeat.interval_ms;

	if (fresh_ms < READING_FRESH_MS)
		fresh_ms = READING_FRESH_MS;
	return d->online && d->has_heartbeat && now_ms - d->heartbeat_ms <= fresh_ms;
}

void device_judge(const struct store_device *d, int64_t now_ms, struct device_health *ret_health)
{
	struct health_facts facts = {
	    .now_ms = now_ms,
	    .presence = presence(d),
	    .presence_since_ms = d->presence_since_ms,
	    .last_seen_ms = d->last_seen_ms,
	    .heartbeat_ms = d->heartbeat_ms,
	    .motor_temp_stop_c = d->motor_temp_stop_c,
	    .surface_temp_stop_c = d->surface_temp_stop_c,
	    .clock_known = d->clock_since_ms > 0,
	    .clock_synced = d->clock_synced,
	    .clock_since_ms = d->clock_since_ms,
	    .last_record_ms = d->last_record_ms,
	    .cert_not_after_ms = d->cert_not_after_ms,
	    .interrupted_24h = d->interrupted_24h,
	    .interrupted_since_ms = d->interrupted_since_ms,
	    .motor_hours = motor_hours(d),
	    .rated_motor_h = d->rated_motor_h,
	    .rest_since_ms = d->rest_since_ms,
	    .rest_until_ms = d->rest_until_ms,
	};
	if (d->has_heartbeat) {
		const struct gf_heartbeat *beat = &d->heartbeat;
		facts.duty_max_ms = beat->duty_max_ms;
		facts.bus =
		    (struct health_bus){beat->bus_timeouts, beat->bus_crc_errors, beat->bus_exceptions, beat->bus_reconnects};
		facts.motor_temp_c = d->heartbeat.sensors[GF_SENSOR_MOTOR_TEMP_C];
		facts.surface_temp_c = d->heartbeat.sensors[GF_SENSOR_SURFACE_TEMP_C];
		facts.spool_records = d->heartbeat.spool_records;
	}
	for (; facts.faults_count < d->open_faults && facts.faults_count < HEALTH_FAULTS_MAX &&
	       facts.faults_count < STORE_OPEN_FAULTS_MAX;
	     facts.faults_count++) {
		const struct store_fault *f = &d->open[facts.faults_count];
		facts.faults[facts.faults_count] = (struct health_fault){.code = f->code,
		                                                         .severity = f->severity,
		                                                         .since_ms = f->raised_ms,
		                                                         .observed = f->observed,
		                                                         .limit = f->limit,
		                                                         .detail = f->detail};
	}
	for (; facts.closed_count < d->closed_count && facts.closed_count < HEALTH_CLOSED_MAX; facts.closed_count++) {
		const struct store_closed *c = &d->closed[facts.closed_count];
		facts.closed[facts.closed_count] =
		    (struct health_closed){c->area, c->side, c->since_ms, c->until_ms, c->personal};
	}
	ret_health->reads_now = reads_now(d, now_ms);
	ret_health->resting = d->rest_until_ms > now_ms;
	ret_health->severity = health_judge(&facts, ret_health->reasons, &ret_health->count);
}

/* The newest reading; null when it is an old one, which says nothing of now. */
static json_t *reading(const struct store_device *d, const struct device_health *health, enum gf_sensor sensor)
{
	const struct gf_stat *stat = &d->heartbeat.sensors[sensor];
	return json_measure(health->reads_now && stat->present ? (double)stat->last : NAN);
}

static void put_identity(json_t **row, const struct store_device *d)
{
	json_put(row, "id", json_string(d->id));
	json_put(row, "class", json_text(d->class != GF_CLASS_UNSPECIFIED ? gf_class_name(d->class) : ""));
	json_put(row, "model", json_text(d->model));
	json_put(row, "serial", json_text(d->serial));
	json_put(row, "site", json_text(d->location.site));
	json_put(row, "zone", json_text(d->location.zone));
	json_put(row, "bay", json_text(d->location.bay));
	json_put(row, "name", json_text(d->name));
}

static void put_state(json_t **row, const struct store_device *d, const struct device_health *health)
{
	json_put(row, "presence", json_string(d->online ? "online" : "offline"));
	json_put(row, "offline_reason", json_text(d->online ? "" : store_offline_name(d->offline_reason)));
	json_put(row, "last_seen", json_time(d->last_seen_ms));
	json_put(row, "online_since", json_time(d->online ? d->presence_since_ms : 0));
	json_put(row, "first_seen", json_time(d->first_seen_ms));
	json_put(row, "health", json_string(health_severity_name(health->severity)));
	json_put(row, "reasons", json_count(health->count));
	json_put(row, "open_faults", json_count(d->open_faults));
	json_put(row, "in_session", json_boolean(d->online && d->running_session != 0));
}

static void put_numbers(json_t **row, const struct store_device *d, const struct device_health *health)
{
	json_put(row, "sessions", json_count(d->sessions));
	json_put(row, "sessions_today", json_count(d->sessions_today));
	json_put(row, "motor_hours", json_measure(motor_hours(d)));
	json_put(row, "rated_motor_h", json_measure(d->rated_motor_h > 0 ? (double)d->rated_motor_h : NAN));
	json_put(row, "motor_temp_c", reading(d, health, GF_SENSOR_MOTOR_TEMP_C));
	json_put(row, "surface_temp_c", reading(d, health, GF_SENSOR_SURFACE_TEMP_C));
	json_put(row, "current_ma", reading(d, health, GF_SENSOR_CURRENT_MA));
	json_put(row, "supply_mv", reading(d, health, GF_SENSOR_SUPPLY_MV));
	json_put(row, "spool_records", d->has_heartbeat ? json_count(d->heartbeat.spool_records) : json_null());
	json_put(row, "clock_synced", d->clock_since_ms > 0 ? json_boolean(d->clock_synced) : json_null());
	json_put(row, "cert_not_after", json_time(d->cert_not_after_ms));
	json_put(row, "catalog", json_text(d->catalog));
	json_put(row, "catalog_version", *d->catalog != '\0' ? json_count(d->catalog_version) : json_null());
	json_put(row, "agent_version", json_text(d->agent_version));
	json_put(row, "driver", json_text(d->driver));
}

/* Worst first: a latched one comes before all others. */
static bool out_of_service(const struct store_device *d)
{
	return d->open_faults > 0 && d->open[0].severity == GF_SEVERITY_LATCH;
}

static void put_duty(json_t **row, const struct store_device *d, const struct device_health *health)
{
	bool limited = health->reads_now && d->heartbeat.duty_max_ms > 0;

	json_put(row, "resting", json_boolean(health->resting));
	json_put(row, "rest_until", json_time(health->resting ? d->rest_until_ms : 0));
	json_put(row, "out_of_service", json_boolean(out_of_service(d)));
	json_put(row, "duty_s", limited ? json_seconds(d->heartbeat.duty_ms) : json_null());
	json_put(row, "duty_max_s", limited ? json_seconds(d->heartbeat.duty_max_ms) : json_null());
}

json_t *device_row(const struct store_device *device, const struct device_health *health)
{
	json_t *row = json_object();

	put_identity(&row, device);
	put_state(&row, device, health);
	put_numbers(&row, device, health);
	put_duty(&row, device, health);
	return row;
}

static json_t *sensors(const struct store_device *d)
{
	json_t *object = json_object();

	for (int s = GF_SENSOR_UNSPECIFIED + 1; s < GF_SENSOR_COUNT && d->has_heartbeat; s++) {
		const struct gf_stat *stat = &d->heartbeat.sensors[s];
		if (!stat->present)
			continue;
		json_t *entry = json_object();
		json_put(&entry, "min", json_measure((double)stat->min));
		json_put(&entry, "mean", json_measure((double)stat->mean));
		json_put(&entry, "max", json_measure((double)stat->max));
		json_put(&entry, "last", json_measure((double)stat->last));
		json_put(&object, gf_sensor_name((enum gf_sensor)s), entry);
	}
	return object;
}

static json_t *odometer(const struct gf_odometer *o)
{
	json_t *object = json_object();

	json_put(&object, "motor_ms", json_count(o->motor_ms));
	json_put(&object, "sessions", json_count(o->sessions));
	json_put(&object, "cycles", json_count(o->cycles));
	return object;
}

static json_t *closed_areas(const struct store_device *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->closed_count; i++) {
		const struct store_closed *c = &d->closed[i];
		json_t *entry = json_object();
		json_put(&entry, "area", json_string(gf_area_name(c->area)));
		json_put(&entry, "side", json_string(gf_side_name(c->side)));
		json_put(&entry, "since", json_time(c->since_ms));
		json_put(&entry, "until", json_time(c->until_ms));
		json_put(&entry, "for_one_person", json_boolean(c->personal));
		json_push(&list, entry);
	}
	return list;
}

/* The machine's computer, and its wire to the hardware: nobody filters by them. */
static void put_insides(json_t **row, const struct store_device *d)
{
	const struct gf_heartbeat *h = &d->heartbeat;
	json_t *tick = d->has_heartbeat ? json_object() : json_null(),
	       *bus = d->has_heartbeat ? json_object() : json_null();

	if (d->has_heartbeat) {
		json_put(&tick, "p99_us", json_count(h->tick_p99_us));
		json_put(&tick, "worst_us", json_count(h->tick_worst_us));
		json_put(&tick, "overruns", json_count(h->tick_overruns));
		json_put(&bus, "timeouts", json_count(h->bus_timeouts));
		json_put(&bus, "crc_errors", json_count(h->bus_crc_errors));
		json_put(&bus, "exceptions", json_count(h->bus_exceptions));
		json_put(&bus, "reconnects", json_count(h->bus_reconnects));
	}
	json_put(row, "tick", tick);
	json_put(row, "bus", bus);
}

/* Which of the machine's own words the operator has overruled. */
static json_t *labels(const struct store_device *d)
{
	json_t *object = json_object();

	json_put(&object, "name", d->name_set ? json_text(d->name) : json_null());
	json_put(&object, "site", d->site_set ? json_text(d->location.site) : json_null());
	json_put(&object, "zone", d->zone_set ? json_text(d->location.zone) : json_null());
	json_put(&object, "bay", d->bay_set ? json_text(d->location.bay) : json_null());
	return object;
}

json_t *device_detail(const struct store_device *device, const struct device_health *health)
{
	json_t *row = device_row(device, health);
	char stream[2 * GF_STREAM_ID_LEN + 1] = "";

	if (device->has_stream)
		gf_hex(device->stream.bytes, GF_STREAM_ID_LEN, stream);
	json_put(&row, "reasons_list", device_reasons(health));
	json_put(&row, "odometer", odometer(&device->odometer));
	json_put(&row, "sensors", sensors(device));
	json_put(&row, "heartbeat", json_time(device->has_heartbeat ? device->heartbeat_ms : 0));
	json_put(&row, "labels", labels(device));
	json_put(&row, "closed_areas", closed_areas(device));
	put_insides(&row, device);
	json_put(&row, "stream", json_text(stream));
	json_put(&row, "acked_seq", json_count(device->acked_seq));
	json_put(&row, "boot", json_count(device->boot));
	json_put(&row, "connection", json_count(device->connection));
	return row;
}

json_t *device_reasons(const struct device_health *health)
{
	json_t *list = json_array();

	for (size_t i = 0; i < health->count; i++) {
		const struct health_reason *reason = &health->reasons[i];
		json_t *entry = json_object();
		json_put(&entry, "code", json_string(health_code_name(reason->code)));
		json_put(&entry, "severity", json_string(health_severity_name(reason->severity)));
		json_put(&entry, "text", json_string(reason->text));
		json_put(&entry, "action", json_text(reason->action));
		json_put(&entry, "since", json_time(reason->since_ms));
		json_push(&list, entry);
	}
	return list;
}

json_t *device_health_row(const struct store_device *device, const struct device_health *health)
{
	json_t *row = json_object();

	json_put(&row, "id", json_string(device->id));
	json_put(&row, "health", json_string(health_severity_name(health->severity)));
	json_put(&row, "reasons", device_reasons(health));
	return row;
}
