/*
 * Counts time by the table of fault_rules.h: how long a condition has been there, how long it has been gone, who was told.
 */
#include "agent/control/faults.h"

#include <math.h>
#include <string.h>

#include "agent/control/fault_rules.h"

_Static_assert((int)FAULT_RULES <= (int)FAULT_RULES_MAX, "each rule has its state");

enum { LINGER_MS = 1000, RETURN_MS = 1000, RETURNS_MAX = 6 };

static bool latches(const struct fault_rule *rule)
{
	return rule->severity == GF_SEVERITY_LATCH;
}

/* --- counting ---------------------------------------------------------------------------------------------------- */

static uint32_t less(uint32_t ms, uint32_t elapsed_ms)
{
	return ms > elapsed_ms ? ms - elapsed_ms : 0;
}

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
		*left_ms = less(*left_ms, elapsed_ms);
	}
}

/* An idle rule: is it there; an active one: is it gone. */
static struct verdict judge(const struct faults *faults, const struct fault_rule *rule, const struct fault_state *state,
                            const struct fault_view *view)
{
	if (latches(rule))
		return (struct verdict){!state->active && struck_out(faults, rule->strikes), NAN, NAN};
	/* Another code of the hardware's own controller is another fault. */
	if (rule == &fault_rules[HARDWARE_RULE] && state->active)
		return (struct verdict){view->input != NULL && view->input->fault != state->code, NAN, NAN};
	return state->active ? rule->gone(view) : rule->there(view);
}

/* Not there: time between two readings without it is counted down, so that what comes and goes must be there more than away. */
static void fades(const struct fault_rule *rule, struct fault_state *state, uint32_t elapsed_ms)
{
	const bool lingers = (rule->sight & LINGERS) != 0;
	state->away_ms = less(state->away_ms, elapsed_ms);
	if (lingers && state->away_ms > 0)
		return;
	if (lingers)
		state->held_ms = 0;
	else if (!state->counting)
		state->held_ms = less(state->held_ms, elapsed_ms);
	state->counting = false;
}

/* True when `there` has lasted for the rule's time. The first sight counts for nothing: it may have begun just now. */
static bool lasted(const struct fault_rule *rule, struct fault_state *state, bool there, uint32_t elapsed_ms)
{
	if (!there) {
		fades(rule, state, elapsed_ms);
		return false;
	}
	state->held_ms += state->counting ? elapsed_ms : 0;
	state->counting = true;
	state->away_ms = LINGER_MS;
	return state->held_ms >= rule->hold_ms;
}

/* Being gone must last without a break. */
static void recover(struct fault_state *state, bool gone, uint32_t elapsed_ms)
{
	state->held_ms = gone && state->counting ? state->held_ms + elapsed_ms : 0;
	state->counting = gone;
}

static bool recovered(const struct fault_rule *rule, const struct fault_state *state)
{
	const uint32_t again_ms = state->returns > 0 ? RETURN_MS << state->returns : 0;
	const uint32_t needed_ms = again_ms > rule->gone_ms ? again_ms : rule->gone_ms;
	return state->counting && state->held_ms >= needed_ms;
}

static float finite_or_none(float value)
{
	return isfinite(value) ? value : NAN;
}

/* What the rule's sentence is about, where that differs from time to time. */
static void name_cause(const struct fault_rule *rule, const struct fault_view *view, struct fault_state *state)
{
	state->code = rule->code;
	if (rule == &fault_rules[SENSOR_RULE])
		state->cause = gf_sensor_name(sensors_lost(view->sensors, &state->doubt));
	else if (rule == &fault_rules[BUTTON_RULE])
		state->cause = view->stuck;
	else if (rule == &fault_rules[HARDWARE_RULE])
		state->code = view->input->fault;
}

