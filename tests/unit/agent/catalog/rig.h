/*
 * One machine's catalogs with a gateway, a control core, a clock and a disk that belong to the test. Catalogs are made and signed here; the
 * keys are three, of which two are needed.
 */
#ifndef TESTS_CATALOG_RIG_H
#define TESTS_CATALOG_RIG_H

#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/catalog/update.h"
#include "proto/topic.h"
#include "tests/unit/agent/catalog/disk.h"

enum {
	RIG_KEYS = 3,
	RIG_THRESHOLD = 2,
	RIG_TOLD_MAX = 512,
	RIG_SECOND = 1000,
	RIG_MINUTE = 60 * RIG_SECOND,
	RIG_HOUR = 60 * RIG_MINUTE,
};

/* 2026-11-21 */
#define RIG_TODAY INT64_C(1795219200000)

/* A signed catalog. */
struct made {
	unsigned char *data; /* owned */
	size_t len;
	uint64_t version;
	struct gf_digest digest;
};

/* How a catalog is to be; zeros: a good one for the rig's machine. */
struct recipe {
	uint64_t version;
	enum gf_class class;
	uint64_t floor, expires_ms;
	const char *min_agent;
	float pct, hz;
	unsigned signers; /* bits of the keys; 0 = the first two */
	unsigned next;    /* bits of the keys that are to count from its activation on, all of them needed; 0 = none */
	size_t routines;  /* 0 = one; 60 take two parts */
	unsigned salt;    /* other content */
};

void made_init(struct made *made, const struct recipe *recipe);
void made_deinit(struct made *made);
/* The seed of the nth key; the rig knows RIG_KEYS of them. */
void rig_seed(unsigned n, uint8_t seed[static GF_SEED_LEN]);
/* The nth key, public. */
void rig_key(unsigned n, uint8_t key[static GF_KEY_LEN]);
void rig_keyset(unsigned bits, uint32_t threshold, struct gf_keyset *ret_keys);

struct rig {
	char dir[64];
	char file[96]; /* installed by hand */
	struct update *update;
	struct update_config config;
	struct gf_time now;
	struct gf_diag diag;
	uint64_t opened; /* the version that the last start began with, before anything else happened */
	int64_t due_ms;
	/* The network. */
	bool link_up, fetching, refuse_fetch;
	struct gf_digest asked;
	unsigned fetches, fetch_ends;
	/* The control core. */
	bool in_session, stuck, full;
	const struct gf_catalog *playing, *given;
	unsigned given_count;
	/* What was told, over all starts. */
	size_t applied_count, changed_count;
	struct gf_desired_applied applied[RIG_TOLD_MAX];
	struct gf_catalog_changed changed[RIG_TOLD_MAX];
};

/* A new folder, with `by_hand` as the file; nothing is opened yet. */
void rig_init(struct rig *rig, const struct recipe *by_hand);
void rig_deinit(struct rig *rig);
void rig_put_file(struct rig *rig, const struct made *made);
/* 0 or what update_open said; the link is up. */
int rig_open(struct rig *rig);
/* With somebody on it from the first moment. */
int rig_open_in_use(struct rig *rig);
/* Gracefully down and up again. */
void rig_restart(struct rig *rig);
/* Gone without a word, and up again; -ENOENT, -EINVAL... as rig_open. */
int rig_crash(struct rig *rig);
void rig_close(struct rig *rig);

/* Steps, and lets the control core do its part, until nothing moves. */
void rig_run(struct rig *rig);
/* Time passes, in steps of at most a second; what is due is done. */
void rig_pass(struct rig *rig, int64_t ms);
void rig_link(struct rig *rig, bool up);
void rig_session(struct rig *rig, enum gf_outcome outcome); /* one that is over */
void rig_sit(struct rig *rig);
void rig_rise(struct rig *rig, enum gf_outcome outcome);

/* Desired; `within_ms` 0 = the default. */
bool rig_desire(struct rig *rig, uint64_t revision, const struct made *made, uint32_t within_ms);
bool rig_desire_none(struct rig *rig, uint64_t revision);
/* The broker sends what it retains of it. */
void rig_deliver(struct rig *rig, const struct made *made);
/* The bytes of one as those of another. */
void rig_deliver_as(struct rig *rig, const struct gf_digest *digest, const void *data, size_t len);
/* Desired, delivered, switched to. */
void rig_install(struct rig *rig, uint64_t revision, const struct made *made);
/* Its trial passes without harm. */
void rig_confirm(struct rig *rig);

uint64_t rig_active(const struct rig *rig); /* its version, as the control core plays it */
const struct gf_desired_applied *rig_last(const struct rig *rig);
/* The last answer was this. */
void rig_assert_answer(const struct rig *rig, uint64_t revision, enum gf_desired_step step, enum gf_refusal refusal);
/* How many answers of this kind were given. */
size_t rig_count(const struct rig *rig, uint64_t revision, enum gf_desired_step step);

/* For cmocka: a rig with version 5 by hand, not opened. */
int rig_setup(void **state);
int rig_teardown(void **state);

/* An opened one, and what can be wanted of it. */
struct lab {
	struct rig rig;
	struct made five, six, seven; /* five: the one by hand */
};

int lab_setup(void **state);
int lab_teardown(void **state);

#endif
