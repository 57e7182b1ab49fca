#include "proto/codec_wire.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static const struct gf_field odometer_fields[] = {
    GF_U64(Odometer, odometer, motor_ms, 0, GF_SPAN_MS_MAX),
    GF_U64(Odometer, odometer, sessions, 0, GF_COUNT_MAX),
    GF_U64(Odometer, odometer, cycles, 0, GF_COUNT_MAX),
};
const struct gf_table gf_odometer_table = GF_TABLE(odometer_fields);

int gf_odometer_from_wire(const Gymfleet__V1__Odometer *wire, struct gf_odometer *ret_odometer, struct gf_diag *diag)
{
	if (!wire) {
		gf_diag_set(diag, "odometer is missing");
		return GF_CODEC_E_INVALID;
	}
	return gf_fields_from_wire(&gf_odometer_table, wire, ret_odometer, diag);
}

static ProtobufCBinaryData digest_to_wire(const struct gf_digest *digest)
{
	if (gf_digest_none(digest))
		return (ProtobufCBinaryData){0};
	return (ProtobufCBinaryData){.len = GF_DIGEST_LEN, .data = (uint8_t *)(uintptr_t)digest->bytes};
}

static void field_to_wire(const struct gf_field *f, const void *from, void *to, void *presence)
{
	switch (f->type) {
	case GF_FIELD_BOOL:
		*(protobuf_c_boolean *)to = *(const bool *)from;
		break;
	case GF_FIELD_U32:
	case GF_FIELD_ENUM:
		memcpy(to, from, sizeof(uint32_t));
		break;
	case GF_FIELD_U64:
		memcpy(to, from, sizeof(uint64_t));
		break;
	case GF_FIELD_FLOAT:
		memcpy(to, from, sizeof(float));
		break;
	case GF_FIELD_OPTIONAL:
		memcpy(to, from, sizeof(float));
		*(int *)presence = isnan(*(const float *)from) ? 0 : f->number;
		break;
	case GF_FIELD_TEXT:
		*(char **)to = (char *)from;
		break;
	case GF_FIELD_STREAM:
		*(ProtobufCBinaryData *)to = (ProtobufCBinaryData){.len = GF_STREAM_ID_LEN, .data = (uint8_t *)from};
		break;
	case GF_FIELD_DIGEST:
		*(ProtobufCBinaryData *)to = digest_to_wire(from);
		break;
	}
}

void gf_fields_to_wire(const struct gf_table *table, const void *model, void *wire)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct gf_field *f = &table->fields[i];
		char *base = wire;

		field_to_wire(f, (const char *)model + f->model, base + f->wire, base + f->presence);
	}
}

int gf_number_check(const char *name, double value, double least, double most, struct gf_diag *diag)
{
	if (isfinite(value) && value >= least && value <= most)
		return 0;
	gf_diag_set(diag, "%s is %.15g, must be %.15g..%.15g", name, value, least, most);
	return GF_CODEC_E_INVALID;
}

static int text_from_wire(const struct gf_field *f, const char *text, char *to, struct gf_diag *diag)
{
	size_t len = strlen(text);
	const char *wrong = NULL;

	if (text != protobuf_c_empty_string && gf_arena_size(text) != len + 1)
		wrong = "has a NUL inside";
	else if (len >= f->size)
		wrong = "is too long";
	else if (!gf_utf8_valid(text, len))
		wrong = "is not UTF-8";
	else if (gf_has_controls(text, len))
		wrong = "has control characters";
	if (wrong) {
		gf_diag_set(diag, "%s %s (at most %zu bytes of printable UTF-8)", f->name, wrong, f->size - 1);
		return GF_CODEC_E_INVALID;
	}
	memcpy(to, text, len + 1);
	return 0;
}

static int stream_from_wire(const struct gf_field *f, const ProtobufCBinaryData *bytes, void *to, struct gf_diag *diag)
{
	if (bytes->len != GF_STREAM_ID_LEN) {
		gf_diag_set(diag, "%s has %zu bytes, must be %d", f->name, bytes->len, GF_STREAM_ID_LEN);
		return GF_CODEC_E_INVALID;
	}
	memcpy(to, bytes->data, GF_STREAM_ID_LEN);
	return 0;
}

