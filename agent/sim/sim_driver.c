/*
 * Each call first lets the time since the last one pass: physics, hour meter, faults that come and go. Then `read` shows the
 * sensors and what the people press, `write` takes the new output. When nothing is written for a second the motor stops by itself, as
 * a real controller whose heartbeat register stands still, and turns no more until a reading has failed.
 */
#include "agent/sim/sim_driver.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "agent/sim/journal.h"
#include "agent/sim/physics.h"
#include "agent/sim/users.h"

enum {
	MS_PER_H = 3600 * 1000,
};

/* How long an injected fault stays, when it comes by rate: seconds, at least and at most. */
static const struct {
	uint16_t low_s, high_s;
} fault_lasts[GF_FAULT_COUNT] = {
    [GF_FAULT_OVERTEMP_MOTOR] = {40, 60}, [GF_FAULT_OVERTEMP_SURFACE] = {40, 60},
    [GF_FAULT_OVERCURRENT] = {5, 20},     [GF_FAULT_STALL] = {10, 30},
    [GF_FAULT_ESTOP] = {60, 180},         [GF_FAULT_COVER_OPEN] = {20, 90},
    [GF_FAULT_OVERPRESSURE] = {3, 10},    [GF_FAULT_LEAK] = {60, 180},
    [GF_FAULT_SENSOR_LOST] = {30, 300},   [GF_FAULT_COMMS_LOST] = {2, 30},
    [GF_FAULT_SUPPLY] = {10, 60},
};

struct sim {
	struct driver driver;
	struct journal *journal;
	struct physics physics;
	struct users users;
	struct gf_prng luck; /* when faults come */
	size_t faults_count;
	struct sim_fault faults[SIM_FAULTS_MAX];
	double fault_due_ms[SIM_FAULTS_MAX];    /* motor time until it comes */
	int64_t fault_until_ms[GF_FAULT_COUNT]; /* the condition is there till then */
	struct driver_output output;
	double part_cycle;
	bool counted; /* this start of the motor is in the journal */
	bool begun;
	bool hung;          /* the motor stopped by itself; no reading has failed since */
	uint64_t before_ms; /* what the hour meter showed before the first journal */
	int64_t last_ms, written_ms;
};

static struct sim *sim_of(struct driver *driver)
{
	return (struct sim *)(void *)driver;
}

/* --- time passes ------------------------------------------------------------------------------------------------- */

static bool motor_on(const struct sim *sim)
{
	return sim->output.command == DRIVER_START && sim->output.intensity_pct > 0;
}

static uint32_t present_faults(const struct sim *sim, int64_t mono_ms)
{
	uint32_t bits = 0;
	for (int code = 1; code < GF_FAULT_COUNT; code++)
		bits |= sim->fault_until_ms[code] > mono_ms ? 1U << code : 0;
	return bits;
}

static double draw_fault(struct sim *sim, const struct sim_fault *fault)
{
	return -log(1 - gf_prng_unit(&sim->luck)) * 100.0 * MS_PER_H / (double)fault->per_100_motor_h;
}

static void faults_by_rate(struct sim *sim, int64_t mono_ms, uint32_t motor_ms)
{
	for (size_t i = 0; i < sim->faults_count; i++) {
		const struct sim_fault *fault = &sim->faults[i];
		sim->fault_due_ms[i] -= motor_ms;
		if (sim->fault_due_ms[i] > 0)
			continue;
		const uint64_t low = fault_lasts[fault->code].low_s, high = fault_lasts[fault->code].high_s;
		const uint64_t lasts_s = low + gf_prng_below(&sim->luck, high - low + 1);
		sim->fault_until_ms[fault->code] = mono_ms + (int64_t)lasts_s * 1000;
		sim->fault_due_ms[i] = draw_fault(sim, fault);
	}
}

static void run_motor(struct sim *sim, int64_t mono_ms, uint32_t motor_ms)
{
	sim->part_cycle += (double)physics_rpm(&sim->physics, &sim->output) * motor_ms / 60000.0;
	const uint64_t whole = (uint64_t)sim->part_cycle;
	sim->part_cycle -= (double)whole;
	journal_add(sim->journal, sim->counted ? 0 : 1, motor_ms, whole);
	sim->counted = true;
	faults_by_rate(sim, mono_ms, motor_ms);
}

