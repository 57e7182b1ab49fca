/* Memory that runs out anywhere: -ENOMEM, nothing half-made, nothing lost. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/rules_yaml.h"
#include "tests/unit/gateway/rules/world.h"
#include "tests/unit/proto/alloc_fail.h"

static void judging_without_memory_says_so(void **state)
{
	static struct world w;
	size_t failed = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct judge_input input;
		int r = -ENOMEM;

		world_make(&w, seed);
		input = world_input(&w);
		for (int after = 0; r == -ENOMEM; after++) {
			struct judgement j = {.due_ms = 77};

			alloc_fail_after(after);
			r = rules_judge(&input, &j);
			alloc_fail_after(-1);
			if (r == 0) {
				judgement_deinit(&j);
				break;
			}
			assert_int_equal(r, -ENOMEM);
			assert_true(j.due_ms == 77 && j.episodes == NULL);
			failed++;
		}
	}
	assert_true(failed >= 200);
}

static void silence_without_memory_says_so(void **state)
{
	const struct rule rule = {.conditions_count = 1,
	                          .conditions = {{.metric = RULE_METRIC_SILENT_MIN, .has_warn = true, .warn = 5}}};
	const struct judge_input input = {.rule = &rule, .calendar = &calendar_always};
	struct judgement j;

	(void)state;
	alloc_fail_after(0);
	assert_int_equal(rules_judge(&input, &j), -ENOMEM);
	alloc_fail_after(-1);
}

static void reading_rules_without_memory_says_so(void **state)
{
	int r = -ENOMEM;

	(void)state;
	for (int after = 0; r == -ENOMEM; after++) {
		struct judgement_config config = {.plans_count = 77};
		struct gf_diag diag = {{0}};

		alloc_fail_after(after);
		r = rules_yaml_load(GF_SOURCE_DIR "/config/rules.yaml", &config, &diag);
		alloc_fail_after(-1);
		if (r == 0) {
			assert_true(after > 3);
			judgement_config_deinit(&config);
			return;
		}
		assert_true(diag.text[0] != '\0' && config.plans_count == 77 && config.rules == NULL);
	}
	fail_msg("%d", r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(judging_without_memory_says_so),
	    cmocka_unit_test(silence_without_memory_says_so),
	    cmocka_unit_test(reading_rules_without_memory_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
