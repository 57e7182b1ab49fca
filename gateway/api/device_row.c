#include "gateway/api/device_row.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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

/* What is desired of it and what it answered last; null where nothing ever was. */
static json_t *desired(const struct store_device *d)
{
	const struct gf_desired_limits *l = &d->desired.limits;
	json_t *object = json_object(), *limits = json_object();

	if (d->desired.revision == 0) {
		json_decref(object);
		json_decref(limits);
		return json_null();
	}
	json_put(&limits, "intensity_max_pct",
	         l->intensity_max_pct > 0 ? json_measure((double)l->intensity_max_pct) : json_null());
	json_put(&limits, "frequency_max_hz",
	         l->frequency_max_hz > 0 ? json_measure((double)l->frequency_max_hz) : json_null());
	json_put(&limits, "pressure_max_mmhg",
	         l->pressure_max_mmhg > 0 ? json_measure((double)l->pressure_max_mmhg) : json_null());
	json_put(&limits, "heat_max_c", l->heat_max_c > 0 ? json_measure((double)l->heat_max_c) : json_null());
	json_put(&limits, "session_max_s", l->session_max_ms > 0 ? json_seconds(l->session_max_ms) : json_null());
	json_put(&object, "revision", json_count(d->desired.revision));
	json_put(&object, "since", json_time((int64_t)d->desired.issued_ms));
	json_put(&object, "limits", limits);
	json_put(&object, "answered_revision", d->answer.revision > 0 ? json_count(d->answer.revision) : json_null());
	json_put(&object, "answered", json_time(d->answered_ms));
	json_put(&object, "answer", json_text(d->answer.detail));
	return object;
}

json_t *device_tag(const struct store_tag *t)
{
	json_t *object;

	if (t->since_ms == 0)
		return json_null();
	object = json_object();
	json_put(&object, "since", json_time(t->since_ms));
	json_put(&object, "reason", json_text(t->reason));
	json_put(&object, "owner", json_text(t->owner));
	json_put(&object, "by", json_text(t->by));
	json_put(&object, "back", json_time(t->back_ms));
	json_put(&object, "case", t->case_id > 0 ? json_count(t->case_id) : json_null());
	return object;
}

/* [{"code", "severity", "text", "action", "since"}] */
static json_t *reasons(const struct device_health *health)
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

json_t *device_detail(const struct store_device *device, const struct device_health *health)
{
	json_t *row = device_row(device, health);
	char stream[2 * GF_STREAM_ID_LEN + 1] = "";

	if (device->has_stream)
		gf_hex(device->stream.bytes, GF_STREAM_ID_LEN, stream);
	json_put(&row, "reasons_list", reasons(health));
	json_put(&row, "odometer", odometer(&device->odometer));
	json_put(&row, "sensors", sensors(device));
	json_put(&row, "heartbeat", json_time(device->has_heartbeat ? device->heartbeat_ms : 0));
	json_put(&row, "labels", labels(device));
	json_put(&row, "closed_areas", closed_areas(device));
	json_put(&row, "tag", device_tag(&device->care.tag));
	json_put(&row, "desired", desired(device));
	put_insides(&row, device);
	json_put(&row, "stream", json_text(stream));
	json_put(&row, "acked_seq", json_count(device->acked_seq));
	json_put(&row, "boot", json_count(device->boot));
	json_put(&row, "connection", json_count(device->connection));
	return row;
}

json_t *device_health_row(const struct store_device *device, const struct device_health *health)
{
	json_t *row = json_object();

	json_put(&row, "id", json_string(device->id));
	json_put(&row, "health", json_string(health_severity_name(health->severity)));
	json_put(&row, "reasons", reasons(health));
	return row;
}
