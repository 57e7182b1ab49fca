#include "proto/base/err.h"

#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_sentence_is_set_and_replaced(void **state)
{
	struct gf_diag diag;

	(void)state;
	gf_diag_set(&diag, "%s:%d: %s", "agent.yaml", 12, "no");
	assert_string_equal(diag.text, "agent.yaml:12: no");
	gf_diag_set(&diag, "%s", "");
	assert_string_equal(diag.text, "");
}

static void a_prefix_stands_before_what_was_said(void **state)
{
	struct gf_diag diag = {{0}};

	(void)state;
	gf_diag_set(&diag, "no space left");
	gf_diag_prefix(&diag, "slot %c", 'B');
	gf_diag_prefix(&diag, "catalog");
	assert_string_equal(diag.text, "catalog: slot B: no space left");
}

static void nobody_to_tell_is_fine(void **state)
{
	(void)state;
	gf_diag_set(NULL, "%s", "unheard");
	gf_diag_prefix(NULL, "%s", "unheard");
}

static void what_is_too_long_is_cut_and_ends(void **state)
{
	struct {
		struct gf_diag diag;
		char canary[8];
	} box = {.canary = "canary"};
	char text[2 * GF_DIAG_MAX];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	gf_diag_set(&box.diag, "%s", text);
	assert_int_equal(strlen(box.diag.text), GF_DIAG_MAX - 1);
	gf_diag_prefix(&box.diag, "front");
	assert_int_equal(strlen(box.diag.text), GF_DIAG_MAX - 1);
	assert_memory_equal(box.diag.text, "front: xxx", 10);
	gf_diag_prefix(&box.diag, "%s", text);
	assert_int_equal(strlen(box.diag.text), GF_DIAG_MAX - 1);
	assert_string_equal(box.canary, "canary");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_sentence_is_set_and_replaced),
	    cmocka_unit_test(a_prefix_stands_before_what_was_said),
	    cmocka_unit_test(nobody_to_tell_is_fine),
	    cmocka_unit_test(what_is_too_long_is_cut_and_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
