/* /v1/audit/log: who did what, when, from where; newest first. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "gateway/api/page.h"
#include "gateway/api/resources.h"

static const struct where_field fields[] = {
    {"id", WHERE_NUMBER, NULL},   {"time", WHERE_TIME, NULL},   {"who", WHERE_TEXT, NULL},
    {"from", WHERE_TEXT, NULL},   {"action", WHERE_TEXT, NULL}, {"subject", WHERE_TEXT, NULL},
    {"detail", WHERE_TEXT, NULL},
};

static int keep(void *ctx, const struct store_deed *deed)
{
	struct page *page = ctx;

	if (page_full(page))
		return PAGE_STOP;
	json_t *row = json_object();
	json_put(&row, "id", json_count(deed->id));
	json_put(&row, "time", json_time(deed->at_ms));
	json_put(&row, "who", json_string(deed->actor.who));
	json_put(&row, "from", json_text(deed->actor.from));
	json_put(&row, "action", json_string(deed->action));
	json_put(&row, "subject", json_text(deed->subject));
	json_put(&row, "detail", json_text(deed->detail));
	int result = page_add(page, row);
	if (result == 0)
		(void)snprintf(page->cursor, sizeof(page->cursor), "%" PRIu64, deed->id);
	return result;
}

void resource_audit_log(struct request *r)
{
	struct page page;
	struct gf_diag diag = {{0}};
	int64_t since_ms = 0;
	uint64_t before = 0;

	if (request_time(r, "since", &since_ms) && request_number(r, "after", 1, INT64_MAX, &before) &&
	    page_begin(r, fields, sizeof(fields) / sizeof(fields[0]), &page))
		page_end(&page, store_read_deeds(r->reader, before, since_ms, keep, &page, &diag), &diag);
}
