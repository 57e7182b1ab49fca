/* Conditions that need a number which this machine doesn't measure (NaN) are never there, and never gone while the number is missing. */
#include "agent/control/fault_rules.h"

#include <math.h>

#include "agent/control/clamp.h"
#include "agent/control/panel.h"

/* --- the numbers ------------------------------------------------------------------------------------------------- */

#define DERATE_HYSTERESIS_C 3.0F
#define SURFACE_HYSTERESIS_C 1.0F
#define CURRENT_GONE_SHARE 0.8F      /* of current_max_ma */
#define SUPPLY_GONE_SHARE 1.03F      /* of supply_min_mv */
#define PRESSURE_OVER_SET_MMHG 10.0F /* D7 */
#define PRESSURE_VENT_MMHG 100.0F    /* D7 */
#define PRESSURE_TRAPPED_MMHG 20.0F  /* D: at rest */
#define PRESSURE_GONE_SHARE 0.9F     /* of pressure_max_mmhg */
#define LEAK_SHARE 0.8F              /* D7: of what was asked for */
#define BATTERY_LOW_PCT 10.0F
#define BATTERY_GONE_PCT 20.0F

static float sensor(const struct fault_view *v, enum gf_sensor which)
{
	return v->input != NULL ? v->input->sensors[which] : NAN;
}

static struct verdict above(float observed, float limit)
{
	return (struct verdict){limit > 0 && observed > limit, observed, limit};
}

static struct verdict below(float observed, float limit)
{
	return (struct verdict){limit > 0 && observed < limit, observed, limit};
}

static struct verdict flag(bool there)
{
	return (struct verdict){there, NAN, NAN};
}

static bool running(const struct fault_view *v)
{
	return output_on(v->output);
}

static struct verdict estop(const struct fault_view *v)
{
	return flag(v->input != NULL && v->input->estop);
}
static struct verdict no_estop(const struct fault_view *v)
{
	return flag(v->input != NULL && !v->input->estop);
}
static struct verdict cover(const struct fault_view *v)
{
	return flag(v->input != NULL && v->input->cover_open);
}
static struct verdict no_cover(const struct fault_view *v)
{
	return flag(v->input != NULL && !v->input->cover_open);
}
static struct verdict no_reading(const struct fault_view *v)
{
	return flag(v->input == NULL);
}
static struct verdict reading(const struct fault_view *v)
{
	return flag(v->input != NULL);
}

static struct verdict current_high(const struct fault_view *v)
{
	return above(sensor(v, GF_SENSOR_CURRENT_MA), v->envelope->current_max_ma);
}

static struct verdict current_low(const struct fault_view *v)
{
	return below(sensor(v, GF_SENSOR_CURRENT_MA), v->envelope->current_max_ma * CURRENT_GONE_SHARE);
}

static struct verdict stalled(const struct fault_view *v)
{
	const float rpm = sensor(v, GF_SENSOR_SPEED_RPM);
	return (struct verdict){output_works(v->output) && rpm <= 0, rpm, NAN};
}

static struct verdict motor_warm(const struct fault_view *v)
{
	return above(sensor(v, GF_SENSOR_MOTOR_TEMP_C), v->envelope->motor_temp_derate_c);
}

static struct verdict motor_fine(const struct fault_view *v)
{
	return below(sensor(v, GF_SENSOR_MOTOR_TEMP_C), v->envelope->motor_temp_derate_c - DERATE_HYSTERESIS_C);
}

static struct verdict motor_hot(const struct fault_view *v)
{
	return above(sensor(v, GF_SENSOR_MOTOR_TEMP_C), v->envelope->motor_temp_stop_c);
}

static struct verdict motor_rearmed(const struct fault_view *v)
{
	return below(sensor(v, GF_SENSOR_MOTOR_TEMP_C), v->envelope->motor_temp_rearm_c);
}

static struct verdict surface_warm(const struct fault_view *v)
{
	return above(sensor(v, GF_SENSOR_SURFACE_TEMP_C), v->envelope->surface_temp_derate_c);
}

static struct verdict surface_hot(const struct fault_view *v)
{
	return above(sensor(v, GF_SENSOR_SURFACE_TEMP_C), v->envelope->surface_temp_stop_c);
}

static struct verdict surface_fine(const struct fault_view *v)
{
	return below(sensor(v, GF_SENSOR_SURFACE_TEMP_C), v->envelope->surface_temp_derate_c - SURFACE_HYSTERESIS_C);
}

static struct verdict supply_low(const struct fault_view *v)
{
	return below(sensor(v, GF_SENSOR_SUPPLY_MV), v->envelope->supply_min_mv);
}

static struct verdict supply_fine(const struct fault_view *v)
{
	return above(sensor(v, GF_SENSOR_SUPPLY_MV), v->envelope->supply_min_mv * SUPPLY_GONE_SHARE);
}

