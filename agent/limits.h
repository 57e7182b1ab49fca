/*
 * What the gateway has limited on this machine, kept over restarts: a machine that was locked and is switched off and on again without a
 * network stays locked. One small file, replaced as a whole; agent/FORMAT.md gives its bytes.
 */
#ifndef AGENT_LIMITS_H
#define AGENT_LIMITS_H

#include "agent/control/envelope.h"

struct limits {
	uint64_t revision; /* of the desired state it came with; 0 = none yet */
	struct control_limits limits;
	char lock_reason[GF_TEXT_MAX];
};

/* What this message desires. */
struct limits limits_of(const struct gf_desired *desired);
/* Is the same in force? The revision may be another. */
bool limits_same(const struct limits *a, const struct limits *b);

/*
 * 0; without a file nothing is limited. When it is there and can't be read, the negative errno (-EINVAL for bytes that limits_save never
 * wrote) with diag, and *ret_limits is locked: nobody can tell whether the machine was.
 */
GF_MUST_CHECK int limits_load(const char *path, struct limits *ret_limits, struct gf_diag *diag);
/* 0 or a negative errno with diag: then the file is what it was. */
GF_MUST_CHECK int limits_save(const char *path, const struct limits *limits, struct gf_diag *diag);

#endif
