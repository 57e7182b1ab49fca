#include "agent/recorder_state.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "agent/control/faults.h"
#include "proto/base/pack.h"
#include "proto/codec.h"

/* The newest is written; the older ones are read. */
enum { VERSION_BARE = 1, VERSION_MEMORY = 2, VERSION_STAFF = 3 };
enum { FLAG_METER = 1, FLAG_SESSION = 2, FLAG_MEMORY = 4 };

/* Bits of the memory; its strikes and areas are numbered places. */
enum {
	MEMORY_RESTING = 1,
	MEMORY_SITTING = 2,
	MEMORY_MOTOR_HOT = 4,
	MEMORY_SURFACE_HOT = 8,
	MEMORY_STAFF = 16,
	MEMORY_SEALED = 32,
	STRIKE_PLACES = MEMORY_STRIKES_COUNT * MEMORY_STRIKES,
	AREA_PLACES = MEMORY_GROUPS * 2 * MEMORY_KINDS,
};
_Static_assert((int)RECORDER_FAULTS_MAX >= (int)FAULT_RULES_MAX, "whatever is open is closed after a restart");
_Static_assert(AREA_PLACES <= UINT8_MAX, "a place's number is one byte");
_Static_assert(GF_RECORD_MAX + 75 + GF_NAME_MAX + 1 + 17 * RECORDER_FAULTS_MAX + 40 +
                       5 * MEMORY_STRIKES_COUNT * MEMORY_STRIKES + 9 * MEMORY_LATCHED_MAX + 14 * MEMORY_CLOSED_MAX +
                       3 * AREA_PLACES + 16 <=
                   RECORDER_STATE_MAX,
               "the largest state fits");

/* ---- the places of the memory ---- */

static uint32_t strike_at(const struct control_memory *memory, size_t place)
{
	return memory->strike_left_ms[place / MEMORY_STRIKES][place % MEMORY_STRIKES];
}

static uint16_t area_at(const struct control_memory *memory, size_t place)
{
	return memory->sitting.area_s[place / MEMORY_KINDS / 2][place / MEMORY_KINDS % 2][place % MEMORY_KINDS];
}

/* How many are in use. */

static size_t strikes_used(const struct control_memory *memory)
{
	size_t used = 0;
	for (size_t i = 0; i < STRIKE_PLACES; i++)
		used += strike_at(memory, i) > 0;
	return used;
}

static size_t areas_used(const struct control_memory *memory)
{
	size_t used = 0;
	for (size_t i = 0; i < AREA_PLACES; i++)
		used += area_at(memory, i) > 0;
	return used;
}

static size_t closed_used(const struct control_memory *memory)
{
	size_t used = 0;
	for (size_t i = 0; i < MEMORY_CLOSED_MAX; i++)
		used += memory->closed[i].left_ms > 0;
	return used;
}

static bool memory_empty(const struct control_memory *memory)
{
	const struct memory_sitting *sitting = &memory->sitting;
	return memory->duty_ms == 0 && !memory->resting && !memory->motor_hot && !memory->surface_hot &&
	       memory->latched_count == 0 && memory->staff_token == 0 && !sitting->open && sitting->pain_presses == 0 &&
	       sitting->pain_left_ms == 0 && strikes_used(memory) == 0 && closed_used(memory) == 0 &&
	       areas_used(memory) == 0;
}

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

static void remember(struct recorder_state *state, const struct recorder_entry *entry)
{
	if (!entry->remembers)
		return;
	state->memory = entry->memory;
	state->memory_wall_ms = entry->record.clock_synced ? entry->record.wall_ms : 0;
}

void recorder_state_apply(struct recorder_state *state, const struct recorder_entry *entry)
{
	enum gf_record_kind kind = entry->record.kind;
	if (kind < GF_RECORD_COUNT && changes[kind] != NULL)
		changes[kind](state, &entry->record);
	remember(state, entry);
}

void recorder_state_checkpoint(struct recorder_state *state, const struct recorder_entry *entry)
{
	state->in_session = true;
	state->checkpoint = entry->record;
	remember(state, entry);
}

/* A machine at rest beats every minute: as long as there is nothing to forget its heartbeats need no state. */
bool recorder_state_changes(const struct recorder_state *state, const struct recorder_entry *entry)
{
	if (entry->record.kind != GF_RECORD_HEARTBEAT)
		return true;
	return entry->remembers && (!memory_empty(&state->memory) || !memory_empty(&entry->memory));
}

/* ---- bytes ---- */

static void put_text(struct gf_pack *out, const char *text)
{
	size_t len = strlen(text);
	gf_pack_int(out, len, 1);
	gf_pack_bytes(out, text, len);
}

/* Of what has places only those in use: how many, then each. */

static void put_strikes(struct gf_pack *out, const struct control_memory *memory)
{
	gf_pack_int(out, strikes_used(memory), 1);
	for (size_t i = 0; i < STRIKE_PLACES; i++) {
		if (strike_at(memory, i) == 0)
			continue;
		gf_pack_int(out, i, 1);
		gf_pack_int(out, strike_at(memory, i), 4);
	}
}

