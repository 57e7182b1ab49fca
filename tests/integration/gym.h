/*
 * A gym for rollouts: broker, gateway, and chairs made by hand that hear what is desired of them and answer at once as they are told to. So
 * a test decides who takes a catalog, who refuses it, who says nothing and who isn't there, and waits for no real trial.
 *
 *     struct gym *g = gym_open(state, "halt", "");
 *     gym_chairs(g, 40, "lab");
 *     gym_catalog(g, 2, 1);
 *     gym_do(g, "rollout", "start", "gym@2", "--waves", "100%");
 *     GYM_UNTIL(g, 20000, gym_state_is(g, 1, "completed"));
 *
 * The chairs move only in gym_turn. They play gym@1 at first; what they said is said again until the gateway has acked it, as a real spool does.
 */
#ifndef TESTS_INTEGRATION_GYM_H
#define TESTS_INTEGRATION_GYM_H

#include "tests/integration/fleet.h"
#include "tests/integration/machine.h"

enum { GYM_CHAIRS_MAX = 48, GYM_RECORDS_MAX = 32, GYM_VERSIONS = 4, GYM_SESSION_MS = 2000 };

/* What a chair does with a catalog that is offered. */
enum gym_manner {
	GYM_TAKES, /* and confirms it */
	GYM_REFUSES,
	GYM_KEEPS_SILENT,
	GYM_IN_USE, /* says so, and takes it once its manner is another */
};

struct gym_chair {
	struct it_machine *m; /* NULL: offline */
	char id[GF_ID_MAX], site[GF_NAME_MAX];
	enum gym_manner manner;
	uint64_t plays;             /* version */
	uint64_t boot;              /* of its last connection */
	struct gf_stream_id stream; /* of its first one, kept */
	struct gf_desired desired;  /* newest heard; revision 0 = none */
	bool answered;              /* to that one */
	unsigned offers;            /* desired states with a catalog that it doesn't play */
	uint64_t seq, session_no, fault_no;
	struct gf_record records[GYM_RECORDS_MAX]; /* not acked yet */
	size_t records_count;
	int64_t sent_ms;
};

struct gym {
	struct it_world *w;
	struct it_proc *gateway;
	const char *config; /* more lines of gateway.yaml */
	struct gym_chair chairs[GYM_CHAIRS_MAX];
	size_t count;
	unsigned refusals; /* so many of those that are told next refuse, whatever their manner */
	struct gf_digest digests[GYM_VERSIONS];
};

/* For cmocka's setup: makes the gym the test's state at once. `name` names the folder. */
struct gym *gym_open(void **state, const char *name, const char *config);
/* cmocka's teardown. */
int gym_teardown(void **state);

/* Starts, or after SIGKILL starts again, the gateway. */
void gym_start(struct gym *g);
void gym_kill(struct gym *g);

/* `count` more chairs, online: waits until the gateway knows them. */
void gym_chairs(struct gym *g, size_t count, const char *site);
void gym_leave(struct gym *g, struct gym_chair *c);  /* with a goodbye */
void gym_return(struct gym *g, struct gym_chair *c); /* as after a restart */
struct gym_chair *gym_chair(struct gym *g, const char *id);

void gym_hang_up(struct gym *g); /* all, without a goodbye */
/* What the broker retains for the chairs: how many desired states, how many of them want a catalog. They hang up for it. */
void gym_retained(struct gym *g, size_t *ret_states, size_t *ret_catalogs);

/* Builds gym@version for chairs, signs and publishes it; `floor`: how far back it lets a machine go, 0 = not at all. */
void gym_catalog(struct gym *g, unsigned version, unsigned floor);

/* The chairs read, answer, and send again what isn't acked. */
void gym_turn(struct gym *g);
/* A record of the chair's own, sent with the next turn. */
void gym_say(struct gym_chair *c, struct gf_record record);
/* A session of GYM_SESSION_MS that began then, and so many faults that stopped. */
void gym_use(struct gym_chair *c, int64_t started_ms, unsigned faults);
/* The gateway has acked all that was said. */
bool gym_all_acked(struct gym *g);

#define GYM_UNTIL(g, timeout_ms, expression) IT_UNTIL(timeout_ms, (gym_turn(g), (expression)))

/* The command against the gateway; gym_do fails the test unless it ends with 0. */
#define gym_run(g, ...) it_run((g)->w, it_program("gymfleet"), "--socket", it_path((g)->w, "gateway.sock"), __VA_ARGS__)
#define gym_do(g, ...) gym_expect(gym_run(g, __VA_ARGS__), 0, "")
/* It ended with this exit code, and with these words in what it printed. Frees it. */
void gym_expect(struct it_output output, int status, const char *words);

/* ---- what `rollout show` says ---- */

bool gym_state_is(struct gym *g, unsigned rollout, const char *state);
/* Fails the test with the gateway's reason, unless it has these words. */
void gym_reason_has(struct gym *g, unsigned rollout, const char *words);
/* How many machines are at this step ("confirmed"); -1: there is no answer. */
long long gym_at(struct gym *g, unsigned rollout, const char *step);
/* The rollout's row of this chair: the caller decrefs it. NULL: it has none at `step`. */
json_t *gym_row(struct gym *g, unsigned rollout, const char *step, const char *id);
/* Its row at this step says these words. */
bool gym_row_says(struct gym *g, unsigned rollout, const char *step, const char *id, const char *words);

/* Asks the store. */
long long gym_count(struct gym *g, const char *sql);

#endif
