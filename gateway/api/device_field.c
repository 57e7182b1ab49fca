/*
 * A machine's row as a table: each key once, with its type and where its value comes from. A list builds all of them; --where of a rollout,
 * which looks at every machine again and again, builds only those that it names.
 */
#include <math.h>
#include <string.h>

#include "gateway/api/device_row.h"

#define MS_PER_HOUR 3600e3

#define NAME(symbol, name) name,
static const char *const class_words[] = {GF_CLASSES(NAME) NULL};
static const char *const health_words[] = {HEALTH_SEVERITIES(NAME) NULL};
static const char *const offline_words[] = {STORE_OFFLINES(NAME) NULL};
static const char *const update_words[] = {GF_DESIRED_STEPS(NAME) NULL};
static const char *const refusal_words[] = {GF_REFUSALS(NAME) NULL};
#undef NAME
static const char *const presence_words[] = {"online", "offline", NULL};

enum { DIGEST_SHOWN = 4 }; /* bytes */

static double motor_hours(const struct store_device *d)
{
	return (double)(d->motor_before_ms + d->odometer.motor_ms) / MS_PER_HOUR;
}

/* The newest reading; null when it is an old one, which says nothing of now. */
static json_t *reading(const struct store_device *d, const struct device_health *health, enum gf_sensor sensor)
{
	const struct gf_stat *stat = &d->heartbeat.sensors[sensor];
	return json_measure(health->reads_now && stat->present ? (double)stat->last : NAN);
}

/* By a person's tag, or latched: worst first, a latched one comes before all others. */
static bool out_of_service(const struct store_device *d)
{
	return d->care.tag.since_ms > 0 || (d->open_faults > 0 && d->open[0].severity == GF_SEVERITY_LATCH);
}

static bool limited(const struct store_device *d, const struct device_health *health)
{
	return health->reads_now && d->heartbeat.duty_max_ms > 0;
}

static json_t *digest(const struct gf_digest *d)
{
	static const struct gf_digest none;
	char text[2 * DIGEST_SHOWN + 1];

	if (memcmp(d, &none, sizeof(none)) == 0)
		return json_null();
	gf_hex(d->bytes, DIGEST_SHOWN, text);
	return json_string(text);
}

/* Its newest word on the catalog that is desired of it: an answer to an older wish says nothing of this one. */
static bool answered(const struct store_device *d)
{
	return d->desired.has_catalog && d->answer.step != GF_DESIRED_STEP_UNSPECIFIED &&
	       gf_digest_equal(&d->answer.digest, &d->desired.catalog.digest);
}

