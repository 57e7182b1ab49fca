/*
 * Manifests to bytes and back. The outer Catalog (proto/catalog_seal.c) holds the manifest's exact bytes, so that a signature stays good
 * however another program would encode the same routines; therefore decoding goes twice through protobuf-c.
 */
#include "proto/catalog_sign.h"
#include "proto/codec_wire.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A catalog at every limit takes about 4 MB to decode: 2 for its steps, 2 for protobuf-c's notes on the fields it found. */
enum { ARENA_BUDGET = 8 * 1024 * 1024 };

#define HZ_MAX 1e3
#define SPEED_MAX_MM_S 1e4

static const struct gf_field manifest_fields[] = {
    GF_TEXT(Manifest, catalog, name),
    GF_ENUM_AS(Manifest, device_class, catalog, class, 1, GF_CLASS_COUNT),
    GF_U64(Manifest, catalog, version, 0, GF_U64_MAX), /* checked apart: its refusal is one of its own */
    GF_U64(Manifest, catalog, created_ms, 0, GF_WALL_MS_MAX),
    GF_U64(Manifest, catalog, expires_ms, 0, GF_WALL_MS_MAX),
    GF_TEXT(Manifest, catalog, min_agent),
    GF_U64(Manifest, catalog, rollback_floor, 0, GF_CATALOG_VERSION_MAX),
};
static const struct gf_table manifest_table = GF_TABLE(manifest_fields);

static const struct gf_field routine_fields[] = {
    GF_TEXT(Routine, routine, id),
    GF_TEXT(Routine, routine, title),
    GF_BOOL(Routine, routine, staff_unlock),
    GF_FLOAT(Routine, routine, cap_pct, 0, GF_PCT_MAX),
    GF_U32(Routine, routine, after_hard_effort_ms),
};
static const struct gf_table routine_table = GF_TABLE(routine_fields);

static const struct gf_field step_fields[] = {
    GF_ENUM(Step, step, area, 1, GF_AREA_COUNT),
    GF_ENUM(Step, step, side, 1, GF_SIDE_COUNT),
    GF_ENUM(Step, step, technique, 1, GF_TECHNIQUE_COUNT),
    GF_U32(Step, step, duration_ms),
    GF_FLOAT(Step, step, from_pct, 0, GF_PCT_MAX),
    GF_FLOAT(Step, step, to_pct, 0, GF_PCT_MAX),
    GF_U32(Step, step, ramp_ms),
    GF_FLOAT(Step, step, from_hz, 0, HZ_MAX),
    GF_FLOAT(Step, step, to_hz, 0, HZ_MAX),
    GF_FLOAT(Step, step, pressure_from_mmhg, 0, GF_PRESSURE_MAX_MMHG),
    GF_FLOAT(Step, step, pressure_to_mmhg, 0, GF_PRESSURE_MAX_MMHG),
    GF_FLOAT(Step, step, speed_mm_s, 0, SPEED_MAX_MM_S),
    GF_U32(Step, step, hold_ms),
};
static const struct gf_table step_table = GF_TABLE(step_fields);

/* Everything that protobuf-c points at while a manifest is being packed. */
struct pieces {
	Gymfleet__V1__Routine *routines, **routine_list;
	Gymfleet__V1__Step *steps, **step_list;
	Gymfleet__V1__DeviceClass *classes; /* GF_CLASS_COUNT for each routine */
};

static void pieces_deinit(struct pieces *p)
{
	free(p->routines);
	free(p->routine_list);
	free(p->steps);
	free(p->step_list);
	free(p->classes);
}

static int pieces_init(struct pieces *p, const struct gf_catalog *catalog)
{
	size_t routines = catalog->routines_count, steps = 0;

	for (size_t i = 0; i < routines; i++)
		steps += catalog->routines[i].steps_count;
	/* One more of each, so that an empty catalog is no special case of calloc. */
	*p = (struct pieces){
	    .routines = calloc(routines + 1, sizeof(*p->routines)),
	    .routine_list = calloc(routines + 1, sizeof(Gymfleet__V1__Routine *)),
	    .steps = calloc(steps + 1, sizeof(*p->steps)),
	    .step_list = calloc(steps + 1, sizeof(Gymfleet__V1__Step *)),
	    .classes = calloc((routines + 1) * GF_CLASS_COUNT, sizeof(*p->classes)),
	};
	if (p->routines && p->routine_list && p->steps && p->step_list && p->classes)
		return 0;
	pieces_deinit(p);
	return -ENOMEM;
}

/* The routine's steps take their places from `first` on. */
static void routine_to_wire(const struct gf_routine *routine, struct pieces *p, size_t index, size_t first)
{
	Gymfleet__V1__Routine *wire = &p->routines[index];

	gymfleet__v1__routine__init(wire);
	gf_fields_to_wire(&routine_table, routine, wire);
	wire->classes = &p->classes[index * GF_CLASS_COUNT];
	for (int class = 1; class < GF_CLASS_COUNT; class ++) {
		if (routine->classes & 1U << class)
			wire->classes[wire->n_classes++] = (Gymfleet__V1__DeviceClass) class;
	}
	for (size_t i = 0; i < routine->steps_count; i++) {
		Gymfleet__V1__Step *step = &p->steps[first + i];

		gymfleet__v1__step__init(step);
		gf_fields_to_wire(&step_table, &routine->steps[i], step);
		p->step_list[first + i] = step;
	}
	wire->n_steps = routine->steps_count;
	wire->steps = &p->step_list[first];
	p->routine_list[index] = wire;
}

