/*
 * The table `rules` is the whole policy: a line says what is wrong, for how long it must be, when it is over. Everything below it
 * only counts time. Conditions that need a number which this machine doesn't measure (NaN) are never there, and once raised
 * don't go away while the number is missing.
 */
#include "agent/control/faults.h"

#include <math.h>

#include "agent/control/clamp.h"

/* --- the numbers ------------------------------------------------------------------------------------------------- */

#define DERATE_HYSTERESIS_C 3.0F
#define SURFACE_HYSTERESIS_C 1.0F
#define STALL_CURRENT_SHARE 0.6F     /* of current_max_ma, with the motor standing still */
#define CURRENT_GONE_SHARE 0.8F      /* of current_max_ma */
#define SUPPLY_GONE_SHARE 1.03F      /* of supply_min_mv */
#define PRESSURE_OVER_SET_MMHG 10.0F /* D7 */
#define PRESSURE_GONE_SHARE 0.9F     /* of pressure_max_mmhg */
#define LEAK_SHARE 0.8F              /* D7: of what was asked for */
#define BATTERY_LOW_PCT 10.0F
#define BATTERY_GONE_PCT 20.0F

/* A condition: is it there, and the number and limit that say so (NaN where none belongs to it). */
struct verdict {
	bool there;
	float observed, limit;
};

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
	struct verdict current = above(sensor(v, GF_SENSOR_CURRENT_MA), v->envelope->current_max_ma * STALL_CURRENT_SHARE);
	current.there = current.there && running(v) && sensor(v, GF_SENSOR_SPEED_RPM) <= 0;
	return current;
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
	const float set = v->output->pressure_mmhg;
	struct verdict pressure = above(sensor(v, GF_SENSOR_PRESSURE_MMHG), set + PRESSURE_OVER_SET_MMHG);
	pressure.there = pressure.there && running(v) && set > 0;
	return pressure;
}

static struct verdict pressure_over_max(const struct fault_view *v)
{
	return above(sensor(v, GF_SENSOR_PRESSURE_MMHG), v->envelope->pressure_max_mmhg);
}

