/*
 * The controller's end of the wire: a TCP port for one master, or a pseudo-terminal whose other end is what the agent opens as its
 * serial device. Answers may be late: they wait here in their order. Times are monotonic ms.
 */
#ifndef TESTS_SLAVE_WIRE_H
#define TESTS_SLAVE_WIRE_H

#include "proto/base/err.h"
#include "tests/slave/frame.h"

enum { WIRE_IN_MAX = 2048, WIRE_ANSWERS_MAX = 64 };

struct wire_answer {
	int64_t due_ms;
	size_t len;
	uint8_t data[FRAME_MAX];
};

struct wire {
	bool rtu;
	int listen_fd;    /* TCP */
	int other_end_fd; /* RTU: kept open, so that the line stays when the agent closes its end */
	int fd;           /* the master, or our end of the line; -1: nobody */
	const char *link; /* RTU: a symbolic link to the other end */
	size_t in_len;
	uint8_t in[WIRE_IN_MAX];
	size_t first, answers_count;
	struct wire_answer answers[WIRE_ANSWERS_MAX];
};

/* 127.0.0.1; port 0: any, *port says which. 0 or a negative errno. */
GF_MUST_CHECK int wire_open_tcp(struct wire *w, uint16_t *port);
/* Makes `link` point to the line's other end. 0 or a negative errno. */
GF_MUST_CHECK int wire_open_rtu(struct wire *w, const char *link);
void wire_close(struct wire *w);

/* The listener is readable: a new master takes the place of the old one; `refuse`: it is sent away. True: somebody was. */
bool wire_accept(struct wire *w, bool refuse);
/* TCP: hangs up. */
void wire_drop(struct wire *w);

/* The wire is readable: takes in what is there. */
void wire_fill(struct wire *w);
/* The next whole request; false: none. What is none is thrown away. */
bool wire_next(struct wire *w, struct frame *ret_request);

/* Sends the answer once it is due. */
void wire_answer(struct wire *w, const uint8_t *data, size_t len, int64_t due_ms);
/* Sends what is due; the time of the next one, or INT64_MAX. */
int64_t wire_flush(struct wire *w, int64_t now_ms);

#endif
