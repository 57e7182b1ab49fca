/*
 * One page of a list: the rows that hold for --where, at most `limit` of them, and where the next page begins. A walk over the
 * store fills it row by row:
 *
 *     if (page_full(page)) return PAGE_STOP;
 *     int result = page_add(page, row);
 *     if (result == 0) write page->cursor;
 *     return result;
 */
#ifndef GATEWAY_API_PAGE_H
#define GATEWAY_API_PAGE_H

#include "gateway/api/request.h"

enum { PAGE_STOP = 1 }; /* the walk's end, by our own wish */

struct page {
	struct request *request;
	struct where *where;
	json_t *items;
	uint64_t limit, scanned;
	bool more;
	char cursor[REQUEST_CURSOR_MAX]; /* of the last row that was looked at */
};

/* Reads `limit` and `where`; false when the request was answered with what is wrong with them. Then page_end isn't called. */
bool page_begin(struct request *r, const struct where_field *fields, size_t count, struct page *ret_page);
/* As many rows as one answer may cost were looked at. */
bool page_full(struct page *page);
/* Takes the row, which may be NULL, over. 0, PAGE_STOP (no room for it; it is on the next page) or -ENOMEM. */
GF_MUST_CHECK int page_add(struct page *page, json_t *row);
/* Answers: with the page when `result` is 0 or PAGE_STOP, else with the store's failure. */
void page_end(struct page *page, int result, const struct gf_diag *diag);

#endif
