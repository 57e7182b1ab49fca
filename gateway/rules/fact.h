/*
 * What happened, one thing at a time, as the rules see it: a session, a heartbeat, a fault, a limit that acted, a part renewed. Facts come
 * from the store; their set alone decides, never the order in which they arrived. Pure.
 */
#ifndef GW_RULES_FACT_H
#define GW_RULES_FACT_H

#include "gateway/sites/calendar.h"
#include "proto/model.h"

enum fact_kind { FACT_SESSION, FACT_HEARTBEAT, FACT_FAULT, FACT_LIMIT, FACT_SERVICE, FACT_KINDS };

/* Domain section 1, by the highest intensity of a session. */
#define FACT_DEPTHS(X) \
	X(NONE, "none") X(SUPERFICIAL, "superficial") X(MODERATE, "moderate") X(DEEP, "deep") X(BEYOND, "beyond")
enum fact_depth {
#define X(s, n) FACT_DEPTH_##s,
	FACT_DEPTHS(X)
#undef X
	    FACT_DEPTH_COUNT,
};
const char *fact_depth_name(enum fact_depth depth);
/* superficial <= 40 %, moderate <= 60 %, deep <= 80 %, else beyond; none at 0. */
enum fact_depth fact_depth_of(float max_intensity_pct);

/* Parts that wear, each with counters of its own. */
#define FACT_PARTS(X) \
	X(MOTOR, "motor") X(HEAD, "head") X(ROLLER, "roller") X(FILTER, "filter") X(COVER, "cover") X(SERVICE, "service")
enum fact_part {
#define X(s, n) FACT_PART_##s,
	FACT_PARTS(X)
#undef X
	    FACT_PART_COUNT,
};
const char *fact_part_name(enum fact_part part);
GF_MUST_CHECK int fact_part_parse(const char *name, enum fact_part *ret_part);

struct fact {
	enum fact_kind kind;
	enum gf_class class; /* of the machine */
	/* When it counts: a session's end, a heartbeat's and a limit's moment, a fault's raising, the moment of the service. */
	int64_t at_ms;
	/* With the kind it names the fact, and orders those of one moment. */
	int64_t device;
	/* A session's or fault's number, a heartbeat's or limit's seq (with its stream's number above bit 44), a service's id. */
	uint64_t no;
	const struct calendar *calendar; /* of the site it happened at; never NULL */
	union {
		struct {
			int64_t started_ms;
			char routine[GF_NAME_MAX];
			enum gf_outcome outcome;
			enum fact_depth depth;
			uint32_t running_ms; /* without pauses */
			uint64_t motor_ms;
			uint32_t pain_presses;
			float vibration_ms2; /* of the model; 0 = unknown */
			/* The part's life after this session, % of what is rated; NaN = unknown. The motor's, the others' by the service plan. */
			float life_pct[FACT_PART_COUNT];
			size_t areas_count;
			const struct gf_area_use *areas; /* borrowed */
		} session;
		struct {
			struct gf_stat sensors[GF_SENSOR_COUNT];
			uint32_t interval_ms;
		} heartbeat;
		struct {
			enum gf_fault code;
			enum gf_severity severity;
		} fault;
		struct {
			char rule[GF_NAME_MAX];   /* "P3" */
			char action[GF_NAME_MAX]; /* "warn", "clamp", "stop" ... */
			uint64_t session_no;
		} limit;
		struct {
			enum fact_part part; /* its life begins anew */
		} service;
	};
};

/* The order of facts: by at_ms, kind, device, no. */
int fact_compare(const struct fact *a, const struct fact *b);

#endif
