/*
 * Happy path: an event becomes a record, the record and the state it leads to go into the spool in one append.
 *
 * Failure modes:
 * - The disk refuses (full): records wait in memory, in order. Two states are kept apart, `written` as the spool has it and `current`
 *   with what waits applied, so that whenever a part of the waiting records gets through, exactly their state goes with them.
 * - The spool fails in the middle of an append: after it was opened again its next seq tells whether the records made it.
 * - Memory or the queue's room is out: a heartbeat gives way; it never had a seq, so it is counted here and not by a Lost record.
 * - The process dies: the next recorder_open finds the state of the last record that was written, and in it what was open.
 */
#include "agent/recorder.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/recorder_state.h"

enum { CHECKPOINT_DISK_FULL_MS = 60000 };

/* A meter that is further ahead of the odometer, in ms or cycles, is wrong or another one: nobody misses a month of sessions. */
#define UNACCOUNTED_MAX (UINT64_C(30) * 24 * 3600 * 1000)

struct recorder {
	struct spool *spool; /* NULL while it is being reopened */
	struct recorder_state written, current;
	bool state_due; /* `written` differs from what the spool has */
	int64_t opened_mono_ms;
	uint64_t checkpoint_uptime_ms;
	/* Where the spool stood before the last append: tells after a failure whether it took place. */
	struct gf_stream_id stream;
	uint64_t next_seq;
	size_t attempted; /* so many at the head of the queue may be on the disk */
	size_t waiting;
	struct gf_record *queue[RECORDER_PENDING_MAX]; /* oldest first */
};

/* ---- the queue ---- */

static void take_out(struct recorder *r, size_t at, size_t count)
{
	for (size_t i = at; i < at + count; i++)
		free(r->queue[i]);
	r->waiting -= count;
	memmove(r->queue + at, r->queue + at + count, (r->waiting - at) * sizeof(struct gf_record *));
}

static void count_dropped(struct recorder *r)
{
	r->written.dropped++;
	r->current.dropped++;
	r->state_due = true;
}

/*
 * Makes room for `kind`: the oldest heartbeat goes, or the newcomer if it is one; the oldest of the rest only for its like. What was
 * under way when the spool failed stays: it may be on the disk, and recorder_set_spool finds it by its place.
 */
static bool make_room(struct recorder *r, enum gf_record_kind kind)
{
	if (r->waiting < RECORDER_PENDING_MAX)
		return true;
	count_dropped(r);
	size_t victim = r->attempted;
	while (victim < r->waiting && r->queue[victim]->kind != GF_RECORD_HEARTBEAT)
		victim++;
	if (victim == r->waiting && kind == GF_RECORD_HEARTBEAT)
		return false;
	take_out(r, victim < r->waiting ? victim : r->attempted, 1);
	return true;
}

static int enqueue(struct recorder *r, const struct gf_record *record)
{
	if (!make_room(r, record->kind))
		return 0;
	struct gf_record *copy = malloc(sizeof(*copy));
	if (copy == NULL) {
		count_dropped(r);
		return -ENOMEM;
	}
	*copy = *record;
	r->queue[r->waiting++] = copy;
	recorder_state_apply(&r->current, record);
	return 0;
}

/* ---- to the spool ---- */

static void remember_position(struct recorder *r, size_t attempted)
{
	r->stream = spool_stream(r->spool);
	r->next_seq = spool_next_seq(r->spool);
	r->attempted = attempted;
}

/* The first `count` waiting records with the state they lead to. Heartbeats alone go without one. */
static int write_batch(struct recorder *r, size_t count)
{
	struct recorder_state next = r->written;
	unsigned char state[RECORDER_STATE_MAX];
	size_t len = 0;
	bool changes = r->state_due;

	struct gf_record *records = malloc((count > 0 ? count : 1) * sizeof(*records));
	if (records == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		records[i] = *r->queue[i];
		recorder_state_apply(&next, r->queue[i]);
		changes |= recorder_state_changes(r->queue[i]->kind);
	}
	int error = changes ? recorder_state_encode(&next, state, sizeof(state), &len) : 0;
	if (error == 0) {
		remember_position(r, count);
		error = spool_append(r->spool, records, count, changes ? state : NULL, len);
	}
	free(records);
	if (error != SPOOL_E_FAILED)
		r->attempted = 0;
	if (error != 0)
		return error;
	take_out(r, 0, count);
	r->written = next;
	r->state_due = false;
	return 0;
}

/* Everything that waits, until something refuses. */
static int write_waiting(struct recorder *r)
{
	size_t most = SPOOL_BATCH_MAX;
	while (r->spool != NULL && (r->waiting > 0 || r->state_due)) {
		size_t count = r->waiting < most ? r->waiting : most;
		int error = write_batch(r, count);
		if (error == -EINVAL && count > 1) {
			most = 1; /* one of them is too large: find it */
		} else if (error == -EINVAL && count == 1) {
			take_out(r, 0, 1);
			count_dropped(r);
		} else if (error != 0) {
			return error;
		}
	}
	return 0;
}

