/*
 * A machine that isn't there: thermal, load and wear physics behind the driver interface, used by scripted people.
 *
 * First-order thermal model of motor and surface, current that follows load and intensity, wear that grows with motor
 * hours, a supply that sags under load. People are scripted by a seed: who comes when within the opening hours, which routine, who
 * pauses, stops early, presses pain. Faults are injected by rate or on demand. Time is an argument: the same seed and the same
 * times give the same machine, tick by tick.
 *
 * The journal is the hardware's own hour meter, a small mapped file that survives kill -9 of the process: what the fleet's
 * store must add up to.
 */
#ifndef AGENT_SIM_DRIVER_H
#define AGENT_SIM_DRIVER_H

#include "agent/driver/driver.h"
#include "proto/base/err.h"

enum { SIM_FAULTS_MAX = 8 };
#define SIM_TOKENS_DEFAULT 0.2F /* where YAML says nothing */

struct sim_fault {
	enum gf_fault code;
	float per_100_motor_h; /* mean rate, while in use */
};

struct sim_config {
	enum gf_class class;
	uint64_t seed;
	float ambient_c;
	float wear_h; /* motor hours on it, and on its hour meter, at the start */
	float
	    busy; /* 0..1: the share of opening time in which somebody is on the machine; 0: nobody ever comes; 1: a queue, day and night */
	float tokens;                   /* 0..1: the share of people who show a token */
	float staffed;                  /* 0..1: the share who are treated by staff with a token; percussion alone */
	uint64_t people;                /* the same number on several machines: the same regulars and staff; 0: its own */
	uint32_t opens_min, closes_min; /* minutes of the local day; equal: open around the clock */
	int32_t utc_offset_min;
	uint16_t routines; /* how many routines there are to choose from */
	size_t faults_count;
	struct sim_fault faults[SIM_FAULTS_MAX];
	const char *journal_path; /* made when missing */
	int64_t mono_to_wall_ms;  /* wall = mono + this: the scripted people know the hour */
};

/* 0, -EINVAL (config or a broken journal; diag), or another negative errno. */
GF_MUST_CHECK int sim_driver_new(const struct sim_config *config, struct driver **ret_driver, struct gf_diag *diag);

/* When the next person comes, mono ms, as far as known, so that virtual time may skip ahead; INT64_MAX: nobody. Valid when idle. */
int64_t sim_driver_next_use_ms(const struct driver *driver, int64_t mono_ms);

/* Is the motor turning at `mono_ms`, if nobody calls the driver up to then? */
bool sim_driver_motor_on(const struct driver *driver, int64_t mono_ms);

/* Makes a fault's condition true from now for `for_ms` (an e-stop pressed, the current too high ...). */
void sim_driver_inject(struct driver *driver, enum gf_fault code, int64_t for_ms);

struct sim_journal {
	uint64_t starts;   /* from idle or stopped to a motor that has run: counted with its first motor time */
	uint64_t motor_ms; /* running */
	uint64_t cycles;
};
/* Reads a journal file. 0, -ENOENT, -EINVAL. */
GF_MUST_CHECK int sim_journal_read(const char *path, struct sim_journal *ret_journal);

#endif
