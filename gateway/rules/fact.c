#include "gateway/rules/fact.h"

#include <errno.h>

#define X(s, n) n,
static const char *const depth_names[] = {FACT_DEPTHS(X)};
static const char *const part_names[] = {FACT_PARTS(X)};
#undef X

const char *fact_depth_name(enum fact_depth depth)
{
	return (unsigned)depth < FACT_DEPTH_COUNT ? depth_names[depth] : "unknown";
}

const char *fact_part_name(enum fact_part part)
{
	return (unsigned)part < FACT_PART_COUNT ? part_names[part] : "unknown";
}

int fact_part_parse(const char *name, enum fact_part *ret_part)
{
	for (int part = 0; part < FACT_PART_COUNT; part++)
		if (strcmp(part_names[part], name) == 0) {
			*ret_part = (enum fact_part)part;
			return 0;
		}
	return -EINVAL;
}

enum fact_depth fact_depth_of(float max_intensity_pct)
{
	if (!(max_intensity_pct > 0))
		return FACT_DEPTH_NONE;
	if (max_intensity_pct <= 40)
		return FACT_DEPTH_SUPERFICIAL;
	if (max_intensity_pct <= 60)
		return FACT_DEPTH_MODERATE;
	return max_intensity_pct <= 80 ? FACT_DEPTH_DEEP : FACT_DEPTH_BEYOND;
}

int fact_compare(const struct fact *a, const struct fact *b)
{
	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->device != b->device)
		return a->device < b->device ? -1 : 1;
	return (a->no > b->no) - (a->no < b->no);
}
