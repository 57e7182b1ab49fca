#include "agent/catalog/judge.h"

#include <errno.h>
#include <inttypes.h>

#include "proto/base/clock.h"
#include "proto/codec.h"

/* A code of the codec as a refusal; what is no verdict about the bytes (-ENOMEM) passes. */
static int refusal_of(int r)
{
	switch (r) {
	case GF_CODEC_E_MALFORMED:
		return GF_REFUSAL_MALFORMED;
	case GF_CODEC_E_TOO_LARGE:
		return GF_REFUSAL_TOO_LARGE;
	case GF_CODEC_E_INVALID:
		return GF_REFUSAL_INVALID;
	case GF_CATALOG_E_VERSION:
		return GF_REFUSAL_VERSION_RANGE;
	default:
		return r;
	}
}

/* `keys` NULL: nobody has to vouch for it. */
static int open_sealed(const struct gf_keyset *keys, const void *data, size_t len, struct gf_catalog *ret_catalog,
                       struct gf_diag *diag)
{
	struct gf_sealed sealed;
	int r = gf_unseal(data, len, &sealed, diag);
	/* What can't be taken apart has no values that could be out of range. */
	if (r != 0)
		return r == GF_CODEC_E_INVALID ? GF_REFUSAL_MALFORMED : refusal_of(r);
	if (keys != NULL)
		r = gf_verify(keys, &sealed, diag);
	if (r == 0)
		r = refusal_of(gf_manifest_decode(sealed.manifest, sealed.manifest_len, ret_catalog, diag));
	gf_sealed_deinit(&sealed);
	return r;
}

static int check_digest(const struct gf_digest *wanted, const void *data, size_t len, struct gf_diag *diag)
{
	struct gf_digest found;
	char have[9], want[9];
	gf_digest_of(data, len, &found);
	if (gf_digest_equal(&found, wanted) && !gf_digest_none(&found))
		return 0;
	gf_diag_set(diag, "the bytes are those of catalog %s, announced was %s", gf_digest_short(&found, have),
	            gf_digest_short(wanted, want));
	return GF_REFUSAL_DIGEST;
}

static int check_class(const struct catalog_judge *judge, const struct gf_catalog *catalog, struct gf_diag *diag)
{
	const char *class = gf_class_name(judge->class);
	if (catalog->class != judge->class) {
		gf_diag_set(diag, "it is for class %s, this machine is of class %s", gf_class_name(catalog->class), class);
		return GF_REFUSAL_WRONG_CLASS;
	}
	for (size_t i = 0; i < catalog->routines_count; i++) {
		if ((catalog->routines[i].classes & 1U << judge->class) != 0)
			return 0;
	}
	gf_diag_set(diag, "none of its routines is for class %s, which this machine is of", class);
	return GF_REFUSAL_WRONG_CLASS;
}

int catalog_version_allowed(const struct catalog_facts *facts, uint64_t version, const struct gf_digest *digest,
                            struct gf_diag *diag)
{
	const uint64_t highest = facts->highest_version, floor = facts->rollback_floor;
	char have[9];
	if (version > highest)
		return 0;
	if (version == highest) {
		if (gf_digest_equal(digest, &facts->highest))
			return 0;
		gf_diag_set(diag,
		            "version %" PRIu64 " was here with other content (catalog %s); give this one a higher version",
		            version, gf_digest_short(&facts->highest, have));
		return GF_REFUSAL_VERSION_REUSED;
	}
	if (floor > 0 && version >= floor)
		return 0;
	if (floor > 0)
		gf_diag_set(diag,
		            "version %" PRIu64 " is older than %" PRIu64 ", which allows to go back to %" PRIu64 " at most",
		            version, highest, floor);
	else
		gf_diag_set(diag,
		            "version %" PRIu64 " is older than %" PRIu64
		            ", which this machine has had and which allows none older",
		            version, highest);
	return GF_REFUSAL_OLDER_VERSION;
}

