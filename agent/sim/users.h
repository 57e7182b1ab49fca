/*
 * The scripted people: who comes when, what they press, which token they show. A site has its regulars, of whom some come far more often
 * than others and the keenest can't have enough, and its staff, of whom one works most. They see of the machine what a person
 * sees: whether it runs. Pure; one seed and the same times give the same people.
 */
#ifndef AGENT_SIM_USERS_H
#define AGENT_SIM_USERS_H

#include "agent/driver/driver.h"
#include "agent/sim/sim_driver.h"
#include "proto/base/rand.h"

enum users_state {
	USERS_NOBODY,   /* -> ASKING, when the next person comes */
	USERS_ASKING,   /* holds a routine's button; -> USING when it runs, -> THINKING when it doesn't */
	USERS_THINKING, /* -> ASKING again, -> NOBODY or STAFF after some tries */
	USERS_STAFF,    /* somebody was called, comes and holds the key; -> NOBODY */
	USERS_BADGING,  /* staff who treats somebody shows their token and turns the key; -> ASKING */
	USERS_USING,    /* -> ASKING once more, LEAVING after staff, NOBODY, when it has stopped */
	USERS_LEAVING,  /* staff turns the key without a token: nobody holds the machine; -> NOBODY */
};

enum { USERS_ACTIONS_MAX = 6 };

/* What a person does with one button, so long after the start. */
struct users_action {
	int64_t after_ms;
	enum users_button { USERS_STOP, USERS_PAUSE, USERS_PAIN, USERS_UP, USERS_DOWN, USERS_STAFF_STOP } button;
};

struct users {
	struct sim_config config;
	struct gf_prng prng;
	double weight_mean; /* of the hours that are open */
	double sitting_ms;  /* how long a person stays, as it was lately */
	bool begun;
	enum users_state state;
	int64_t since_ms;   /* of the state */
	int64_t arrives_ms; /* NOBODY: the next person */
	int64_t came_ms;
	unsigned tries;
	uint16_t routine;
	bool staff;                /* somebody with the key is here */
	uint64_t token, therapist; /* 0: without */
	uint64_t regular;          /* who that is, counted from 1; 0: nobody who comes often */
	bool again;                /* stays for one more session */
	int64_t back_ms;           /* so late the keenest of the regulars comes back; 0: doesn't */
	size_t actions_count, actions_done;
	struct users_action actions[USERS_ACTIONS_MAX];
	int64_t press_until_ms; /* the present button is down till then; 0: none */
	int64_t stopped_ms;     /* when it was first seen at rest; 0: it runs */
};

/* `lives` counts the process's earlier lives, so that people don't repeat themselves after a restart. */
void users_init(struct users *users, const struct sim_config *config, uint64_t lives);

/* The panel at `mono_ms`, while `command` is what the machine does. Returns true when somebody is on the machine. */
bool users_step(struct users *users, int64_t mono_ms, enum driver_command command, struct driver_panel *ret_panel);

/* When something will happen next: mono ms; INT64_MAX: never. */
int64_t users_next_ms(const struct users *users, int64_t mono_ms);

#endif