static void put_closed(struct gf_pack *out, const struct control_memory *memory)
{
	gf_pack_int(out, closed_used(memory), 1);
	for (size_t i = 0; i < MEMORY_CLOSED_MAX; i++) {
		const struct memory_closed *closed = &memory->closed[i];
		if (closed->left_ms == 0)
			continue;
		gf_pack_int(out, closed->area, 1);
		gf_pack_int(out, closed->side, 1);
		gf_pack_int(out, closed->token, 8);
		gf_pack_int(out, closed->left_ms, 4);
	}
}

static void put_sitting(struct gf_pack *out, const struct control_memory *memory)
{
	gf_pack_int(out, memory->sitting.token, 8);
	gf_pack_int(out, memory->sitting.idle_ms, 4);
	gf_pack_int(out, memory->sitting.pain_presses, 4);
	gf_pack_int(out, memory->sitting.pain_left_ms, 4);
	gf_pack_int(out, areas_used(memory), 1);
	for (size_t i = 0; i < AREA_PLACES; i++) {
		if (area_at(memory, i) == 0)
			continue;
		gf_pack_int(out, i, 1);
		gf_pack_int(out, area_at(memory, i), 2);
	}
}

static void put_memory(struct gf_pack *out, const struct recorder_state *state)
{
	const struct control_memory *memory = &state->memory;
	gf_pack_int(out, state->memory_wall_ms, 8);
	gf_pack_int(out,
	            (memory->resting ? MEMORY_RESTING : 0) | (memory->sitting.open ? MEMORY_SITTING : 0) |
	                (memory->motor_hot ? MEMORY_MOTOR_HOT : 0) | (memory->surface_hot ? MEMORY_SURFACE_HOT : 0) |
	                (memory->staff_token != 0 ? MEMORY_STAFF : 0) | (state->sealed ? MEMORY_SEALED : 0),
	            1);
	gf_pack_int(out, memory->duty_ms, 4);
	put_strikes(out, memory);
	gf_pack_int(out, memory->latched_count, 1);
	for (size_t i = 0; i < memory->latched_count; i++) {
		gf_pack_int(out, memory->latched[i].code, 1);
		gf_pack_int(out, memory->latched[i].fault_no, 8);
	}
	put_closed(out, memory);
	put_sitting(out, memory);
	if (memory->staff_token != 0) {
		gf_pack_int(out, memory->staff_token, 8);
		gf_pack_int(out, memory->staff_idle_ms, 4);
	}
	if (state->sealed)
		gf_pack_int(out, state->sealed_by, 4);
}