int catalog_fresh(const struct gf_catalog *catalog, const struct catalog_facts *facts, struct gf_diag *diag)
{
	const int64_t now = facts->wall_ms > facts->not_before_wall_ms ? facts->wall_ms : facts->not_before_wall_ms;
	char expired[GF_RFC3339_MAX], today[GF_RFC3339_MAX];
	if (catalog->expires_ms == 0 || now <= 0 || (uint64_t)now < catalog->expires_ms)
		return 0;
	gf_diag_set(diag, "it expired at %s, and here it is %s or later",
	            gf_time_format((int64_t)catalog->expires_ms, expired), gf_time_format(now, today));
	return GF_REFUSAL_EXPIRED;
}

static int check_agent(const struct catalog_judge *judge, const struct gf_catalog *catalog, struct gf_diag *diag)
{
	if (!catalog_agent_older(judge->agent_version, catalog->min_agent))
		return 0;
	gf_diag_set(diag, "it needs agent %s or later, this machine runs %s", catalog->min_agent, judge->agent_version);
	return GF_REFUSAL_AGENT_TOO_OLD;
}

/* The number that begins here, and moves on behind it and its dot; 0 where there is none. */
static uint64_t next_number(const char **at)
{
	uint64_t number = 0;
	for (; **at >= '0' && **at <= '9'; (*at)++)
		number = number > UINT64_MAX / 10 - 1 ? UINT64_MAX / 10 : number * 10 + (uint64_t)(**at - '0');
	if (**at == '.')
		(*at)++;
	return number;
}

static bool has_number(const char *at)
{
	return *at >= '0' && *at <= '9';
}

bool catalog_agent_older(const char *a, const char *b)
{
	while (has_number(a) || has_number(b)) {
		const uint64_t of_a = next_number(&a), of_b = next_number(&b);
		if (of_a != of_b)
			return of_a < of_b;
	}
	return false;
}

/* Ends the catalog when it is refused. */
static int verdict(int r, struct gf_catalog *catalog, struct gf_catalog *ret_catalog)
{
	if (r != 0)
		gf_catalog_deinit(catalog);
	else
		*ret_catalog = *catalog;
	return r;
}

int catalog_judge(const struct catalog_judge *judge, const struct catalog_facts *facts, const struct gf_digest *wanted,
                  const void *data, size_t len, struct gf_catalog *ret_catalog, struct gf_diag *diag)
{
	struct gf_catalog catalog = {0};
	int r = check_digest(wanted, data, len, diag);
	if (r == 0)
		r = open_sealed(facts->vouched ? NULL : facts->keys, data, len, &catalog, diag);
	if (r != 0)
		return r;
	r = check_class(judge, &catalog, diag);
	if (r == 0)
		r = catalog_version_allowed(facts, catalog.version, wanted, diag);
	if (r == 0)
		r = catalog_fresh(&catalog, facts, diag);
	if (r == 0)
		r = check_agent(judge, &catalog, diag);
	if (r == 0)
		r = catalog_fits(judge, &catalog, diag);
	return verdict(r, &catalog, ret_catalog);
}

int catalog_judge_file(const struct catalog_judge *judge, const struct gf_keyset *keys, const void *data, size_t len,
                       struct gf_catalog *ret_catalog, struct gf_diag *diag)
{
	struct gf_catalog catalog = {0};
	int r = open_sealed(keys->threshold > 0 ? keys : NULL, data, len, &catalog, diag);
	if (r != 0)
		return r;
	r = check_class(judge, &catalog, diag);
	if (r == 0)
		r = check_agent(judge, &catalog, diag);
	return verdict(r, &catalog, ret_catalog);
}

int catalog_judge_kept(const struct catalog_judge *judge, const void *data, size_t len, struct gf_catalog *ret_catalog,
                       struct gf_diag *diag)
{
	return catalog_judge_file(judge, &(struct gf_keyset){0}, data, len, ret_catalog, diag);
}
