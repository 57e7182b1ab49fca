/* Any bytes as a routine's YAML: compiled into something that keeps every rule, or refused with a sentence. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "proto/catalog_yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gf_routine routine = {.steps_count = 0};
	struct gf_diag diag = {{0}};

	if (gf_catalog_yaml_text("fuzz.yaml", (const char *)data, size, &routine, &diag) != 0) {
		if (diag.text[0] == '\0' || routine.steps != NULL)
			abort();
		return 0;
	}
	if (gf_routine_check(&routine, NULL, &diag) != 0)
		abort();
	gf_routine_deinit(&routine);
	return 0;
}
