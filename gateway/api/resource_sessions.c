/* /v1/sessions: ended and running ones, newest first. */
#include "gateway/api/page.h"
#include "gateway/api/resources.h"

#define NAME(symbol, name) name,
static const char *const class_words[] = {GF_CLASSES(NAME) NULL};
static const char *const outcome_words[] = {GF_OUTCOMES(NAME) "running", NULL};
static const char *const source_words[] = {STORE_TIME_SOURCES(NAME) NULL};
#undef NAME

static const struct where_field fields[] = {
    {"device", WHERE_TEXT, NULL},
    {"class", WHERE_TEXT, class_words},
    {"site", WHERE_TEXT, NULL},
    {"session_no", WHERE_NUMBER, NULL},
    {"routine", WHERE_TEXT, NULL},
    {"catalog", WHERE_TEXT, NULL},
    {"catalog_version", WHERE_NUMBER, NULL},
    {"outcome", WHERE_TEXT, outcome_words},
    {"started", WHERE_TIME, NULL},
    {"ended", WHERE_TIME, NULL},
    {"time_source", WHERE_TEXT, source_words},
    {"duration_s", WHERE_NUMBER, NULL},
    {"paused_s", WHERE_NUMBER, NULL},
    {"motor_s", WHERE_NUMBER, NULL},
    {"planned_s", WHERE_NUMBER, NULL},
    {"pain_presses", WHERE_NUMBER, NULL},
    {"peak_motor_temp_c", WHERE_NUMBER, NULL},
    {"peak_surface_temp_c", WHERE_NUMBER, NULL},
    {"peak_current_ma", WHERE_NUMBER, NULL},
    {"peak_pressure_mmhg", WHERE_NUMBER, NULL},
};

static json_t *areas(const struct store_session *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->areas_count; i++) {
		const struct gf_area_use *use = &s->areas[i];
		json_t *entry = json_object();
		json_put(&entry, "area", json_string(gf_area_name(use->area)));
		json_put(&entry, "side", json_string(gf_side_name(use->side)));
		json_put(&entry, "technique", json_string(gf_technique_name(use->technique)));
		json_put(&entry, "seconds", json_seconds(use->ms));
		json_put(&entry, "mean_intensity_pct", json_measure((double)use->mean_intensity_pct));
		json_put(&entry, "max_intensity_pct", json_measure((double)use->max_intensity_pct));
		json_push(&list, entry);
	}
	return list;
}

/* What is known once it has ended; null before. */
static void put_end(json_t **row, const struct store_session *s)
{
	bool ended = !s->running;

	json_put(row, "duration_s", ended ? json_seconds(s->duration_ms) : json_null());
	json_put(row, "paused_s", ended ? json_seconds(s->paused_ms) : json_null());
	json_put(row, "motor_s", ended ? json_seconds(s->motor_ms) : json_null());
	json_put(row, "pain_presses", ended ? json_count(s->pain_presses) : json_null());
	json_put(row, "peak_motor_temp_c", ended ? json_measure((double)s->peak_motor_temp_c) : json_null());
	json_put(row, "peak_surface_temp_c", ended ? json_measure((double)s->peak_surface_temp_c) : json_null());
	json_put(row, "peak_current_ma", ended ? json_measure((double)s->peak_current_ma) : json_null());
	json_put(row, "peak_pressure_mmhg", ended ? json_measure((double)s->peak_pressure_mmhg) : json_null());
	json_put(row, "areas", areas(s));
}

static json_t *session_row(const struct store_session *s)
{
	json_t *row = json_object();

	json_put(&row, "device", json_string(s->device));
	json_put(&row, "class", json_text(s->class != GF_CLASS_UNSPECIFIED ? gf_class_name(s->class) : ""));
	json_put(&row, "site", json_text(s->site));
	json_put(&row, "session_no", json_count(s->session_no));
	json_put(&row, "routine", json_text(s->routine));
	json_put(&row, "catalog", json_text(s->catalog));
	json_put(&row, "catalog_version", json_count(s->catalog_version));
	json_put(&row, "outcome", json_string(s->running ? "running" : gf_outcome_name(s->outcome)));
	json_put(&row, "started", json_time(s->started_ms));
	json_put(&row, "ended", json_time(s->running ? 0 : s->ended_ms));
	json_put(&row, "time_source", json_string(store_time_source_name(s->time_source)));
	json_put(&row, "planned_s", json_count(s->planned_s));
	put_end(&row, s);
	return row;
}

static int keep(void *ctx, const struct store_session *s)
{
	struct page *page = ctx;

	if (page_full(page))
		return PAGE_STOP;
	int result = page_add(page, session_row(s));
	if (result == 0)
		request_cursor_text(page->cursor, s->started_ms, s->session_no, s->device);
	return result;
}

void resource_sessions(struct request *r)
{
	struct page page;
	struct store_session_query query = {0};
	struct gf_diag diag = {{0}};

	if (request_time(r, "since", &query.since_ms) && request_time(r, "until", &query.until_ms) &&
	    request_cursor(r, &query.after_started_ms, &query.after_session_no, &query.after_device) &&
	    request_device(r, &query.device) && page_begin(r, fields, sizeof(fields) / sizeof(fields[0]), &page))
		page_end(&page, store_read_sessions(r->reader, &query, keep, &page, &diag), &diag);
}
