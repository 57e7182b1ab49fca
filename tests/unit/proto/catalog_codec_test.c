#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/catalog.h"
#include "proto/codec.h"

/* Written by protoc --encode; what it says is what sample() says. */
static const char golden[] =
    "0aa0010a0a70657263757373696f6e10011808228d010a0573686f7274120b412073686f7274206f6e651a02010220012d00"
    "00364230809793053a21080a1001180420e0d4032d0000c8413500002042389875450000c0414d0000f0413a200806100218"
    "0520c8df022d0000c8413500000c4238904e650000c84168a8c3013a220816100318092090bf052d0000f041350000f84138"
    "e0d403550000f0415d00007042";

struct sample {
	struct gf_step steps[3];
	struct gf_routine routine;
	struct gf_catalog catalog;
};

static void sample(struct sample *s)
{
	*s = (struct sample){
	    .steps =
	        {
	            {
	                .area = GF_AREA_CALVES,
	                .side = GF_SIDE_LEFT,
	                .technique = GF_TECHNIQUE_PERCUSSION,
	                .duration_ms = 60000,
	                .from_pct = 25.0F,
	                .to_pct = 40.0F,
	                .ramp_ms = 15000,
	                .from_hz = 24.0F,
	                .to_hz = 30.0F,
	            },
	            {
	                .area = GF_AREA_QUADS,
	                .side = GF_SIDE_RIGHT,
	                .technique = GF_TECHNIQUE_ROLL,
	                .duration_ms = 45000,
	                .from_pct = 25.0F,
	                .to_pct = 35.0F,
	                .ramp_ms = 10000,
	                .speed_mm_s = 25.0F,
	                .hold_ms = 25000,
	            },
	            {
	                .area = GF_AREA_LEGS,
	                .side = GF_SIDE_BOTH,
	                .technique = GF_TECHNIQUE_COMPRESS,
	                .duration_ms = 90000,
	                .from_pct = 30.0F,
	                .to_pct = 31.0F,
	                .pressure_from_mmhg = 30.0F,
	                .pressure_to_mmhg = 60.0F,
	                .ramp_ms = 60000,
	            },
	        },
	    .routine =
	        {
	            .id = "short",
	            .title = "A short one",
	            .classes = 1U << GF_CLASS_PERCUSSION | 1U << GF_CLASS_ROLLER,
	            .staff_unlock = true,
	            .cap_pct = 45.5F,
	            .after_hard_effort_ms = 10800000,
	            .steps_count = 3,
	            .steps = s->steps,
	        },
	    .catalog =
	        {
	            .name = "percussion",
	            .class = GF_CLASS_PERCUSSION,
	            .version = 8,
	            .routines_count = 1,
	            .routines = &s->routine,
	        },
	};
}

static void assert_refused_as(int code, const struct gf_catalog *catalog, const char *because)
{
	struct gf_catalog out = {.version = 4711};
	struct gf_diag diag = {0};
	unsigned char *data;
	size_t len;

	assert_int_equal(gf_catalog_encode(catalog, &data, &len), 0);
	assert_int_equal(gf_catalog_decode(data, len, &out, &diag), code);
	assert_int_equal(out.version, 4711);
	if (!strstr(diag.text, because))
		fail_msg("\"%s\" does not say \"%s\"", diag.text, because);
	free(data);
}

static void assert_refused(const struct gf_catalog *catalog, const char *because)
{
	assert_refused_as(GF_CODEC_E_INVALID, catalog, because);
}

static void a_catalog_has_its_bytes_and_returns(void **state)
{
	struct sample s;
	struct gf_catalog back;
	struct gf_diag diag = {0};
	unsigned char *data;
	size_t len;
	char hex[1024];

	(void)state;
	sample(&s);
	assert_int_equal(gf_catalog_encode(&s.catalog, &data, &len), 0);
	gf_hex(data, len, hex);
	assert_string_equal(hex, golden);
	if (gf_catalog_decode(data, len, &back, &diag) != 0)
		fail_msg("%s", diag.text);
	free(data);

	assert_string_equal(back.name, "percussion");
	assert_int_equal(back.routines[0].classes, s.routine.classes);
	assert_int_equal(back.routines[0].steps_count, 3);
	assert_int_equal(back.routines[0].steps[1].hold_ms, 25000);
	assert_int_equal(gf_catalog_encode(&back, &data, &len), 0);
	gf_hex(data, len, hex);
	assert_string_equal(hex, golden);
	free(data);
	gf_catalog_deinit(&back);
}

