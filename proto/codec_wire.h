/*
 * What every codec file needs of protobuf-c: packing into a caller's buffer, unpacking within an arena's budget, and
 * tables that carry the plain fields of a message between protobuf-c's struct ("wire") and the model's, checking what comes in.
 * A field that takes more than copying (a sub-message, a list) is written out beside its table.
 */
#ifndef GF_CODEC_WIRE_H
#define GF_CODEC_WIRE_H

#include "proto/arena.h"
#include "proto/codec.h"
#include "proto/gymfleet.pb-c.h"

/*
 * The highest values taken from the wire. Counters stay exact in JSON and in a double, and sums over a fleet stay far
 * from overflowing a signed 64-bit integer, whatever a device claims.
 */
#define GF_COUNT_MAX ((double)((UINT64_C(1) << 53) - 1))
#define GF_SPAN_MS_MAX 3155760000000.0   /* a hundred years */
#define GF_WALL_MS_MAX 253402300799999.0 /* the end of the year 9999 */
#define GF_U32_MAX ((double)UINT32_MAX)
#define GF_U64_MAX 18446744073709551615.0
#define GF_PCT_MAX 100.0
#define GF_TEMP_MIN_C (-60.0)
#define GF_TEMP_MAX_C 400.0
#define GF_CURRENT_MAX_MA 1e6
#define GF_PRESSURE_MAX_MMHG 1e4
#define GF_NUMBER_MAX 1e12 /* a number whose unit depends on a code beside it */

enum gf_field_type {
	GF_FIELD_BOOL,
	GF_FIELD_U32,
	GF_FIELD_U64,
	GF_FIELD_FLOAT,
	GF_FIELD_OPTIONAL, /* float; absent on the wire = NaN in the model */
	GF_FIELD_ENUM,
	GF_FIELD_TEXT,   /* char[size] in the model */
	GF_FIELD_STREAM, /* bytes, exactly GF_STREAM_ID_LEN */
	GF_FIELD_DIGEST, /* bytes, exactly GF_DIGEST_LEN; left out = zeros */
};

/* One plain field: where it stands in both structs and what it may be. */
struct gf_field {
	const char *name;
	size_t wire, model;
	double min, max; /* numbers and enum values, inclusive */
	size_t size;     /* GF_FIELD_TEXT: room in the model, with the NUL */
	size_t presence; /* GF_FIELD_OPTIONAL: where the oneof's case stands */
	enum gf_field_type type;
	int number; /* GF_FIELD_OPTIONAL: the field's number, the case's value when present */
};

struct gf_table {
	const struct gf_field *fields;
	size_t count;
};

#define GF_TABLE(array)                             \
	{                                               \
		(array), sizeof(array) / sizeof((array)[0]) \
	}

/* offsetof that compiles only when the member has the type which the table says. */
#define GF_OFFSET(S, member, T) (offsetof(S, member) + 0 * sizeof(_Generic(((S *)0)->member, T : 0)))

