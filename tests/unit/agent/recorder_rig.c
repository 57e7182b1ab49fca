#include "tests/unit/agent/recorder_rig.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/codec.h"

struct gf_time machine_now(const struct machine *m)
{
	return (struct gf_time){.mono_ms = m->mono_ms, .wall_ms = RIG_DAY_ONE_MS + m->mono_ms, .synced = m->synced};
}

void machine_init(struct machine *m)
{
	*m = (struct machine){.meter = {.present = true, .motor_ms = 77000, .cycles = 5}, .synced = true};
	trap_init(&m->t);
}

bool machine_start(struct machine *m)
{
	struct gf_diag diag;
	m->recorder = NULL;
	m->last_error = 0;
	m->spool = model_open(&m->t, RIG_SPOOL_BYTES);
	if (m->spool == NULL)
		return false;
	if (recorder_open(m->spool, &m->meter, m->subjects, machine_now(m), &m->recorder, &m->resume, &diag) != 0)
		return false;
	m->memory = m->resume.memory;
	return true;
}

void machine_stop(struct machine *m)
{
	recorder_free(m->recorder);
	spool_close(m->spool);
	m->recorder = NULL;
	m->spool = NULL;
}

void machine_deinit(struct machine *m)
{
	machine_stop(m);
	trap_deinit(&m->t);
}

int machine_tell(struct machine *m, struct control_event event)
{
	const struct recorder_link_facts facts = {.connects = 3};
	event.memory = m->memory;
	event.mono_ms = m->mono_ms;
	event.started_mono_ms = m->started_ms;
	int r = recorder_event(m->recorder, &event, machine_now(m), &facts);
	if (r != 0)
		m->last_error = r;
	return r;
}

/* What the control core would say. */

int machine_begins(struct machine *m)
{
	struct control_event event = {.kind = CONTROL_EVENT_SESSION_STARTED};
	m->started_ms = m->mono_ms;
	m->session_motor_ms = 0;
	m->sessions++;
	/* The motor runs before the disk knows. */
	m->mono_ms += 40;
	m->meter.motor_ms += 40;
	m->session_motor_ms += 40;
	event.session_started.session_no = m->resume.odometer.sessions + 1;
	gf_strcpy(event.session_started.routine, GF_NAME_MAX, "calves");
	return machine_tell(m, event);
}

static struct control_event session_now(const struct machine *m, enum control_event_kind kind, enum gf_outcome outcome)
{
	struct control_event event = {.kind = kind};
	struct gf_session_ended *ended = &event.session_ended;
	ended->start.session_no = m->resume.odometer.sessions + 1;
	gf_strcpy(ended->start.routine, GF_NAME_MAX, "calves");
	ended->duration_ms = (uint32_t)(m->mono_ms - m->started_ms);
	ended->motor_ms = m->session_motor_ms;
	ended->outcome = outcome;
	ended->peak_motor_temp_c = ended->peak_surface_temp_c = ended->peak_current_ma = ended->peak_pressure_mmhg = NAN;
	ended->odometer = m->resume.odometer;
	ended->odometer.motor_ms += m->session_motor_ms;
	ended->odometer.cycles += 1;
	ended->odometer.sessions++;
	return event;
}

int machine_goes_on(struct machine *m)
{
	m->mono_ms += RIG_STEP_MS;
	m->meter.motor_ms += RIG_STEP_MS;
	m->session_motor_ms += RIG_STEP_MS;
	return machine_tell(m, session_now(m, CONTROL_EVENT_SESSION_PROGRESS, GF_OUTCOME_INTERRUPTED));
}

int machine_ends(struct machine *m)
{
	struct control_event event = session_now(m, CONTROL_EVENT_SESSION_ENDED, GF_OUTCOME_COMPLETED);
	m->meter.cycles++;
	int r = machine_tell(m, event);
	m->resume.odometer = event.session_ended.odometer;
	return r;
}

int machine_beats(struct machine *m)
{
	m->mono_ms += 60000;
	return machine_tell(m, (struct control_event){.kind = CONTROL_EVENT_TELEMETRY,
	                                              .heartbeat = {.interval_ms = 60000, .tick_p99_us = 90}});
}

static int raise_fault(struct machine *m, enum gf_fault code, enum gf_severity severity, uint64_t fault_no)
{
	return machine_tell(
	    m,
	    (struct control_event){
	        .kind = CONTROL_EVENT_FAULT_RAISED,
	        .fault_raised = {.fault_no = fault_no, .code = code, .severity = severity, .observed = NAN, .limit = NAN}});
}

