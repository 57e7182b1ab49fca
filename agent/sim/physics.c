#include "agent/sim/physics.h"

#include <math.h>

/* Time constants, s. A motor warms in minutes, what the skin touches follows. */
#define TAU_MOTOR_S 600.0
#define TAU_SURFACE_S 900.0
#define TAU_PRESSURE_S 0.7

/* How an injected over-temperature comes: so fast, up to here; then it cools by itself. */
#define FAULT_MOTOR_C 74.0
#define FAULT_MOTOR_C_PER_S 2.0
#define FAULT_SURFACE_C 45.0
#define FAULT_SURFACE_C_PER_S 1.0

#define FAULT_SUPPLY_MV 17500.0F
#define FAULT_OVERPRESSURE_MMHG 115.0F
#define FAULT_LEAK_SHARE 0.5F
#define FAULT_CURRENT_FACTOR 4.0F
#define STALL_CURRENT_FACTOR 3.0F

/* A motor that has run this long draws half as much again and runs hotter by as much. */
#define WEAR_DOUBLE_H 20000.0

struct traits {
	float motor_rise_c, surface_rise_c; /* steady state at 100 % */
	float surface_held_c;               /* heated water: its thermostat holds it here; 0: not heated */
	float idle_ma, load_ma;             /* at rest; more at 100 % */
	float rpm;                          /* at 100 %; of a motor with a frequency: 60 times that */
	bool pressure;
	float supply_mv, sag_mv_per_ma;
};

static const struct traits traits[] = {
    [GF_CLASS_PERCUSSION] = {50, 16, 0, 120, 2300, 3200, false, 24000, 0.25F},
    [GF_CLASS_ROLLER] = {46, 18, 0, 100, 1900, 900, false, 24000, 0.2F},
    [GF_CLASS_COMPRESSION] = {38, 14, 0, 80, 1200, 2400, true, 24000, 0.2F},
    [GF_CLASS_CHAIR] = {52, 20, 0, 180, 3400, 1800, true, 24200, 0.15F},
    [GF_CLASS_WATER_BED] = {42, 4, 33, 250, 2600, 2800, false, 24100, 0.15F},
};
_Static_assert(sizeof(traits) / sizeof(traits[0]) == GF_CLASS_COUNT, "each class has its traits");

#define FAULT(name) (1U << GF_FAULT_##name)
#define FAULTS_COMMON                                                                                     \
	(FAULT(OVERTEMP_MOTOR) | FAULT(OVERTEMP_SURFACE) | FAULT(OVERCURRENT) | FAULT(STALL) | FAULT(ESTOP) | \
	 FAULT(COVER_OPEN) | FAULT(SENSOR_LOST) | FAULT(COMMS_LOST) | FAULT(SUPPLY))

uint32_t physics_faults(enum gf_class class)
{
	return FAULTS_COMMON | (traits[class].pressure ? FAULT(OVERPRESSURE) | FAULT(LEAK) : 0);
}

/* What the surface goes back to without any use: the room's temperature, or what the heater holds. */
static float surface_rest_c(const struct physics *physics)
{
	return fmaxf(physics->ambient_c, traits[physics->class].surface_held_c);
}

void physics_init(struct physics *physics, enum gf_class class, float ambient_c, float wear_h, uint64_t seed)
{
	*physics = (struct physics){
	    .class = class,
	    .ambient_c = ambient_c,
	    .wear_h = wear_h,
	    .motor_c = ambient_c,
	};
	physics->surface_c = surface_rest_c(physics);
	gf_prng_seed(&physics->noise, seed);
}

static double power_of(const struct driver_output *output)
{
	return output->command == DRIVER_START ? output->intensity_pct / 100.0 : 0;
}

static double worn(const struct physics *physics)
{
	return 1 + physics->wear_h / WEAR_DOUBLE_H;
}

static double towards(double value, double target, double elapsed_s, double tau_s)
{
	return target + (value - target) * exp(-elapsed_s / tau_s);
}

/* Upwards at a rate until `top`, whatever it was meant to be. */
static double forced_up(double value, double top, double rise)
{
	return value >= top ? value : fmin(top, value + rise);
}

