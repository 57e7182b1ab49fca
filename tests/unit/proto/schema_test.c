/* Reads protobuf-c's descriptors: what must hold of the schema, whoever edits it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "proto/gymfleet.pb-c.h"
#include "proto/model.h"

static const ProtobufCMessageDescriptor *const roots[] = {
    &gymfleet__v1__status__descriptor,         &gymfleet__v1__report__descriptor,  &gymfleet__v1__ack__descriptor,
    &gymfleet__v1__gateway_status__descriptor, &gymfleet__v1__catalog__descriptor, &gymfleet__v1__manifest__descriptor,
};

enum { DEPTH_MAX = 8 };

/* Walks every path of messages; one that doesn't end within DEPTH_MAX contains itself. */
static void assert_ends(const ProtobufCMessageDescriptor *type, int depth)
{
	if (depth == DEPTH_MAX)
		fail_msg("%s nests too deep or contains itself", type->name);
	for (unsigned i = 0; i < type->n_fields; i++) {
		if (type->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
			assert_ends(type->fields[i].descriptor, depth + 1);
	}
}

static void no_message_contains_itself(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		assert_ends(roots[i], 0);
}

/* "SIDE_LEFT" for prefix "SIDE" and name "left" has the number `value`; there are `count` values. */
static void assert_value(const ProtobufCEnumDescriptor *type, const char *prefix, const char *name, int value,
                         int count)
{
	char symbol[80];

	snprintf(symbol, sizeof(symbol), "%s_%s", prefix, name);
	for (char *c = symbol; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value_by_name(type, symbol);
	if (!found)
		fail_msg("%s has no %s", type->name, symbol);
	assert_int_equal(found->value, value);
	assert_int_equal(type->n_values, count);
}

#define CHECK_ENUM(type, prefix, lower, UPPER)                                                          \
	for (int i = 0; i < GF_##UPPER##_COUNT; i++)                                                        \
	assert_value(&gymfleet__v1__##type##__descriptor, prefix, gf_##lower##_name((enum gf_##lower)i), i, \
	             GF_##UPPER##_COUNT)

static void enum_numbers_are_the_models(void **state)
{
	(void)state;
	CHECK_ENUM(device_class, "DEVICE_CLASS", class, CLASS);
	CHECK_ENUM(area, "AREA", area, AREA);
	CHECK_ENUM(side, "SIDE", side, SIDE);
	CHECK_ENUM(technique, "TECHNIQUE", technique, TECHNIQUE);
	CHECK_ENUM(outcome, "OUTCOME", outcome, OUTCOME);
	CHECK_ENUM(fault_code, "FAULT_CODE", fault, FAULT);
	CHECK_ENUM(severity, "SEVERITY", severity, SEVERITY);
	CHECK_ENUM(sensor, "SENSOR", sensor, SENSOR);
	CHECK_ENUM(record_kind, "RECORD_KIND", record_kind, RECORD);
	CHECK_ENUM(presence, "PRESENCE", presence, PRESENCE);
	CHECK_ENUM(cleared_by, "CLEARED_BY", cleared_by, CLEARED_BY);
}

static void a_kinds_body_has_the_field_number_ten_and_kind(void **state)
{
	(void)state;
	for (int kind = 1; kind < GF_RECORD_COUNT; kind++) {
		const ProtobufCFieldDescriptor *field =
		    protobuf_c_message_descriptor_get_field(&gymfleet__v1__record__descriptor, 10 + (unsigned)kind);

		assert_non_null(field);
		assert_string_equal(field->name, gf_record_kind_name((enum gf_record_kind)kind));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_message_contains_itself),
	    cmocka_unit_test(enum_numbers_are_the_models),
	    cmocka_unit_test(a_kinds_body_has_the_field_number_ten_and_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
