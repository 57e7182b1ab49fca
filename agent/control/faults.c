/*
 * The table `rules` is the whole policy: a line says what is wrong, for how long it must be, when it is over. Everything below it
 * only counts time. Conditions that need a number which this machine doesn't measure (NaN) are never there, and once raised
 * don't go away while the number is missing. A condition that flickers is counted down while it is away, not from the beginning.
 */
#include "agent/control/faults.h"

#include <math.h>
#include <string.h>

#include "agent/control/clamp.h"
#include "agent/control/panel.h"

/* --- the numbers ------------------------------------------------------------------------------------------------- */

#define DERATE_HYSTERESIS_C 3.0F
#define SURFACE_HYSTERESIS_C 1.0F
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
	const float rpm = sensor(v, GF_SENSOR_SPEED_RPM);
	return (struct verdict){running(v) && rpm <= 0, rpm, NAN};
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
static struct verdict hardware_fine(const struct fault_view *v)
{
	return flag(v->input != NULL && v->input->fault == GF_FAULT_UNSPECIFIED);
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

enum { NO_STRIKE = MEMORY_STRIKES_COUNT };

struct fault_rule {
	enum gf_fault code;
	enum gf_severity severity;
	uint8_t strikes;  /* enum memory_strikes: of a stop, what it counts for; of a latch, what it is raised by */
	bool off_at_once; /* the output goes off with the first sight of it */
	uint32_t hold_ms, gone_ms;
	struct verdict (*there)(const struct fault_view *view);
	struct verdict (*gone)(const struct fault_view *view);
	const char *detail;
};

enum { SENSOR_RULE = 4, BUTTON_RULE, HARDWARE_RULE };

#define STOP(code) GF_FAULT_##code, GF_SEVERITY_STOP
#define DERATE(code) GF_FAULT_##code, GF_SEVERITY_DERATE, NO_STRIKE, false
#define INFO(code) GF_FAULT_##code, GF_SEVERITY_INFO, NO_STRIKE, false
#define LATCH(code, strikes) GF_FAULT_##code, GF_SEVERITY_LATCH, MEMORY_STRIKES_##strikes, false, 0, 0, NULL, NULL

static const struct fault_rule rules[] = {
    {STOP(ESTOP), NO_STRIKE, true, 0, 1000, estop, no_estop, "the emergency stop is pressed"},
    {STOP(COVER_OPEN), NO_STRIKE, true, 0, 1000, cover, no_cover, "the cover is open"},
    /* A chair maker's service manual: over-current 0.3 s, motor pulse missing 2 s. */
    {STOP(OVERCURRENT), MEMORY_STRIKES_DRIVE, false, 300, 10000, current_high, current_low, "the motor draws too much"},
    /* With DRIVER_STALE_MS before it, less than 500 ms after the last answer. */
    {STOP(COMMS_LOST), NO_STRIKE, true, 300, 1000, no_reading, reading, "the controller doesn't answer"},
    [SENSOR_RULE] = {STOP(SENSOR_LOST), NO_STRIKE, false, 1000, 5000, sensor_lost, sensors_fine, NULL},
    [BUTTON_RULE] = {STOP(SENSOR_LOST), NO_STRIKE, false, 0, 1000, button_stuck, buttons_fine, NULL},
    [HARDWARE_RULE] = {STOP(UNSPECIFIED), NO_STRIKE, true, 0, 1000, hardware_fault, hardware_fine,
                       "the machine's own controller says so"},
    {STOP(STALL), MEMORY_STRIKES_DRIVE, false, 2000, 10000, stalled, at_rest, "the motor stands still under power"},
    {STOP(OVERTEMP_MOTOR), MEMORY_STRIKES_HEAT, false, 0, 1000, motor_hot, motor_rearmed, "the motor is too hot"},
    {DERATE(OVERTEMP_MOTOR), 1000, 5000, motor_warm, motor_fine, "the motor is warm"},
    {STOP(OVERTEMP_SURFACE), MEMORY_STRIKES_HEAT, false, 0, 1000, surface_hot, surface_fine, "the surface is too hot"},
    {DERATE(OVERTEMP_SURFACE), 1000, 5000, surface_warm, surface_fine, "the surface is warm"},
    {STOP(SUPPLY), NO_STRIKE, false, 1000, 5000, supply_low, supply_fine, "the supply voltage is low"},
    {STOP(OVERPRESSURE), MEMORY_STRIKES_PRESSURE, false, 0, 5000, pressure_over_max, pressure_fine,
     "the pressure is above the machine's limit"},
    {STOP(OVERPRESSURE), MEMORY_STRIKES_PRESSURE, false, 2000, 5000, pressure_over_set, at_rest,
     "the pressure is above what was asked for"},
    {STOP(LEAK), MEMORY_STRIKES_PRESSURE, false, 30000, 30000, leaking, at_rest, "the pressure doesn't build up"},
    /* D4. */
    {STOP(ENDSTOP_TIMEOUT), MEMORY_STRIKES_TRAVEL, false, 42000, 1000, carriage_away, carriage_there,
     "the carriage didn't arrive within 42 s"},
    {STOP(ENDSTOP_TIMEOUT), MEMORY_STRIKES_TRAVEL, false, 30000, 1000, recline_away, recline_there,
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
#define RULES (sizeof(rules) / sizeof(rules[0]))
_Static_assert(RULES <= (size_t)FAULT_RULES_MAX, "each rule has its state");
_Static_assert(PANEL_STUCK_MS == 30000, "what the sentence says");

static bool latches(const struct fault_rule *rule)
{
	return rule->severity == GF_SEVERITY_LATCH;
}

/* --- counting ---------------------------------------------------------------------------------------------------- */

static bool struck_out(const struct faults *faults, uint8_t group)
{
	for (int i = 0; i < MEMORY_STRIKES; i++) {
		if (faults->strike_left_ms[group][i] == 0)
			return false;
	}
	return true;
}

static void strike(struct faults *faults, uint8_t group)
{
	uint32_t *oldest = &faults->strike_left_ms[group][0];
	for (int i = 1; i < MEMORY_STRIKES; i++) {
		if (faults->strike_left_ms[group][i] < *oldest)
			oldest = &faults->strike_left_ms[group][i];
	}
	*oldest = MEMORY_STRIKES_MS;
}

static void forgive(struct faults *faults, uint8_t group)
{
	for (int i = 0; i < MEMORY_STRIKES; i++)
		faults->strike_left_ms[group][i] = 0;
}

void faults_away(struct faults *faults, uint32_t elapsed_ms)
{
	for (int i = 0; i < MEMORY_STRIKES_COUNT * MEMORY_STRIKES; i++) {
		uint32_t *left_ms = &faults->strike_left_ms[i / MEMORY_STRIKES][i % MEMORY_STRIKES];
		*left_ms = *left_ms > elapsed_ms ? *left_ms - elapsed_ms : 0;
	}
}

static struct verdict judge(const struct faults *faults, const struct fault_rule *rule, bool active,
                            const struct fault_view *view)
{
	if (latches(rule))
		return flag(!active && struck_out(faults, rule->strikes));
	return active ? rule->gone(view) : rule->there(view);
}

/*
 * True when `there` has lasted for `needed_ms`. The first sight counts for nothing: it may have begun just now. What comes and goes
 * must be there more than away.
 */
static bool lasted(struct fault_state *state, bool there, uint32_t needed_ms, uint32_t elapsed_ms)
{
	if (!there) {
		state->held_ms = state->held_ms > elapsed_ms ? state->held_ms - elapsed_ms : 0;
		state->counting = false;
		return false;
	}
	if (state->counting || state->held_ms > 0)
		state->held_ms += elapsed_ms;
	state->counting = true;
	return state->held_ms >= needed_ms;
}

/* Being gone must last without a break. */
static void recover(struct fault_state *state, bool gone, uint32_t elapsed_ms)
{
	state->held_ms = gone && state->counting ? state->held_ms + elapsed_ms : 0;
	state->counting = gone;
}

static float finite_or_none(float value)
{
	return isfinite(value) ? value : NAN;
}

/* What the rule's sentence is about, where that differs from time to time. */
static void name_cause(const struct fault_rule *rule, const struct fault_view *view, struct fault_state *state)
{
	state->code = rule->code;
	if (rule == &rules[SENSOR_RULE])
		state->cause = gf_sensor_name(sensors_lost(view->sensors, &state->doubt));
	else if (rule == &rules[BUTTON_RULE])
		state->cause = view->stuck;
	else if (rule == &rules[HARDWARE_RULE])
		state->code = view->input->fault;
}

static void raise_fault(struct faults *faults, const struct fault_rule *rule, struct fault_state *state,
                        struct verdict verdict, const struct fault_view *view, int64_t mono_ms)
{
	*state = (struct fault_state){
	    .active = true,
	    .fault_no = faults->next_no++,
	    .since_ms = mono_ms,
	    .observed = latches(rule) ? MEMORY_STRIKES : finite_or_none(verdict.observed),
	    .limit = latches(rule) ? MEMORY_STRIKES : finite_or_none(verdict.limit),
	};
	name_cause(rule, view, state);
	if (!latches(rule) && rule->strikes != NO_STRIKE)
		strike(faults, rule->strikes);
}

void faults_step(struct faults *faults, const struct fault_view *view, int64_t mono_ms, uint32_t elapsed_ms)
{
	faults_away(faults, elapsed_ms);
	for (size_t i = 0; i < RULES; i++) {
		struct fault_state *state = &faults->states[i];
		const struct verdict verdict = judge(faults, &rules[i], state->active, view);
		if (state->active)
			recover(state, verdict.there, elapsed_ms); /* faults_tell clears it */
		else if (lasted(state, verdict.there, rules[i].hold_ms, elapsed_ms))
			raise_fault(faults, &rules[i], state, verdict, view, mono_ms);
	}
}

/* A stop that counts for this latch is still there. */
static bool still_there(const struct faults *faults, uint8_t group)
{
	for (size_t i = 0; i < RULES; i++) {
		if (faults->states[i].active && rules[i].severity == GF_SEVERITY_STOP && rules[i].strikes == group)
			return true;
	}
	return false;
}

bool faults_staff(struct faults *faults)
{
	bool any = false;
	for (size_t i = 0; i < RULES; i++) {
		struct fault_state *state = &faults->states[i];
		if (!latches(&rules[i]) || !state->active || !state->told || still_there(faults, rules[i].strikes))
			continue;
		forgive(faults, rules[i].strikes);
		state->staffed = any = true;
	}
	return any;
}

/* --- over a restart ---------------------------------------------------------------------------------------------- */

void faults_init(struct faults *faults, uint64_t next_no, const struct control_memory *memory, int64_t mono_ms)
{
	*faults = (struct faults){.next_no = next_no > 0 ? next_no : 1};
	memcpy(faults->strike_left_ms, memory->strike_left_ms, sizeof(faults->strike_left_ms));
	for (size_t i = 0; i < RULES; i++) {
		for (uint32_t n = 0; latches(&rules[i]) && n < memory->latched_count && n < MEMORY_LATCHED_MAX; n++) {
			if (memory->latched[n].code != rules[i].code)
				continue;
			faults->states[i] = (struct fault_state){
			    .active = true,
			    .told = true,
			    .code = rules[i].code,
			    .fault_no = memory->latched[n].fault_no,
			    .since_ms = mono_ms,
			};
		}
	}
}

void faults_remember(const struct faults *faults, struct control_memory *memory)
{
	memcpy(memory->strike_left_ms, faults->strike_left_ms, sizeof(memory->strike_left_ms));
	memory->latched_count = 0;
	for (size_t i = 0; i < RULES; i++) {
		const struct fault_state *state = &faults->states[i];
		if (latches(&rules[i]) && state->active && memory->latched_count < MEMORY_LATCHED_MAX)
			memory->latched[memory->latched_count++] = (struct memory_latched){rules[i].code, state->fault_no};
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

static void compose(char text[static GF_TEXT_MAX], const char *const parts[static 3])
{
	size_t len = 0;
	for (int i = 0; i < 3; i++) {
		(void)gf_strcpy(text + len, GF_TEXT_MAX - len, parts[i]);
		len += strlen(text + len);
	}
}

static void describe(const struct fault_rule *rule, const struct fault_state *state, char text[static GF_TEXT_MAX])
{
	if (rule == &rules[SENSOR_RULE])
		compose(text, (const char *const[]){state->cause, " ", sensor_doubt_text(state->doubt)});
	else if (rule == &rules[BUTTON_RULE])
		compose(text, (const char *const[]){"the button '", state->cause,
		                                    "' has been down for 30 s: it is stuck, or something leans on it"});
	else
		gf_strcpy(text, GF_TEXT_MAX, rule->detail);
}

static void tell_raised(const struct fault_rule *rule, const struct fault_state *state, uint64_t session_no,
                        struct control_event *ret_event)
{
	*ret_event = (struct control_event){
	    .kind = CONTROL_EVENT_FAULT_RAISED,
	    .mono_ms = state->since_ms,
	    .fault_raised =
	        {
	            .fault_no = state->fault_no,
	            .code = state->code,
	            .severity = rule->severity,
	            .observed = state->observed,
	            .limit = state->limit,
	            .session_no = session_no,
	        },
	};
	describe(rule, state, ret_event->fault_raised.detail);
}

static void tell_cleared(const struct fault_state *state, int64_t mono_ms, struct control_event *ret_event)
{
	*ret_event = (struct control_event){
	    .kind = CONTROL_EVENT_FAULT_CLEARED,
	    .mono_ms = mono_ms,
	    .fault_cleared =
	        {
	            .fault_no = state->fault_no,
	            .code = state->code,
	            .by = state->staffed ? GF_CLEARED_BY_STAFF : GF_CLEARED_BY_RECOVERED,
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
		if (state->staffed || (state->counting && state->held_ms >= rules[i].gone_ms)) {
			tell_cleared(state, mono_ms, ret_event);
			*state = (struct fault_state){0};
			return true;
		}
	}
	return false;
}
