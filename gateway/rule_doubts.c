#include "gateway/rule_doubts.h"

#include <errno.h>
#include <stdlib.h>

#include "gateway/hours_doubts.h"
#include "gateway/measure_doubts.h"

int rule_doubts(const struct rule_doubts *asked, struct gf_diag *diag)
{
	struct routine_uses uses = {0};
	int r;

	hours_doubts(asked->rules, asked->sites, asked->file, asked->tell, asked->ctx);
	r = routine_uses_of(asked->rules, &uses);
	if (r == 0)
		r = routine_doubts(asked->reader, &uses, asked->file, asked->tell, asked->ctx, diag);
	routine_uses_deinit(&uses);
	return r == 0 ? measure_doubts(asked->reader, asked->rules, asked->file, asked->tell, asked->ctx, diag) : r;
}

int rules_copy(const struct rules *rules, struct rules **ret_copy)
{
	const size_t size = sizeof(*rules) + rules->count * sizeof(rules->items[0]);
	struct rules *copy = malloc(size);

	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, rules, size);
	*ret_copy = copy;
	return 0;
}
