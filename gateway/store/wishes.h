/*
 * What the gateway wants of its machines, as it is stored: catalogs, each machine's desired state, commands, and the audit trail of
 * who did what. Part of the store's interface: the rules of store.h hold.
 *
 * A desired state is a row with a revision that grows with every change. What must reach the broker is whatever has `published` below
 * `revision`; a gateway that starts or reconnects publishes all of it again.
 */
#ifndef GW_STORE_WISHES_H
#define GW_STORE_WISHES_H

#include "gateway/store/store.h"
#include "proto/catalog_sign.h"

enum { STORE_DEEDS_KEPT = 100 * 1000, STORE_COMMANDS_KEPT = 10 * 1000 }; /* the newest */

/* Counts the commits since the store was opened that changed what the broker should have, without touching the database: for
 * those who bring it there. */
uint64_t store_wishes(const struct store *store);

/* Who did it, from where: "anna (uid 1000)", "unix socket, pid 4711, gymfleet". */
struct store_actor {
	char who[GF_NAME_MAX];
	char from[GF_TEXT_MAX];
};

/* ---- catalogs ---- */

struct store_catalog {
	struct gf_digest digest;
	char name[GF_NAME_MAX];
	enum gf_class class;
	uint64_t version;
	uint32_t size;
	int64_t created_ms, expires_ms; /* 0 = unknown, never */
	uint64_t rollback_floor;
	size_t signatures_count;
	struct gf_key_id signatures[GF_SIGNATURES_MAX];
	int64_t published_ms;
	char published_by[GF_NAME_MAX];
	uint64_t wanted_by, on_machines; /* machines; filled by reads */
};

enum { STORE_E_TAKEN = 8, STORE_E_NOT_ALLOWED };

/* Keeps a signed catalog. The bytes were decoded by the caller. 0; STORE_E_TAKEN: another catalog of this name and class has the
 * version already (diag says which); the same bytes again are fine (*ret_known). */
GF_MUST_CHECK int store_catalog_add(struct store *store, const struct store_catalog *catalog, const void *data,
                                    size_t len, const struct store_actor *actor, int64_t now_ms, bool *ret_known,
                                    struct gf_diag *diag);
typedef int (*store_catalog_fn)(void *ctx, const struct store_catalog *catalog);
/* Newest version first, by class. */
GF_MUST_CHECK int store_read_catalogs(struct store_reader *reader, store_catalog_fn row, void *ctx,
                                      struct gf_diag *diag);
/* The catalog of this name and version for a class. -ENOENT with a sentence. */
GF_MUST_CHECK int store_read_catalog(struct store_reader *reader, const char *name, uint64_t version,
                                     enum gf_class class, struct store_catalog *ret_catalog, struct gf_diag *diag);
/* The bytes; the caller frees them. -ENOENT. */
GF_MUST_CHECK int store_read_catalog_bytes(struct store_reader *reader, const struct gf_digest *digest,
                                           unsigned char **ret_data, size_t *ret_len, struct gf_diag *diag);
/* Is one published at all, and is each that a machine has among those that are. */
GF_MUST_CHECK int store_read_catalogs_known(struct store_reader *reader, bool *ret_all, struct gf_diag *diag);
/* The names of all routines of which a session is kept, each once. Goes through all sessions: seconds where there are millions. */
GF_MUST_CHECK int store_read_played(struct store_reader *reader, int (*row)(void *ctx, const char *routine), void *ctx,
                                    struct gf_diag *diag);

/* ---- desired state ---- */

struct store_desired {
	char device[GF_ID_MAX];
	int64_t key;
	struct gf_desired desired; /* revision 0 = nothing was ever desired of it */
	uint64_t published;        /* the revision that the broker has */
	uint64_t applied; /* the highest revision that the machine answered; limits and lock up to it are in force */
	/* The machine's newest word on a desired catalog, whatever the revision. Revisions grow for limits and lock too, and above
	 * what a machine has seen of another database's: an answer to an offer has a revision from its own on, and its digest. */
	struct gf_desired_applied answer;
	int64_t answered_ms;
	/* The operator's; `desired` is the tighter of them and of what holds the machine. */
	struct gf_desired_limits own_limits;
};
/* Changes the operator's limits or lock of one machine: a transaction of its own with its audit entry. NULL leaves a part as it is, and
 * so does a lock_reason of NULL that of a lock that is there. Unlocking also lifts what rules lock it for. -ENOENT. */
GF_MUST_CHECK int store_desired_set(struct store *store, const char *device, const struct gf_desired_limits *limits,
                                    const bool *locked, const char *lock_reason, const struct store_actor *actor,
                                    int64_t now_ms, struct gf_diag *diag);
