/*
 * Rules that go by opening hours as no site has them: use while closed where nobody closes, more open days in a row than there are, more silence in
 * opening time than fits before a flag expires. It is no mistake of the rules, for the hours are gateway.yaml's and may change; so it is told as a
 * doubt. Pure.
 */
#ifndef GATEWAY_HOURS_DOUBTS_H
#define GATEWAY_HOURS_DOUBTS_H

#include "gateway/rules/rule.h"
#include "gateway/sites/sites.h"

typedef void (*hours_doubt_fn)(void *ctx, const char *sentence);
/* Tells each doubt as a sentence that begins with "`file`:line: ". `sites` NULL: open around the clock everywhere. */
void hours_doubts(const struct rules *rules, const struct sites *sites, const char *file, hours_doubt_fn tell,
                  void *ctx);

#endif
