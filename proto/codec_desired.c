/* What goes down to a machine, and its reply to a command. */
#include "proto/codec_wire.h"

#include "proto/catalog.h"

static const struct gf_field desired_fields[] = {
    GF_U64(Desired, desired, revision, 1, GF_COUNT_MAX),
    GF_U64(Desired, desired, issued_ms, 0, GF_WALL_MS_MAX),
    GF_BOOL(Desired, desired, locked),
    GF_TEXT(Desired, desired, lock_reason),
};
static const struct gf_table desired_table = GF_TABLE(desired_fields);

static const struct gf_field catalog_fields[] = {
    GF_TEXT(DesiredCatalog, desired_catalog, name),
    GF_U64(DesiredCatalog, desired_catalog, version, 1, GF_COUNT_MAX),
    GF_DIGEST_AS(DesiredCatalog, digest, desired_catalog, digest),
    GF_U32_IN(DesiredCatalog, desired_catalog, size, 1, GF_CATALOG_MAX),
    GF_U32(DesiredCatalog, desired_catalog, within_ms),
};
static const struct gf_table catalog_table = GF_TABLE(catalog_fields);

static const struct gf_field limits_fields[] = {
    GF_FLOAT(DesiredLimits, desired_limits, intensity_max_pct, 0, GF_PCT_MAX),
    GF_FLOAT(DesiredLimits, desired_limits, frequency_max_hz, 0, 1e3),
    GF_FLOAT(DesiredLimits, desired_limits, pressure_max_mmhg, 0, GF_PRESSURE_MAX_MMHG),
    GF_FLOAT(DesiredLimits, desired_limits, heat_max_c, 0, GF_TEMP_MAX_C),
    GF_U32(DesiredLimits, desired_limits, session_max_ms),
};
static const struct gf_table limits_table = GF_TABLE(limits_fields);

static const struct gf_field command_fields[] = {
    GF_U64(Command, command_order, id, 1, GF_COUNT_MAX),
    GF_ENUM(Command, command_order, kind, 1, GF_COMMAND_COUNT),
    GF_U64(Command, command_order, issued_ms, 0, GF_WALL_MS_MAX),
    GF_U32(Command, command_order, within_ms),
};
static const struct gf_table command_table = GF_TABLE(command_fields);

static const struct gf_field reply_fields[] = {
    GF_U64(Reply, reply, id, 1, GF_COUNT_MAX),
    GF_ENUM(Reply, reply, outcome, 1, GF_COMMAND_OUTCOME_COUNT),
    GF_TEXT(Reply, reply, detail),
};
static const struct gf_table reply_table = GF_TABLE(reply_fields);

int gf_desired_encode(const struct gf_desired *desired, void *buf, size_t size, size_t *ret_len)
{
	Gymfleet__V1__Desired wire = GYMFLEET__V1__DESIRED__INIT;
	Gymfleet__V1__DesiredCatalog catalog = GYMFLEET__V1__DESIRED_CATALOG__INIT;
	Gymfleet__V1__DesiredLimits limits = GYMFLEET__V1__DESIRED_LIMITS__INIT;

	gf_fields_to_wire(&desired_table, desired, &wire);
	gf_fields_to_wire(&limits_table, &desired->limits, &limits);
	wire.limits = &limits;
	if (desired->has_catalog) {
		gf_fields_to_wire(&catalog_table, &desired->catalog, &catalog);
		wire.catalog = &catalog;
	}
	return gf_wire_pack(&wire.base, buf, size, ret_len);
}

int gf_command_encode(const struct gf_command_order *command, void *buf, size_t size, size_t *ret_len)
{
	Gymfleet__V1__Command wire = GYMFLEET__V1__COMMAND__INIT;

	gf_fields_to_wire(&command_table, command, &wire);
	return gf_wire_pack(&wire.base, buf, size, ret_len);
}

int gf_reply_encode(const struct gf_reply *reply, void *buf, size_t size, size_t *ret_len)
{
	Gymfleet__V1__Reply wire = GYMFLEET__V1__REPLY__INIT;

	gf_fields_to_wire(&reply_table, reply, &wire);
	return gf_wire_pack(&wire.base, buf, size, ret_len);
}

static int catalog_from_wire(const Gymfleet__V1__DesiredCatalog *wire, struct gf_desired *desired, struct gf_diag *diag)
{
	if (!wire)
		return 0;
	int r = gf_fields_from_wire(&catalog_table, wire, &desired->catalog, diag);
	if (r == 0 && gf_digest_none(&desired->catalog.digest)) {
		gf_diag_set(diag, "digest is missing");
		r = GF_CODEC_E_INVALID;
	}
	if (r != 0)
		gf_diag_prefix(diag, "catalog");
	else
		desired->has_catalog = true;
	return r;
}

int gf_desired_decode(const void *data, size_t len, struct gf_desired *ret_desired, struct gf_diag *diag)
{
	struct gf_arena arena;
	struct gf_desired desired = {0};
	Gymfleet__V1__Desired *wire;

	gf_arena_init(&arena, GF_CODEC_ARENA_BUDGET);
	int r = gf_wire_unpack(&arena, &gymfleet__v1__desired__descriptor, data, len, GF_DESIRED_MAX, &wire, diag);
	if (r == 0)
		r = gf_fields_from_wire(&desired_table, wire, &desired, diag);
	if (r == 0)
		r = catalog_from_wire(wire->catalog, &desired, diag);
	if (r == 0 && wire->limits)
		r = gf_fields_from_wire(&limits_table, wire->limits, &desired.limits, diag);
	gf_arena_deinit(&arena);
	if (r == 0)
		*ret_desired = desired;
	return r;
}

int gf_command_decode(const void *data, size_t len, struct gf_command_order *ret_command, struct gf_diag *diag)
{
	struct gf_command_order command;
	int r = gf_wire_decode_flat(&gymfleet__v1__command__descriptor, &command_table, data, len, GF_COMMAND_MAX, &command,
	                            diag);

	if (r == 0)
		*ret_command = command;
	return r;
}

int gf_reply_decode(const void *data, size_t len, struct gf_reply *ret_reply, struct gf_diag *diag)
{
	struct gf_reply reply;
	int r = gf_wire_decode_flat(&gymfleet__v1__reply__descriptor, &reply_table, data, len, GF_REPLY_MAX, &reply, diag);

	if (r == 0)
		*ret_reply = reply;
	return r;
}