int recorder_state_encode(const struct recorder_state *state, void *buf, size_t size, size_t *ret_len)
{
	struct gf_pack out = {.at = buf, .end = (unsigned char *)buf + size};
	bool remembers = !memory_empty(&state->memory);
	gf_pack_int(&out, VERSION_STAFF, 1);
	gf_pack_int(&out,
	            (state->has_meter ? FLAG_METER : 0) | (state->in_session ? FLAG_SESSION : 0) |
	                (remembers ? FLAG_MEMORY : 0),
	            1);
	gf_pack_int(&out, state->boot, 8);
	gf_pack_int(&out, state->odometer.motor_ms, 8);
	gf_pack_int(&out, state->odometer.sessions, 8);
	gf_pack_int(&out, state->odometer.cycles, 8);
	gf_pack_int(&out, state->next_fault_no, 8);
	gf_pack_int(&out, state->dropped, 8);
	gf_pack_int(&out, state->meter_motor_ms, 8);
	gf_pack_int(&out, state->meter_cycles, 8);
	gf_pack_int(&out, state->catalog_version, 8);
	put_text(&out, state->catalog);
	gf_pack_int(&out, state->faults_count, 1);
	for (size_t i = 0; i < state->faults_count; i++) {
		gf_pack_int(&out, state->faults[i].fault_no, 8);
		gf_pack_int(&out, state->faults[i].code, 1);
		gf_pack_int(&out, state->faults[i].raised_wall_ms, 8);
	}
	if (remembers)
		put_memory(&out, state);
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

static void get_name(struct gf_unpack *in, char name[static GF_NAME_MAX])
{
	size_t len = (size_t)gf_unpack_int(in, 1);
	const unsigned char *text = gf_unpack_bytes(in, len);
	if (text == NULL || len >= GF_NAME_MAX || !gf_utf8_valid(text, len)) {
		in->bad = true;
		return;
	}
	memcpy(name, text, len);
	name[len] = '\0';
}

static void get_faults(struct gf_unpack *in, struct recorder_state *state)
{
	state->faults_count = (size_t)gf_unpack_int(in, 1);
	if (state->faults_count > RECORDER_FAULTS_MAX) {
		in->bad = true;
		return;
	}
	for (size_t i = 0; i < state->faults_count; i++) {
		state->faults[i].fault_no = gf_unpack_int(in, 8);
		state->faults[i].code = (enum gf_fault)gf_unpack_int(in, 1);
		state->faults[i].raised_wall_ms = gf_unpack_int(in, 8);
		in->bad |= state->faults[i].code >= GF_FAULT_COUNT;
	}
}

/* How many places follow; none when there can't be so many. */
static size_t get_count(struct gf_unpack *in, size_t max)
{
	size_t count = (size_t)gf_unpack_int(in, 1);
	if (count <= max)
		return count;
	in->bad = true;
	return 0;
}

/* The number of a place. */
static size_t get_place(struct gf_unpack *in, size_t places)
{
	size_t place = (size_t)gf_unpack_int(in, 1);
	if (place < places)
		return place;
	in->bad = true;
	return 0;
}

static void get_memory(struct gf_unpack *in, struct recorder_state *state)
{
	struct control_memory *memory = &state->memory;
	state->memory_wall_ms = gf_unpack_int(in, 8);
	unsigned flags = (unsigned)gf_unpack_int(in, 1);
	memory->resting = (flags & MEMORY_RESTING) != 0;
	memory->sitting.open = (flags & MEMORY_SITTING) != 0;
	memory->motor_hot = (flags & MEMORY_MOTOR_HOT) != 0;
	memory->surface_hot = (flags & MEMORY_SURFACE_HOT) != 0;
	memory->duty_ms = (uint32_t)gf_unpack_int(in, 4);
	for (size_t left = get_count(in, STRIKE_PLACES); left > 0; left--) {
		size_t place = get_place(in, STRIKE_PLACES);
		memory->strike_left_ms[place / MEMORY_STRIKES][place % MEMORY_STRIKES] = (uint32_t)gf_unpack_int(in, 4);
	}
	memory->latched_count = (uint32_t)get_count(in, MEMORY_LATCHED_MAX);
	for (size_t i = 0; i < memory->latched_count; i++) {
		memory->latched[i].code = (enum gf_fault)gf_unpack_int(in, 1);
		memory->latched[i].fault_no = gf_unpack_int(in, 8);
	}
	for (size_t i = 0, used = get_count(in, MEMORY_CLOSED_MAX); i < used; i++) {
		memory->closed[i].area = (enum gf_area)gf_unpack_int(in, 1);
		memory->closed[i].side = (enum gf_side)gf_unpack_int(in, 1);
		memory->closed[i].token = gf_unpack_int(in, 8);
		memory->closed[i].left_ms = (uint32_t)gf_unpack_int(in, 4);
	}
	memory->sitting.token = gf_unpack_int(in, 8);
	memory->sitting.idle_ms = (uint32_t)gf_unpack_int(in, 4);
	memory->sitting.pain_presses = (uint32_t)gf_unpack_int(in, 4);
	memory->sitting.pain_left_ms = (uint32_t)gf_unpack_int(in, 4);
	for (size_t left = get_count(in, AREA_PLACES); left > 0; left--) {
		size_t place = get_place(in, AREA_PLACES);
		memory->sitting.area_s[place / MEMORY_KINDS / 2][place / MEMORY_KINDS % 2][place % MEMORY_KINDS] =
		    (uint16_t)gf_unpack_int(in, 2);
	}
	if ((flags & MEMORY_STAFF) != 0) {
		memory->staff_token = gf_unpack_int(in, 8);
		memory->staff_idle_ms = (uint32_t)gf_unpack_int(in, 4);
	}
	state->sealed = (flags & MEMORY_SEALED) != 0;
	if (state->sealed)
		state->sealed_by = (uint32_t)gf_unpack_int(in, 4);
	in->bad |= !memory_valid(memory);
}

int recorder_state_decode(const void *data, size_t len, struct recorder_state *ret_state)
{
	struct gf_unpack in = {.at = data, .end = (const unsigned char *)data + len};
	struct recorder_state state = {0};
	uint64_t version = gf_unpack_int(&in, 1);
	if (version < VERSION_BARE || version > VERSION_STAFF)
		return -EINVAL;
	unsigned flags = (unsigned)gf_unpack_int(&in, 1);
	state.has_meter = (flags & FLAG_METER) != 0;
	state.in_session = (flags & FLAG_SESSION) != 0;
	state.boot = gf_unpack_int(&in, 8);
	state.odometer.motor_ms = gf_unpack_int(&in, 8);
	state.odometer.sessions = gf_unpack_int(&in, 8);
	state.odometer.cycles = gf_unpack_int(&in, 8);
	state.next_fault_no = gf_unpack_int(&in, 8);
	state.dropped = gf_unpack_int(&in, 8);
	state.meter_motor_ms = gf_unpack_int(&in, 8);
	state.meter_cycles = gf_unpack_int(&in, 8);
	state.catalog_version = gf_unpack_int(&in, 8);
	get_name(&in, state.catalog);
	get_faults(&in, &state);
	if (version >= VERSION_MEMORY && (flags & FLAG_MEMORY) != 0)
		get_memory(&in, &state);
	if (in.bad)
		return -EINVAL;
	if (state.in_session && (gf_record_decode(in.at, (size_t)(in.end - in.at), &state.checkpoint, NULL) != 0 ||
	                         state.checkpoint.kind != GF_RECORD_SESSION_ENDED))
		return -EINVAL;
	*ret_state = state;
	return 0;
}
