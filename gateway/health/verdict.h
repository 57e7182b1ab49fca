/* What the parts of the verdict share: the reasons being collected, and pieces of their sentences. Private to gateway/health. */
#ifndef GW_HEALTH_VERDICT_H
#define GW_HEALTH_VERDICT_H

#include "gateway/health/health.h"

struct verdict {
	const struct health_facts *facts;
	struct health_reason *reasons;
	size_t count;
};

struct health_reason *verdict_add(struct verdict *v, enum health_code code, enum health_severity severity,
                                  int64_t since_ms, const char *action);

/* Sets the sentence of a reason, or what to do; the old one may be among the arguments. */
#define VERDICT_SET(field, ...)                              \
	do {                                                     \
		struct gf_diag line_;                                \
		gf_diag_set(&line_, __VA_ARGS__);                    \
		(void)gf_strcpy((field), sizeof(field), line_.text); \
	} while (0)
#define VERDICT_SAY(reason, ...) VERDICT_SET((reason)->text, __VA_ARGS__)
#define VERDICT_DO(reason, ...) VERDICT_SET((reason)->action, __VA_ARGS__)

struct phrase {
	char text[GF_TEXT_MAX];
};
/* " since 2026-11-20T17:42:03Z (3.0 h)"; empty when the time is unknown. */
struct phrase verdict_since(const struct verdict *v, int64_t ms);

/* For commands: its id, or "ID" where it is unknown. */
const char *verdict_device(const struct verdict *v);

/* presence.c: is it there, and does anybody use it. */
void verdict_presence(struct verdict *v);
void verdict_idle(struct verdict *v);
/* upkeep.c: what people and rules say of it. */
void verdict_flags(struct verdict *v);
void verdict_service(struct verdict *v);
void verdict_tag(struct verdict *v);
/* fault.c: an open fault. */
void verdict_fault(struct verdict *v, const struct health_fault *fault);
/* rest.c: what the machine's own rules keep from running. */
void verdict_rest(struct verdict *v);
void verdict_locked(struct verdict *v);
void verdict_closed(struct verdict *v);

#endif
