/*
 * A whole fleet for a test: broker, gateway, and real agents with simulated hardware, on short routines, so that much happens in
 * little time. Built on the harness; it_close ends it.
 */
#ifndef TESTS_INTEGRATION_FLEET_H
#define TESTS_INTEGRATION_FLEET_H

#include <jansson.h>

#include "tests/integration/harness.h"

/* Writes <folder>/catalogs/<class>.catalog with one routine of `seconds` (the CLI builds it from YAML). */
void it_catalog(struct it_world *w, const char *class, unsigned seconds);

/* Writes <folder>/gateway.yaml and starts the gateway; returns when its socket answers. */
struct it_proc *it_gateway_start(struct it_world *w);
/* Only writes it: for a gateway that is started otherwise. Returns its path. */
const char *it_gateway_config(struct it_world *w);

/* It is connected to the broker: what is reported from now on reaches it. */
bool it_gateway_listens(struct it_world *w);

struct it_agent {
	const char *id, *class;
	double busy;   /* 0: nobody comes */
	double worn_h; /* on its hour meter at the start */
	uint64_t seed;
	unsigned heartbeat_s; /* 0: 1 */
	const char *extra;    /* more lines of agent.yaml, or NULL */
};
/* Makes the certificate and <folder>/machines/<id>/agent.yaml, then starts the agent. */
struct it_proc *it_agent_start(struct it_world *w, const struct it_agent *agent);
/* All but the start; returns agent.yaml's path. */
const char *it_agent_config(struct it_world *w, const struct it_agent *agent);

/* Runs the CLI with -o json against the gateway: the answer (the caller decrefs it), NULL when it failed. */
#define it_ask(w, ...) it_ask_args((w), (const char *[]){__VA_ARGS__, NULL})
json_t *it_ask_args(struct it_world *w, const char *const *argv);

/* `gymfleet doctor`: the list of its checks, whatever they say. */
json_t *it_doctor(struct it_world *w);
/* One of its checks has this severity and these words in its text. */
bool it_doctor_says(struct it_world *w, const char *check, const char *severity, const char *words);

/* The list of an answer: itself, or its "items". */
const json_t *it_items(const json_t *answer);
/* The first entry of a list whose `key` is the string `value`; NULL when there is none. */
const json_t *it_find(const json_t *items, const char *key, const char *value);

/* Asks for all devices: how many are online. */
size_t it_online(struct it_world *w);

/* `sessions` are those in which the motor ran: the hour meter knows of no other. */
struct it_sums {
	uint64_t sessions, running, motor_ms, interrupted;
};
/* What the store holds of one machine, added up from its sessions. */
struct it_sums it_sessions(struct it_world *w, const char *id);
/* What the machine's own hour meter says. */
struct it_sums it_journal(struct it_world *w, const char *id);

/* The audit is clean and nothing is still on its way. */
bool it_audit_settled(struct it_world *w);

#endif
