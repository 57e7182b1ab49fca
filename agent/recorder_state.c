#include "agent/recorder_state.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "proto/codec.h"

enum { STATE_VERSION = 1, FLAG_METER = 1, FLAG_SESSION = 2 };

/* ---- how records change it ---- */

/* The session as it would be reported if the power went right at its start. */
static void session_opens(struct recorder_state *state, const struct gf_record *record)
{
	state->in_session = true;
	state->checkpoint = *record;
	state->checkpoint.kind = GF_RECORD_SESSION_ENDED;
	state->checkpoint.session_ended = (struct gf_session_ended){
	    .start = record->session_started,
	    .started_boot = record->boot,
	    .started_uptime_ms = record->uptime_ms,
	    .started_wall_ms = record->wall_ms,
	    .started_clock_synced = record->clock_synced,
	    .outcome = GF_OUTCOME_INTERRUPTED,
	    .peak_motor_temp_c = NAN,
	    .peak_surface_temp_c = NAN,
	    .peak_current_ma = NAN,
	    .peak_pressure_mmhg = NAN,
	    .odometer = state->odometer,
	};
	state->checkpoint.session_ended.odometer.sessions++;
}

static void session_ends(struct recorder_state *state, const struct gf_record *record)
{
	state->in_session = false;
	state->odometer = record->session_ended.odometer;
}

static void fault_opens(struct recorder_state *state, const struct gf_record *record)
{
	const struct gf_fault_raised *raised = &record->fault_raised;
	if (state->faults_count == RECORDER_FAULTS_MAX) {
		memmove(state->faults, state->faults + 1, sizeof(state->faults) - sizeof(state->faults[0]));
		state->faults_count--;
	}
	state->faults[state->faults_count++] = (struct recorder_fault){
	    .fault_no = raised->fault_no,
	    .code = raised->code,
	    .raised_wall_ms = record->clock_synced ? record->wall_ms : 0,
	};
	if (state->next_fault_no <= raised->fault_no)
		state->next_fault_no = raised->fault_no + 1;
}

static void fault_clears(struct recorder_state *state, const struct gf_record *record)
{
	for (size_t i = 0; i < state->faults_count; i++) {
		if (state->faults[i].fault_no != record->fault_cleared.fault_no)
			continue;
		state->faults_count--;
		memmove(state->faults + i, state->faults + i + 1, (state->faults_count - i) * sizeof(state->faults[0]));
		return;
	}
}

static void catalog_changes(struct recorder_state *state, const struct gf_record *record)
{
	gf_strcpy(state->catalog, sizeof(state->catalog), record->catalog_changed.catalog);
	state->catalog_version = record->catalog_changed.version;
}

static void (*const changes[GF_RECORD_COUNT])(struct recorder_state *, const struct gf_record *) = {
    [GF_RECORD_SESSION_STARTED] = session_opens,   [GF_RECORD_SESSION_ENDED] = session_ends,
    [GF_RECORD_FAULT_RAISED] = fault_opens,        [GF_RECORD_FAULT_CLEARED] = fault_clears,
    [GF_RECORD_CATALOG_CHANGED] = catalog_changes,
};

bool recorder_state_changes(enum gf_record_kind kind)
{
	return kind < GF_RECORD_COUNT && changes[kind] != NULL;
}

void recorder_state_apply(struct recorder_state *state, const struct gf_record *record)
{
	if (recorder_state_changes(record->kind))
		changes[record->kind](state, record);
}

/* ---- bytes ---- */

struct out {
	unsigned char *at, *end;
	bool full;
};

static void put_bytes(struct out *out, const void *data, size_t len)
{
	if (out->full || (size_t)(out->end - out->at) < len) {
		out->full = true;
		return;
	}
	memcpy(out->at, data, len);
	out->at += len;
}

static void put(struct out *out, uint64_t value, size_t width)
{
	unsigned char le[8];
	for (size_t i = 0; i < width; i++)
		le[i] = (unsigned char)(value >> (8 * i));
	put_bytes(out, le, width);
}

static void put_text(struct out *out, const char *text)
{
	size_t len = strlen(text);
	put(out, len, 1);
	put_bytes(out, text, len);
}