static void pass_time(struct sim *sim, int64_t mono_ms)
{
	const int64_t elapsed = sim->begun ? mono_ms - sim->last_ms : 0;
	const int64_t allowed = sim->written_ms + DRIVER_DEAD_MAN_MS - sim->last_ms;

	sim->begun = true;
	sim->last_ms = mono_ms;
	if (elapsed <= 0)
		return;
	const bool alone = elapsed > allowed;
	const uint32_t elapsed_ms = elapsed > MS_PER_H ? MS_PER_H : (uint32_t)elapsed;
	const uint32_t motor_ms = !alone ? elapsed_ms : allowed > 0 ? (uint32_t)allowed : 0;
	const uint32_t faults = present_faults(sim, mono_ms);
	const bool was_on = motor_on(sim);

	physics_step(&sim->physics, &sim->output, faults, motor_ms);
	if (was_on)
		run_motor(sim, mono_ms, motor_ms);
	if (alone) {
		sim->hung = sim->hung || was_on;
		sim->output = (struct driver_output){.command = sim->output.command == DRIVER_IDLE ? DRIVER_IDLE : DRIVER_STOP};
		physics_step(&sim->physics, &sim->output, faults, elapsed_ms - motor_ms);
	}
}

/* --- the driver -------------------------------------------------------------------------------------------------- */

/* It counted before the simulation began, too. */
static uint64_t meter_ms(const struct sim *sim, const struct sim_journal *journal)
{
	return sim->before_ms + journal->motor_ms;
}

static int sim_read(struct driver *driver, int64_t mono_ms, struct driver_input *ret_input)
{
	struct sim *sim = sim_of(driver);
	struct driver_input input = {.has_meter = true};

	pass_time(sim, mono_ms);
	const uint32_t faults = present_faults(sim, mono_ms);
	input.has_occupied = true;
	input.occupied = users_step(&sim->users, mono_ms, sim->output.command, &input.panel);
	if ((faults & 1U << GF_FAULT_COMMS_LOST) != 0)
		return -EIO;
	if (sim->hung) {
		sim->hung = false;
		return -ETIMEDOUT;
	}
	input.estop = (faults & 1U << GF_FAULT_ESTOP) != 0;
	input.cover_open = (faults & 1U << GF_FAULT_COVER_OPEN) != 0;
	physics_sensors(&sim->physics, &sim->output, faults, input.sensors);
	const struct sim_journal journal = journal_get(sim->journal);
	input.meter_motor_ms = meter_ms(sim, &journal);
	input.meter_cycles = journal.cycles;
	*ret_input = input;
	return 0;
}

static int sim_write(struct driver *driver, int64_t mono_ms, const struct driver_output *output)
{
	struct sim *sim = sim_of(driver);
	pass_time(sim, mono_ms);
	sim->written_ms = mono_ms;
	if (output->command == DRIVER_IDLE || output->command == DRIVER_STOP)
		sim->counted = false;
	sim->output = *output;
	if (sim->hung)
		sim->output = (struct driver_output){.command = DRIVER_STOP};
	return 0;
}

static void sim_safe(struct driver *driver)
{
	sim_of(driver)->output = (struct driver_output){.command = DRIVER_STOP};
}

static void sim_free(struct driver *driver)
{
	if (driver == NULL)
		return;
	sim_safe(driver);
	journal_close(sim_of(driver)->journal);
	free(sim_of(driver));
}

