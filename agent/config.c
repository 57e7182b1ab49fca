#include "agent/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config_section.h"
#include "proto/base/log_yaml.h"
#include "proto/keys_config.h"
#include "proto/link_config.h"

/* The file as written; 0 or NULL where a key was left out. */
struct location_yaml {
	char site[GF_NAME_MAX], zone[GF_NAME_MAX], bay[GF_NAME_MAX];
};

struct envelope_yaml {
	float intensity_max_pct, ramp_max_pct_s, start_max_pct, frequency_max_hz, pressure_max_mmhg;
	float motor_temp_derate_c, motor_temp_stop_c, motor_temp_rearm_c, surface_temp_derate_c, surface_temp_stop_c;
	float current_max_ma, supply_min_mv, heat_max_c;
	unsigned session_max_min, duty_warn_min, duty_max_min, rest_min;
	int *sensors;
	unsigned sensors_count;
};

struct agent_yaml {
	int class;
	char model[GF_NAME_MAX], serial[GF_NAME_MAX];
	struct location_yaml location;
	char *state_dir, *catalog;
	struct gf_keys_yaml *catalog_keys;
	struct config_subjects_yaml *subject_tokens;
	unsigned catalog_trial_s;
	int clock, log_level, driver;
	struct gf_link_yaml broker;
	unsigned spool_mib, heartbeat_s;
	float rated_motor_h, motor_hours_before, vibration_ms2, heat_c;
	struct envelope_yaml *envelope;
	struct config_sim_yaml *sim;
	struct config_modbus_yaml *modbus;
	struct config_sysfs_yaml *sysfs;
};

static const cyaml_strval_t clock_names[] = {{"ntp", GF_CLOCK_TRUST_NTP}, {"system", GF_CLOCK_TRUST_SYSTEM}};
static const cyaml_strval_t driver_names[] = {
    {"sim", AGENT_DRIVER_SIM},
    {"modbus", AGENT_DRIVER_MODBUS},
    {"sysfs", AGENT_DRIVER_SYSFS},
};
#define STRVAL_SENSOR(s, n) {n, GF_SENSOR_##s},
static const cyaml_strval_t sensor_names[] = {GF_SENSORS(STRVAL_SENSOR)};

#define OPTIONAL CYAML_FLAG_OPTIONAL
#define STRICT_ENUM CYAML_FLAG_STRICT