static void i10_what_breaks_a_rule_is_refused(void **state)
{
	struct sample s;
	struct gf_routine twice[2];

	(void)state;
	sample(&s);
	s.catalog.version = 0;
	assert_refused_as(GF_CATALOG_E_VERSION, &s.catalog, "version is 0");
	sample(&s);
	s.catalog.class = GF_CLASS_COUNT;
	assert_refused(&s.catalog, "device_class is 6");
	sample(&s);
	s.catalog.routines_count = 0;
	assert_refused(&s.catalog, "routines is 0, must be 1..64");
	sample(&s);
	s.routine.steps_count = 0;
	assert_refused(&s.catalog, "routine 1: steps is 0");
	sample(&s);
	s.steps[1].to_pct = 100.5F;
	assert_refused(&s.catalog, "routine 1: step 2: to_pct is 100.5");
	sample(&s);
	s.steps[2].area = GF_AREA_COUNT;
	assert_refused(&s.catalog, "routine 1: step 3: area is 23");
	sample(&s);
	twice[0] = twice[1] = s.routine;
	s.catalog.routines = twice;
	s.catalog.routines_count = 2;
	assert_refused(&s.catalog, "routine 'short' is there twice");
}

/* Well-formed and in range, but by the catalog's rules never to be played. */
static void i3_a_forbidden_step_does_not_get_in(void **state)
{
	struct sample s;

	(void)state;
	sample(&s);
	s.steps[0].area = GF_AREA_ACHILLES;
	assert_refused(&s.catalog, "step 1");
}

static void i10_a_cut_or_flipped_catalog_is_survived(void **state)
{
	struct sample s;
	struct gf_catalog out;
	unsigned char *data;
	size_t len;

	(void)state;
	sample(&s);
	assert_int_equal(gf_catalog_encode(&s.catalog, &data, &len), 0);
	for (size_t cut = 0; cut < len; cut++)
		assert_true(gf_catalog_decode(data, cut, &out, NULL) > 0);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		data[bit / 8] ^= (unsigned char)(1U << bit % 8);
		if (gf_catalog_decode(data, len, &out, NULL) == 0)
			gf_catalog_deinit(&out);
		data[bit / 8] ^= (unsigned char)(1U << bit % 8);
	}
	free(data);
}

static void i8_a_catalog_over_its_cap_is_too_large(void **state)
{
	static struct gf_step steps[GF_ROUTINE_STEPS_MAX];
	static struct gf_routine routines[GF_CATALOG_ROUTINES_MAX];
	struct gf_catalog catalog = {.name = "big", .class = GF_CLASS_ROLLER, .version = 1, .routines = routines};
	struct gf_catalog out;
	struct gf_diag diag = {0};
	struct sample s;
	unsigned char *data = NULL;
	size_t len;

	(void)state;
	sample(&s);
	for (size_t i = 0; i < GF_ROUTINE_STEPS_MAX; i++)
		steps[i] = s.steps[0];
	for (size_t i = 0; i < GF_CATALOG_ROUTINES_MAX; i++) {
		routines[i] = s.routine;
		snprintf(routines[i].id, sizeof(routines[i].id), "r%zu", i);
		routines[i].steps = steps;
		routines[i].steps_count = GF_ROUTINE_STEPS_MAX;
	}
	catalog.routines_count = GF_CATALOG_ROUTINES_MAX;
	assert_int_equal(gf_catalog_encode(&catalog, &data, &len), -EMSGSIZE);
	assert_null(data);

	/* As many as fit: past the arena, and refused only because it plays too long. */
	catalog.routines_count = 20;
	assert_int_equal(gf_catalog_encode(&catalog, &data, &len), 0);
	assert_true(len > GF_CATALOG_MAX / 2);
	assert_int_equal(gf_catalog_decode(data, len, &out, &diag), GF_CODEC_E_INVALID);
	free(data);

	data = calloc(1, GF_CATALOG_MAX + 1);
	assert_non_null(data);
	assert_int_equal(gf_catalog_decode(data, GF_CATALOG_MAX + 1, &out, &diag), GF_CODEC_E_TOO_LARGE);
	free(data);
}

/* A manifest that is nothing but empty steps, as many as the cap lets through. */
static void i8_a_flood_of_empty_steps_ends_at_the_budget(void **state)
{
	size_t len = GF_CATALOG_MAX;
	unsigned char *data = calloc(1, len);
	struct gf_catalog out;
	struct gf_diag diag = {0};

	(void)state;
	assert_non_null(data);
	static const unsigned char head[] = {0x0a, 0xfc, 0xff, 0x0f, 0x22, 0xf8, 0xff, 0x0f};
	memcpy(data, head, sizeof(head));
	for (size_t i = sizeof(head); i + 1 < len; i += 2)
		data[i] = 0x3a;
	int result = gf_catalog_decode(data, len, &out, &diag);
	assert_int_equal(result, GF_CODEC_E_TOO_LARGE);
	assert_non_null(strstr(diag.text, "of memory to decode"));
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_catalog_has_its_bytes_and_returns),
	    cmocka_unit_test(i10_what_breaks_a_rule_is_refused),
	    cmocka_unit_test(i3_a_forbidden_step_does_not_get_in),
	    cmocka_unit_test(i10_a_cut_or_flipped_catalog_is_survived),
	    cmocka_unit_test(i8_a_catalog_over_its_cap_is_too_large),
	    cmocka_unit_test(i8_a_flood_of_empty_steps_ends_at_the_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
