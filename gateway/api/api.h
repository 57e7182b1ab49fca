/*
 * The gateway's HTTP API on a Unix socket: what the fleet is and did, as JSON.
 *
 *     socket ──> api (who asks) ──> route (which resource) ──> request ──> resource_*.c ──> store_reader ──> JSON
 *
 * libmicrohttpd runs it on API_THREADS threads of its own. Each request borrows a read-only connection to the store; whatever
 * changes something goes through `struct api_ops`. A long poll holds neither a thread nor a reader.
 *
 * Who may ask, by the peer's credentials: root, the gateway's own user, members of `group`. All others get 403 (and mostly
 * can't open the socket, which is 0660).
 */
#ifndef GATEWAY_API_API_H
#define GATEWAY_API_API_H

#include "gateway/rollout/rollout.h"
#include "gateway/rules_yaml.h"
#include "gateway/sites/sites.h"
#include "gateway/store/cases.h"
#include "gateway/tell/tell.h"
#include "proto/base/clock.h"

enum {
	API_THREADS = 2,
	API_CONNECTIONS_MAX = 64,
	API_BODY_MAX = 16 * 1024,    /* where the route has no other limit */
	API_RULES_MAX = 1024 * 1024, /* a rules.yaml to be checked */
	API_IDLE_S = 30,
	API_WAIT_MAX_S = 25, /* of a long poll */
	API_REASON_MAX = 256,
};

/* What only the running daemon knows. */
struct api_facts {
	int64_t up_ms;
	uint64_t epoch;
	bool broker_connected;
	char broker_reason[API_REASON_MAX]; /* why not, when not */
	int64_t broker_since_ms;            /* of the last change, wall time */
	int64_t cert_not_after_ms;          /* the gateway's own certificate; 0 = unknown */
	bool clock_synced;
	uint64_t mailbox_dropped;             /* messages shed because the mailbox was full, ever */
	uint64_t ingest_failures;             /* commits failed in a row; 0 = the last one succeeded */
	int64_t ingest_failing_since_ms;      /* wall time */
	char ingest_error[API_REASON_MAX];    /* of the last failed one */
	uint64_t ingest_backlog, ingest_room; /* messages waiting for a commit, and how many may */
	uint64_t ingest_unkept;               /* messages that the database refused for quarantine too, since the start */
	char unkept_error[API_REASON_MAX];    /* of the last of them */
	/* Wall time: something that is wanted of machines isn't at the broker; 0 = all is. */
	int64_t downlink_failing_since_ms;
	char downlink_error[API_REASON_MAX]; /* why, the last time */
	int64_t judge_failing_since_ms;      /* wall time: nobody is judged by the rules; 0 = it goes well */
	char judge_error[API_REASON_MAX];    /* why, the last time */
	uint64_t judge_backlog; /* machines, people and sites that wait to be judged; counted up to a thousand */
	bool rollouts_held;     /* nothing moves in them by itself: nobody is heard, or machines only catch up */
};

typedef int (*api_rules_fn)(void *look_ctx, const struct judgement_config *config);

