/*
 * Sections of agent.yaml: how each stands in the file, its schema, and what takes it over. One file a section (config_subjects.c,
 * config_sim.c, ...); config.c chooses the driver's by the key `driver` and is the only one to call them.
 */
#ifndef AGENT_CONFIG_SECTION_H
#define AGENT_CONFIG_SECTION_H

#include "agent/config.h"
#include "agent/sim/sim_yaml.h"

/* What a check needs: the document for positions, and where to say what is wrong. */
struct config_check {
	const struct gf_yaml *doc;
	const char *path;
	struct gf_diag *diag;
};

/* 0, or -EINVAL with file, line and column. */
GF_MUST_CHECK int config_in_range(const struct config_check *c, const char *at, double value, double low, double high);

struct config_subjects_yaml {
	char *key_file;
};
extern const cyaml_schema_field_t config_subjects_fields[];
/* `from` NULL: there is no key. 0, a negative errno with file, line and column, or -ENOMEM. */
GF_MUST_CHECK int config_subjects_take(const struct config_check *c, const struct config_subjects_yaml *from,
                                       struct agent_config *config);

/* The sections as written; 0 or NULL where a key was left out. */
struct config_sim_yaml {
	uint64_t seed;
	float ambient_c, wear_h, busy, tokens, staffed;
	uint64_t people;
	char *opens, *closes;
	int utc_offset_min;
	struct sim_fault_yaml *faults;
	unsigned faults_count;
};
extern const cyaml_schema_field_t config_sim_fields[];

struct config_carriage_yaml {
	unsigned mm[GF_AREA_COUNT];
};

struct config_modbus_yaml {
	char host[MB_HOST_MAX], device[MB_DEVICE_MAX], serial[MB_SERIAL_LEN + 1];
	unsigned port, unit;
	int baud, parity;
	bool occupancy;
	struct config_carriage_yaml *carriage_mm;
};
extern const cyaml_schema_field_t config_modbus_fields[];

/* A GPIO line. `contact` and `pull` are 0 where left out. */
struct config_line_yaml {
	char file[GPIO_PATH_MAX], chip[GPIO_PATH_MAX];
	unsigned line;
	bool active_low;
	int contact, pull;
};

struct config_button_yaml {
	int does;
	unsigned routine;
	struct config_line_yaml line;
};

struct config_pwm_yaml {
	unsigned chip, channel, period_ns;
	float duty_min_pct, duty_max_pct, hz_at_full;
};

struct config_sysfs_yaml {
	char *root, *watcher;
	struct config_pwm_yaml pwm, *frequency;
	struct sensors_config *sensors;
	struct config_line_yaml estop, *cover, *occupied;
	struct config_button_yaml *buttons;
	unsigned buttons_count;
};
extern const cyaml_schema_field_t config_sysfs_fields[];

/*
 * Fill config->sim and so on; class and state_dir are known by then. `from` is NULL when the section is missing. What they allocate is
 * freed by agent_config_free, after a failure too. 0, -EINVAL with file, line and column, or -ENOMEM.
 */
GF_MUST_CHECK int config_sim_take(const struct config_check *c, const struct config_sim_yaml *from,
                                  struct agent_config *config);
GF_MUST_CHECK int config_modbus_take(const struct config_check *c, const struct config_modbus_yaml *from,
                                     struct agent_config *config);
GF_MUST_CHECK int config_sysfs_take(const struct config_check *c, const struct config_sysfs_yaml *from,
                                    struct agent_config *config);

#endif