/* A full disk is no failure: what waits is written later. */
static int waits_or_fails(int error)
{
	return error == -ENOSPC ? 0 : error;
}

/* ---- events to records ---- */

/* When it happened, by all clocks. */
static void stamp(const struct recorder *r, struct gf_time now, int64_t mono_ms, struct gf_record *record)
{
	int64_t wall_ms = now.wall_ms - (now.mono_ms - mono_ms);
	record->boot = r->current.boot;
	record->uptime_ms = (uint64_t)recorder_uptime_ms(r, mono_ms);
	record->wall_ms = wall_ms > 0 ? (uint64_t)wall_ms : 0;
	record->clock_synced = now.synced;
}

static void fill_session(const struct recorder *r, const struct control_event *event, struct gf_time now,
                         struct gf_record *record)
{
	struct gf_session_ended *ended = &record->session_ended;
	struct gf_record started = {0};
	stamp(r, now, event->started_mono_ms, &started);
	ended->started_boot = started.boot;
	ended->started_uptime_ms = started.uptime_ms;
	ended->started_wall_ms = started.wall_ms;
	ended->started_clock_synced = started.clock_synced;
	/* The chain: what it was before, and this session. */
	ended->odometer.motor_ms = r->current.odometer.motor_ms + ended->motor_ms;
	ended->odometer.sessions = r->current.odometer.sessions + 1;
}

static void fill_heartbeat(const struct recorder *r, const struct recorder_link_facts *facts, struct gf_record *record)
{
	struct gf_heartbeat *beat = &record->heartbeat;
	beat->odometer = r->current.odometer;
	beat->spool_dropped = recorder_dropped(r);
	beat->spool_records = (uint32_t)r->waiting;
	if (r->spool != NULL) {
		struct spool_stats stats = spool_stats(r->spool);
		uint64_t records = stats.records + r->waiting;
		beat->spool_records = records < UINT32_MAX ? (uint32_t)records : UINT32_MAX;
		beat->spool_bytes = stats.bytes;
		beat->spool_dropped += stats.dropped;
	}
	beat->link_connects = facts->connects;
}

static void event_record(const struct recorder *r, const struct control_event *event, struct gf_time now,
                         const struct recorder_link_facts *facts, struct gf_record *ret_record)
{
	*ret_record = (struct gf_record){0};
	stamp(r, now, event->mono_ms, ret_record);
	switch (event->kind) {
	case CONTROL_EVENT_SESSION_STARTED:
		ret_record->kind = GF_RECORD_SESSION_STARTED;
		ret_record->session_started = event->session_started;
		break;
	case CONTROL_EVENT_SESSION_PROGRESS:
	case CONTROL_EVENT_SESSION_ENDED:
		ret_record->kind = GF_RECORD_SESSION_ENDED;
		ret_record->session_ended = event->session_ended;
		fill_session(r, event, now, ret_record);
		break;
	case CONTROL_EVENT_FAULT_RAISED:
		ret_record->kind = GF_RECORD_FAULT_RAISED;
		ret_record->fault_raised = event->fault_raised;
		break;
	case CONTROL_EVENT_FAULT_CLEARED:
		ret_record->kind = GF_RECORD_FAULT_CLEARED;
		ret_record->fault_cleared = event->fault_cleared;
		break;
	case CONTROL_EVENT_LIMIT_HIT:
		ret_record->kind = GF_RECORD_LIMIT_HIT;
		ret_record->limit_hit = event->limit_hit;
		break;
	case CONTROL_EVENT_TELEMETRY:
		ret_record->kind = GF_RECORD_HEARTBEAT;
		ret_record->heartbeat = event->heartbeat;
		fill_heartbeat(r, facts, ret_record);
		break;
	}
}

/*
 * A checkpoint changes the state only. It is worth nothing beside what waits for a full disk, and there it would eat up the reserve
 * that the session's end needs: then it is written rarely.
 */
static int checkpoint(struct recorder *r, const struct gf_record *record)
{
	r->current.in_session = true;
	r->current.checkpoint = *record;
	if (r->waiting > 0 || r->spool == NULL)
		return 0;
	if (spool_stats(r->spool).disk_full && record->uptime_ms - r->checkpoint_uptime_ms < CHECKPOINT_DISK_FULL_MS)
		return 0;
	r->checkpoint_uptime_ms = record->uptime_ms;
	r->written.in_session = true;
	r->written.checkpoint = *record;
	r->state_due = true;
	return write_batch(r, 0);
}