static struct verdict pressure_over_set(const struct fault_view *v)
{
	struct verdict pressure =
	    above(sensor(v, GF_SENSOR_PRESSURE_MMHG), v->sensors->asked_mmhg + PRESSURE_OVER_SET_MMHG);
	pressure.there = pressure.there && running(v) && v->output->pressure_mmhg > 0;
	return pressure;
}

/* A machine that may ask for less than 100 gets the same room above that. */
static struct verdict pressure_over_max(const struct fault_view *v)
{
	const float max = v->envelope->pressure_max_mmhg;
	const float vent =
	    max + PRESSURE_OVER_SET_MMHG < PRESSURE_VENT_MMHG ? max + PRESSURE_OVER_SET_MMHG : PRESSURE_VENT_MMHG;
	return above(sensor(v, GF_SENSOR_PRESSURE_MMHG), max > 0 ? vent : 0);
}

static struct verdict pressure_fine(const struct fault_view *v)
{
	return below(sensor(v, GF_SENSOR_PRESSURE_MMHG), v->envelope->pressure_max_mmhg * PRESSURE_GONE_SHARE);
}

/* Air that stays in a cuff holds whoever is in it. */
static struct verdict pressure_trapped(const struct fault_view *v)
{
	struct verdict pressure = above(sensor(v, GF_SENSOR_PRESSURE_MMHG), PRESSURE_TRAPPED_MMHG);
	pressure.there = pressure.there && v->input != NULL && !running(v);
	return pressure;
}

static struct verdict pressure_gone(const struct fault_view *v)
{
	return below(sensor(v, GF_SENSOR_PRESSURE_MMHG), PRESSURE_TRAPPED_MMHG * PRESSURE_GONE_SHARE);
}

static struct verdict leaking(const struct fault_view *v)
{
	struct verdict pressure = below(sensor(v, GF_SENSOR_PRESSURE_MMHG), v->output->pressure_mmhg * LEAK_SHARE);
	pressure.there = pressure.there && running(v);
	return pressure;
}

static struct verdict battery_low(const struct fault_view *v)
{
	return below(sensor(v, GF_SENSOR_BATTERY_PCT), BATTERY_LOW_PCT);
}

static struct verdict battery_fine(const struct fault_view *v)
{
	return above(sensor(v, GF_SENSOR_BATTERY_PCT), BATTERY_GONE_PCT);
}

static struct verdict storage_full(const struct fault_view *v)
{
	return flag(v->storage_full);
}
static struct verdict storage_fine(const struct fault_view *v)
{
	return flag(!v->storage_full);
}

static struct verdict at_rest(const struct fault_view *v)
{
	return flag(v->input != NULL && !running(v));
}

static struct verdict sensor_lost(const struct fault_view *v)
{
	enum sensor_doubt doubt;
	return flag(v->input != NULL && sensors_lost(v->sensors, &doubt) != GF_SENSOR_UNSPECIFIED);
}
static struct verdict sensors_fine(const struct fault_view *v)
{
	enum sensor_doubt doubt;
	return flag(v->input != NULL && sensors_lost(v->sensors, &doubt) == GF_SENSOR_UNSPECIFIED);
}

static struct verdict button_stuck(const struct fault_view *v)
{
	return flag(v->stuck != NULL);
}
static struct verdict buttons_fine(const struct fault_view *v)
{
	return flag(v->input != NULL && v->stuck == NULL);
}

static struct verdict hardware_fault(const struct fault_view *v)
{
	return flag(v->input != NULL && v->input->fault != GF_FAULT_UNSPECIFIED);
}

static bool on_its_way(const struct fault_view *v, enum driver_axis_name axis)
{
	return v->input != NULL && v->input->axes[axis].present && !v->input->axes[axis].there;
}
static struct verdict carriage_away(const struct fault_view *v)
{
	return flag(on_its_way(v, DRIVER_AXIS_CARRIAGE));
}
static struct verdict carriage_there(const struct fault_view *v)
{
	return flag(v->input != NULL && !on_its_way(v, DRIVER_AXIS_CARRIAGE));
}
static struct verdict recline_away(const struct fault_view *v)
{
	return flag(on_its_way(v, DRIVER_AXIS_RECLINE));
}
static struct verdict recline_there(const struct fault_view *v)
{
	return flag(v->input != NULL && !on_its_way(v, DRIVER_AXIS_RECLINE));
}

static struct verdict late(const struct fault_view *v)
{
	return above((float)v->late_ms, FAULT_LATE_MS);
}
static struct verdict in_time(const struct fault_view *v)
{
	return flag(v->late_ms <= FAULT_LATE_MS);
}

/* --- the rules --------------------------------------------------------------------------------------------------- */

#define STOP(code) GF_FAULT_##code, GF_SEVERITY_STOP
#define DERATE(code) GF_FAULT_##code, GF_SEVERITY_DERATE, NO_STRIKE, 0
#define INFO(code) GF_FAULT_##code, GF_SEVERITY_INFO, NO_STRIKE, 0
#define LATCH(code, strikes) GF_FAULT_##code, GF_SEVERITY_LATCH, MEMORY_STRIKES_##strikes, 0, 0, 0, NULL, NULL

