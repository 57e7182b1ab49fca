/*
 * agent.yaml: what this machine is, where its broker is, and the envelope that nothing from the network can widen.
 */
#ifndef AGENT_CONFIG_H
#define AGENT_CONFIG_H

#include "agent/control/control.h"
#include "agent/driver/modbus.h"
#include "agent/driver/sysfs.h"
#include "agent/sim/sim_driver.h"
#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "proto/catalog.h"
#include "proto/link.h"
#include "proto/subject.h"

enum agent_driver { AGENT_DRIVER_SIM = 1, AGENT_DRIVER_MODBUS, AGENT_DRIVER_SYSFS };

struct agent_config {
	char id[GF_ID_MAX]; /* the certificate's common name */
	enum gf_class class;
	char model[GF_NAME_MAX], serial[GF_NAME_MAX];
	struct gf_location location;
	char *state_dir, *catalog_file;
	struct gf_keyset catalog_keys; /* whose signatures count; threshold 0 = none: nothing over the air is taken */
	uint32_t catalog_trial_ms;     /* how long a new catalog is on trial */
	enum gf_clock_trust clock;
	enum gf_log_level log_level;
	struct gf_link_config link;
	uint64_t spool_bytes_max;
	float rated_motor_h;
	float motor_hours_before; /* that nothing counted; 0 = nobody says */
	float vibration_ms2;      /* in the hand that holds it; 0 = unknown */
	uint32_t heartbeat_ms;
	struct control_envelope envelope;
	bool has_subjects; /* badges become tokens with this key; without one tokens pass as they are */
	struct gf_subject_key subjects;
	float heat_c; /* what the heater warms to while a session runs; 0 = no heat */
	enum agent_driver driver;
	struct sim_config sim;       /* with AGENT_DRIVER_SIM; routines and mono_to_wall_ms are left to driver_open */
	struct modbus_config modbus; /* with AGENT_DRIVER_MODBUS */
	struct sysfs_config sysfs;   /* with AGENT_DRIVER_SYSFS */
};

/*
 * Reads and checks the file and what it names (certificate, key). Relative paths in it are relative to its folder.
 * 0, -EINVAL or another negative errno, with `diag` naming file, line, column and remedy. *ret_config is freed by agent_config_free.
 */
GF_MUST_CHECK int agent_config_load(const char *path, struct agent_config **ret_config, struct gf_diag *diag);
void agent_config_free(struct agent_config *config);

#endif
