/*
 * What somebody may try who holds the broker, the gateway, or a certificate of the fleet, but not enough of the signing keys; and what may
 * happen by accident. Every time: refused with its own code, the active catalog unchanged, and the next good one still welcome.
 */
#include "tests/unit/agent/catalog/siege.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* ---- bytes ---- */

/* The gateway that lies announces the digest of what it forged, so that only the signatures stand in between. */
static void i6_every_flipped_byte_of_manifest_signature_and_payload_is_refused(void **state)
{
	struct siege *sg = *state;
	struct made made;
	size_t counts[GF_REFUSAL_COUNT] = {0};
	made_init(&made, &(struct recipe){.version = 6});
	for (size_t i = 0; i < made.len; i++) {
		made.data[i] ^= (unsigned char)(1U << i % 8);
		siege_announce(&made);
		rig_desire(&sg->rig, ++sg->revision, &made, 0);
		rig_deliver(&sg->rig, &made);
		assert_int_equal(rig_last(&sg->rig)->revision, sg->revision);
		assert_int_equal(rig_last(&sg->rig)->step, GF_DESIRED_STEP_REFUSED);
		counts[rig_last(&sg->rig)->refusal]++;
		assert_int_equal(rig_active(&sg->rig), 5);
		made.data[i] ^= (unsigned char)(1U << i % 8);
		sg->rig.applied_count = 0;
	}
	assert_true(counts[GF_REFUSAL_BAD_SIGNATURE] > made.len / 2);
	/* Nothing of it was ever parsed: what fails fails at the envelope of the message or at the signatures. */
	assert_int_equal(counts[GF_REFUSAL_BAD_SIGNATURE] + counts[GF_REFUSAL_MALFORMED] +
	                     counts[GF_REFUSAL_FEW_SIGNATURES] + counts[GF_REFUSAL_UNKNOWN_KEY] +
	                     counts[GF_REFUSAL_TOO_LARGE],
	                 made.len);
	made_deinit(&made);
}

static void i6_every_flipped_byte_under_the_right_digest_is_refused(void **state)
{
	struct siege *sg = *state;
	struct made made;
	made_init(&made, &(struct recipe){.version = 6});
	for (size_t i = 0; i < made.len; i++) {
		made.data[i] ^= 0x80;
		rig_desire(&sg->rig, ++sg->revision, &made, 0);
		rig_deliver(&sg->rig, &made);
		rig_deliver(&sg->rig, &made);
		rig_assert_answer(&sg->rig, sg->revision, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_DIGEST);
		made.data[i] ^= 0x80;
		sg->rig.applied_count = 0;
	}
	assert_int_equal(rig_active(&sg->rig), 5);
	made_deinit(&made);
}

static void i6_every_truncation_is_refused(void **state)
{
	struct siege *sg = *state;
	struct made made;
	made_init(&made, &(struct recipe){.version = 6});
	const size_t whole = made.len;
	for (made.len = 1; made.len < whole; made.len++) {
		siege_announce(&made);
		rig_desire(&sg->rig, ++sg->revision, &made, 0);
		rig_deliver(&sg->rig, &made);
		assert_int_equal(rig_last(&sg->rig)->step, GF_DESIRED_STEP_REFUSED);
		assert_int_equal(rig_active(&sg->rig), 5);
		sg->rig.applied_count = 0;
	}
	made_deinit(&made);
}

static void i6_a_gateway_that_lies_about_the_digest_is_refused(void **state)
{
	struct siege *sg = *state;
	struct rig *rig = &sg->rig;
	struct made six, other;
	made_init(&six, &(struct recipe){.version = 6});
	made_init(&other, &(struct recipe){.version = 7});
	/* Good bytes, but not those that were announced. */
	rig_desire(rig, ++sg->revision, &six, 0);
	rig_deliver_as(rig, &six.digest, other.data, other.len);
	assert_int_equal(rig_active(rig), 5);
	rig_deliver_as(rig, &six.digest, other.data, other.len);
	rig_assert_answer(rig, sg->revision, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_DIGEST);
	assert_int_equal(update_stats(rig->update).bad_parts, 2);
	made_deinit(&six);
	made_deinit(&other);
}

/* A name that promises another version than the signed bytes hold: what is signed counts. */
static void i6_a_gateway_that_lies_about_the_version_gains_nothing(void **state)
{
	struct siege *sg = *state;
	struct made made;
	made_init(&made, &(struct recipe){.version = 4});
	made.version = 99;
	siege_refused(sg, &made, GF_REFUSAL_OLDER_VERSION);
	made_deinit(&made);
}

