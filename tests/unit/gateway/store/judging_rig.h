/* What the tests of the store's judging share. */
#ifndef TEST_JUDGING_RIG_H
#define TEST_JUDGING_RIG_H

#include "gateway/store/judging.h"
#include "tests/unit/gateway/store/fixture.h"

#define ID "chair-1"

static const struct store_actor anna = {"anna (uid 1000)", "unix socket"};

/* As if there were rules about everybody by everything. */
void look_at_all(struct fixture *f);
struct gf_record session_of(uint64_t seq, int64_t ended_ms, uint64_t token, uint64_t staff);
/* Who waits, and from when; all of it is left waiting. */
size_t waiting(struct fixture *f, int64_t now_ms, struct store_unsettled *rows, size_t max);
void settle_all(struct fixture *f, int64_t now_ms, int64_t due_ms);
/* A new one with two facts behind it. */
struct store_flag flag_of(enum rule_subject kind, int64_t key);
struct gf_desired desired(struct fixture *f);

#endif