static int pack(const ProtobufCMessage *message, unsigned char **ret_data, size_t *ret_len)
{
	size_t size = protobuf_c_message_get_packed_size(message);
	unsigned char *data = malloc(size ? size : 1);

	if (!data)
		return -ENOMEM;
	*ret_len = protobuf_c_message_pack(message, data);
	*ret_data = data;
	return 0;
}

/* `wire` then points into `keys` and `list`. Packing only reads; protobuf-c's structs know no const. */
static void keys_to_wire(struct gf_keyset *keys, ProtobufCBinaryData list[static GF_KEYS_MAX],
                         Gymfleet__V1__KeySet *wire)
{
	gymfleet__v1__key_set__init(wire);
	wire->threshold = keys->threshold;
	for (size_t i = 0; i < keys->count; i++)
		list[i] = (ProtobufCBinaryData){.len = GF_KEY_LEN, .data = keys->keys[i]};
	wire->n_keys = keys->count;
	wire->keys = list;
}

int gf_manifest_encode(const struct gf_catalog *catalog, unsigned char **ret_data, size_t *ret_len)
{
	Gymfleet__V1__Manifest manifest = GYMFLEET__V1__MANIFEST__INIT;
	Gymfleet__V1__KeySet keys;
	ProtobufCBinaryData key_list[GF_KEYS_MAX];
	struct gf_keyset next_keys = catalog->next_keys;
	struct pieces p;
	unsigned char *data = NULL;
	size_t first = 0, len = 0;
	int r = pieces_init(&p, catalog);

	if (r != 0)
		return r;
	gf_fields_to_wire(&manifest_table, catalog, &manifest);
	for (size_t i = 0; i < catalog->routines_count; i++) {
		routine_to_wire(&catalog->routines[i], &p, i, first);
		first += catalog->routines[i].steps_count;
	}
	manifest.n_routines = catalog->routines_count;
	manifest.routines = p.routine_list;
	if (next_keys.threshold > 0) {
		keys_to_wire(&next_keys, key_list, &keys);
		manifest.next_keys = &keys;
	}
	r = pack(&manifest.base, &data, &len);
	pieces_deinit(&p);
	if (r == 0 && len > GF_CATALOG_MAX) {
		free(data);
		return -EMSGSIZE;
	}
	if (r == 0) {
		*ret_data = data;
		*ret_len = len;
	}
	return r;
}

int gf_catalog_encode(const struct gf_catalog *catalog, unsigned char **ret_data, size_t *ret_len)
{
	struct gf_sealed sealed = {0};
	int r = gf_manifest_encode(catalog, &sealed.manifest, &sealed.manifest_len);

	if (r == 0)
		r = gf_seal(&sealed, ret_data, ret_len);
	gf_sealed_deinit(&sealed);
	return r;
}

static int classes_from_wire(const Gymfleet__V1__Routine *wire, struct gf_routine *routine, struct gf_diag *diag)
{
	for (size_t i = 0; i < wire->n_classes; i++) {
		int r = gf_number_check("class", (double)(int)wire->classes[i], 1, GF_CLASS_COUNT - 1, diag);
		if (r != 0)
			return r;
		routine->classes |= 1U << wire->classes[i];
	}
	return 0;
}

static int routine_from_wire(const Gymfleet__V1__Routine *wire, struct gf_routine *routine, struct gf_diag *diag)
{
	int r = gf_fields_from_wire(&routine_table, wire, routine, diag);

	if (r == 0)
		r = classes_from_wire(wire, routine, diag);
	if (r == 0)
		r = gf_number_check("steps", (double)wire->n_steps, 1, GF_ROUTINE_STEPS_MAX, diag);
	if (r != 0)
		return r;
	routine->steps = calloc(wire->n_steps, sizeof(routine->steps[0]));
	if (!routine->steps)
		return -ENOMEM;
	routine->steps_count = wire->n_steps;
	for (size_t i = 0; r == 0 && i < wire->n_steps; i++) {
		r = gf_fields_from_wire(&step_table, wire->steps[i], &routine->steps[i], diag);
		if (r != 0)
			gf_diag_prefix(diag, "step %zu", i + 1);
	}
	return r;
}

/* By the catalog's rules, which name the routine themselves, and not there twice: `before` have that behind them. */
static int check_routine(const struct gf_routine *routine, const struct gf_routine *before, size_t count,
                         struct gf_diag *diag)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(before[i].id, routine->id) == 0) {
			gf_diag_set(diag, "routine '%s' is there twice", routine->id);
			return GF_CODEC_E_INVALID;
		}
	}
	return gf_routine_check(routine, NULL, diag) == 0 ? 0 : GF_CODEC_E_INVALID;
}

