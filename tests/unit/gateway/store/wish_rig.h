/* What the tests of wishes share: makers of catalogs, desired states and answers, and readers of what became of them. */
#ifndef TEST_STORE_WISH_RIG_H
#define TEST_STORE_WISH_RIG_H

#include "gateway/store/wishes.h"
#include "tests/unit/gateway/store/fixture.h"

extern const struct store_actor rig_anna;

struct gf_digest rig_digest(uint8_t n);
/* "percussion@version" for chairs, of one key. */
struct store_catalog rig_catalog(uint8_t digest, uint64_t version);
/* Publishes it with `len` bytes of the digest's number; the store's answer. */
int rig_publish(struct fixture *f, uint8_t digest, uint64_t version, size_t len, bool *ret_known, struct gf_diag *diag);
struct gf_desired_catalog rig_wanted(uint8_t digest, uint64_t version);

/* A machine that is online, with this stream. */
void rig_machine(struct fixture *f, const char *id);
/* Desires a catalog of a machine (digest 0: none) in a batch of its own; the revision. */
uint64_t rig_desire(struct fixture *f, const char *id, uint8_t digest, uint64_t version);
struct store_desired rig_desired(struct fixture *f, const char *id);

/* A DesiredApplied; digest 0: none. */
struct gf_record rig_answer(uint64_t seq, uint64_t revision, enum gf_desired_step step, uint8_t digest);
/* Sends one record of stream 1. */
void rig_send(struct fixture *f, const char *id, struct gf_record record);

/* How many events of a kind have a text with this in it. */
size_t rig_events(struct fixture *f, enum store_event_kind kind, const char *text);
/* How many deeds of this action; the newest goes to *ret_deed when there is one. */
size_t rig_deeds(struct fixture *f, const char *action, struct store_deed *ret_deed);

#endif