/* Inside a batch: what catalog is desired of a machine (NULL = none); makes a new revision, above all that the machine has seen. */
GF_MUST_CHECK int store_desired_catalog(struct store *store, int64_t device_key,
                                        const struct gf_desired_catalog *catalog, int64_t now_ms,
                                        uint64_t *ret_revision, struct gf_diag *diag);
typedef int (*store_desired_fn)(void *ctx, const struct store_desired *desired);
/* What the broker doesn't have (all = false), or everything (all = true), by key; at most `limit` rows after `after_key`. */
GF_MUST_CHECK int store_read_desired(struct store_reader *reader, bool all, int64_t after_key, size_t limit,
                                     store_desired_fn row, void *ctx, struct gf_diag *diag);
GF_MUST_CHECK int store_read_desired_of(struct store_reader *reader, const char *device,
                                        struct store_desired *ret_desired, struct gf_diag *diag);
/* The broker may have lost everything: nothing counts as published. */
GF_MUST_CHECK int store_desired_unpublished(struct store *store, struct gf_diag *diag);
/* The broker took these revisions. */
struct store_published {
	int64_t key;
	uint64_t revision;
};
GF_MUST_CHECK int store_desired_published(struct store *store, const struct store_published *published, size_t count,
                                          struct gf_diag *diag);

/* Catalogs that are desired of some machine and so must be on the broker, and those of which the broker may have a part. */
struct store_retained {
	struct gf_digest digest;
	uint32_t size;
	bool wanted, on_broker;
};
typedef int (*store_retained_fn)(void *ctx, const struct store_retained *retained);
GF_MUST_CHECK int store_read_retained(struct store_reader *reader, store_retained_fn row, void *ctx,
                                      struct gf_diag *diag);
GF_MUST_CHECK int store_catalog_on_broker(struct store *store, const struct gf_digest *digest, bool on_broker,
                                          struct gf_diag *diag);

/* ---- commands ---- */

#define STORE_COMMAND_STATES(X) X(SENT, "sent") X(DONE, "done") X(REFUSED, "refused") X(EXPIRED, "expired")
enum store_command_state {
#define X(s, n) STORE_COMMAND_##s,
	STORE_COMMAND_STATES(X)
#undef X
};
const char *store_command_state_name(enum store_command_state state);
struct store_command {
	uint64_t id;
	char device[GF_ID_MAX];
	enum gf_command kind;
	enum store_command_state state;
	int64_t issued_ms, deadline_ms, ended_ms;
	bool published;
	char detail[GF_TEXT_MAX];
};
/* With its audit entry; the loop sends it. -ENOENT; STORE_E_NOT_ALLOWED (offline: it could only expire), with diag. */
GF_MUST_CHECK int store_command_add(struct store *store, const char *device, enum gf_command kind, uint32_t within_ms,
                                    const struct store_actor *actor, int64_t now_ms, uint64_t *ret_id,
                                    struct gf_diag *diag);
/* Inside a batch: a reply arrived. What has ended is left as it is; but what was done or refused, and told too late, is told as that. */
GF_MUST_CHECK int store_command_reply(struct store *store, const char *device, const struct gf_reply *reply,
                                      int64_t now_ms, struct gf_diag *diag);
/* Ends what is past its deadline, and what was given by a clock that has been set back since. */
GF_MUST_CHECK int store_command_expire(struct store *store, int64_t now_ms, struct gf_diag *diag);
GF_MUST_CHECK int store_command_published(struct store *store, uint64_t id, struct gf_diag *diag);
typedef int (*store_command_fn)(void *ctx, const struct store_command *command);
/* Open ones that the broker doesn't have, by id; at most `limit` after `after`. */
GF_MUST_CHECK int store_read_commands_unsent(struct store_reader *reader, uint64_t after, size_t limit,
                                             store_command_fn row, void *ctx, struct gf_diag *diag);
GF_MUST_CHECK int store_read_command(struct store_reader *reader, uint64_t id, struct store_command *ret_command,
                                     struct gf_diag *diag);

/* ---- who did what ---- */

struct store_deed {
	uint64_t id;
	int64_t at_ms;
	struct store_actor actor;
	char action[GF_NAME_MAX];      /* "rollout start", "catalog publish", "device lock" */
	char subject[GF_NAME_MAX * 2]; /* "percussion@8", "chair-berlin-01" */
	char detail[STORE_REASON_MAX];
};
/* Inside a batch. */
GF_MUST_CHECK int store_deed_add(struct store *store, const struct store_actor *actor, const char *action,
                                 const char *subject, const char *detail, int64_t now_ms, struct gf_diag *diag);
typedef int (*store_deed_fn)(void *ctx, const struct store_deed *deed);
/* Newest first; `before` 0 = from the newest; since_ms 0 = all. */
GF_MUST_CHECK int store_read_deeds(struct store_reader *reader, uint64_t before, int64_t since_ms, store_deed_fn row,
                                   void *ctx, struct gf_diag *diag);

#endif