static int digest_from_wire(const struct gf_field *f, const ProtobufCBinaryData *bytes, void *to, struct gf_diag *diag)
{
	if (bytes->len != 0 && bytes->len != GF_DIGEST_LEN) {
		gf_diag_set(diag, "%s has %zu bytes, must be %d", f->name, bytes->len, GF_DIGEST_LEN);
		return GF_CODEC_E_INVALID;
	}
	memset(to, 0, GF_DIGEST_LEN);
	if (bytes->len != 0)
		memcpy(to, bytes->data, GF_DIGEST_LEN);
	return 0;
}

/* The value as a number, for its range. */
static double number_of(const struct gf_field *f, const void *from)
{
	switch (f->type) {
	case GF_FIELD_U32:
		return *(const uint32_t *)from;
	case GF_FIELD_U64:
		return (double)*(const uint64_t *)from;
	case GF_FIELD_ENUM:
		return *(const int32_t *)from;
	default:
		return (double)*(const float *)from;
	}
}

static int number_from_wire(const struct gf_field *f, const void *from, void *to, struct gf_diag *diag)
{
	int r = gf_number_check(f->name, number_of(f, from), f->min, f->max, diag);

	if (r == 0)
		memcpy(to, from, f->type == GF_FIELD_U64 ? sizeof(uint64_t) : sizeof(uint32_t));
	return r;
}

static int field_from_wire(const struct gf_field *f, const void *wire, void *to, struct gf_diag *diag)
{
	const void *from = (const char *)wire + f->wire;

	switch (f->type) {
	case GF_FIELD_BOOL:
		*(bool *)to = *(const protobuf_c_boolean *)from != 0;
		return 0;
	case GF_FIELD_TEXT:
		return text_from_wire(f, *(char *const *)from, to, diag);
	case GF_FIELD_STREAM:
		return stream_from_wire(f, from, to, diag);
	case GF_FIELD_DIGEST:
		return digest_from_wire(f, from, to, diag);
	case GF_FIELD_OPTIONAL:
		if (*(const int *)((const char *)wire + f->presence) != f->number) {
			*(float *)to = NAN;
			return 0;
		}
		return number_from_wire(f, from, to, diag);
	case GF_FIELD_U32:
	case GF_FIELD_U64:
	case GF_FIELD_FLOAT:
	case GF_FIELD_ENUM:
		return number_from_wire(f, from, to, diag);
	}
	return GF_CODEC_E_INVALID;
}

int gf_fields_from_wire(const struct gf_table *table, const void *wire, void *model, struct gf_diag *diag)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct gf_field *f = &table->fields[i];
		int r = field_from_wire(f, wire, (char *)model + f->model, diag);

		if (r != 0)
			return r;
	}
	return 0;
}

int gf_wire_pack(const ProtobufCMessage *message, void *buf, size_t size, size_t *ret_len)
{
	if (protobuf_c_message_get_packed_size(message) > size)
		return -ENOSPC;
	*ret_len = protobuf_c_message_pack(message, buf);
	return 0;
}

static void *allocate(void *arena, size_t size)
{
	return gf_arena_alloc(arena, size);
}

/* The arena frees everything at its end. */
static void release(void *arena, void *block)
{
	(void)arena;
	(void)block;
}

int gf_wire_unpack(struct gf_arena *arena, const ProtobufCMessageDescriptor *type, const void *data, size_t len,
                   size_t max, void *ret_message, struct gf_diag *diag)
{
	ProtobufCAllocator allocator = {.alloc = allocate, .free = release, .allocator_data = arena};

	if (len > max) {
		gf_diag_set(diag, "%s has %zu bytes, more than %zu", type->short_name, len, max);
		return GF_CODEC_E_TOO_LARGE;
	}
	ProtobufCMessage *message = protobuf_c_message_unpack(type, &allocator, len, data);

	if (!message && arena->out_of_memory)
		return -ENOMEM;
	if (!message && arena->over_budget) {
		gf_diag_set(diag, "%s takes more than %zu bytes of memory to decode", type->short_name, arena->budget);
		return GF_CODEC_E_TOO_LARGE;
	}
	if (!message) {
		gf_diag_set(diag, "the bytes are not a %s", type->short_name);
		return GF_CODEC_E_MALFORMED;
	}
	*(void **)ret_message = message;
	return 0;
}