/* name, type, words, judged: its value needs the machine's health; value of the machine d and its health h. */
#define FIELDS(X)                                                                                                      \
	X(id, TEXT, NULL, false, json_string(d->id))                                                                       \
	X(class, TEXT, class_words, false, json_text(d->class != GF_CLASS_UNSPECIFIED ? gf_class_name(d->class) : ""))     \
	X(model, TEXT, NULL, false, json_text(d->model))                                                                   \
	X(serial, TEXT, NULL, false, json_text(d->serial))                                                                 \
	X(site, TEXT, NULL, false, json_text(d->location.site))                                                            \
	X(zone, TEXT, NULL, false, json_text(d->location.zone))                                                            \
	X(bay, TEXT, NULL, false, json_text(d->location.bay))                                                              \
	X(name, TEXT, NULL, false, json_text(d->name))                                                                     \
	X(presence, TEXT, presence_words, false, json_string(d->online ? "online" : "offline"))                            \
	X(offline_reason, TEXT, offline_words, false, json_text(d->online ? "" : store_offline_name(d->offline_reason)))   \
	X(last_seen, TIME, NULL, false, json_time(d->last_seen_ms))                                                        \
	X(online_since, TIME, NULL, false, json_time(d->online ? d->presence_since_ms : 0))                                \
	X(first_seen, TIME, NULL, false, json_time(d->first_seen_ms))                                                      \
	X(health, TEXT, health_words, true, json_string(health_severity_name(h->severity)))                                \
	X(reasons, NUMBER, NULL, true, json_count(h->count))                                                               \
	X(open_faults, NUMBER, NULL, false, json_count(d->open_faults))                                                    \
	X(in_session, BOOL, NULL, false, json_boolean(d->online && d->running_session != 0))                               \
	X(sessions, NUMBER, NULL, false, json_count(d->sessions))                                                          \
	X(sessions_today, NUMBER, NULL, false, json_count(d->sessions_today))                                              \
	X(motor_hours, NUMBER, NULL, false, json_measure(motor_hours(d)))                                                  \
	X(rated_motor_h, NUMBER, NULL, false, json_measure(d->rated_motor_h > 0 ? (double)d->rated_motor_h : NAN))         \
	X(wear_pct, NUMBER, NULL, true, json_measure(h->wear_pct))                                                         \
	X(open_flags, NUMBER, NULL, false, json_count(d->care.flags_open))                                                 \
	X(tagged, BOOL, NULL, false, json_boolean(d->care.tag.since_ms > 0))                                               \
	X(motor_temp_c, NUMBER, NULL, true, reading(d, h, GF_SENSOR_MOTOR_TEMP_C))                                         \
	X(surface_temp_c, NUMBER, NULL, true, reading(d, h, GF_SENSOR_SURFACE_TEMP_C))                                     \
	X(current_ma, NUMBER, NULL, true, reading(d, h, GF_SENSOR_CURRENT_MA))                                             \
	X(supply_mv, NUMBER, NULL, true, reading(d, h, GF_SENSOR_SUPPLY_MV))                                               \
	X(spool_records, NUMBER, NULL, false, d->has_heartbeat ? json_count(d->heartbeat.spool_records) : json_null())     \
	X(clock_synced, BOOL, NULL, false, d->clock_since_ms > 0 ? json_boolean(d->clock_synced) : json_null())            \
	X(cert_not_after, TIME, NULL, false, json_time(d->cert_not_after_ms))                                              \
	X(catalog, TEXT, NULL, false, json_text(d->catalog))                                                               \
	X(catalog_version, NUMBER, NULL, false, *d->catalog != '\0' ? json_count(d->catalog_version) : json_null())        \
	X(catalog_digest, TEXT, NULL, false, digest(&d->catalog_digest))                                                   \
	X(on_trial, BOOL, NULL, false, json_boolean(d->catalog_on_trial))                                                  \
	X(desired_catalog, TEXT, NULL, false, json_text(d->desired.has_catalog ? d->desired.catalog.name : ""))            \
	X(desired_version, NUMBER, NULL, false,                                                                            \
	  d->desired.has_catalog ? json_count(d->desired.catalog.version) : json_null())                                   \
	X(update, TEXT, update_words, false, json_text(answered(d) ? gf_desired_step_name(d->answer.step) : ""))           \
	X(update_code, TEXT, refusal_words, false,                                                                         \
	  json_text(answered(d) && d->answer.refusal != GF_REFUSAL_UNSPECIFIED ? gf_refusal_name(d->answer.refusal) : "")) \
	X(locked, BOOL, NULL, false, json_boolean(d->desired.locked))                                                      \
	X(lock_reason, TEXT, NULL, false, json_text(d->desired.locked ? d->desired.lock_reason : ""))                      \
	X(agent_version, TEXT, NULL, false, json_text(d->agent_version))                                                   \
	X(driver, TEXT, NULL, false, json_text(d->driver))                                                                 \
	X(resting, BOOL, NULL, true, json_boolean(h->resting))                                                             \
	X(rest_until, TIME, NULL, true, json_time(h->resting ? d->rest_until_ms : 0))                                      \
	X(out_of_service, BOOL, NULL, false, json_boolean(out_of_service(d)))                                              \
	X(duty_s, NUMBER, NULL, true, limited(d, h) ? json_seconds(d->heartbeat.duty_ms) : json_null())                    \
	X(duty_max_s, NUMBER, NULL, true, limited(d, h) ? json_seconds(d->heartbeat.duty_max_ms) : json_null())

#define FUNCTION(name, type, words, judged, value)                                         \
	static json_t *get_##name(const struct store_device *d, const struct device_health *h) \
	{                                                                                      \
		(void)d;                                                                           \
		(void)h;                                                                           \
		return value;                                                                      \
	}
FIELDS(FUNCTION)
#undef FUNCTION

#define FIELD(name, type, words, judged, value) {#name, WHERE_##type, words},
const struct where_field device_fields[] = {FIELDS(FIELD)};
#undef FIELD
const size_t device_fields_count = sizeof(device_fields) / sizeof(device_fields[0]);

#define SOURCE(name, type, words, judged, value) {get_##name, judged},
static const struct {
	json_t *(*get)(const struct store_device *d, const struct device_health *h);
	bool judged;
} sources[] = {FIELDS(SOURCE)};
#undef SOURCE

json_t *device_field_value(const struct where_field *field, const struct store_device *device,
                           const struct device_health *health)
{
	return sources[field - device_fields].get(device, health);
}

bool device_field_judged(const struct where_field *field)
{
	return sources[field - device_fields].judged;
}

json_t *device_row(const struct store_device *device, const struct device_health *health)
{
	json_t *row = json_object();

	for (size_t i = 0; i < device_fields_count; i++)
		json_put(&row, device_fields[i].name, sources[i].get(device, health));
	return row;
}