int recorder_event(struct recorder *recorder, const struct control_event *event, struct gf_time now,
                   const struct recorder_link_facts *facts)
{
	struct gf_record record;
	event_record(recorder, event, now, facts, &record);
	if (event->kind == CONTROL_EVENT_SESSION_PROGRESS)
		return waits_or_fails(checkpoint(recorder, &record));
	int error = enqueue(recorder, &record);
	if (error != 0)
		return error;
	return waits_or_fails(write_waiting(recorder));
}

int recorder_catalog(struct recorder *recorder, const char *name, uint64_t version, struct gf_time now)
{
	const struct recorder_state *current = &recorder->current;
	if (current->catalog_version == version && strcmp(current->catalog, name) == 0)
		return 0;
	struct gf_record record = {.kind = GF_RECORD_CATALOG_CHANGED};
	stamp(recorder, now, now.mono_ms, &record);
	gf_strcpy(record.catalog_changed.catalog, sizeof(record.catalog_changed.catalog), name);
	record.catalog_changed.version = version;
	record.catalog_changed.previous_version = current->catalog_version;
	int error = enqueue(recorder, &record);
	return error != 0 ? error : waits_or_fails(write_waiting(recorder));
}

int recorder_flush(struct recorder *recorder, size_t *ret_waiting)
{
	int error = waits_or_fails(write_waiting(recorder));
	*ret_waiting = recorder->waiting;
	return error;
}

void recorder_set_spool(struct recorder *recorder, struct spool *spool)
{
	recorder->spool = spool;
	if (spool == NULL)
		return;
	struct gf_stream_id stream = spool_stream(spool);
	bool same = memcmp(&stream, &recorder->stream, sizeof(stream)) == 0;
	if (same && recorder->attempted > 0 && spool_next_seq(spool) == recorder->next_seq + recorder->attempted) {
		for (size_t i = 0; i < recorder->attempted; i++)
			recorder_state_apply(&recorder->written, recorder->queue[i]);
		take_out(recorder, 0, recorder->attempted);
	}
	recorder->attempted = 0;
	/* A stream that had to begin anew may carry an older state than this. */
	recorder->state_due = true;
}

/* ---- opening ---- */

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
	stamp(r, now, now.mono_ms, record);
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
	struct gf_record record;

	if (state->in_session) {
		close_session(state, meter, &record);
		return enqueue(r, &record);
	}
	if (!meter->present || !state->has_meter)
		return 0;
	uint64_t motor_ms = unaccounted(meter->motor_ms, state->meter_motor_ms, state->odometer.motor_ms);
	if (motor_ms == 0)
		return 0;
	unknown_session(r, now, motor_ms, unaccounted(meter->cycles, state->meter_cycles, state->odometer.cycles), &record);
	return enqueue(r, &record);
}

/* A restart clears; what persists the control core raises again. */
static int clear_faults(struct recorder *r, struct gf_time now)
{
	int error = 0;
	while (r->current.faults_count > 0 && error == 0) {
		const struct recorder_fault *fault = &r->current.faults[0];
		struct gf_record record = {.kind = GF_RECORD_FAULT_CLEARED};
		stamp(r, now, now.mono_ms, &record);
		record.fault_cleared =
		    (struct gf_fault_cleared){.fault_no = fault->fault_no, .code = fault->code, .by = GF_CLEARED_BY_RESTART};
		if (now.synced && fault->raised_wall_ms > 0 && record.wall_ms > fault->raised_wall_ms)
			record.fault_cleared.lasted_ms = record.wall_ms - fault->raised_wall_ms;
		error = enqueue(r, &record);
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
	return waits_or_fails(write_waiting(r));
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
	r->written.boot++;
	r->current = r->written;
	r->state_due = true;
	return 0;
}

int recorder_open(struct spool *spool, const struct recorder_meter *meter, struct gf_time now,
                  struct recorder **ret_recorder, struct control_resume *ret_resume, struct gf_diag *diag)
{
	struct recorder *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return -ENOMEM;
	r->spool = spool;
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
	*ret_resume = (struct control_resume){.odometer = r->current.odometer, .next_fault_no = r->current.next_fault_no};
	return 0;
}

void recorder_free(struct recorder *recorder)
{
	if (recorder == NULL)
		return;
	take_out(recorder, 0, recorder->waiting);
	free(recorder);
}

uint64_t recorder_boot(const struct recorder *recorder)
{
	return recorder->current.boot;
}

int64_t recorder_uptime_ms(const struct recorder *recorder, int64_t mono_ms)
{
	return mono_ms > recorder->opened_mono_ms ? mono_ms - recorder->opened_mono_ms : 0;
}

struct gf_odometer recorder_odometer(const struct recorder *recorder)
{
	return recorder->current.odometer;
}

uint64_t recorder_dropped(const struct recorder *recorder)
{
	return recorder->current.dropped;
}
