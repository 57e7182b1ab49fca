/*
 * What may be wrong in rules that are right: they name what nobody has (routine_doubts.h), go by what no machine tells of (measure_doubts.h), or by
 * hours that no site has (hours_doubts.h). Each is told where the rules are read, and by doctor.
 */
#ifndef GATEWAY_RULE_DOUBTS_H
#define GATEWAY_RULE_DOUBTS_H

#include "gateway/routine_doubts.h"
#include "gateway/sites/sites.h"

struct rule_doubts {
	const struct rules *rules;
	const struct sites *sites; /* NULL: open around the clock everywhere */
	struct store_reader *reader;
	const char *file; /* as the sentences name it */
	routine_doubt_fn tell;
	void *ctx;
};
/* Tells each doubt as a sentence that begins with "`file`:line: ". 0, -ENOMEM, or what the store said: then some aren't told. */
GF_MUST_CHECK int rule_doubts(const struct rule_doubts *asked, struct gf_diag *diag);

/* A copy, so that the rules needn't stay while the store is asked; free ends it. 0, -ENOMEM. */
GF_MUST_CHECK int rules_copy(const struct rules *rules, struct rules **ret_copy);

#endif
