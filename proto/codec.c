#include "proto/codec_wire.h"

#include <string.h>

static const struct gf_field ack_fields[] = {
    GF_STREAM(Ack, ack),
    GF_U64(Ack, ack, through_seq, 0, GF_COUNT_MAX),
    GF_U32(Ack, ack, rejected),
};
static const struct gf_table ack_table = GF_TABLE(ack_fields);

static const struct gf_field gateway_status_fields[] = {
    GF_BOOL(GatewayStatus, gateway_status, up),
    GF_U64(GatewayStatus, gateway_status, epoch, 0, GF_COUNT_MAX),
    GF_U64(GatewayStatus, gateway_status, wall_ms, 0, GF_WALL_MS_MAX),
    GF_TEXT(GatewayStatus, gateway_status, version),
};
static const struct gf_table gateway_status_table = GF_TABLE(gateway_status_fields);

static const struct gf_field status_fields[] = {
    GF_ENUM(Status, status, presence, 1, GF_PRESENCE_COUNT),
    GF_U64(Status, status, boot, 0, GF_COUNT_MAX),
    GF_U64(Status, status, connection, 0, GF_COUNT_MAX),
};
static const struct gf_table status_table = GF_TABLE(status_fields);

static const struct gf_field birth_fields[] = {
    GF_U64(Birth, status, uptime_ms, 0, GF_SPAN_MS_MAX),
    GF_U64(Birth, status, wall_ms, 0, GF_WALL_MS_MAX),
    GF_BOOL(Birth, status, clock_synced),
    GF_ENUM_AS(Birth, device_class, status, class, 1, GF_CLASS_COUNT),
    GF_TEXT(Birth, status, model),
    GF_TEXT(Birth, status, serial),
    GF_TEXT(Birth, status, agent_version),
    GF_TEXT(Birth, status, driver),
    GF_TEXT(Birth, status, catalog),
    GF_U64(Birth, status, catalog_version, 0, GF_COUNT_MAX),
    GF_STREAM(Birth, status),
    GF_U64(Birth, status, next_seq, 1, GF_COUNT_MAX),
    GF_U64(Birth, status, acked_seq, 0, GF_COUNT_MAX),
    GF_U64(Birth, status, cert_not_after_ms, 0, GF_WALL_MS_MAX),
    GF_FLOAT(Birth, status, rated_motor_h, 0, 1e6),
    GF_FLOAT(Birth, status, motor_temp_stop_c, GF_TEMP_MIN_C, GF_TEMP_MAX_C),
    GF_FLOAT(Birth, status, surface_temp_stop_c, GF_TEMP_MIN_C, GF_TEMP_MAX_C),
    GF_U64(Birth, status, desired_revision, 0, GF_COUNT_MAX),
    GF_DIGEST_AS(Birth, catalog_digest, status, catalog_digest),
    GF_BOOL(Birth, status, catalog_on_trial),
    GF_FLOAT(Birth, status, vibration_ms2, 0, 100),
    GF_U64(Birth, status, hour_meter_ms, 0, GF_SPAN_MS_MAX),
    GF_U64(Birth, status, motor_before_ms, 0, GF_SPAN_MS_MAX),
};
static const struct gf_table birth_table = GF_TABLE(birth_fields);

static const struct gf_field location_fields[] = {
    GF_TEXT(Location, location, site),
    GF_TEXT(Location, location, zone),
    GF_TEXT(Location, location, bay),
};
static const struct gf_table location_table = GF_TABLE(location_fields);

int gf_ack_encode(const struct gf_ack *ack, void *buf, size_t size, size_t *ret_len)
{
	Gymfleet__V1__Ack wire = GYMFLEET__V1__ACK__INIT;

	gf_fields_to_wire(&ack_table, ack, &wire);
	return gf_wire_pack(&wire.base, buf, size, ret_len);
}

int gf_gateway_status_encode(const struct gf_gateway_status *status, void *buf, size_t size, size_t *ret_len)
{
	Gymfleet__V1__GatewayStatus wire = GYMFLEET__V1__GATEWAY_STATUS__INIT;

	gf_fields_to_wire(&gateway_status_table, status, &wire);
	return gf_wire_pack(&wire.base, buf, size, ret_len);
}

