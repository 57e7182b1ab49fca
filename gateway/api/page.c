#include "gateway/api/page.h"

#include <errno.h>
#include <stdlib.h>

#include "gateway/api/unknown.h"

bool page_begin(struct request *r, const struct where_field *fields, size_t count, struct page *ret_page)
{
	struct page page = {.request = r, .limit = REQUEST_LIMIT_DEFAULT};
	if (!request_number(r, "limit", 1, REQUEST_LIMIT_MAX, &page.limit) || !request_where(r, fields, count, &page.where))
		return false;
	page.items = json_array();
	*ret_page = page;
	return true;
}

bool page_full(struct page *page)
{
	if (page->scanned++ < REQUEST_SCAN_MAX)
		return false;
	page->more = true;
	return true;
}

int page_add(struct page *page, json_t *row)
{
	if (row == NULL)
		return -ENOMEM;
	if (!where_match(page->where, json_lookup, row)) {
		json_decref(row);
		return 0;
	}
	if (json_array_size(page->items) == page->limit) {
		json_decref(row);
		page->more = true;
		return PAGE_STOP;
	}
	json_push(&page->items, row);
	return page->items != NULL ? 0 : -ENOMEM;
}

/* Nothing at all: by what was asked for, or is it not there? */
static void answer_none(struct page *page)
{
	char *hint = request_param(page->request, "after") == NULL ? unknown_in_where(page->request, page->where) : NULL;

	if (hint == NULL)
		request_answer_list(page->request, page->items, NULL);
	else
		request_answer(page->request, json_pack("{s:o, s:n, s:s}", "items", page->items, "next", "hint", hint));
	free(hint);
}

void page_end(struct page *page, int result, const struct gf_diag *diag)
{
	if (result != 0 && result != PAGE_STOP) {
		json_decref(page->items);
		request_fail_store(page->request, result, diag);
	} else if (json_array_size(page->items) == 0 && !page->more) {
		answer_none(page);
	} else {
		request_answer_list(page->request, page->items, page->more ? page->cursor : NULL);
	}
	where_free(page->where);
}
