/*
 * What the control thread needs of the hardware. One implementation a kind of hardware (sim here; each includes its own
 * library and nobody else does). All calls come from the control thread, once a tick, and must return well within it:
 * `read` gives sensors and panel to the control core, `write` takes its output. The control thread owns the driver, the driver
 * owns the hardware and whatever connection it needs; nothing is kept of what is passed in or out.
 *
 * Contract: after `open` and after `safe` every output is off. `safe` works at any time, also after a failed read or
 * write, and is called when in doubt. A driver never starts a motor by itself.
 */
#ifndef AGENT_DRIVER_H
#define AGENT_DRIVER_H

#include "proto/model.h"

struct driver_panel {
	uint16_t routine;       /* requested routine's index in the catalog + 1; 0 = none. Held until the session starts */
	bool stop, pause, pain; /* pressed now (level; the control core looks for edges) */
	bool intensity_up, intensity_down, staff_key;
	uint64_t subject_token; /* 0 = none */
};

struct driver_input {
	bool estop, cover_open, occupied;
	float sensors[GF_SENSOR_COUNT]; /* NaN = this machine has none; [0] unused */
	struct driver_panel panel;
	bool has_meter;          /* the hardware counts by itself, over power cuts too: */
	uint64_t meter_motor_ms; /* motor running, ms */
	uint64_t meter_cycles;
};

/* The numbers are the controller map's command values. */
enum driver_command { DRIVER_IDLE = 0, DRIVER_START = 1, DRIVER_PAUSE = 2, DRIVER_STOP = 3 };

struct driver_output {
	enum driver_command command; /* outputs are on only with DRIVER_START */
	enum gf_area area;
	enum gf_side side;
	enum gf_technique technique;
	float intensity_pct; /* 0 = motor off */
	float frequency_hz;
	float pressure_mmhg;
	float speed_mm_s;
};

struct driver {
	const struct driver_ops *ops;
};

struct driver_ops {
	const char *name; /* "sim", "modbus", "sysfs" */
	/* 0, or a negative errno: no trustworthy reading this tick; *ret_input is then untouched. */
	int (*read)(struct driver *driver, int64_t mono_ms, struct driver_input *ret_input);
	/* 0, or a negative errno: the output may not have reached the hardware; counts as a lost reading in the next tick. */
	int (*write)(struct driver *driver, int64_t mono_ms, const struct driver_output *output);
	void (*safe)(struct driver *driver);
	void (*free)(struct driver *driver); /* makes safe first; NULL is fine */
};

#endif