const struct fault_rule fault_rules[] = {
    {STOP(ESTOP), NO_STRIKE, AT_ONCE, 0, 1000, estop, no_estop, "the emergency stop is pressed"},
    {STOP(COVER_OPEN), NO_STRIKE, AT_ONCE, 0, 1000, cover, no_cover, "the cover is open"},
    /* A chair maker's service manual: over-current 0.3 s, motor pulse missing 2 s. */
    {STOP(OVERCURRENT), MEMORY_STRIKES_DRIVE, 0, 300, 10000, current_high, current_low, "the motor draws too much"},
    /* With DRIVER_STALE_MS before it, less than 500 ms after the last answer. A bus that flaps
     * would let the motor pulse, a sensor that flaps would hide what it is for. */
    {STOP(COMMS_LOST), NO_STRIKE, AT_ONCE | LINGERS, 300, 1000, no_reading, reading, "the controller doesn't answer"},
    [SENSOR_RULE] = {STOP(SENSOR_LOST), NO_STRIKE, LINGERS, 1000, 5000, sensor_lost, sensors_fine, NULL},
    [BUTTON_RULE] = {STOP(SENSOR_LOST), NO_STRIKE, 0, 0, 1000, button_stuck, buttons_fine, NULL},
    [HARDWARE_RULE] = {STOP(UNSPECIFIED), NO_STRIKE, AT_ONCE, 0, 1000, hardware_fault, NULL,
                       "the machine's own controller says so"},
    {STOP(STALL), MEMORY_STRIKES_DRIVE, 0, 2000, 10000, stalled, at_rest, "the motor stands still under power"},
    [MOTOR_HOT_RULE] = {STOP(OVERTEMP_MOTOR), MEMORY_STRIKES_HEAT, 0, 0, 1000, motor_hot, motor_rearmed,
                        "the motor is too hot"},
    {DERATE(OVERTEMP_MOTOR), 1000, 5000, motor_warm, motor_fine, "the motor is warm"},
    [SURFACE_HOT_RULE] = {STOP(OVERTEMP_SURFACE), MEMORY_STRIKES_HEAT, 0, 0, 1000, surface_hot, surface_fine,
                          "the surface is too hot"},
    {DERATE(OVERTEMP_SURFACE), 1000, 5000, surface_warm, surface_fine, "the surface is warm"},
    {STOP(SUPPLY), NO_STRIKE, 0, 1000, 5000, supply_low, supply_fine, "the supply voltage is low"},
    {STOP(OVERPRESSURE), MEMORY_STRIKES_PRESSURE, 0, 0, 5000, pressure_over_max, pressure_fine,
     "the pressure is above the machine's limit"},
    {STOP(OVERPRESSURE), MEMORY_STRIKES_PRESSURE, 0, 2000, 5000, pressure_over_set, at_rest,
     "the pressure is above what was asked for"},
    {STOP(OVERPRESSURE), NO_STRIKE, 0, 10000, 1000, pressure_trapped, pressure_gone,
     "the pressure doesn't leave at rest: open the valve by hand"},
    {STOP(LEAK), MEMORY_STRIKES_PRESSURE, 0, 30000, 30000, leaking, at_rest, "the pressure doesn't build up"},
    /* D4. */
    {STOP(ENDSTOP_TIMEOUT), MEMORY_STRIKES_TRAVEL, 0, 42000, 1000, carriage_away, carriage_there,
     "the carriage didn't arrive within 42 s"},
    {STOP(ENDSTOP_TIMEOUT), MEMORY_STRIKES_TRAVEL, 0, 30000, 1000, recline_away, recline_there,
     "the backrest didn't arrive within 30 s"},
    {INFO(BATTERY_LOW), 5000, 60000, battery_low, battery_fine, "the battery is low"},
    /* Nothing that the person on the machine would feel: it works on, on the spool's reserve. */
    {INFO(STORAGE), 1000, 10000, storage_full, storage_fine, "the machine's disk is full: free some space"},
    {INFO(WATCHDOG), 0, 60000, late, in_time, "the control tick came late: the machine's computer is overloaded"},
    /* D3; stops by heat, pressure and travel are treated alike. */
    {LATCH(STALL, DRIVE), "three over-currents or stalls in 24 h: out of service until staff clears it"},
    {LATCH(OVERTEMP_MOTOR, HEAT), "three times too hot in 24 h: out of service until staff clears it"},
    {LATCH(OVERPRESSURE, PRESSURE), "three pressure faults in 24 h: out of service until staff clears it"},
    {LATCH(ENDSTOP_TIMEOUT, TRAVEL), "three travels without an end in 24 h: out of service until staff clears it"},
};
_Static_assert(sizeof(fault_rules) / sizeof(fault_rules[0]) == FAULT_RULES, "the header says how many");
_Static_assert(PANEL_STUCK_MS == 30000, "what the sentence says");