int recorder_state_encode(const struct recorder_state *state, void *buf, size_t size, size_t *ret_len)
{
	struct out out = {.at = buf, .end = (unsigned char *)buf + size};
	put(&out, STATE_VERSION, 1);
	put(&out, (state->has_meter ? FLAG_METER : 0) | (state->in_session ? FLAG_SESSION : 0), 1);
	put(&out, state->boot, 8);
	put(&out, state->odometer.motor_ms, 8);
	put(&out, state->odometer.sessions, 8);
	put(&out, state->odometer.cycles, 8);
	put(&out, state->next_fault_no, 8);
	put(&out, state->dropped, 8);
	put(&out, state->meter_motor_ms, 8);
	put(&out, state->meter_cycles, 8);
	put(&out, state->catalog_version, 8);
	put_text(&out, state->catalog);
	put(&out, state->faults_count, 1);
	for (size_t i = 0; i < state->faults_count; i++) {
		put(&out, state->faults[i].fault_no, 8);
		put(&out, state->faults[i].code, 1);
		put(&out, state->faults[i].raised_wall_ms, 8);
	}
	if (out.full)
		return -ENOSPC;
	size_t len = 0;
	if (state->in_session) {
		struct gf_record checkpoint = state->checkpoint;
		checkpoint.seq = 1; /* it has none yet, and 0 can't be encoded */
		int r = gf_record_encode(&checkpoint, out.at, (size_t)(out.end - out.at), &len);
		if (r != 0)
			return r;
	}
	*ret_len = (size_t)(out.at - (unsigned char *)buf) + len;
	return 0;
}

struct in {
	const unsigned char *at, *end;
	bool bad;
};

static const unsigned char *get_bytes(struct in *in, size_t len)
{
	if (in->bad || (size_t)(in->end - in->at) < len) {
		in->bad = true;
		return NULL;
	}
	in->at += len;
	return in->at - len;
}

static uint64_t get(struct in *in, size_t width)
{
	const unsigned char *le = get_bytes(in, width);
	uint64_t value = 0;
	for (size_t i = 0; le != NULL && i < width; i++)
		value |= (uint64_t)le[i] << (8 * i);
	return value;
}

static void get_name(struct in *in, char name[static GF_NAME_MAX])
{
	size_t len = (size_t)get(in, 1);
	const unsigned char *text = get_bytes(in, len);
	if (text == NULL || len >= GF_NAME_MAX || !gf_utf8_valid(text, len)) {
		in->bad = true;
		return;
	}
	memcpy(name, text, len);
	name[len] = '\0';
}

static void get_faults(struct in *in, struct recorder_state *state)
{
	state->faults_count = (size_t)get(in, 1);
	if (state->faults_count > RECORDER_FAULTS_MAX) {
		in->bad = true;
		return;
	}
	for (size_t i = 0; i < state->faults_count; i++) {
		state->faults[i].fault_no = get(in, 8);
		state->faults[i].code = (enum gf_fault)get(in, 1);
		state->faults[i].raised_wall_ms = get(in, 8);
		in->bad |= state->faults[i].code >= GF_FAULT_COUNT;
	}
}

int recorder_state_decode(const void *data, size_t len, struct recorder_state *ret_state)
{
	struct in in = {.at = data, .end = (const unsigned char *)data + len};
	struct recorder_state state = {0};
	if (get(&in, 1) != STATE_VERSION)
		return -EINVAL;
	unsigned flags = (unsigned)get(&in, 1);
	state.has_meter = (flags & FLAG_METER) != 0;
	state.in_session = (flags & FLAG_SESSION) != 0;
	state.boot = get(&in, 8);
	state.odometer.motor_ms = get(&in, 8);
	state.odometer.sessions = get(&in, 8);
	state.odometer.cycles = get(&in, 8);
	state.next_fault_no = get(&in, 8);
	state.dropped = get(&in, 8);
	state.meter_motor_ms = get(&in, 8);
	state.meter_cycles = get(&in, 8);
	state.catalog_version = get(&in, 8);
	get_name(&in, state.catalog);
	get_faults(&in, &state);
	if (in.bad)
		return -EINVAL;
	if (state.in_session && (gf_record_decode(in.at, (size_t)(in.end - in.at), &state.checkpoint, NULL) != 0 ||
	                         state.checkpoint.kind != GF_RECORD_SESSION_ENDED))
		return -EINVAL;
	*ret_state = state;
	return 0;
}
