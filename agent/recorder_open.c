/* Opening the recorder: what was under way when the process before this one ended, from the state of its last record. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/recorder_impl.h"

/* A meter that is further ahead of the odometer, in ms or cycles, is wrong or another one: nobody misses a month of sessions. */
#define UNACCOUNTED_MAX (UINT64_C(30) * 24 * 3600 * 1000)

/* Nothing that is remembered lasts longer. */
enum { OFF_MAX_MS = 48 * 3600 * 1000 };

/* What the hardware counted and no session has; 0 where it knows less than the odometer (the difference wraps) or too much more. */
static uint64_t unaccounted(uint64_t meter, uint64_t base, uint64_t odometer)
{
	uint64_t difference = meter - base - odometer;
	return difference <= UNACCOUNTED_MAX ? difference : 0;
}

/* The session that was running: its checkpoint, with what the hardware's own meter has counted since the odometer. */
static void close_session(const struct recorder_state *state, const struct recorder_meter *meter,
                          struct gf_record *record)
{
	struct gf_session_ended *ended = &record->session_ended;
	*record = state->checkpoint;
	ended->outcome = GF_OUTCOME_INTERRUPTED;
	uint64_t cycles = ended->odometer.cycles - state->odometer.cycles;
	if (meter->present && state->has_meter) {
		uint64_t motor_ms = unaccounted(meter->motor_ms, state->meter_motor_ms, state->odometer.motor_ms);
		uint64_t meter_cycles = unaccounted(meter->cycles, state->meter_cycles, state->odometer.cycles);
		if (motor_ms > ended->motor_ms)
			ended->duration_ms += (uint32_t)(motor_ms - ended->motor_ms);
		/* Another meter knows nothing of this session. */
		ended->motor_ms = motor_ms > 0 ? motor_ms : ended->motor_ms;
		cycles = meter_cycles > 0 ? meter_cycles : cycles;
	}
	ended->odometer = state->odometer;
	ended->odometer.motor_ms += ended->motor_ms;
	ended->odometer.cycles += cycles;
	ended->odometer.sessions++;
}

/* The hardware ran and nothing of it reached the disk: a session of which only the motor time is known. */
static void unknown_session(const struct recorder *r, struct gf_time now, uint64_t motor_ms, uint64_t cycles,
                            struct gf_record *record)
{
	*record = (struct gf_record){.kind = GF_RECORD_SESSION_ENDED};
	recorder_stamp(r, now, now.mono_ms, record);
	record->session_ended = (struct gf_session_ended){
	    .start.session_no = r->current.odometer.sessions + 1,
	    .started_boot = record->boot,
	    .started_wall_ms = record->wall_ms > motor_ms ? record->wall_ms - motor_ms : 0,
	    .started_clock_synced = record->clock_synced,
	    .duration_ms = (uint32_t)motor_ms,
	    .motor_ms = motor_ms,
	    .outcome = GF_OUTCOME_INTERRUPTED,
	    .peak_motor_temp_c = NAN,
	    .peak_surface_temp_c = NAN,
	    .peak_current_ma = NAN,
	    .peak_pressure_mmhg = NAN,
	    .odometer = r->current.odometer,
	};
	record->session_ended.odometer.motor_ms += motor_ms;
	record->session_ended.odometer.cycles += cycles;
	record->session_ended.odometer.sessions++;
}

static int recover_session(struct recorder *r, const struct recorder_meter *meter, struct gf_time now)
{
	const struct recorder_state *state = &r->current;
	struct recorder_entry entry = {0};

	if (state->in_session) {
		close_session(state, meter, &entry.record);
		return recorder_enqueue(r, &entry);
	}
	if (!meter->present || !state->has_meter)
		return 0;
	uint64_t motor_ms = unaccounted(meter->motor_ms, state->meter_motor_ms, state->odometer.motor_ms);
	if (motor_ms == 0)
		return 0;
	unknown_session(r, now, motor_ms, unaccounted(meter->cycles, state->meter_cycles, state->odometer.cycles),
	                &entry.record);
	return recorder_enqueue(r, &entry);
}

static bool latched(const struct control_memory *memory, uint64_t fault_no)
{
	for (uint32_t i = 0; i < memory->latched_count; i++) {
		if (memory->latched[i].fault_no == fault_no)
			return true;
	}
	return false;
}