int gf_status_encode(const struct gf_status *status, void *buf, size_t size, size_t *ret_len)
{
	Gymfleet__V1__Status wire = GYMFLEET__V1__STATUS__INIT;
	Gymfleet__V1__Birth birth = GYMFLEET__V1__BIRTH__INIT;
	Gymfleet__V1__Location location = GYMFLEET__V1__LOCATION__INIT;
	Gymfleet__V1__Odometer odometer = GYMFLEET__V1__ODOMETER__INIT;

	gf_fields_to_wire(&status_table, status, &wire);
	if (status->presence == GF_PRESENCE_BIRTH) {
		gf_fields_to_wire(&birth_table, status, &birth);
		gf_fields_to_wire(&location_table, &status->location, &location);
		gf_fields_to_wire(&gf_odometer_table, &status->odometer, &odometer);
		birth.location = &location;
		birth.odometer = &odometer;
		wire.birth = &birth;
	}
	return gf_wire_pack(&wire.base, buf, size, ret_len);
}

int gf_wire_decode_flat(const ProtobufCMessageDescriptor *type, const struct gf_table *table, const void *data,
                        size_t len, size_t max, void *model, struct gf_diag *diag)
{
	struct gf_arena arena;
	void *wire;

	gf_arena_init(&arena, GF_CODEC_ARENA_BUDGET);
	int r = gf_wire_unpack(&arena, type, data, len, max, &wire, diag);
	if (r == 0)
		r = gf_fields_from_wire(table, wire, model, diag);
	gf_arena_deinit(&arena);
	return r;
}

int gf_ack_decode(const void *data, size_t len, struct gf_ack *ret_ack, struct gf_diag *diag)
{
	struct gf_ack ack;
	int r = gf_wire_decode_flat(&gymfleet__v1__ack__descriptor, &ack_table, data, len, GF_ACK_MAX, &ack, diag);

	if (r == 0)
		*ret_ack = ack;
	return r;
}

int gf_gateway_status_decode(const void *data, size_t len, struct gf_gateway_status *ret_status, struct gf_diag *diag)
{
	struct gf_gateway_status status;
	int r = gf_wire_decode_flat(&gymfleet__v1__gateway_status__descriptor, &gateway_status_table, data, len,
	                            GF_STATUS_MAX, &status, diag);

	if (r == 0)
		*ret_status = status;
	return r;
}

static int birth_from_wire(const Gymfleet__V1__Birth *birth, struct gf_status *status, struct gf_diag *diag)
{
	if (!birth) {
		gf_diag_set(diag, "birth is missing");
		return GF_CODEC_E_INVALID;
	}
	int r = gf_fields_from_wire(&birth_table, birth, status, diag);
	if (r == 0 && birth->location)
		r = gf_fields_from_wire(&location_table, birth->location, &status->location, diag);
	if (r == 0)
		r = gf_odometer_from_wire(birth->odometer, &status->odometer, diag);
	if (r == 0 && status->acked_seq >= status->next_seq) {
		gf_diag_set(diag, "acked_seq is not below next_seq");
		r = GF_CODEC_E_INVALID;
	}
	return r;
}

int gf_status_decode(const void *data, size_t len, struct gf_status *ret_status, struct gf_diag *diag)
{
	struct gf_arena arena;
	struct gf_status status = {0};
	Gymfleet__V1__Status *wire;

	gf_arena_init(&arena, GF_CODEC_ARENA_BUDGET);
	int r = gf_wire_unpack(&arena, &gymfleet__v1__status__descriptor, data, len, GF_STATUS_MAX, &wire, diag);
	if (r == 0)
		r = gf_fields_from_wire(&status_table, wire, &status, diag);
	if (r == 0 && status.presence == GF_PRESENCE_BIRTH)
		r = birth_from_wire(wire->birth, &status, diag);
	gf_arena_deinit(&arena);
	if (r == 0)
		*ret_status = status;
	return r;
}