/* Called from the API's threads, several at a time: they must be thread-safe and quick. */
struct api_ops {
	void (*facts)(void *ctx, struct api_facts *ret_facts);
	/* As store_device_set. */
	int (*device_set)(void *ctx, const char *device, const struct store_device_change *change,
	                  const struct store_actor *actor, struct gf_diag *diag);
	/* As store_desired_set. */
	int (*desired_set)(void *ctx, const char *device, const struct gf_desired_limits *limits, const bool *locked,
	                   const char *lock_reason, const struct store_actor *actor, struct gf_diag *diag);
	/* As store_command_add. */
	int (*command_add)(void *ctx, const char *device, enum gf_command kind, uint32_t within_ms,
	                   const struct store_actor *actor, uint64_t *ret_id, struct gf_diag *diag);
	/* As store_catalog_add. */
	int (*catalog_add)(void *ctx, const struct store_catalog *catalog, const void *data, size_t len,
	                   const struct store_actor *actor, bool *ret_known, struct gf_diag *diag);
	/* As runner_start and runner_order. */
	int (*rollout_start)(void *ctx, const struct rollout_spec *spec, const struct store_actor *actor, uint64_t *ret_id,
	                     size_t *ret_machines, struct gf_diag *diag);
	int (*rollout_order)(void *ctx, uint64_t id, enum rollout_order order, const struct store_actor *actor,
	                     struct gf_diag *diag);
	/* As store_flag_ack, store_case_..., store_tag_set, store_service_add and store_subject_erase. */
	int (*flag_ack)(void *ctx, uint64_t id, const char *note, bool release, const struct store_actor *actor,
	                struct store_acked *ret_acked, struct gf_diag *diag);
	int (*case_ack)(void *ctx, uint64_t id, const char *note, const struct store_actor *actor,
	                struct store_acked *ret_acked, struct gf_diag *diag);
	int (*case_clear)(void *ctx, uint64_t id, const char *note, const struct store_actor *actor, struct gf_diag *diag);
	int (*case_report)(void *ctx, const char *device, const char *text, const struct store_actor *actor,
	                   uint64_t *ret_id, struct gf_diag *diag);
	int (*tag_set)(void *ctx, const char *device, const struct store_tag *tag, const struct store_actor *actor,
	               struct store_tag *ret_before, struct gf_diag *diag);
	int (*service_add)(void *ctx, const char *device, enum fact_part part, const char *note,
	                   const struct store_actor *actor, struct gf_diag *diag);
	int (*subject_erase)(void *ctx, uint64_t token, const struct store_actor *actor, struct store_erased *ret_erased,
	                     struct gf_diag *diag);
	/* As tell_states. */
	size_t (*tell_states)(void *ctx, struct tell_state *ret_states, size_t max);
	/* Reads gateway.yaml again for its webhooks; from the loop's next step on they are told. -EINVAL with file, line and mistake: then all is as
	 * it was. */
	int (*webhooks_reload)(void *ctx, const struct store_actor *actor, size_t *ret_webhooks, struct gf_diag *diag);
	/* A receiver that fails is tried now. -ENOENT: there is none of this name. */
	int (*webhook_retry)(void *ctx, const char *name, const struct store_actor *actor, struct gf_diag *diag);
	/* Shows `look` the rules in force, which stay until it returns; returns what it returns. */
	int (*rules_look)(void *ctx, api_rules_fn look, void *look_ctx);
	/* The same with the rules that were read last, though they are in force only from the loop's next step on. */
	int (*rules_look_ahead)(void *ctx, api_rules_fn look, void *look_ctx);
	/* Reads rules.yaml again; from the loop's next step on its rules are in force. -EINVAL with file, line and mistake, -ENOENT: then all
	 * is as it was. */
	int (*rules_reload)(void *ctx, const struct store_actor *actor, size_t *ret_rules, struct gf_diag *diag);
	void *ctx;
};

struct api_config {
	const char *socket;
	const char *group;         /* NULL: only root and the gateway's own user */
	const char *database;      /* path, for the readers */
	const struct store *store; /* for store_last_event alone; outlives the API */
	const struct gf_clock *clock;
	/* gateway.yaml's catalog_keys: a catalog that isn't signed by them isn't taken; NULL = the machines alone judge it. Outlives
	 * the API. */
	const struct gf_keyset *catalog_keys;
	const struct sites *sites; /* outlives the API; NULL: everywhere UTC, open around the clock */
};

struct api;

/*
 * Opens the socket and begins to answer. A stale socket is replaced; -EADDRINUSE when another gateway answers on it. Returns 0 or
 * a negative errno with `diag` naming cause and next step.
 */
GF_MUST_CHECK int api_new(const struct api_config *config, const struct api_ops *ops, struct api **ret_api,
                          struct gf_diag *diag);

/* Answers the long polls, lets running requests end, removes the socket. NULL is fine. */
void api_free(struct api *api);

#endif
