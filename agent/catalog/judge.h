/*
 * May this machine have this catalog? Pure: bytes and facts in, a verdict out. Nothing in the manifest is looked at before enough keys have
 * vouched for it.
 *
 *     digest ──> signatures ──> manifest ──> class ──> version ──> expiry ──> agent ──> every routine within the envelope
 */
#ifndef AGENT_CATALOG_JUDGE_H
#define AGENT_CATALOG_JUDGE_H

#include "agent/control/envelope.h"
#include "proto/catalog_sign.h"

/* What stays the same while the agent runs. */
struct catalog_judge {
	enum gf_class class;
	struct control_envelope envelope; /* agent.yaml's: what the gateway tightens comes and goes */
	const char *agent_version;        /* "1.2.3" */
	struct gf_keyset keys;            /* agent.yaml's; threshold 0 = none: nothing over the air is taken */
};

/* What changes. */
struct catalog_facts {
	const struct gf_keyset *keys; /* in force: the judge's, or those that a catalog has named since */
	/* It was played here before, and enough of the keys that were in force then vouched for it: a change of keys doesn't close the way back. */
	bool vouched;
	/* The highest version ever active here, what it was, and how far back it allows to go. 0 = none yet. */
	uint64_t highest_version, rollback_floor;
	struct gf_digest highest;
	/* The latest time that was ever known for sure: a clock that has lost the time doesn't make an expired catalog good. */
	int64_t not_before_wall_ms;
	int64_t wall_ms; /* now, if synchronised; else 0 */
};

/*
 * 0 and the catalog, which the caller ends with gf_catalog_deinit; or an enum gf_refusal with the sentence in diag; or -ENOMEM.
 * `wanted` is what was announced.
 */
GF_MUST_CHECK int catalog_judge(const struct catalog_judge *judge, const struct catalog_facts *facts,
                                const struct gf_digest *wanted, const void *data, size_t len,
                                struct gf_catalog *ret_catalog, struct gf_diag *diag);

/* The one that was installed by hand: expiry, version and envelope are the business of who did it, and the clamp's. Signatures count when
 * there are `keys` (threshold above 0). As catalog_judge. */
GF_MUST_CHECK int catalog_judge_file(const struct catalog_judge *judge, const struct gf_keyset *keys, const void *data,
                                     size_t len, struct gf_catalog *ret_catalog, struct gf_diag *diag);
/* One that was judged before, whose digest is still the same: keys may have changed since, and it may have expired. As catalog_judge. */
GF_MUST_CHECK int catalog_judge_kept(const struct catalog_judge *judge, const void *data, size_t len,
                                     struct gf_catalog *ret_catalog, struct gf_diag *diag);

/* The rule of versions: only up, but for what the highest one's floor allows. 0, GF_REFUSAL_OLDER_VERSION, GF_REFUSAL_VERSION_REUSED. */
GF_MUST_CHECK int catalog_version_allowed(const struct catalog_facts *facts, uint64_t version,
                                          const struct gf_digest *digest, struct gf_diag *diag);
/* Has it expired, as far as this machine can know? 0 or GF_REFUSAL_EXPIRED. */
GF_MUST_CHECK int catalog_fresh(const struct gf_catalog *catalog, const struct catalog_facts *facts,
                                struct gf_diag *diag);

/* The last part alone: does each routine stay within what this machine may do? Names routine, step, and what is allowed. Start and ramp are left to
 * the clamp (P6). 0 or GF_REFUSAL_ENVELOPE. */
GF_MUST_CHECK int catalog_fits(const struct catalog_judge *judge, const struct gf_catalog *catalog,
                               struct gf_diag *diag);

/* Is version `a` of an agent older than `b`? Numbers by their value, field by field; what is left out counts as 0. */
bool catalog_agent_older(const char *a, const char *b);

#endif
