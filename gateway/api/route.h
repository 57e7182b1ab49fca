/* The API's paths: which function answers which method on which path with which parameters. */
#ifndef GATEWAY_API_ROUTE_H
#define GATEWAY_API_ROUTE_H

#include "gateway/api/request.h"

struct route {
	const char *method;
	const char *pattern; /* "{id}" stands for one segment, a machine's id; "{n}" for a number, or NAME@VERSION */
	void (*handle)(struct request *r);
	const char *params; /* the names of those it takes, space-separated */
	size_t body_max;    /* bytes; 0 = API_BODY_MAX */
};

/*
 * Finds the route and sets r->id or r->ref. NULL after having answered 404, 400 for a malformed one, or 405, when *ret_allow (room for 64
 * bytes) names the path's methods.
 */
const struct route *route_find(struct request *r, const char *method, const char *path, char ret_allow[static 64]);

/* Adds a parameter that the route takes; answers 400 to any other, to a repeated one and to one that isn't UTF-8. `len` bytes of value. */
void route_param(struct request *r, const struct route *route, const char *name, const char *value, size_t len);

#endif
