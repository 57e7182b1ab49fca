/*
 * Rules that go by what none of their machines tells of: the pressure of machines without air, the vibration of those whose agent.yaml says nothing of
 * it. Such machines may come, so it is no mistake; it is told as a doubt where there are machines, and none of them tells of it.
 */
#ifndef GATEWAY_MEASURE_DOUBTS_H
#define GATEWAY_MEASURE_DOUBTS_H

#include "gateway/rules/rule.h"
#include "gateway/store/store.h"

typedef void (*measure_doubt_fn)(void *ctx, const char *sentence);
/* Tells each doubt as a sentence that begins with "`file`:line: ". 0, or what the store said. */
GF_MUST_CHECK int measure_doubts(struct store_reader *reader, const struct rules *rules, const char *file,
                                 measure_doubt_fn tell, void *ctx, struct gf_diag *diag);

#endif
