/*
 * A gateway that lies: it has the gateway's certificate, so the broker lets it say anything to a machine. It offers catalogs of every kind and
 * reads what the machine answers. It acks what it hears, so that the machine goes on telling.
 *
 *     struct it_rogue *r = it_rogue_open(w, "chair-1");
 *     struct it_offer offer = it_rogue_draft(r, 6, IT_ROGUE_GOOD);
 *     uint64_t revision = it_rogue_offer(r, &offer);
 *     assert_int_equal(it_rogue_refusal(r, revision), GF_REFUSAL_...);
 *     it_offer_free(&offer);
 */
#ifndef TESTS_INTEGRATION_ROGUE_H
#define TESTS_INTEGRATION_ROGUE_H

#include "proto/catalog_key.h"
#include "proto/codec.h"
#include "tests/integration/client.h"

/* The keys: 0 to 2 are pinned on the machine, two of them are needed; 3 is a stranger's. */
enum { IT_ROGUE_KEYS = 4, IT_ROGUE_PINNED = 3, IT_ROGUE_GOOD = 0x3 };

struct it_rogue {
	struct it_world *w;
	struct it_client *client;
	char id[GF_ID_MAX];
	uint8_t seeds[IT_ROGUE_KEYS][GF_SEED_LEN];
	uint64_t revision;
	size_t read; /* messages */
	struct gf_desired_applied answers[1024];
	size_t answers_count;
	size_t sessions;          /* started, as far as told */
	uint64_t session_version; /* of the last one's catalog */
	uint64_t through_seq;     /* acked */
};

/* Makes the keys in the world's folder: k0 ... k3 and k0.pub ... (once). */
void it_rogue_keys(struct it_world *w);
/* What agent.yaml needs of them, with a trial of 10 s, or of one. */
extern const char it_rogue_yaml[], it_rogue_yaml_brief[];

struct it_rogue *it_rogue_open(struct it_world *w, const char *device);
void it_rogue_close(struct it_rogue *r);
/* Reads and acks what has come. */
void it_rogue_turn(struct it_rogue *r);

/* A catalog to be offered, and how. */
struct it_offer {
	unsigned char *data; /* what is published */
	size_t len;
	struct gf_digest digest; /* what is announced; the topic's too */
	uint64_t version;
	uint32_t size;      /* announced */
	uint32_t within_ms; /* 0: a day */
};

/* One routine of `seconds` at 20 %: what the drafts are made of. Ended by gf_catalog_deinit. */
struct gf_catalog it_rogue_catalog(const char *class, uint64_t version, unsigned seconds);
/* Encodes, signs with the keys of `signers` (bits) and seals. */
struct it_offer it_rogue_seal(const struct it_rogue *r, const struct gf_catalog *catalog, unsigned signers);
/* Both, for a chair. */
struct it_offer it_rogue_draft(const struct it_rogue *r, uint64_t version, unsigned signers);
void it_offer_free(struct it_offer *offer);
/* `data` was changed: announces its digest and size anew. */
void it_offer_restamp(struct it_offer *offer);

/* Publishes the catalog, whole or in parts, and desires it with the next revision, which is returned. */
uint64_t it_rogue_offer(struct it_rogue *r, const struct it_offer *offer);
/* Each alone. `offer` NULL: no catalog is desired. */
void it_rogue_publish(struct it_rogue *r, const struct it_offer *offer);
void it_rogue_desire(struct it_rogue *r, const struct it_offer *offer, uint64_t revision);

/* The machine answered this revision with this step. */
bool it_rogue_heard(struct it_rogue *r, uint64_t revision, enum gf_desired_step step);
/* Waits for the revision's refusal; fails the test when it is taken instead. */
enum gf_refusal it_rogue_refusal(struct it_rogue *r, uint64_t revision);

#endif