/* ---- keys ---- */

static void i6_unknown_keys_are_refused(void **state)
{
	siege_recipe_refused(*state, &(struct recipe){.version = 6, .signers = 1U << 5 | 1U << 6 | 1U << 7},
	                     GF_REFUSAL_UNKNOWN_KEY);
}

static void i6_too_few_signatures_are_refused(void **state)
{
	siege_recipe_refused(*state, &(struct recipe){.version = 6, .signers = 1U << 1}, GF_REFUSAL_FEW_SIGNATURES);
	siege_recipe_refused(*state, &(struct recipe){.version = 6, .signers = 1U << 1 | 1U << 5 | 1U << 6},
	                     GF_REFUSAL_FEW_SIGNATURES);
}

static void i6_the_same_signature_twice_is_one(void **state)
{
	struct siege *sg = *state;
	struct made made, twice = {.version = 6};
	struct gf_sealed sealed;
	made_init(&made, &(struct recipe){.version = 6, .signers = 1});
	assert_int_equal(gf_unseal(made.data, made.len, &sealed, NULL), 0);
	sealed.signatures[sealed.signatures_count++] = sealed.signatures[0];
	assert_int_equal(gf_seal(&sealed, &twice.data, &twice.len), 0);
	siege_announce(&twice);
	siege_refused(sg, &twice, GF_REFUSAL_FEW_SIGNATURES);
	gf_sealed_deinit(&sealed);
	made_deinit(&made);
	made_deinit(&twice);
}

static void i6_no_signature_at_all_is_refused(void **state)
{
	struct siege *sg = *state;
	struct made made, bare = {.version = 6};
	struct gf_sealed sealed;
	made_init(&made, &(struct recipe){.version = 6});
	assert_int_equal(gf_unseal(made.data, made.len, &sealed, NULL), 0);
	sealed.signatures_count = 0;
	assert_int_equal(gf_seal(&sealed, &bare.data, &bare.len), 0);
	siege_announce(&bare);
	siege_refused(sg, &bare, GF_REFUSAL_FEW_SIGNATURES);
	gf_sealed_deinit(&sealed);
	made_deinit(&made);
	made_deinit(&bare);
}

/* The key of a machine's or the gateway's certificate: an ECDSA signature where an Ed25519 one belongs, under the id of a known key. */
static void i6_a_tls_key_as_signer_is_refused(void **state)
{
	static const char domain[] = "gymfleet catalog v1";
	struct siege *sg = *state;
	struct made made, forged = {.version = 6};
	struct gf_sealed sealed;
	unsigned char message[4096], signature[256];
	size_t signature_len = sizeof(signature);
	made_init(&made, &(struct recipe){.version = 6, .signers = 1});
	assert_int_equal(gf_unseal(made.data, made.len, &sealed, NULL), 0);
	memcpy(message, domain, sizeof(domain));
	memcpy(message + sizeof(domain), sealed.manifest, sealed.manifest_len);

	EVP_PKEY *key = EVP_EC_gen("P-256");
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, signature, &signature_len, message, sizeof(domain) + sealed.manifest_len), 1);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);

	struct gf_signature *last = &sealed.signatures[sealed.signatures_count++];
	uint8_t known[GF_KEY_LEN];
	rig_key(1, known);
	gf_key_id_of(known, &last->key_id);
	memcpy(last->bytes, signature, GF_SIGNATURE_LEN);
	assert_int_equal(gf_seal(&sealed, &forged.data, &forged.len), 0);
	siege_announce(&forged);
	siege_refused(sg, &forged, GF_REFUSAL_BAD_SIGNATURE);
	gf_sealed_deinit(&sealed);
	made_deinit(&made);
	made_deinit(&forged);
}

/* The signatures of a good one under another manifest. */
static void i6_signatures_of_another_catalog_are_refused(void **state)
{
	struct siege *sg = *state;
	struct made six, seven, forged = {.version = 7};
	struct gf_sealed a, b;
	made_init(&six, &(struct recipe){.version = 6});
	made_init(&seven, &(struct recipe){.version = 7, .signers = 1U << 6});
	assert_int_equal(gf_unseal(six.data, six.len, &a, NULL), 0);
	assert_int_equal(gf_unseal(seven.data, seven.len, &b, NULL), 0);
	memcpy(b.signatures, a.signatures, sizeof(a.signatures));
	b.signatures_count = a.signatures_count;
	assert_int_equal(gf_seal(&b, &forged.data, &forged.len), 0);
	siege_announce(&forged);
	siege_refused(sg, &forged, GF_REFUSAL_BAD_SIGNATURE);
	gf_sealed_deinit(&a);
	gf_sealed_deinit(&b);
	made_deinit(&six);
	made_deinit(&seven);
	made_deinit(&forged);
}