int machine_fails(struct machine *m)
{
	return raise_fault(m, GF_FAULT_ESTOP, GF_SEVERITY_STOP, m->resume.next_fault_no++);
}

int machine_latches(struct machine *m)
{
	uint64_t fault_no = m->resume.next_fault_no++;
	assert_true(m->memory.latched_count < MEMORY_LATCHED_MAX);
	m->memory.latched[m->memory.latched_count++] = (struct memory_latched){GF_FAULT_STALL, fault_no};
	return raise_fault(m, GF_FAULT_STALL, GF_SEVERITY_LATCH, fault_no);
}

int machine_rests(struct machine *m)
{
	m->memory.duty_ms++;
	m->memory.resting = true;
	return machine_tell(m, (struct control_event){.kind = CONTROL_EVENT_LIMIT_HIT,
	                                              .limit_hit = {.rule = "D1",
	                                                            .observed = (float)m->memory.duty_ms,
	                                                            .limit = 1800,
	                                                            .action = "stop",
	                                                            .lasts_ms = 900000}});
}

struct gf_record machine_record(struct spool *spool, uint64_t seq)
{
	struct gf_record record;
	const void *data;
	uint64_t through;
	size_t len;
	assert_int_equal(spool_read(spool, seq, &data, &len, &through), 0);
	assert_int_equal(gf_record_decode(data, len, &record, NULL), 0);
	return record;
}

void machine_lives(struct machine *m)
{
	for (int i = 0; i < 2 && m->last_error == 0; i++) {
		if (machine_begins(m) != 0 || machine_goes_on(m) != 0 || machine_fails(m) != 0 || machine_goes_on(m) != 0 ||
		    machine_rests(m) != 0 || machine_ends(m) != 0 || machine_latches(m) != 0)
			return;
		(void)machine_beats(m);
	}
}

static bool remembered(const struct control_memory *memory, uint64_t fault_no)
{
	for (uint32_t i = 0; i < memory->latched_count; i++)
		if (memory->latched[i].fault_no == fault_no)
			return true;
	return false;
}

/* The one of the end: the control core, or a later life, may remember more than is on the disk, never less. */
static void check_memory(struct machine *m)
{
	const struct control_memory *memory = &m->resume.memory;
	uint64_t open_faults = 0;
	for (uint64_t seq = 1; seq < spool_next_seq(m->spool); seq++) {
		struct gf_record r = machine_record(m->spool, seq);
		if (r.kind == GF_RECORD_LIMIT_HIT)
			assert_true(memory->resting && (float)memory->duty_ms >= r.limit_hit.observed);
		if (r.kind == GF_RECORD_FAULT_RAISED && r.fault_raised.severity == GF_SEVERITY_LATCH)
			assert_true(remembered(memory, r.fault_raised.fault_no));
		else if (r.kind == GF_RECORD_FAULT_RAISED)
			open_faults++;
		if (r.kind == GF_RECORD_FAULT_CLEARED) {
			assert_int_equal(r.fault_cleared.code, GF_FAULT_ESTOP);
			open_faults--;
		}
	}
	assert_int_equal(open_faults, 0);
}

void machine_check(struct machine *m, uint64_t meter_start_ms)
{
	uint64_t ended = 0, motor_ms = 0;
	for (uint64_t seq = 1; seq < spool_next_seq(m->spool); seq++) {
		struct gf_record r = machine_record(m->spool, seq);
		if (r.kind != GF_RECORD_SESSION_ENDED)
			continue;
		assert_int_equal(r.session_ended.start.session_no, ++ended);
		motor_ms += r.session_ended.motor_ms;
		assert_int_equal(r.session_ended.odometer.motor_ms, motor_ms);
		assert_int_equal(r.session_ended.odometer.sessions, ended);
	}
	assert_int_equal(motor_ms, m->meter.motor_ms - meter_start_ms);
	assert_int_equal(ended, m->sessions);
	assert_int_equal(m->resume.odometer.motor_ms, motor_ms);
	check_memory(m);
}

void machine_reopen(struct machine *m)
{
	recorder_set_spool(m->recorder, NULL);
	spool_close(m->spool);
	m->t.fail_sync = m->t.fail_write = 0;
	m->spool = model_open(&m->t, RIG_SPOOL_BYTES);
	assert_non_null(m->spool);
	recorder_set_spool(m->recorder, m->spool);
}

int machine_setup(void **state)
{
	struct machine *m = malloc(sizeof(*m));
	machine_init(m);
	*state = m;
	return 0;
}

int machine_teardown(void **state)
{
	machine_deinit(*state);
	free(*state);
	return 0;
}