static struct verdict pressure_fine(const struct fault_view *v)
{
	return below(sensor(v, GF_SENSOR_PRESSURE_MMHG), v->envelope->pressure_max_mmhg * PRESSURE_GONE_SHARE);
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

/* --- the rules --------------------------------------------------------------------------------------------------- */

struct fault_rule {
	enum gf_fault code;
	enum gf_severity severity;
	bool off_at_once; /* the output goes off with the first sight of it */
	uint32_t hold_ms, gone_ms;
	struct verdict (*there)(const struct fault_view *view);
	struct verdict (*gone)(const struct fault_view *view);
	const char *detail;
};

enum { SENSOR_LOST_RULE = 4 };

static const struct fault_rule rules[] = {
    {GF_FAULT_ESTOP, GF_SEVERITY_STOP, true, 0, 1000, estop, no_estop, "the emergency stop is pressed"},
    {GF_FAULT_COVER_OPEN, GF_SEVERITY_STOP, true, 0, 1000, cover, no_cover, "the cover is open"},
    /* A chair maker's service manual: over-current 0.3 s, motor pulse missing 2 s. */
    {GF_FAULT_OVERCURRENT, GF_SEVERITY_STOP, false, 300, 10000, current_high, current_low, "the motor draws too much"},
    {GF_FAULT_COMMS_LOST, GF_SEVERITY_STOP, true, 500, 1000, no_reading, reading, "the controller doesn't answer"},
    [SENSOR_LOST_RULE] = {GF_FAULT_SENSOR_LOST, GF_SEVERITY_STOP, false, 1000, 5000, NULL, NULL,
                          "a sensor gives no value any more"},
    {GF_FAULT_STALL, GF_SEVERITY_STOP, false, 2000, 10000, stalled, at_rest, "the motor stands still under current"},
    {GF_FAULT_OVERTEMP_MOTOR, GF_SEVERITY_STOP, false, 0, 1000, motor_hot, motor_rearmed, "the motor is too hot"},
    {GF_FAULT_OVERTEMP_MOTOR, GF_SEVERITY_DERATE, false, 1000, 5000, motor_warm, motor_fine, "the motor is warm"},
    {GF_FAULT_OVERTEMP_SURFACE, GF_SEVERITY_STOP, false, 0, 1000, surface_hot, surface_fine, "the surface is too hot"},
    {GF_FAULT_OVERTEMP_SURFACE, GF_SEVERITY_DERATE, false, 1000, 5000, surface_warm, surface_fine,
     "the surface is warm"},
    {GF_FAULT_SUPPLY, GF_SEVERITY_STOP, false, 1000, 5000, supply_low, supply_fine, "the supply voltage is low"},
    {GF_FAULT_OVERPRESSURE, GF_SEVERITY_STOP, false, 0, 5000, pressure_over_max, pressure_fine,
     "the pressure is above the machine's limit"},
    {GF_FAULT_OVERPRESSURE, GF_SEVERITY_STOP, false, 2000, 5000, pressure_over_set, at_rest,
     "the pressure is above what was asked for"},
    {GF_FAULT_LEAK, GF_SEVERITY_STOP, false, 30000, 30000, leaking, at_rest, "the pressure doesn't build up"},
    {GF_FAULT_BATTERY_LOW, GF_SEVERITY_INFO, false, 5000, 60000, battery_low, battery_fine, "the battery is low"},
    /* Nothing that the person on the machine would feel: it works on, on the spool's reserve. */
    {GF_FAULT_STORAGE, GF_SEVERITY_INFO, false, 1000, 10000, storage_full, storage_fine,
     "the machine's disk is full: free some space"},
};
#define RULES (sizeof(rules) / sizeof(rules[0]))
_Static_assert(RULES <= (size_t)FAULT_RULES_MAX, "each rule has its state");

/* --- counting ---------------------------------------------------------------------------------------------------- */

void faults_init(struct faults *faults, uint64_t next_no)
{
	*faults = (struct faults){.next_no = next_no > 0 ? next_no : 1};
}

/* A sensor that once gave values and doesn't now. */
static struct verdict sensor_lost(const struct faults *faults, const struct fault_view *v)
{
	bool lost = false;
	for (int s = 1; s < GF_SENSOR_COUNT && v->input != NULL; s++)
		lost = lost || (faults->sensor_seen[s] && !isfinite(v->input->sensors[s]));
	return flag(lost);
}

static void see_sensors(struct faults *faults, const struct driver_input *input)
{
	for (int s = 1; s < GF_SENSOR_COUNT && input != NULL; s++)
		faults->sensor_seen[s] = faults->sensor_seen[s] || isfinite(input->sensors[s]);
}

static struct verdict judge(const struct faults *faults, size_t rule, bool active, const struct fault_view *view)
{
	if (rule != SENSOR_LOST_RULE)
		return active ? rules[rule].gone(view) : rules[rule].there(view);
	const struct verdict lost = sensor_lost(faults, view);
	return active ? flag(!lost.there && view->input != NULL) : lost;
}

/* True when `there` has lasted for `needed_ms`. The first sight counts for nothing: it may have begun just now. */
static bool lasted(struct fault_state *state, bool there, uint32_t needed_ms, uint32_t elapsed_ms)
{
	if (!there) {
		state->counting = false;
		return false;
	}
	state->held_ms = state->counting ? state->held_ms + elapsed_ms : 0;
	state->counting = true;
	return state->held_ms >= needed_ms;
}

static float finite_or_none(float value)
{
	return isfinite(value) ? value : NAN;
}

static void raise_fault(struct faults *faults, struct fault_state *state, struct verdict verdict, int64_t mono_ms)
{
	*state = (struct fault_state){
	    .active = true,
	    .fault_no = faults->next_no++,
	    .since_ms = mono_ms,
	    .observed = finite_or_none(verdict.observed),
	    .limit = finite_or_none(verdict.limit),
	};
}

void faults_step(struct faults *faults, const struct fault_view *view, int64_t mono_ms, uint32_t elapsed_ms)
{
	see_sensors(faults, view->input);
	for (size_t i = 0; i < RULES; i++) {
		struct fault_state *state = &faults->states[i];
		const struct verdict verdict = judge(faults, i, state->active, view);
		if (state->active)
			(void)lasted(state, verdict.there, rules[i].gone_ms, elapsed_ms); /* faults_tell clears it */
		else if (lasted(state, verdict.there, rules[i].hold_ms, elapsed_ms))
			raise_fault(faults, state, verdict, mono_ms);
	}
}

bool faults_off_now(const struct faults *faults, const struct fault_view *view)
{
	if (faults_stopping(faults))
		return true;
	for (size_t i = 0; i < RULES; i++) {
		if (rules[i].off_at_once && rules[i].there != NULL && rules[i].there(view).there)
			return true;
	}
	return false;
}

static bool any_active(const struct faults *faults, enum gf_severity from, enum gf_severity to)
{
	for (size_t i = 0; i < RULES; i++) {
		if (faults->states[i].active && rules[i].severity >= from && rules[i].severity <= to)
			return true;
	}
	return false;
}

bool faults_stopping(const struct faults *faults)
{
	return any_active(faults, GF_SEVERITY_STOP, GF_SEVERITY_LATCH);
}

bool faults_derating(const struct faults *faults)
{
	return any_active(faults, GF_SEVERITY_DERATE, GF_SEVERITY_DERATE);
}

static float power_left(float value, float derate, float stop)
{
	if (!(value > derate) || !(stop > derate))
		return 1;
	return value < stop ? (stop - value) / (stop - derate) : 0;
}

float faults_power(const struct fault_view *view)
{
	const struct control_envelope *e = view->envelope;
	const float motor = power_left(sensor(view, GF_SENSOR_MOTOR_TEMP_C), e->motor_temp_derate_c, e->motor_temp_stop_c);
	const float surface =
	    power_left(sensor(view, GF_SENSOR_SURFACE_TEMP_C), e->surface_temp_derate_c, e->surface_temp_stop_c);
	return motor < surface ? motor : surface;
}

/* --- telling ----------------------------------------------------------------------------------------------------- */

static void tell_raised(const struct fault_rule *rule, const struct fault_state *state, uint64_t session_no,
                        struct control_event *ret_event)
{
	*ret_event = (struct control_event){
	    .kind = CONTROL_EVENT_FAULT_RAISED,
	    .mono_ms = state->since_ms,
	    .fault_raised =
	        {
	            .fault_no = state->fault_no,
	            .code = rule->code,
	            .severity = rule->severity,
	            .observed = state->observed,
	            .limit = state->limit,
	            .session_no = session_no,
	        },
	};
	gf_strcpy(ret_event->fault_raised.detail, sizeof(ret_event->fault_raised.detail), rule->detail);
}

static void tell_cleared(const struct fault_rule *rule, const struct fault_state *state, int64_t mono_ms,
                         struct control_event *ret_event)
{
	*ret_event = (struct control_event){
	    .kind = CONTROL_EVENT_FAULT_CLEARED,
	    .mono_ms = mono_ms,
	    .fault_cleared =
	        {
	            .fault_no = state->fault_no,
	            .code = rule->code,
	            .by = GF_CLEARED_BY_RECOVERED,
	            .lasted_ms = (uint64_t)(mono_ms - state->since_ms),
	        },
	};
}

bool faults_tell(struct faults *faults, int64_t mono_ms, uint64_t session_no, struct control_event *ret_event)
{
	for (size_t i = 0; i < RULES; i++) {
		struct fault_state *state = &faults->states[i];
		if (!state->active)
			continue;
		if (!state->told) {
			tell_raised(&rules[i], state, session_no, ret_event);
			state->told = true;
			return true;
		}
		if (state->counting && state->held_ms >= rules[i].gone_ms) {
			tell_cleared(&rules[i], state, mono_ms, ret_event);
			*state = (struct fault_state){0};
			return true;
		}
	}
	return false;
}
