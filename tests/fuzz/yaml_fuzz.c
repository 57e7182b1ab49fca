/* Any bytes as a configuration: read into values that keep the schema's promises, or refused with a sentence with its place. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/text.h"
#include "tests/unit/proto/base/yaml_sample.h"

static void check(int holds)
{
	if (!holds)
		abort();
}

static void check_sample(const struct sample *s)
{
	check(strnlen(s->name, sizeof(s->name)) > 0 && strnlen(s->name, sizeof(s->name)) < sizeof(s->name));
	check(gf_utf8_valid(s->name, strlen(s->name)));
	check(isfinite(s->limit));
	check(s->inner.host == NULL || (s->inner.host[0] != '\0' && strlen(s->inner.host) <= 20));
	check(s->entries_count <= 3);
	for (unsigned i = 0; i < s->entries_count; i++)
		check(s->entries[i].colour >= 1 && s->entries[i].colour <= 3 && isfinite(s->entries[i].share));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gf_yaml *doc = NULL;
	struct gf_diag diag = {{0}};
	void *sample = NULL;

	if (gf_yaml_load_text("f.yaml", (const char *)data, size, &sample_schema, &doc, &sample, &diag) != 0) {
		/* "f.yaml:LINE:COLUMN: ..." */
		check(doc == NULL && sample == NULL && strncmp(diag.text, "f.yaml:", 7) == 0);
		check(diag.text[7] >= '1' && diag.text[7] <= '9');
		return 0;
	}
	check_sample(sample);
	check(gf_yaml_has(doc, "name") && gf_yaml_fail(doc, "entries[0].share", &diag, "no") < 0);
	gf_yaml_free(doc);
	return 0;
}