static const cyaml_schema_field_t location_fields[] = {
    CYAML_FIELD_STRING("site", CYAML_FLAG_DEFAULT, struct location_yaml, site, 1),
    CYAML_FIELD_STRING("zone", OPTIONAL, struct location_yaml, zone, 0),
    CYAML_FIELD_STRING("bay", OPTIONAL, struct location_yaml, bay, 0),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t sensor_schema = {
    CYAML_VALUE_ENUM(STRICT_ENUM, int, sensor_names, CYAML_ARRAY_LEN(sensor_names)),
};

#define ENVELOPE_FLOAT(key) CYAML_FIELD_FLOAT(#key, OPTIONAL, struct envelope_yaml, key)
#define ENVELOPE_UINT(key) CYAML_FIELD_UINT(#key, OPTIONAL, struct envelope_yaml, key)
static const cyaml_schema_field_t envelope_fields[] = {
    ENVELOPE_FLOAT(intensity_max_pct),
    ENVELOPE_FLOAT(start_max_pct),
    ENVELOPE_FLOAT(ramp_max_pct_s),
    ENVELOPE_FLOAT(frequency_max_hz),
    ENVELOPE_FLOAT(pressure_max_mmhg),
    ENVELOPE_FLOAT(motor_temp_derate_c),
    ENVELOPE_FLOAT(motor_temp_stop_c),
    ENVELOPE_FLOAT(motor_temp_rearm_c),
    ENVELOPE_FLOAT(surface_temp_derate_c),
    ENVELOPE_FLOAT(surface_temp_stop_c),
    ENVELOPE_FLOAT(current_max_ma),
    ENVELOPE_FLOAT(supply_min_mv),
    ENVELOPE_FLOAT(heat_max_c),
    ENVELOPE_UINT(session_max_min),
    ENVELOPE_UINT(duty_warn_min),
    ENVELOPE_UINT(duty_max_min),
    ENVELOPE_UINT(rest_min),
    CYAML_FIELD_SEQUENCE("sensors", OPTIONAL | CYAML_FLAG_POINTER, struct envelope_yaml, sensors, &sensor_schema, 0,
                         GF_SENSOR_COUNT - 1),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t agent_fields[] = {
    CYAML_FIELD_ENUM("class", STRICT_ENUM, struct agent_yaml, class, sim_class_names, GF_CLASS_COUNT - 1),
    CYAML_FIELD_STRING("model", CYAML_FLAG_DEFAULT, struct agent_yaml, model, 1),
    CYAML_FIELD_STRING("serial", OPTIONAL, struct agent_yaml, serial, 0),
    CYAML_FIELD_MAPPING("location", CYAML_FLAG_DEFAULT, struct agent_yaml, location, location_fields),
    CYAML_FIELD_STRING_PTR("state_dir", CYAML_FLAG_POINTER, struct agent_yaml, state_dir, 1, 4096),
    CYAML_FIELD_STRING_PTR("catalog", CYAML_FLAG_POINTER, struct agent_yaml, catalog, 1, 4096),
    CYAML_FIELD_MAPPING_PTR("catalog_keys", OPTIONAL | CYAML_FLAG_POINTER, struct agent_yaml, catalog_keys,
                            gf_keys_yaml_fields),
    CYAML_FIELD_MAPPING_PTR("subject_tokens", OPTIONAL | CYAML_FLAG_POINTER, struct agent_yaml, subject_tokens,
                            config_subjects_fields),
    CYAML_FIELD_UINT("catalog_trial_s", OPTIONAL, struct agent_yaml, catalog_trial_s),
    CYAML_FIELD_ENUM("clock", STRICT_ENUM | OPTIONAL, struct agent_yaml, clock, clock_names,
                     CYAML_ARRAY_LEN(clock_names)),
    CYAML_FIELD_ENUM("log_level", STRICT_ENUM | OPTIONAL, struct agent_yaml, log_level, gf_log_yaml_levels,
                     CYAML_ARRAY_LEN(gf_log_yaml_levels)),
    CYAML_FIELD_MAPPING("broker", CYAML_FLAG_DEFAULT, struct agent_yaml, broker, gf_link_yaml_fields),
    CYAML_FIELD_UINT("spool_mib", OPTIONAL, struct agent_yaml, spool_mib),
    CYAML_FIELD_UINT("heartbeat_s", OPTIONAL, struct agent_yaml, heartbeat_s),
    CYAML_FIELD_FLOAT("rated_motor_h", OPTIONAL, struct agent_yaml, rated_motor_h),
    CYAML_FIELD_FLOAT("motor_hours_before", OPTIONAL, struct agent_yaml, motor_hours_before),
    CYAML_FIELD_FLOAT("vibration_ms2", OPTIONAL, struct agent_yaml, vibration_ms2),
    CYAML_FIELD_FLOAT("heat_c", OPTIONAL, struct agent_yaml, heat_c),
    CYAML_FIELD_MAPPING_PTR("envelope", OPTIONAL | CYAML_FLAG_POINTER, struct agent_yaml, envelope, envelope_fields),
    CYAML_FIELD_ENUM("driver", STRICT_ENUM, struct agent_yaml, driver, driver_names, CYAML_ARRAY_LEN(driver_names)),
    CYAML_FIELD_MAPPING_PTR("sim", OPTIONAL | CYAML_FLAG_POINTER, struct agent_yaml, sim, config_sim_fields),
    CYAML_FIELD_MAPPING_PTR("modbus", OPTIONAL | CYAML_FLAG_POINTER, struct agent_yaml, modbus, config_modbus_fields),
    CYAML_FIELD_MAPPING_PTR("sysfs", OPTIONAL | CYAML_FLAG_POINTER, struct agent_yaml, sysfs, config_sysfs_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t agent_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct agent_yaml, agent_fields),
};

int config_in_range(const struct config_check *c, const char *at, double value, double low, double high)
{
	return gf_yaml_range(c->doc, at, value, low, high, c->diag);
}

/* Each key of `envelope:`, where its value lands and what it may be at most. */
struct envelope_key {
	const char *at;
	size_t from, to;
	float low, high;
};
#define ENVELOPE_KEY(key, low, high)                                                                             \
	{                                                                                                            \
		"envelope." #key, offsetof(struct envelope_yaml, key), offsetof(struct control_envelope, key), low, high \
	}
static const struct envelope_key envelope_keys[] = {
    ENVELOPE_KEY(intensity_max_pct, 1, 80),
    ENVELOPE_KEY(start_max_pct, 1, 30),
    ENVELOPE_KEY(ramp_max_pct_s, 0.1F, 10),
    ENVELOPE_KEY(frequency_max_hz, 0.5F, 53),
    ENVELOPE_KEY(pressure_max_mmhg, 10, 100),
    ENVELOPE_KEY(motor_temp_derate_c, 30, 120),
    ENVELOPE_KEY(motor_temp_stop_c, 35, 130),
    ENVELOPE_KEY(motor_temp_rearm_c, 25, 120),
    ENVELOPE_KEY(surface_temp_derate_c, 30, 43),
    ENVELOPE_KEY(surface_temp_stop_c, 32, 45),
    ENVELOPE_KEY(current_max_ma, 100, 50000),
    ENVELOPE_KEY(supply_min_mv, 1000, 60000),
    ENVELOPE_KEY(heat_max_c, 20, 44),
};

/* Heated water may be at most so warm; a body lies in contact with it all the time. */
#define WATER_STOP_MAX_C 40

enum { DUTY_MAX_MIN = 240 };

static int check_temperatures(const struct config_check *c, enum gf_class class,
                              const struct control_envelope *envelope)
{
	if (envelope->motor_temp_rearm_c >= envelope->motor_temp_stop_c ||
	    envelope->motor_temp_derate_c >= envelope->motor_temp_stop_c)
		return gf_yaml_fail(c->doc, "envelope.motor_temp_stop_c", c->diag,
		                    "motor_temp_stop_c (%g) must be above motor_temp_derate_c (%g) and motor_temp_rearm_c (%g)",
		                    (double)envelope->motor_temp_stop_c, (double)envelope->motor_temp_derate_c,
		                    (double)envelope->motor_temp_rearm_c);
	if (envelope->surface_temp_derate_c >= envelope->surface_temp_stop_c)
		return gf_yaml_fail(c->doc, "envelope.surface_temp_stop_c", c->diag,
		                    "surface_temp_stop_c (%g) must be above surface_temp_derate_c (%g)",
		                    (double)envelope->surface_temp_stop_c, (double)envelope->surface_temp_derate_c);
	if (class == GF_CLASS_WATER_BED && envelope->surface_temp_stop_c > WATER_STOP_MAX_C)
		return gf_yaml_fail(c->doc, "envelope.surface_temp_stop_c", c->diag,
		                    "surface_temp_stop_c is %g; expected at most %d for a water_bed",
		                    (double)envelope->surface_temp_stop_c, WATER_STOP_MAX_C);
	if (envelope->heat_max_c >= envelope->surface_temp_stop_c)
		return gf_yaml_fail(c->doc, "envelope.heat_max_c", c->diag,
		                    "heat_max_c (%g) must be below surface_temp_stop_c (%g)", (double)envelope->heat_max_c,
		                    (double)envelope->surface_temp_stop_c);
	return 0;
}

static int take_minutes(const struct config_check *c, const char *at, unsigned minutes, unsigned most, uint32_t *ms)
{
	if (!gf_yaml_has(c->doc, at))
		return 0;
	int r = config_in_range(c, at, minutes, 1, most);
	if (r == 0)
		*ms = minutes * 60000U;
	return r;
}

/* D1. A limit below the class's default warning is warned of at two thirds. */
static int take_duty(const struct config_check *c, const struct envelope_yaml *yaml, struct control_envelope *envelope)
{
	int r;
	if ((r = take_minutes(c, "envelope.duty_warn_min", yaml->duty_warn_min, DUTY_MAX_MIN, &envelope->duty_warn_ms)) !=
	        0 ||
	    (r = take_minutes(c, "envelope.duty_max_min", yaml->duty_max_min, DUTY_MAX_MIN, &envelope->duty_max_ms)) != 0 ||
	    (r = take_minutes(c, "envelope.rest_min", yaml->rest_min, DUTY_MAX_MIN, &envelope->rest_ms)) != 0)
		return r;
	if (!gf_yaml_has(c->doc, "envelope.duty_warn_min") && envelope->duty_warn_ms >= envelope->duty_max_ms)
		envelope->duty_warn_ms = envelope->duty_max_ms / 3 * 2;
	if (envelope->duty_warn_ms > 0 && envelope->duty_warn_ms >= envelope->duty_max_ms)
		return gf_yaml_fail(c->doc, "envelope.duty_warn_min", c->diag,
		                    "duty_warn_min (%u) must be below duty_max_min (%u)", envelope->duty_warn_ms / 60000U,
		                    envelope->duty_max_ms / 60000U);
	if ((envelope->duty_max_ms > 0) != (envelope->rest_ms > 0))
		return gf_yaml_fail(c->doc, envelope->rest_ms > 0 ? "envelope.rest_min" : "envelope.duty_max_min", c->diag,
		                    "duty_max_min and rest_min only work together; write both");
	return 0;
}

static void take_sensors(const struct config_check *c, const struct envelope_yaml *yaml,
                         struct control_envelope *envelope)
{
	if (!gf_yaml_has(c->doc, "envelope.sensors"))
		return;
	envelope->sensors = 0;
	for (unsigned i = 0; i < yaml->sensors_count; i++)
		envelope->sensors |= 1U << yaml->sensors[i];
}

static int take_envelope(const struct config_check *c, const struct envelope_yaml *yaml, enum gf_class class,
                         struct control_envelope *envelope)
{
	int r;
	if (yaml == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(envelope_keys) / sizeof(envelope_keys[0]); i++) {
		const struct envelope_key *key = &envelope_keys[i];
		float value;
		if (!gf_yaml_has(c->doc, key->at))
			continue;
		memcpy(&value, (const char *)yaml + key->from, sizeof(value));
		r = config_in_range(c, key->at, value, key->low, key->high);
		if (r != 0)
			return r;
		memcpy((char *)envelope + key->to, &value, sizeof(value));
	}
	if ((r = take_minutes(c, "envelope.session_max_min", yaml->session_max_min, 60, &envelope->session_max_ms)) != 0 ||
	    (r = take_duty(c, yaml, envelope)) != 0)
		return r;
	take_sensors(c, yaml, envelope);
	return check_temperatures(c, class, envelope);
}

static int take_heat(const struct config_check *c, float heat_c, struct agent_config *config)
{
	const float max_c = config->envelope.heat_max_c;
	if (heat_c > 0 && !(max_c > 0))
		return gf_yaml_fail(c->doc, "heat_c", c->diag,
		                    "heat_c needs envelope.heat_max_c, what the heater of this machine may warm to");
	int r = config_in_range(c, "heat_c", heat_c, 0, max_c);
	if (r == 0)
		config->heat_c = heat_c;
	return r;
}

static int take_broker(const struct config_check *c, const struct gf_link_yaml *from, struct agent_config *config)
{
	int r = gf_link_config_take(c->doc, c->path, from, &config->link, c->diag);
	if (r != 0)
		return r;
	config->link.mailbox_max = 64;
	config->link.window_max = GF_LINK_WINDOW_MAX;
	config->link.packet_max = GF_REPORT_MAX;
	gf_strcpy(config->id, sizeof(config->id), config->link.client_id);
	return 0;
}

static int take_driver(const struct config_check *c, const struct agent_yaml *yaml, struct agent_config *config)
{
	switch (config->driver) {
	case AGENT_DRIVER_SIM:
		return config_sim_take(c, yaml->sim, config);
	case AGENT_DRIVER_MODBUS:
		return config_modbus_take(c, yaml->modbus, config);
	case AGENT_DRIVER_SYSFS:
		return config_sysfs_take(c, yaml->sysfs, config);
	}
	return -EINVAL;
}

static int take(const struct config_check *c, const struct agent_yaml *yaml, struct agent_config *config)
{
	int r;

	config->class = (enum gf_class)yaml->class;
	gf_strcpy(config->model, sizeof(config->model), yaml->model);
	gf_strcpy(config->serial, sizeof(config->serial), yaml->serial);
	gf_strcpy(config->location.site, sizeof(config->location.site), yaml->location.site);
	gf_strcpy(config->location.zone, sizeof(config->location.zone), yaml->location.zone);
	gf_strcpy(config->location.bay, sizeof(config->location.bay), yaml->location.bay);
	config->clock = (enum gf_clock_trust)yaml->clock;
	config->log_level = gf_log_yaml_level(yaml->log_level);
	config->driver = (enum agent_driver)yaml->driver;
	config->rated_motor_h = yaml->rated_motor_h;
	config->motor_hours_before = yaml->motor_hours_before;
	config->vibration_ms2 = yaml->vibration_ms2;
	const unsigned heartbeat_s = gf_yaml_has(c->doc, "heartbeat_s") ? yaml->heartbeat_s : 60;
	const unsigned spool_mib = gf_yaml_has(c->doc, "spool_mib") ? yaml->spool_mib : 16;
	const unsigned trial_s = gf_yaml_has(c->doc, "catalog_trial_s") ? yaml->catalog_trial_s : 600;
	config->heartbeat_ms = heartbeat_s * 1000U;
	config->catalog_trial_ms = trial_s * 1000U;
	config->spool_bytes_max = (uint64_t)spool_mib << 20;
	config->state_dir = gf_path_beside(c->path, yaml->state_dir);
	config->catalog_file = gf_path_beside(c->path, yaml->catalog);
	if (config->state_dir == NULL || config->catalog_file == NULL)
		return -ENOMEM;
	control_envelope_defaults(config->class, &config->envelope);

	if ((r = config_in_range(c, "heartbeat_s", heartbeat_s, 1, 3600)) != 0 ||
	    (r = config_in_range(c, "spool_mib", spool_mib, 1, 4096)) != 0 ||
	    (r = config_in_range(c, "catalog_trial_s", trial_s, 1, 86400)) != 0 ||
	    (r = gf_keys_config_take(c->doc, c->path, yaml->catalog_keys, &config->catalog_keys, c->diag)) != 0 ||
	    (r = config_subjects_take(c, yaml->subject_tokens, config)) != 0 ||
	    (r = config_in_range(c, "rated_motor_h", yaml->rated_motor_h, 0, 1000000)) != 0 ||
	    (r = config_in_range(c, "motor_hours_before", yaml->motor_hours_before, 0, 800000)) != 0 ||
	    (r = config_in_range(c, "vibration_ms2", yaml->vibration_ms2, 0, 100)) != 0 ||
	    (r = take_envelope(c, yaml->envelope, config->class, &config->envelope)) != 0 ||
	    (r = take_heat(c, yaml->heat_c, config)) != 0 || (r = take_broker(c, &yaml->broker, config)) != 0)
		return r;
	return take_driver(c, yaml, config);
}

int agent_config_load(const char *path, struct agent_config **ret_config, struct gf_diag *diag)
{
	struct gf_yaml *doc = NULL;
	void *yaml = NULL;
	int r = gf_yaml_load(path, &agent_schema, &doc, &yaml, diag);
	if (r != 0)
		return r;
	struct agent_config *config = calloc(1, sizeof(*config));
	struct config_check c = {.doc = doc, .path = path, .diag = diag};
	r = config != NULL ? take(&c, yaml, config) : -ENOMEM;
	if (r == -ENOMEM)
		gf_diag_set(diag, "%s: out of memory", path);
	gf_yaml_free(doc);
	if (r != 0) {
		agent_config_free(config);
		return r;
	}
	*ret_config = config;
	return 0;
}

void agent_config_free(struct agent_config *config)
{
	if (config == NULL)
		return;
	free(config->state_dir);
	free(config->catalog_file);
	gf_link_config_deinit(&config->link);
	free((char *)(uintptr_t)config->sim.journal_path);
	gf_subject_key_wipe(&config->subjects);
	free(config);
}