static int keys_from_wire(const Gymfleet__V1__KeySet *wire, struct gf_keyset *keys, struct gf_diag *diag)
{
	int r = gf_number_check("keys", (double)wire->n_keys, 1, GF_KEYS_MAX, diag);

	for (size_t i = 0; r == 0 && i < wire->n_keys; i++) {
		r = gf_number_check("a key's length", (double)wire->keys[i].len, GF_KEY_LEN, GF_KEY_LEN, diag);
		if (r == 0)
			memcpy(keys->keys[i], wire->keys[i].data, GF_KEY_LEN);
	}
	if (r != 0)
		return r;
	keys->threshold = wire->threshold;
	keys->count = wire->n_keys;
	return gf_keyset_check(keys, diag) == 0 ? 0 : GF_CODEC_E_INVALID;
}

/* "1", "1.2", "1.2.3": numbers with dots between them, which every agent can compare with its own. */
static bool is_agent_version(const char *text)
{
	bool digit = false;

	for (; *text != '\0'; text++) {
		if (*text == '.' ? !digit : (*text < '0' || *text > '9'))
			return false;
		digit = *text != '.';
	}
	return digit;
}

/* What a table can't say of the manifest's own fields. */
static int check_head(const struct gf_catalog *catalog, struct gf_diag *diag)
{
	if (catalog->version < 1 || catalog->version > GF_CATALOG_VERSION_MAX) {
		gf_diag_set(diag, "version is %" PRIu64 ", must be 1..%d", catalog->version, GF_CATALOG_VERSION_MAX);
		return GF_CATALOG_E_VERSION;
	}
	if (catalog->name[0] == '\0')
		gf_diag_set(diag, "it has no name");
	else if (catalog->rollback_floor > catalog->version)
		gf_diag_set(diag, "rollback_floor is %" PRIu64 ", above the version %" PRIu64, catalog->rollback_floor,
		            catalog->version);
	else if (catalog->expires_ms != 0 && catalog->expires_ms <= catalog->created_ms)
		gf_diag_set(diag, "it expires before it was made");
	else if (catalog->min_agent[0] != '\0' && !is_agent_version(catalog->min_agent))
		gf_diag_set(diag, "min_agent is '%s', must be numbers with dots, such as 1.2.3", catalog->min_agent);
	else
		return 0;
	return GF_CODEC_E_INVALID;
}

static int head_from_wire(const Gymfleet__V1__Manifest *wire, struct gf_catalog *catalog, struct gf_diag *diag)
{
	int r = gf_fields_from_wire(&manifest_table, wire, catalog, diag);

	if (r == 0)
		r = check_head(catalog, diag);
	if (r == 0 && wire->next_keys != NULL) {
		r = keys_from_wire(wire->next_keys, &catalog->next_keys, diag);
		if (r != 0)
			gf_diag_prefix(diag, "next_keys");
	}
	return r;
}

static int manifest_from_wire(const Gymfleet__V1__Manifest *wire, struct gf_catalog *catalog, struct gf_diag *diag)
{
	int r = head_from_wire(wire, catalog, diag);

	if (r == 0)
		r = gf_number_check("routines", (double)wire->n_routines, 1, GF_CATALOG_ROUTINES_MAX, diag);
	if (r != 0)
		return r;
	catalog->routines = calloc(wire->n_routines, sizeof(catalog->routines[0]));
	if (!catalog->routines)
		return -ENOMEM;
	catalog->routines_count = wire->n_routines;
	for (size_t i = 0; r == 0 && i < wire->n_routines; i++) {
		struct gf_routine *routine = &catalog->routines[i];

		r = routine_from_wire(wire->routines[i], routine, diag);
		if (r != 0)
			gf_diag_prefix(diag, "routine %zu", i + 1);
		else
			r = check_routine(routine, catalog->routines, i, diag);
	}
	return r;
}

int gf_manifest_decode(const void *data, size_t len, struct gf_catalog *ret_catalog, struct gf_diag *diag)
{
	struct gf_arena arena;
	struct gf_catalog catalog = {0};
	Gymfleet__V1__Manifest *manifest;

	gf_arena_init(&arena, ARENA_BUDGET);
	int r = gf_wire_unpack(&arena, &gymfleet__v1__manifest__descriptor, data, len, GF_CATALOG_MAX, &manifest, diag);
	if (r == 0)
		r = manifest_from_wire(manifest, &catalog, diag);
	gf_arena_deinit(&arena);
	if (r != 0) {
		gf_catalog_deinit(&catalog);
		return r;
	}
	*ret_catalog = catalog;
	return 0;
}

int gf_catalog_decode(const void *data, size_t len, struct gf_catalog *ret_catalog, struct gf_diag *diag)
{
	struct gf_sealed sealed = {0};
	int r = gf_unseal(data, len, &sealed, diag);

	if (r == 0)
		r = gf_manifest_decode(sealed.manifest, sealed.manifest_len, ret_catalog, diag);
	gf_sealed_deinit(&sealed);
	return r;
}