/* What this fault is a strike of; what the hardware's own controller says counts as ours of that name. */
static uint8_t strike_group(const struct fault_rule *rule, enum gf_fault code)
{
	if (rule != &fault_rules[HARDWARE_RULE])
		return latches(rule) ? NO_STRIKE : rule->strikes;
	for (size_t i = 0; i < FAULT_RULES; i++) {
		if (fault_rules[i].code == code && fault_rules[i].severity == GF_SEVERITY_STOP)
			return fault_rules[i].strikes;
	}
	return NO_STRIKE;
}

/* Another rule has found this incident and counted it. */
static bool seen_already(const struct faults *faults, uint8_t group, const struct fault_state *but)
{
	for (size_t i = 0; i < FAULT_RULES; i++) {
		const struct fault_state *state = &faults->states[i];
		if (state != but && state->active && strike_group(&fault_rules[i], state->code) == group)
			return true;
	}
	return false;
}

/* How often it has come back soon, if this is again. */
static uint8_t returned(const struct fault_state *state)
{
	if (state->soon_ms == 0)
		return 0;
	return state->returns < RETURNS_MAX ? state->returns + 1 : RETURNS_MAX;
}

static void raise_fault(struct faults *faults, const struct fault_rule *rule, struct fault_state *state,
                        struct verdict verdict, const struct fault_view *view, int64_t mono_ms)
{
	*state = (struct fault_state){
	    .active = true,
	    .returns = returned(state),
	    .fault_no = faults->next_no++,
	    .since_ms = mono_ms,
	    .observed = latches(rule) ? MEMORY_STRIKES : finite_or_none(verdict.observed),
	    .limit = latches(rule) ? MEMORY_STRIKES : finite_or_none(verdict.limit),
	};
	name_cause(rule, view, state);
	const uint8_t group = strike_group(rule, state->code);
	const bool seen = seen_already(faults, group, state);
	if (group != NO_STRIKE && !seen)
		strike(faults, group);
}

void faults_clock_moved(struct faults *faults, int64_t by_ms)
{
	for (size_t i = 0; i < FAULT_RULES; i++)
		faults->states[i].since_ms += by_ms;
}

void faults_step(struct faults *faults, const struct fault_view *view, int64_t mono_ms, uint32_t elapsed_ms)
{
	faults_away(faults, elapsed_ms);
	for (size_t i = 0; i < FAULT_RULES; i++) {
		struct fault_state *state = &faults->states[i];
		state->soon_ms = less(state->soon_ms, elapsed_ms);
		const struct verdict verdict = judge(faults, &fault_rules[i], state, view);
		if (state->active)
			recover(state, verdict.there, elapsed_ms); /* faults_tell clears it */
		else if (lasted(&fault_rules[i], state, verdict.there, elapsed_ms))
			raise_fault(faults, &fault_rules[i], state, verdict, view, mono_ms);
	}
}

/* A stop that counts for this latch is still there. */
static bool still_there(const struct faults *faults, uint8_t group)
{
	for (size_t i = 0; i < FAULT_RULES; i++) {
		if (faults->states[i].active && fault_rules[i].severity == GF_SEVERITY_STOP && fault_rules[i].strikes == group)
			return true;
	}
	return false;
}

bool faults_staff(struct faults *faults)
{
	bool any = false;
	for (size_t i = 0; i < FAULT_RULES; i++) {
		struct fault_state *state = &faults->states[i];
		if (!latches(&fault_rules[i]) || !state->active || !state->told || still_there(faults, fault_rules[i].strikes))
			continue;
		forgive(faults, fault_rules[i].strikes);
		state->staffed = any = true;
	}
	return any;
}

/* --- over a restart ---------------------------------------------------------------------------------------------- */

/* It was hot when we last knew: it must cool down first, and that is no strike again. */
static void recall_heat(struct faults *faults, size_t rule, int64_t mono_ms)
{
	faults->states[rule] = (struct fault_state){
	    .active = true,
	    .code = fault_rules[rule].code,
	    .fault_no = faults->next_no++,
	    .since_ms = mono_ms,
	    .observed = NAN,
	    .limit = NAN,
	};
}

