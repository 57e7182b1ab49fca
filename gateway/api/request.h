/*
 * One request on its way to an answer, without HTTP's machinery: what was asked, and helpers that read parameters and say
 * exactly what is wrong with them.
 *
 * A handler ends by one of request_answer and request_fail..., or asks to wait (request_wait); the first answer stays.
 */
#ifndef GATEWAY_API_REQUEST_H
#define GATEWAY_API_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/api/where.h"
#include "gateway/store/wishes.h"

enum {
	REQUEST_PARAMS_MAX = 12,
	REQUEST_CURSOR_MAX = 128,
	REQUEST_REF_MAX = GF_NAME_MAX + 24, /* "NAME@VERSION" */
	REQUEST_LIMIT_DEFAULT = 1000,
	REQUEST_LIMIT_MAX = 10000,
	REQUEST_SCAN_MAX = 50000, /* rows looked at for one answer; then it ends early with a cursor */
};

struct api;

struct request_param {
	char *name, *value;
};

struct request {
	struct api *api;
	struct store_reader *reader;
	int64_t now_ms;
	int64_t utc_offset_ms, today_ms;                 /* of the caller's clock; its day's start */
	char id[GF_ID_MAX];                              /* what {id} of the path stands for */
	char ref[REQUEST_REF_MAX];                       /* what {n} stands for */
	struct store_actor actor;                        /* who asks; of requests that change something */
	struct request_param params[REQUEST_PARAMS_MAX]; /* the names are ones the route knows */
	size_t params_count;
	char *body; /* NUL-terminated */
	size_t body_len;

	int64_t wait_until_ms; /* monotonic; > 0: the handler has begun a long poll */
	uint64_t wait_after;   /* until an event newer than this */
	bool wait;             /* the handler asks to be called again then */
	bool last_call;        /* it must not ask any more */

	unsigned status; /* of HTTP; 0 = no answer yet */
	json_t *answer;
};

/* 200 with `json`, which it takes over; NULL stands for no memory. */
void request_answer(struct request *r, json_t *json);
/* The same with another status: 201, 202. */
void request_answer_as(struct request *r, unsigned status, json_t *json);
/* {"items": items, "next": next or null}; takes `items` over. */
void request_answer_list(struct request *r, json_t *items, const char *next);
void request_fail(struct request *r, unsigned status, const char *code, const char *fmt, ...) GF_PRINTF(4, 5);
/* What the store returned: 404, 400, 409 (taken, not allowed now), 503 (busy, disk full) or 500. */
void request_fail_store(struct request *r, int error, const struct gf_diag *diag);

/* The text of a parameter; NULL when it wasn't given. */
const char *request_param(const struct request *r, const char *name);

/*
 * Typed parameters. Each leaves *ret untouched and returns true when the parameter wasn't given, and returns false after having
 * answered 400 when it can't be read.
 */
bool request_time(struct request *r, const char *name, int64_t *ret_ms); /* 7d = that long ago, or RFC 3339 */
bool request_number(struct request *r, const char *name, uint64_t min, uint64_t max, uint64_t *ret_number);
bool request_flag(struct request *r, const char *name, bool *ret_flag); /* 1, true, 0, false */
bool request_where(struct request *r, const struct where_field *fields, size_t count, struct where **ret_where);
/* "utc_offset_min": how far the caller's clock is ahead of UTC; sets the caller's day by now_ms. Without it, UTC. */
bool request_day(struct request *r);
/* The body as a JSON object, which the caller ends by json_decref; NULL after having answered 400. An empty body is an empty object. */
json_t *request_body(struct request *r);
/* A device that exists; 404 when it doesn't. */
bool request_device(struct request *r, const char **ret_device);
/* The same for the one in the path. */
bool request_path_device(struct request *r);

/* What may be said, for a refusal: "warn, act or none". */
enum { REQUEST_NAMES_MAX = 256 };
void request_names(const char *const *names, size_t count, char buf[static REQUEST_NAMES_MAX]);

/* Where the last page ended, for lists by time: "after" is the text that was "next" then. */
bool request_cursor(struct request *r, int64_t *ret_ms, uint64_t *ret_no, const char **ret_device);
void request_cursor_text(char buf[static REQUEST_CURSOR_MAX], int64_t ms, uint64_t no, const char *device);

/* The same for lists whose rows have numbers of their own: no machine belongs to the cursor. */
bool request_cursor_row(struct request *r, int64_t *ret_ms, uint64_t *ret_id);
void request_cursor_row_text(char buf[static REQUEST_CURSOR_MAX], int64_t ms, uint64_t id);

/* The number in the path; `what` has one, and so NAME@VERSION is refused. */
bool request_number_of(struct request *r, const char *what, uint64_t *ret_id);

/* ---- building JSON ---- */

json_t *json_time(int64_t wall_ms);  /* null for 0 */
json_t *json_text(const char *text); /* null for "" */
json_t *json_measure(double value);  /* rounded to 0.001; null for NaN */
json_t *json_count(uint64_t number);
/* Seconds of milliseconds, to 0.001. */
json_t *json_seconds(uint64_t ms);

/*
 * Sets a key of an object that is being built. What fails for want of memory frees the object and leaves NULL, on which all further
 * calls do nothing: one check at the end is enough.
 */
void json_put(json_t **object, const char *key, json_t *value);
/* The same for an array's next element. */
void json_push(json_t **array, json_t *value);

/* A JSON value for where_match, as of `type`; WHERE_NULL when it is none. A text lives as long as `value`. */
struct where_value json_value(const json_t *value, enum where_type type);
/* A field of a JSON row for where_match; times are RFC 3339 texts there. */
struct where_value json_lookup(const void *row, const struct where_field *field);

#endif
