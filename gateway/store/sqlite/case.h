/*
 * Cases (cases.h), for those who change them. A fault lasts from its raising to its clearing, one that is open counts with its raising alone; faults of
 * one device and code whose times come within STORE_CASE_AGAIN_MS of each other are a case. These times only grow, so cases only grow together, and
 * whatever the order in which faults arrive, the same cases come of them.
 */
#ifndef GW_STORE_CASE_H
#define GW_STORE_CASE_H

#include "gateway/store/cases.h"
#include "gateway/store/sqlite/writer.h"

struct case_row {
	int64_t id; /* 0 = not stored yet */
	int64_t device, code, severity, times, open, first_ms, last_ms;
	int64_t cleared_ms; /* the last clearing so far; 0 = none */
	int64_t cleared_by, lasted_ms;
	int64_t stream; /* this and the next: of the newest fault */
	uint64_t fault_no, session_no;
	double observed, limit;
	char detail[STORE_NOTE_MAX];
	char person[GF_NAME_MAX]; /* who reported it, or cleared it in the machine's place */
	int64_t acked_ms;
	char acked_by[GF_NAME_MAX], ack_note[STORE_NOTE_MAX];
};

/* A fault was raised, or became known with its end (open 0): as a case of its own, which becomes the one that it belongs to. */
GF_MUST_CHECK int case_add(struct store *s, struct case_row *fault, struct gf_diag *diag);

/* A fault that was open was cleared. */
struct case_cleared {
	int64_t device, code, raised_ms, cleared_ms, by, lasted_ms;
	const char *person; /* NULL = the machine cleared it */
};
/* *ret_id: of its case; 0 = no case knows it. */
GF_MUST_CHECK int case_clear(struct store *s, const struct case_cleared *cleared, int64_t *ret_id,
                             struct gf_diag *diag);
/* The case of a fault by its time; 0 = none. */
GF_MUST_CHECK int case_find(struct store *s, int64_t device, int64_t code, int64_t raised_ms, int64_t *ret_id,
                            struct gf_diag *diag);

/* Inserts it; row->id is set. */
GF_MUST_CHECK int case_insert(struct store *s, struct case_row *row, struct gf_diag *diag);

#endif