void faults_init(struct faults *faults, uint64_t next_no, const struct control_memory *memory, int64_t mono_ms)
{
	*faults = (struct faults){.next_no = next_no > 0 ? next_no : 1};
	for (int i = 0; i < MEMORY_STRIKES_COUNT * MEMORY_STRIKES; i++) {
		const uint32_t left_ms = memory->strike_left_ms[i / MEMORY_STRIKES][i % MEMORY_STRIKES];
		faults->strike_left_ms[i / MEMORY_STRIKES][i % MEMORY_STRIKES] =
		    left_ms < MEMORY_STRIKES_MS ? left_ms : MEMORY_STRIKES_MS;
	}
	if (memory->motor_hot)
		recall_heat(faults, MOTOR_HOT_RULE, mono_ms);
	if (memory->surface_hot)
		recall_heat(faults, SURFACE_HOT_RULE, mono_ms);
	for (size_t i = 0; i < FAULT_RULES; i++) {
		for (uint32_t n = 0; latches(&fault_rules[i]) && n < memory->latched_count && n < MEMORY_LATCHED_MAX; n++) {
			if (memory->latched[n].code != fault_rules[i].code)
				continue;
			faults->states[i] = (struct fault_state){
			    .active = true,
			    .told = true,
			    .code = fault_rules[i].code,
			    .fault_no = memory->latched[n].fault_no,
			    .since_ms = mono_ms,
			};
		}
	}
}

void faults_remember(const struct faults *faults, struct control_memory *memory)
{
	memcpy(memory->strike_left_ms, faults->strike_left_ms, sizeof(memory->strike_left_ms));
	memory->motor_hot = faults->states[MOTOR_HOT_RULE].active;
	memory->surface_hot = faults->states[SURFACE_HOT_RULE].active;
	memory->latched_count = 0;
	for (size_t i = 0; i < FAULT_RULES; i++) {
		const struct fault_state *state = &faults->states[i];
		if (latches(&fault_rules[i]) && state->active && memory->latched_count < MEMORY_LATCHED_MAX)
			memory->latched[memory->latched_count++] = (struct memory_latched){fault_rules[i].code, state->fault_no};
	}
}

bool faults_off_now(const struct faults *faults, const struct fault_view *view)
{
	if (faults_stopping(faults))
		return true;
	for (size_t i = 0; i < FAULT_RULES; i++) {
		if ((fault_rules[i].sight & AT_ONCE) != 0 && fault_rules[i].there(view).there)
			return true;
	}
	return false;
}

static bool any_active(const struct faults *faults, enum gf_severity from, enum gf_severity to)
{
	for (size_t i = 0; i < FAULT_RULES; i++) {
		if (faults->states[i].active && fault_rules[i].severity >= from && fault_rules[i].severity <= to)
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

static float temperature(const struct fault_view *view, enum gf_sensor which)
{
	return view->input != NULL ? view->input->sensors[which] : NAN;
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
	const float motor =
	    power_left(temperature(view, GF_SENSOR_MOTOR_TEMP_C), e->motor_temp_derate_c, e->motor_temp_stop_c);
	const float surface =
	    power_left(temperature(view, GF_SENSOR_SURFACE_TEMP_C), e->surface_temp_derate_c, e->surface_temp_stop_c);
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
	if (rule == &fault_rules[SENSOR_RULE])
		compose(text, (const char *const[]){state->cause, " ", sensor_doubt_text(state->doubt)});
	else if (rule == &fault_rules[BUTTON_RULE])
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
	for (size_t i = 0; i < FAULT_RULES; i++) {
		struct fault_state *state = &faults->states[i];
		if (!state->active)
			continue;
		if (!state->told) {
			tell_raised(&fault_rules[i], state, session_no, ret_event);
			state->told = true;
			return true;
		}
		if (state->staffed || recovered(&fault_rules[i], state)) {
			tell_cleared(state, mono_ms, ret_event);
			*state = (struct fault_state){.returns = state->returns, .soon_ms = FAULT_SOON_MS};
			return true;
		}
	}
	return false;
}
