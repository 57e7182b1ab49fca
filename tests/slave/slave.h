/* A gymfleet-slave beside a test: started, told things, asked what is on, ended. What goes wrong in here fails the running test. */
#ifndef TESTS_SLAVE_SLAVE_H
#define TESTS_SLAVE_SLAVE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "proto/base/err.h"

struct slave {
	bool rtu;
	pid_t pid;
	int control_fd;
	uint16_t port; /* TCP */
	char link[96]; /* RTU: the serial device */
	char log[96];  /* every write, on and off */
	FILE *notes;   /* the log, as far as slave_next_note has read it */
	char dir[64];
	char reply[256];
};

/* `options`: further ones of the program, ended by NULL; NULL: none. */
void slave_start(struct slave *s, bool rtu, const char *const *options);
void slave_stop(struct slave *s);

/* Tells it a line of tests/slave/commands.h; the reply is valid until the next. Fails the test when it isn't understood. */
const char *slave_tell(struct slave *s, const char *format, ...) GF_PRINTF(2, 3);
bool slave_on(struct slave *s);
int slave_reg(struct slave *s, int address);

/* A line of its log: when, by the monotonic clock, and how often the status had been read by then. */
struct slave_note {
	double ms;
	uint64_t readings;
};
/* The next line whose text is one that `is`; what comes before it is passed over. False: there is none yet. */
bool slave_next_note(struct slave *s, bool (*is)(const char *text), struct slave_note *ret_note);

#endif
