/*
 * What the control thread needs of the hardware. One implementation a kind of hardware (sim, modbus, sysfs; each includes its own
 * library and nobody else does). agent/driver/README.md tells how to write one; tests/unit/agent/driver/contract.h is the suite that
 * every driver passes.
 *
 * `read`, `write` and `safe` are called by the control thread, once a tick, and return within a millisecond: a driver whose bus is
 * slower than that talks to it on a thread of its own and hands over the newest reading. `read` gives sensors and panel to the
 * control core, `write` takes its output. The control thread owns the driver, the driver owns the hardware and whatever
 * connection it needs; nothing is kept of what is passed in or out.
 *
 * Contract:
 *   - after the driver is made, after `safe` and after `free` every output is off, also after a failed read or write;
 *   - a driver never starts a motor by itself;
 *   - a reading is at most DRIVER_STALE_MS old, else `read` fails;
 *   - dead man: when nobody has called `write` for DRIVER_DEAD_MAN_MS (the thread hangs, the process is stopped or killed) the outputs
 *     are off, by something that doesn't depend on this process, and they stay off until the control core has seen a failed read.
 */
#ifndef AGENT_DRIVER_H
#define AGENT_DRIVER_H

#include "proto/model.h"

enum {
	DRIVER_STALE_MS = 150,
	DRIVER_DEAD_MAN_MS = 1000,
};

struct driver_panel {
	uint16_t routine;       /* requested routine's index in the catalog + 1; 0 = none. Held until the session starts */
	bool stop, pause, pain; /* pressed now (level; the control core looks for edges) */
	bool intensity_up, intensity_down, staff_key;
	uint64_t subject_token; /* 0 = none */
};

/* What travels between end-stops. */
enum driver_axis_name { DRIVER_AXIS_CARRIAGE, DRIVER_AXIS_RECLINE, DRIVER_AXIS_COUNT };

struct driver_axis {
	bool present; /* this machine has one */
	bool there;   /* its end-stop or its target has been seen; false: on its way */
};

struct driver_input {
	bool estop, cover_open;
	bool has_occupied, occupied;    /* has_occupied: this machine can tell whether somebody is on it */
	float sensors[GF_SENSOR_COUNT]; /* NaN = this machine has none; [0] unused */
	struct driver_axis axes[DRIVER_AXIS_COUNT];
	struct driver_panel panel;
	enum gf_fault fault;     /* what the hardware's own controller says is wrong; UNSPECIFIED: nothing */
	bool derated;            /* the hardware's own controller gives less than it was told to */
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
	float heat_c;          /* what the heater may warm to; 0 = heater off */
	float ramp_pct_s;      /* the steepest rise the hardware may make by itself */
	uint32_t step_left_ms; /* of the routine's step; 0 = stop */
	bool clear_fault;      /* staff clears what the hardware's own controller has latched; true for one tick */
};

/* Counted since the driver was made. */
struct driver_bus {
	uint32_t timeouts, crc_errors, exceptions, reconnects;
};

/* A line of what `gymfleet-agent --check` prints. */
enum driver_verdict { DRIVER_FINE, DRIVER_DOUBTFUL, DRIVER_BROKEN };
struct driver_finding {
	enum driver_verdict verdict;
	char what[GF_NAME_MAX]; /* "map version", "pwm 0" */
	char text[GF_TEXT_MAX]; /* what was found, or what is wrong and what to do */
};
enum { DRIVER_FINDINGS_MAX = 32 };
struct driver_findings {
	size_t count;
	struct driver_finding items[DRIVER_FINDINGS_MAX];
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
	/* Any thread; NULL: there is no bus. */
	void (*bus)(const struct driver *driver, struct driver_bus *ret_bus);
	/* Instead of ticks: what is there and what is wrong with it, without moving anything. May take seconds. */
	void (*check)(struct driver *driver, struct driver_findings *findings);
	void (*free)(struct driver *driver); /* makes safe first; NULL is fine */
};

/* Adds a finding; one too many is left out. */
void driver_found(struct driver_findings *findings, enum driver_verdict verdict, const char *what, const char *format,
                  ...) __attribute__((format(printf, 4, 5)));

#endif