static void sim_check(struct driver *driver, struct driver_findings *findings)
{
	struct sim *sim = sim_of(driver);
	float sensors[GF_SENSOR_COUNT];

	driver_found(findings, DRIVER_FINE, "simulated", "this machine isn't there: nothing can be wrong with it");
	driver_found(findings, DRIVER_FINE, "e-stop", "released");
	driver_found(findings, DRIVER_FINE, "cover", "closed");
	const struct sim_journal journal = journal_get(sim->journal);
	driver_found(findings, DRIVER_FINE, "hour meter", "%.1f h", (double)meter_ms(sim, &journal) / (double)MS_PER_H);
	physics_sensors(&sim->physics, &sim->output, 0, sensors);
	for (int i = 1; i < GF_SENSOR_COUNT; i++) {
		if (isfinite(sensors[i]))
			driver_found(findings, DRIVER_FINE, gf_sensor_name((enum gf_sensor)i), "%.1f", (double)sensors[i]);
	}
}

static const struct driver_ops sim_ops = {
    .name = "sim",
    .read = sim_read,
    .write = sim_write,
    .safe = sim_safe,
    .check = sim_check,
    .free = sim_free,
};

/* --- setting up -------------------------------------------------------------------------------------------------- */

static int check_faults(const struct sim_config *config, struct gf_diag *diag)
{
	if (config->faults_count > SIM_FAULTS_MAX) {
		gf_diag_set(diag, "at most %d kinds of faults can be simulated", SIM_FAULTS_MAX);
		return -EINVAL;
	}
	for (size_t i = 0; i < config->faults_count; i++) {
		const struct sim_fault *fault = &config->faults[i];
		const bool possible =
		    fault->code > 0 && fault->code < GF_FAULT_COUNT && (physics_faults(config->class) & 1U << fault->code) != 0;
		if (possible && fault->per_100_motor_h > 0)
			continue;
		gf_diag_set(diag, "the fault %s can't be simulated on a %s%s", gf_fault_name(fault->code),
		            gf_class_name(config->class), possible ? ": its rate must be above 0" : "");
		return -EINVAL;
	}
	return 0;
}

static int check_config(const struct sim_config *config, struct gf_diag *diag)
{
	if (config->class <= GF_CLASS_UNSPECIFIED || config->class >= GF_CLASS_COUNT) {
		gf_diag_set(diag, "a simulated machine needs a device class");
		return -EINVAL;
	}
	return check_faults(config, diag);
}

int sim_driver_new(const struct sim_config *config, struct driver **ret_driver, struct gf_diag *diag)
{
	int r = check_config(config, diag);
	if (r != 0)
		return r;
	struct sim *sim = calloc(1, sizeof(*sim));
	if (sim == NULL)
		return -ENOMEM;
	r = journal_open(config->journal_path, &sim->journal, diag);
	if (r != 0) {
		free(sim);
		return r;
	}
	const struct sim_journal journal = journal_get(sim->journal);
	const float worn_h = config->wear_h + (float)((double)journal.motor_ms / MS_PER_H);
	sim->driver.ops = &sim_ops;
	sim->before_ms = (uint64_t)((double)config->wear_h * (double)MS_PER_H);
	physics_init(&sim->physics, config->class, config->ambient_c, worn_h, config->seed ^ journal.motor_ms);
	users_init(&sim->users, config, journal.starts);
	gf_prng_seed(&sim->luck, ~config->seed + journal.starts);
	sim->faults_count = config->faults_count;
	for (size_t i = 0; i < config->faults_count; i++) {
		sim->faults[i] = config->faults[i];
		sim->fault_due_ms[i] = draw_fault(sim, &sim->faults[i]);
	}
	*ret_driver = &sim->driver;
	return 0;
}

int64_t sim_driver_next_use_ms(const struct driver *driver, int64_t mono_ms)
{
	return users_next_ms(&((const struct sim *)(const void *)driver)->users, mono_ms);
}

bool sim_driver_motor_on(const struct driver *driver, int64_t mono_ms)
{
	const struct sim *sim = (const struct sim *)(const void *)driver;
	return motor_on(sim) && mono_ms - sim->written_ms < DRIVER_DEAD_MAN_MS;
}

void sim_driver_inject(struct driver *driver, enum gf_fault code, int64_t for_ms)
{
	struct sim *sim = sim_of(driver);
	if (code > GF_FAULT_UNSPECIFIED && code < GF_FAULT_COUNT)
		sim->fault_until_ms[code] = sim->last_ms + for_ms;
}
