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
#include "agent/recorder_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CHECKPOINT_DISK_FULL_MS = 60000 };

/* ---- the queue ---- */

static void take_out(struct recorder *r, size_t at, size_t count)
{
	for (size_t i = at; i < at + count; i++)
		free(r->queue[i]);
	r->waiting -= count;
	memmove(r->queue + at, r->queue + at + count, (r->waiting - at) * sizeof(struct recorder_entry *));
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
	while (victim < r->waiting && r->queue[victim]->record.kind != GF_RECORD_HEARTBEAT)
		victim++;
	if (victim == r->waiting && kind == GF_RECORD_HEARTBEAT)
		return false;
	take_out(r, victim < r->waiting ? victim : r->attempted, 1);
	return true;
}

int recorder_enqueue(struct recorder *r, const struct recorder_entry *entry)
{
	if (!make_room(r, entry->record.kind))
		return 0;
	struct recorder_entry *copy = malloc(sizeof(*copy));
	if (copy == NULL) {
		count_dropped(r);
		return -ENOMEM;
	}
	*copy = *entry;
	r->queue[r->waiting++] = copy;
	recorder_state_apply(&r->current, entry);
	return 0;
}

/* ---- to the spool ---- */

static void remember_position(struct recorder *r, size_t attempted)
{
	r->stream = spool_stream(r->spool);
	r->next_seq = spool_next_seq(r->spool);
	r->attempted = attempted;
}

/* Heartbeats don't take the room that the disk kept for more important things, not by a state either. */
static bool is_spare(const struct recorder *r, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (r->queue[i]->record.kind != GF_RECORD_HEARTBEAT)
			return false;
	}
	return count > 0 && spool_stats(r->spool).disk_full;
}

/* As it may lie on the disk. */
static int encode_state(const struct recorder *r, struct recorder_state *state, unsigned char *buf, size_t size,
                        size_t *ret_len)
{
	const struct control_memory memory = state->memory;
	int error = recorder_seal(r, state);
	if (error == 0)
		error = recorder_state_encode(state, buf, size, ret_len);
	state->memory = memory;
	state->sealed = false;
	return error;
}

/* The first `count` waiting records with the state they lead to. Heartbeats that change nothing go without one. */
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
		records[i] = r->queue[i]->record;
		changes |= recorder_state_changes(&next, r->queue[i]);
		recorder_state_apply(&next, r->queue[i]);
	}
	bool told = changes && !is_spare(r, count);
	int error = told ? encode_state(r, &next, state, sizeof(state), &len) : 0;
	if (error == 0) {
		remember_position(r, count);
		error = spool_append(r->spool, records, count, told ? state : NULL, len);
	}
	free(records);
	if (error != SPOOL_E_FAILED)
		r->attempted = 0;
	if (error != 0)
		return error;
	take_out(r, 0, count);
	r->written = next;
	r->state_due = changes && !told;
	return 0;
}

/* Until something refuses. */
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

int recorder_write(struct recorder *r)
{
	return waits_or_fails(write_waiting(r));
}

/* ---- events to records ---- */

void recorder_stamp(const struct recorder *r, struct gf_time now, int64_t mono_ms, struct gf_record *record)
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
	recorder_stamp(r, now, event->started_mono_ms, &started);
	ended->started_boot = started.boot;
	ended->started_uptime_ms = started.uptime_ms;
	ended->started_wall_ms = started.wall_ms;
	ended->started_clock_synced = started.clock_synced;
	recorder_hide(r, started.wall_ms, started.clock_synced, &ended->start);
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
	recorder_stamp(r, now, event->mono_ms, ret_record);
	switch (event->kind) {
	case CONTROL_EVENT_SESSION_STARTED:
		ret_record->kind = GF_RECORD_SESSION_STARTED;
		ret_record->session_started = event->session_started;
		recorder_hide(r, ret_record->wall_ms, ret_record->clock_synced, &ret_record->session_started);
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
	case CONTROL_EVENT_CATALOG:
		break;
	}
}

/*
 * A checkpoint changes the state only. It is worth nothing beside what waits for a full disk, and there it would eat up the reserve
 * that the session's end needs: then it is written rarely.
 */
static int checkpoint(struct recorder *r, const struct recorder_entry *entry)
{
	const struct gf_record *record = &entry->record;
	recorder_state_checkpoint(&r->current, entry);
	if (r->waiting > 0 || r->spool == NULL)
		return 0;
	if (spool_stats(r->spool).disk_full && record->uptime_ms - r->checkpoint_uptime_ms < CHECKPOINT_DISK_FULL_MS)
		return 0;
	r->checkpoint_uptime_ms = record->uptime_ms;
	recorder_state_checkpoint(&r->written, entry);
	r->state_due = true;
	return write_batch(r, 0);
}

int recorder_event(struct recorder *recorder, const struct control_event *event, struct gf_time now,
                   const struct recorder_link_facts *facts)
{
	struct recorder_entry entry = {.remembers = true, .memory = event->memory};
	if (event->kind == CONTROL_EVENT_CATALOG)
		return 0; /* why it changed is known elsewhere: recorder_catalog */
	event_record(recorder, event, now, facts, &entry.record);
	if (event->kind == CONTROL_EVENT_SESSION_PROGRESS)
		return waits_or_fails(checkpoint(recorder, &entry));
	int error = recorder_enqueue(recorder, &entry);
	return error != 0 ? error : recorder_write(recorder);
}

/* One that the main loop has. */
static int write_own(struct recorder *r, struct recorder_entry *entry, struct gf_time now)
{
	recorder_stamp(r, now, now.mono_ms, &entry->record);
	int error = recorder_enqueue(r, entry);
	return error != 0 ? error : recorder_write(r);
}

int recorder_catalog(struct recorder *recorder, const struct gf_catalog_changed *changed, struct gf_time now)
{
	struct recorder_entry entry = {
	    .record = {.kind = GF_RECORD_CATALOG_CHANGED, .catalog_changed = *changed},
	};
	return write_own(recorder, &entry, now);
}

uint64_t recorder_catalog_version(const struct recorder *recorder, const char **ret_name)
{
	*ret_name = recorder->current.catalog;
	return recorder->current.catalog_version;
}

int recorder_desired(struct recorder *recorder, const struct gf_desired_applied *applied, struct gf_time now)
{
	struct recorder_entry entry = {
	    .record = {.kind = GF_RECORD_DESIRED_APPLIED, .desired_applied = *applied},
	};
	return write_own(recorder, &entry, now);
}

int recorder_flush(struct recorder *recorder, size_t *ret_waiting)
{
	int error = recorder_write(recorder);
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

void recorder_free(struct recorder *recorder)
{
	if (recorder == NULL)
		return;
	take_out(recorder, 0, recorder->waiting);
	gf_subject_key_wipe(&recorder->subjects);
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

/* A hundred years: what shows more shows nothing. */
#define METER_MAX_MS (UINT64_C(876600) * 3600 * 1000)

/* Of the same moment as the odometer: the difference, which is what ran before anything counted, stays as it was at the start. */
uint64_t recorder_hour_meter_ms(const struct recorder *recorder)
{
	const struct recorder_state *state = &recorder->current;
	const uint64_t meter_ms = state->meter_motor_ms + state->odometer.motor_ms;
	return state->has_meter && meter_ms <= METER_MAX_MS ? meter_ms : 0;
}

uint64_t recorder_dropped(const struct recorder *recorder)
{
	return recorder->current.dropped;
}
