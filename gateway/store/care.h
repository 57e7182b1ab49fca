/*
 * What people and rules say of a machine, as far as its health needs it: open flags, open cases, the tag, its wear, how it is used. Part of struct
 * store_device; read at a cost that doesn't grow with what is stored.
 */
#ifndef GW_STORE_CARE_H
#define GW_STORE_CARE_H

#include "gateway/rules/rule.h"

enum {
	STORE_NOTE_MAX = 256,
	STORE_CARE_FLAGS_MAX = 4,
	STORE_CARE_CASES_MAX = 8,
	STORE_CARE_DAYS = 28, /* so long a machine's use says what is usual */
};

/* Out of service: the machine is locked while the tag hangs on it. */
struct store_tag {
	int64_t since_ms; /* 0 = no tag */
	char reason[STORE_NOTE_MAX], owner[GF_NAME_MAX], by[GF_NAME_MAX];
	int64_t back_ms;  /* expected return; 0 = not said */
	uint64_t case_id; /* 0 = none */
};

/* An open flag about the machine. */
struct store_care_flag {
	uint64_t id;
	enum rule_severity severity;
	int64_t opened_ms, acked_ms;
	char title[GF_NAME_MAX * 2], text[RULE_TEXT_MAX], advice[RULE_TEXT_MAX], acked_by[GF_NAME_MAX];
	char metric[GF_NAME_MAX];
};

/* An open case. */
struct store_care_case {
	uint64_t id;
	bool reported; /* by a person; then code is UNSPECIFIED */
	enum gf_fault code;
	enum gf_severity severity;
	uint32_t times;
	int64_t first_ms, acked_ms;
	char detail[STORE_NOTE_MAX], by[GF_NAME_MAX], acked_by[GF_NAME_MAX];
};

/* A part that was renewed. */
struct store_care_part {
	int64_t at_ms; /* 0 = never */
	struct gf_odometer odometer;
};

/* How it was used in the 28 days before its last session's end, or in those since it is known. */
struct store_use {
	int64_t from_ms, last_ms; /* last_ms 0 = no session */
	uint64_t sessions, motor_ms;
};

struct store_care {
	uint32_t flags_open; /* flags has the first of them: worst first, those that nobody acknowledged, oldest */
	struct store_care_flag flags[STORE_CARE_FLAGS_MAX];
	uint32_t cases_count; /* the worst; all that a person reported come first */
	struct store_care_case cases[STORE_CARE_CASES_MAX];
	struct store_tag tag;
	struct store_care_part parts[FACT_PART_COUNT];
	struct store_use use;
	uint64_t incident; /* it is missed as part of this open incident; 0 = none */
};

#endif