static void i6_without_keys_nothing_over_the_air_is_taken(void **state)
{
	struct siege *sg = *state;
	struct rig *rig = &sg->rig;
	const struct gf_keyset keys = rig->config.judge.keys;
	rig->config.judge.keys = (struct gf_keyset){0};
	rig_restart(rig);
	siege_refused(sg, &sg->good, GF_REFUSAL_NO_KEYS);
	assert_int_equal(rig->fetches, 0);
	rig->config.judge.keys = keys;
	rig_restart(rig);
}

/* ---- versions, classes, time ---- */

static void i6_an_older_version_is_refused(void **state)
{
	siege_recipe_refused(*state, &(struct recipe){.version = 4}, GF_REFUSAL_OLDER_VERSION);
	siege_recipe_refused(*state, &(struct recipe){.version = 5, .salt = 1}, GF_REFUSAL_VERSION_REUSED);
}

/* Its own floor can't lead below: that of what was here counts. */
static void i6_an_older_version_that_allows_itself_is_refused(void **state)
{
	siege_recipe_refused(*state, &(struct recipe){.version = 4, .floor = 1}, GF_REFUSAL_OLDER_VERSION);
}

/* The varint of a manifest's version, made the largest there is. */
static void i6_the_version_2_to_the_64_minus_1_is_refused(void **state)
{
	struct siege *sg = *state;
	struct made made, forged = {.version = UINT64_MAX};
	struct gf_sealed sealed;
	uint8_t seed[GF_SEED_LEN];
	unsigned char larger[4096];
	made_init(&made, &(struct recipe){.version = 7});
	assert_int_equal(gf_unseal(made.data, made.len, &sealed, NULL), 0);
	/* Field 3, a varint of one byte; the last of a field that is there twice counts, so it is put behind. */
	memcpy(larger, sealed.manifest, sealed.manifest_len);
	memcpy(larger + sealed.manifest_len, "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
	const size_t len = sealed.manifest_len + 11;
	free(sealed.manifest);
	sealed.manifest = larger;
	sealed.manifest_len = len;
	sealed.signatures_count = 0;
	for (unsigned n = 0; n < 2; n++) {
		rig_seed(n, seed);
		assert_int_equal(gf_sign(&sealed, seed), 0);
	}
	assert_int_equal(gf_seal(&sealed, &forged.data, &forged.len), 0);
	siege_announce(&forged);
	siege_refused(sg, &forged, GF_REFUSAL_VERSION_RANGE);
	made_deinit(&made);
	made_deinit(&forged);
}

static void i6_another_class_is_refused(void **state)
{
	siege_recipe_refused(*state, &(struct recipe){.version = 6, .class = GF_CLASS_ROLLER}, GF_REFUSAL_WRONG_CLASS);
}

static void an_expired_one_is_refused(void **state)
{
	siege_recipe_refused(*state, &(struct recipe){.version = 6, .expires_ms = RIG_TODAY}, GF_REFUSAL_EXPIRED);
}

static void a_clock_at_1970_makes_no_expired_one_good(void **state)
{
	struct siege *sg = *state;
	sg->rig.now.wall_ms = 1000;
	sg->rig.now.synced = false;
	rig_restart(&sg->rig);
	siege_recipe_refused(sg, &(struct recipe){.version = 6, .expires_ms = RIG_TODAY}, GF_REFUSAL_EXPIRED);
	/* But a clock that knows nothing keeps nothing good away. */
	siege_recipe_refused(sg, &(struct recipe){.version = 4, .expires_ms = RIG_TODAY + RIG_HOUR},
	                     GF_REFUSAL_OLDER_VERSION);
}

/* As after an hour with a time server that was wrong by a century. */
static void a_clock_that_was_far_ahead_keeps_good_ones_away_for_an_hour_only(void **state)
{
	struct siege *sg = *state;
	struct rig *rig = &sg->rig;
	const struct recipe fresh = {.version = 6, .expires_ms = RIG_TODAY + 365 * 24 * (uint64_t)RIG_HOUR};
	const int64_t century = 100 * 365 * 24 * (int64_t)RIG_HOUR;
	rig->now.wall_ms += century;
	rig_pass(rig, RIG_MINUTE);
	rig->now.wall_ms -= century;
	rig_restart(rig);
	siege_recipe_refused(sg, &fresh, GF_REFUSAL_EXPIRED);
	/* Unsynchronised it proves nothing. */
	rig->now.synced = false;
	rig_pass(rig, 2 * UPDATE_CLOCK_BACK_MS);
	siege_recipe_refused(sg, &fresh, GF_REFUSAL_EXPIRED);
	rig->now.synced = true;
	rig_pass(rig, UPDATE_CLOCK_BACK_MS - RIG_MINUTE);
	siege_recipe_refused(sg, &fresh, GF_REFUSAL_EXPIRED);
	rig_pass(rig, 2 * RIG_MINUTE);
	rig_restart(rig);
	siege_recipe_refused(sg, &(struct recipe){.version = 4, .expires_ms = fresh.expires_ms}, GF_REFUSAL_OLDER_VERSION);
	siege_recipe_refused(sg, &(struct recipe){.version = 6, .expires_ms = RIG_TODAY}, GF_REFUSAL_EXPIRED);
}

static void one_that_expires_while_the_machine_is_in_use_is_refused(void **state)
{
	struct siege *sg = *state;
	struct rig *rig = &sg->rig;
	struct made made;
	made_init(&made, &(struct recipe){.version = 6, .expires_ms = RIG_TODAY + 10 * RIG_MINUTE});
	rig_sit(rig);
	rig_desire(rig, ++sg->revision, &made, 0);
	rig_deliver(rig, &made);
	rig_pass(rig, 11 * RIG_MINUTE);
	rig_rise(rig, GF_OUTCOME_COMPLETED);
	rig_assert_answer(rig, sg->revision, GF_DESIRED_STEP_REFUSED, GF_REFUSAL_EXPIRED);
	assert_int_equal(rig_active(rig), 5);
	made_deinit(&made);
}

static void one_for_a_newer_agent_is_refused(void **state)
{
	siege_recipe_refused(*state, &(struct recipe){.version = 6, .min_agent = "2.0"}, GF_REFUSAL_AGENT_TOO_OLD);
}

static void i3_one_outside_this_machines_envelope_is_refused(void **state)
{
	struct siege *sg = *state;
	sg->rig.config.judge.envelope.intensity_max_pct = 22;
	rig_restart(&sg->rig);
	siege_recipe_refused(sg, &(struct recipe){.version = 6, .pct = 25}, GF_REFUSAL_ENVELOPE);
	assert_string_equal(rig_last(&sg->rig)->detail,
	                    "routine routine_0, step 1 (calves, stroke) asks for 25 %, this machine allows 22 %");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ATTACK(i6_every_flipped_byte_of_manifest_signature_and_payload_is_refused),
	    ATTACK(i6_every_flipped_byte_under_the_right_digest_is_refused),
	    ATTACK(i6_every_truncation_is_refused),
	    ATTACK(i6_a_gateway_that_lies_about_the_digest_is_refused),
	    ATTACK(i6_a_gateway_that_lies_about_the_version_gains_nothing),
	    ATTACK(i6_unknown_keys_are_refused),
	    ATTACK(i6_too_few_signatures_are_refused),
	    ATTACK(i6_the_same_signature_twice_is_one),
	    ATTACK(i6_no_signature_at_all_is_refused),
	    ATTACK(i6_a_tls_key_as_signer_is_refused),
	    ATTACK(i6_signatures_of_another_catalog_are_refused),
	    ATTACK(i6_without_keys_nothing_over_the_air_is_taken),
	    ATTACK(i6_an_older_version_is_refused),
	    ATTACK(i6_an_older_version_that_allows_itself_is_refused),
	    ATTACK(i6_the_version_2_to_the_64_minus_1_is_refused),
	    ATTACK(i6_another_class_is_refused),
	    ATTACK(an_expired_one_is_refused),
	    ATTACK(a_clock_at_1970_makes_no_expired_one_good),
	    ATTACK(a_clock_that_was_far_ahead_keeps_good_ones_away_for_an_hour_only),
	    ATTACK(one_that_expires_while_the_machine_is_in_use_is_refused),
	    ATTACK(one_for_a_newer_agent_is_refused),
	    ATTACK(i3_one_outside_this_machines_envelope_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
