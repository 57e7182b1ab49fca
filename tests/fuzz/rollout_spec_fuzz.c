/*
 * Any bytes as what a rollout is asked to be: the texts of waves, window and gates by themselves, and a JSON body. Each is read or refused
 * with a sentence, and what was read is written back as a text that is read as the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/api/rollout_spec.h"

static void check(int result, const struct gf_diag *diag)
{
	if (result != 0 && diag->text[0] == '\0')
		abort();
}

static void waves(const char *text)
{
	struct rollout_spec a = {0}, b = {0};
	struct gf_diag diag = {{0}};
	char written[ROLLOUT_SPEC_TEXT_MAX];
	int r = rollout_spec_waves(text, &a, &diag);

	check(r, &diag);
	if (r != 0)
		return;
	rollout_spec_waves_text(&a, written);
	if (rollout_spec_waves(written, &b, &diag) != 0 || a.waves_count != b.waves_count)
		abort();
	for (size_t i = 0; i < a.waves_count; i++)
		if (a.waves[i].value != b.waves[i].value || a.waves[i].percent != b.waves[i].percent)
			abort();
}

static void window(const char *text)
{
	struct rollout_spec a = {0}, b = {0};
	struct gf_diag diag = {{0}};
	char written[ROLLOUT_SPEC_TEXT_MAX];
	int r = rollout_spec_window(text, &a, &diag);

	check(r, &diag);
	if (r != 0)
		return;
	rollout_spec_window_text(&a, written);
	if (rollout_spec_window(written, &b, &diag) != 0 || a.window_from_min != b.window_from_min ||
	    a.window_to_min != b.window_to_min)
		abort();
}

static void gate(const char *text)
{
	struct rollout_spec a = {0}, b = {0};
	struct gf_diag diag = {{0}};
	char written[ROLLOUT_SPEC_TEXT_MAX];
	int r = rollout_spec_gate(text, &a, &diag);

	check(r, &diag);
	if (r != 0)
		return;
	rollout_spec_gate_text(&a.gates[0], written);
	if (rollout_spec_gate(written, &b, &diag) != 0 || a.gates[0].kind != b.gates[0].kind ||
	    a.gates[0].relative != b.gates[0].relative)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 1);
	struct rollout_spec spec = {0};
	struct gf_diag diag = {{0}};
	json_t *body = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);

	if (text == NULL)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	waves(text);
	window(text);
	gate(text);
	if (json_is_object(body))
		check(rollout_spec_read(body, &spec, &diag), &diag);
	json_decref(body);
	free(text);
	return 0;
}
