/* What was named but isn't there: the nearest there is, so that a slip is seen at once. */
#ifndef GATEWAY_API_UNKNOWN_H
#define GATEWAY_API_UNKNOWN_H

#include "gateway/api/request.h"

/* Answers 404: there is no machine `id`, with the nearest one. */
void unknown_machine(struct request *r, const char *id);
/* Answers 404: there is and was no machine at `site`, with those there are. */
void unknown_site(struct request *r, const char *site);

/*
 * Why `where` chose nothing: a machine or a site that it asks for and that isn't there, with those there are. NULL when there is
 * no such reason; else the caller's to free.
 */
char *unknown_in_where(struct request *r, const struct where *where);

#endif
