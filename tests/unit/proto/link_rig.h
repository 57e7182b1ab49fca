/*
 * The link's pure half with everything else owned by the test: the clock is `now`, the randomness `random`, Paho and the probe
 * are fakes that check how they are used. A clock that is read after all ends the program.
 *
 * What happens is written down as words, to be compared as a whole sequence (rig_expect):
 *
 *     idle waiting connecting up closing                  the state, when it is another one after a step
 *     probe(name) probe(all)                              a probe begins
 *     connect(N) connect(-) subscribe disconnect drop     what Paho is asked to do; N: the number in the will, -: no will
 *     watch(filter,qos) unwatch(filter)                   the subscription that comes and goes
 *     UP:N DOWN:N MSG:topic PUB:cookie=code WATCHED:N=code   the events, N is the connection's number
 */
#ifndef TESTS_LINK_RIG_H
#define TESTS_LINK_RIG_H

#include "proto/link_impl.h"

enum { RIG_SENT_MAX = 4 * GF_LINK_WINDOW_MAX, RIG_MAILBOX = 4, RIG_PACKET = 100 };

enum rig_paho { RIG_NO_HANDLE, RIG_RESTING, RIG_CONNECTING, RIG_CONNECTED, RIG_DISCONNECTING };

struct rig {
	struct gf_link *link;
	int64_t now, due;
	uint64_t random; /* what gf_rand_bytes gives */
	bool sleeps;     /* the owner takes no events out */
	bool no_will;
	unsigned wakes;
	uint64_t will_number; /* for which the will was asked last */

	enum rig_paho paho;
	int connect_error, subscribe_error, disconnect_error, send_error, probe_error,
	    watch_error;                      /* what the fakes return */
	int subscribe_refusal;                /* while subscribing the broker cuts the connection for this reason */
	struct link_slot *sent[RIG_SENT_MAX]; /* of QoS 1, on the connection that is or was last */
	unsigned sent_count;
	struct link_ask *asks[RIG_SENT_MAX]; /* all, of any connection */
	unsigned asks_count;

	bool probing, probe_done;
	char probe_reason[100];

	enum gf_link_state state; /* after the last step */
	char reason[200];         /* of the last DOWN */
	char log[4000];
	void (*on_event)(struct rig *rig, const struct gf_link_event *event); /* NULL: written into the log */
};

/* A link to `host` with a window of 5; `subs` subscriptions. */
struct rig *rig_open(const char *host, unsigned subs);
struct rig *rig_open_window(const char *host, unsigned subs, unsigned window);
void rig_close(struct rig *rig);

/* One step; then the owner takes all events. */
void rig_step(struct rig *rig);
void rig_advance(struct rig *rig, int64_t ms);

/* Compares what happened since the last call. */
void rig_expect(struct rig *rig, const char *words);
void rig_expect_reason(const struct rig *rig, const char *words);

/* From new to UP, as connection `number`. */
void rig_come_up(struct rig *rig, unsigned number);

/* The broker. Each is followed by a step. */
void rig_accept(struct rig *rig, unsigned receive_max);
void rig_refuse(struct rig *rig, int code);
void rig_grant(struct rig *rig);
void rig_lose(struct rig *rig, int code);
void rig_probe_finds(struct rig *rig, const char *reason);

void rig_close_done(struct rig *rig);
/* The broker's answer to the i-th publish of this connection. */
void rig_answer(struct rig *rig, unsigned i, int code);

/* The broker's answer to the i-th gf_link_watch that got out, counted since the rig's begin. */
void rig_answer_watch(struct rig *rig, unsigned i, int code);

int rig_publish(struct rig *rig, uint64_t cookie);
void rig_message(struct rig *rig, const char *topic);

#endif
