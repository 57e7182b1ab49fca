/*
 * Rules name routines, and routines come from catalogs: of a misspelt name nothing would ever count, and nobody would notice. It is no mistake,
 * its catalog may be published later; so it is told as a doubt: a name that no published catalog has and that was never played, when another one
 * is very like it, or when all that the machines can play is known here. (Of a catalog that was put on a machine by hand nothing is known.)
 */
#ifndef GATEWAY_ROUTINE_DOUBTS_H
#define GATEWAY_ROUTINE_DOUBTS_H

#include "gateway/rules_yaml.h"
#include "gateway/store/store.h"

/* A name in a rule. */
struct routine_use {
	unsigned line;
	char rule[GF_NAME_MAX], routine[GF_NAME_MAX];
};
struct routine_uses {
	size_t count;
	struct routine_use *items;
};

/* Copies what the rules name, so that they needn't stay while the store is asked. 0, -ENOMEM. */
GF_MUST_CHECK int routine_uses_of(const struct rules *rules, struct routine_uses *ret_uses);
void routine_uses_deinit(struct routine_uses *uses);

typedef void (*routine_doubt_fn)(void *ctx, const char *sentence);
/* Tells each doubt as a sentence that begins with "`file`:line: ". 0, or what the store said. */
GF_MUST_CHECK int routine_doubts(struct store_reader *reader, const struct routine_uses *uses, const char *file,
                                 routine_doubt_fn tell, void *ctx, struct gf_diag *diag);

#endif
