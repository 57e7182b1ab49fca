/* /v1/faults/occurrences: each fault as its machine told it, open and cleared ones, newest first. */
#include "gateway/api/page.h"
#include "gateway/api/resources.h"

#define NAME(symbol, name) name,
static const char *const code_words[] = {GF_FAULTS(NAME) NULL};
static const char *const severity_words[] = {GF_SEVERITIES(NAME) NULL};
static const char *const cleared_words[] = {GF_CLEARED_BYS(NAME) NULL};
#undef NAME

static const struct where_field fields[] = {
    {"device", WHERE_TEXT, NULL},
    {"fault_no", WHERE_NUMBER, NULL},
    {"code", WHERE_TEXT, code_words},
    {"severity", WHERE_TEXT, severity_words},
    {"raised", WHERE_TIME, NULL},
    {"cleared", WHERE_TIME, NULL},
    {"cleared_by", WHERE_TEXT, cleared_words},
    {"observed", WHERE_NUMBER, NULL},
    {"limit", WHERE_NUMBER, NULL},
    {"session_no", WHERE_NUMBER, NULL},
    {"detail", WHERE_TEXT, NULL},
    {"lasted_s", WHERE_NUMBER, NULL},
};

struct walk {
	struct page page;
	int64_t until_ms; /* 0 = no end */
};

/* An open fault has lasted until now. */
static json_t *lasted(const struct store_fault *f, int64_t now_ms)
{
	if (f->cleared_ms != 0)
		return json_seconds(f->lasted_ms);
	return f->raised_ms > 0 && now_ms > f->raised_ms ? json_seconds((uint64_t)(now_ms - f->raised_ms)) : json_null();
}

static json_t *fault_row(const struct store_fault *f, int64_t now_ms)
{
	json_t *row = json_object();
	bool cleared = f->cleared_ms != 0;

	json_put(&row, "device", json_string(f->device));
	json_put(&row, "fault_no", json_count(f->fault_no));
	json_put(&row, "code", json_string(gf_fault_name(f->code)));
	json_put(&row, "severity", json_string(gf_severity_name(f->severity)));
	json_put(&row, "raised", json_time(f->raised_ms));
	json_put(&row, "cleared", json_time(f->cleared_ms));
	json_put(&row, "cleared_by", json_text(cleared ? gf_cleared_by_name(f->cleared_by) : ""));
	json_put(&row, "observed", json_measure((double)f->observed));
	json_put(&row, "limit", json_measure((double)f->limit));
	json_put(&row, "session_no", f->session_no != 0 ? json_count(f->session_no) : json_null());
	json_put(&row, "detail", json_text(f->detail));
	json_put(&row, "lasted_s", lasted(f, now_ms));
	return row;
}

static int keep(void *ctx, const struct store_fault *f)
{
	struct walk *w = ctx;

	if (page_full(&w->page))
		return PAGE_STOP;
	bool later = w->until_ms != 0 && f->raised_ms >= w->until_ms;
	int result = later ? 0 : page_add(&w->page, fault_row(f, w->page.request->now_ms));
	if (result == 0)
		request_cursor_text(w->page.cursor, f->raised_ms, f->fault_no, f->device);
	return result;
}

void resource_fault_occurrences(struct request *r)
{
	struct store_fault_query query = {0};
	struct walk w = {0};
	struct gf_diag diag = {{0}};

	if (request_flag(r, "open", &query.open_only) && request_time(r, "since", &query.since_ms) &&
	    request_time(r, "until", &w.until_ms) &&
	    request_cursor(r, &query.after_raised_ms, &query.after_fault_no, &query.after_device) &&
	    request_device(r, &query.device) && page_begin(r, fields, sizeof(fields) / sizeof(fields[0]), &w.page))
		page_end(&w.page, store_read_faults(r->reader, &query, keep, &w, &diag), &diag);
}