static int clear_fault(struct recorder *r, const struct recorder_fault *fault, struct gf_time now)
{
	struct recorder_entry entry = {.record.kind = GF_RECORD_FAULT_CLEARED};
	struct gf_record *record = &entry.record;
	recorder_stamp(r, now, now.mono_ms, record);
	record->fault_cleared =
	    (struct gf_fault_cleared){.fault_no = fault->fault_no, .code = fault->code, .by = GF_CLEARED_BY_RESTART};
	if (now.synced && fault->raised_wall_ms > 0 && record->wall_ms > fault->raised_wall_ms)
		record->fault_cleared.lasted_ms = record->wall_ms - fault->raised_wall_ms;
	return recorder_enqueue(r, &entry);
}

/* A restart clears; what persists the control core raises again. What is latched it goes on with: only staff clears that. */
static int clear_faults(struct recorder *r, struct gf_time now)
{
	int error = 0;
	size_t stay = 0;
	while (stay < r->current.faults_count && error == 0) {
		if (latched(&r->current.memory, r->current.faults[stay].fault_no))
			stay++;
		else
			error = clear_fault(r, &r->current.faults[stay], now);
	}
	return error;
}

/* The meter and the odometer agree from here on: at first sight of it, and when the meter was exchanged. */
static void set_meter(struct recorder *r, const struct recorder_meter *meter)
{
	if (!meter->present)
		return;
	struct recorder_state *const states[] = {&r->written, &r->current};
	for (size_t i = 0; i < 2; i++) {
		states[i]->has_meter = true;
		states[i]->meter_motor_ms = meter->motor_ms - r->current.odometer.motor_ms;
		states[i]->meter_cycles = meter->cycles - r->current.odometer.cycles;
	}
}

static int recover(struct recorder *r, const struct recorder_meter *meter, struct gf_time now)
{
	int error = recover_session(r, meter, now);
	if (error == 0)
		error = clear_faults(r, now);
	if (error != 0)
		return error;
	set_meter(r, meter);
	return recorder_write(r);
}

static int load_state(struct recorder *r, struct gf_diag *diag)
{
	size_t len;
	const void *state = spool_state(r->spool, &len);
	r->written.next_fault_no = 1;
	if (len > 0 && recorder_state_decode(state, len, &r->written) != 0) {
		gf_diag_set(diag, "the spool's state was written by another version of the agent, or is damaged; "
		                  "install the newer agent, or move the spool's folder away to begin a new one");
		return -EINVAL;
	}
	if (recorder_unseal(r, &r->written) != 0)
		return -ENOMEM;
	r->written.boot++;
	r->current = r->written;
	r->state_due = true;
	return 0;
}

/* How old the memory is. Without a clock then and now nothing has passed: a rest is rather too long than too short. */
static uint32_t off_ms(const struct recorder_state *state, struct gf_time now)
{
	uint64_t then_ms = state->memory_wall_ms, now_ms = now.wall_ms > 0 ? (uint64_t)now.wall_ms : 0;
	if (!now.synced || then_ms == 0 || now_ms < then_ms)
		return 0;
	return now_ms - then_ms < OFF_MAX_MS ? (uint32_t)(now_ms - then_ms) : OFF_MAX_MS;
}

int recorder_open(struct spool *spool, const struct recorder_meter *meter, const struct gf_subject_key *subjects,
                  struct gf_time now, struct recorder **ret_recorder, struct control_resume *ret_resume,
                  struct gf_diag *diag)
{
	struct recorder *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return -ENOMEM;
	r->spool = spool;
	r->has_subjects = subjects != NULL;
	if (subjects != NULL)
		r->subjects = *subjects;
	r->opened_mono_ms = now.mono_ms;
	int error = load_state(r, diag);
	if (error == 0) {
		error = recover(r, meter, now);
		if (error != 0)
			gf_diag_set(diag, "can't write to the spool (%s); check its disk", strerror(error < 0 ? -error : EIO));
	}
	if (error != 0) {
		recorder_free(r);
		return error;
	}
	*ret_recorder = r;
	*ret_resume = (struct control_resume){.odometer = r->current.odometer,
	                                      .next_fault_no = r->current.next_fault_no,
	                                      .memory = r->current.memory,
	                                      .off_ms = off_ms(&r->current, now)};
	return 0;
}