void physics_step(struct physics *physics, const struct driver_output *output, uint32_t faults, uint32_t elapsed_ms)
{
	const struct traits *t = &traits[physics->class];
	const double power = power_of(output), elapsed_s = elapsed_ms / 1000.0;
	const double pressure_set = power > 0 ? output->pressure_mmhg : 0;

	if ((faults & FAULT(OVERTEMP_MOTOR)) != 0)
		physics->motor_c = forced_up(physics->motor_c, FAULT_MOTOR_C, elapsed_s * FAULT_MOTOR_C_PER_S);
	else
		physics->motor_c = towards(physics->motor_c, physics->ambient_c + t->motor_rise_c * power * worn(physics),
		                           elapsed_s, TAU_MOTOR_S);
	if ((faults & FAULT(OVERTEMP_SURFACE)) != 0)
		physics->surface_c = forced_up(physics->surface_c, FAULT_SURFACE_C, elapsed_s * FAULT_SURFACE_C_PER_S);
	else
		physics->surface_c =
		    towards(physics->surface_c, surface_rest_c(physics) + t->surface_rise_c * power, elapsed_s, TAU_SURFACE_S);
	physics->pressure_mmhg = towards(physics->pressure_mmhg, pressure_set, elapsed_s, TAU_PRESSURE_S);
	if (power > 0)
		physics->wear_h += elapsed_s / 3600;
}

float physics_rpm(const struct physics *physics, const struct driver_output *output)
{
	const double power = power_of(output);
	if (power <= 0)
		return 0;
	return output->frequency_hz > 0 ? output->frequency_hz * 60 : (float)(traits[physics->class].rpm * power);
}

static float noisy(struct physics *physics, double value, double share)
{
	return (float)(value * gf_prng_normal(&physics->noise, 1, share));
}

static float current_ma(struct physics *physics, const struct driver_output *output, uint32_t faults)
{
	const struct traits *t = &traits[physics->class];
	const double power = power_of(output);
	double current = t->idle_ma + t->load_ma * power * worn(physics);

	if (power > 0 && (faults & FAULT(OVERCURRENT)) != 0)
		current = t->load_ma * FAULT_CURRENT_FACTOR;
	else if (power > 0 && (faults & FAULT(STALL)) != 0)
		current = t->load_ma * STALL_CURRENT_FACTOR * 0.5;
	return noisy(physics, current, 0.02);
}

static float pressure_mmhg(struct physics *physics, uint32_t faults)
{
	if (!traits[physics->class].pressure)
		return NAN;
	if ((faults & FAULT(OVERPRESSURE)) != 0)
		return FAULT_OVERPRESSURE_MMHG;
	const double share = (faults & FAULT(LEAK)) != 0 ? FAULT_LEAK_SHARE : 1;
	return noisy(physics, physics->pressure_mmhg * share, 0.005);
}

void physics_sensors(struct physics *physics, const struct driver_output *output, uint32_t faults,
                     float ret_sensors[static GF_SENSOR_COUNT])
{
	const struct traits *t = &traits[physics->class];
	const float current = current_ma(physics, output, faults);
	const float supply = noisy(physics, t->supply_mv - t->sag_mv_per_ma * current, 0.001);
	const float rpm = noisy(physics, physics_rpm(physics, output), 0.01);

	ret_sensors[GF_SENSOR_UNSPECIFIED] = NAN;
	ret_sensors[GF_SENSOR_MOTOR_TEMP_C] = (faults & FAULT(SENSOR_LOST)) != 0 ? NAN : (float)physics->motor_c;
	ret_sensors[GF_SENSOR_SURFACE_TEMP_C] = (float)physics->surface_c;
	ret_sensors[GF_SENSOR_CURRENT_MA] = current;
	ret_sensors[GF_SENSOR_SPEED_RPM] = (faults & FAULT(STALL)) != 0 ? 0 : rpm;
	ret_sensors[GF_SENSOR_PRESSURE_MMHG] = pressure_mmhg(physics, faults);
	ret_sensors[GF_SENSOR_SUPPLY_MV] = (faults & FAULT(SUPPLY)) != 0 ? FAULT_SUPPLY_MV : supply;
	ret_sensors[GF_SENSOR_BATTERY_PCT] = NAN;
}
