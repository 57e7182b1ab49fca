/* The body of a request as a JSON object with known keys: one table says which, and what each may be. */
#ifndef GATEWAY_API_BODY_H
#define GATEWAY_API_BODY_H

#include "gateway/api/request.h"

enum { BODY_KEYS_MAX = 8 };
enum body_type { BODY_TEXT, BODY_FLAG, BODY_OBJECT };

struct body_key {
	const char *name;
	enum body_type type;
	size_t size; /* of a text, with its NUL; a text is one line */
	bool must;   /* be there, and a text must say something */
};

/*
 * Reads the body; ret_values[i] is what keys[i] has, NULL for nothing or null, and borrowed from the result, which the caller ends by
 * json_decref. NULL after having answered 400: what is wrong with which key, and for an unknown one the nearest that there is.
 */
json_t *body_take(struct request *r, const struct body_key *keys, size_t count, const json_t **ret_values);
/* The same of an object inside the body, named `name`. */
bool body_check(struct request *r, const char *name, const json_t *object, const struct body_key *keys, size_t count,
                const json_t **ret_values);

/* "" for NULL. */
const char *body_text(const json_t *value);
/* A moment to come: RFC 3339, or a span from now (3d). 0 for NULL. */
bool body_moment(struct request *r, const char *name, const json_t *value, int64_t *ret_ms);

#endif