#define GF_FIELD_AS(kind, W, wire_name, wire_type, M, model_name, model_type)                       \
	.name = #wire_name, .type = (kind), .wire = GF_OFFSET(Gymfleet__V1__##W, wire_name, wire_type), \
	.model = GF_OFFSET(struct gf_##M, model_name, model_type)

/* Rows of a table, for message W and model struct M that both call the field `f`. */
#define GF_BOOL(W, M, f)                                                 \
	{                                                                    \
		GF_FIELD_AS(GF_FIELD_BOOL, W, f, protobuf_c_boolean, M, f, bool) \
	}
#define GF_U32(W, M, f)                                                              \
	{                                                                                \
		GF_FIELD_AS(GF_FIELD_U32, W, f, uint32_t, M, f, uint32_t), .max = GF_U32_MAX \
	}
#define GF_U32_IN(W, M, f, least, most)                                                          \
	{                                                                                            \
		GF_FIELD_AS(GF_FIELD_U32, W, f, uint32_t, M, f, uint32_t), .min = (least), .max = (most) \
	}
#define GF_U64(W, M, f, least, most)                                                             \
	{                                                                                            \
		GF_FIELD_AS(GF_FIELD_U64, W, f, uint64_t, M, f, uint64_t), .min = (least), .max = (most) \
	}
#define GF_FLOAT(W, M, f, least, most)                                                       \
	{                                                                                        \
		GF_FIELD_AS(GF_FIELD_FLOAT, W, f, float, M, f, float), .min = (least), .max = (most) \
	}
#define GF_OPTIONAL(W, M, f, oneof, field_number, least, most)                                               \
	{                                                                                                        \
		GF_FIELD_AS(GF_FIELD_OPTIONAL, W, f, float, M, f, float),                                            \
		    .presence = offsetof(Gymfleet__V1__##W, oneof##_case), .number = (field_number), .min = (least), \
		    .max = (most)                                                                                    \
	}
#define GF_ENUM_AS(W, wire_name, M, model_name, least, count)                                                 \
	{                                                                                                         \
		GF_FIELD_AS(GF_FIELD_ENUM, W, wire_name, unsigned, M, model_name, unsigned), .min = (least),          \
		                                                                             .max = (double)(count)-1 \
	}
#define GF_ENUM(W, M, f, least, count) GF_ENUM_AS(W, f, M, f, least, count)
#define GF_TEXT(W, M, f)                                                                                \
	{                                                                                                   \
		GF_FIELD_AS(GF_FIELD_TEXT, W, f, char *, M, f, char *), .size = sizeof(((struct gf_##M *)0)->f) \
	}
#define GF_STREAM(W, M)                                                                                 \
	{                                                                                                   \
		GF_FIELD_AS(GF_FIELD_STREAM, W, stream_id, ProtobufCBinaryData, M, stream, struct gf_stream_id) \
	}
#define GF_DIGEST_AS(W, wire_name, M, model_name)                                                        \
	{                                                                                                    \
		GF_FIELD_AS(GF_FIELD_DIGEST, W, wire_name, ProtobufCBinaryData, M, model_name, struct gf_digest) \
	}

/* Texts and bytes of `wire` then point into `model`, which must outlive it. */
void gf_fields_to_wire(const struct gf_table *table, const void *model, void *wire);

/* Checks and copies. 0 or GF_CODEC_E_INVALID with `diag`. */
GF_MUST_CHECK int gf_fields_from_wire(const struct gf_table *table, const void *wire, void *model,
                                      struct gf_diag *diag);

/* Finite and least..most, or GF_CODEC_E_INVALID with `diag`. */
GF_MUST_CHECK int gf_number_check(const char *name, double value, double least, double most, struct gf_diag *diag);

/* 0 or -ENOSPC. */
GF_MUST_CHECK int gf_wire_pack(const ProtobufCMessage *message, void *buf, size_t size, size_t *ret_len);

/* The message lives in the arena. 0, GF_CODEC_E_MALFORMED, GF_CODEC_E_TOO_LARGE (over `max` or the arena's budget), -ENOMEM. */
GF_MUST_CHECK int gf_wire_unpack(struct gf_arena *arena, const ProtobufCMessageDescriptor *type, const void *data,
                                 size_t len, size_t max, void *ret_message, struct gf_diag *diag);

/* The odometer, which several messages carry and which none of them may leave out. */
extern const struct gf_table gf_odometer_table;
/* A message that is all plain fields: unpack within `max` bytes, then its table; a member of *model is set only if all is well so far. */
GF_MUST_CHECK int gf_wire_decode_flat(const ProtobufCMessageDescriptor *type, const struct gf_table *table,
                                      const void *data, size_t len, size_t max, void *model, struct gf_diag *diag);

GF_MUST_CHECK int gf_odometer_from_wire(const Gymfleet__V1__Odometer *wire, struct gf_odometer *ret_odometer,
                                        struct gf_diag *diag);

/* gf_record_decode with the caller's arena, which it resets first; on failure *ret_record is zeroed. */
GF_MUST_CHECK int gf_record_decode_in(struct gf_arena *arena, const void *data, size_t len,
                                      struct gf_record *ret_record, struct gf_diag *diag);

#endif
