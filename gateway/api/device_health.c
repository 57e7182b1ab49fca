/* A machine's facts from the store, the rules and the sites, for gateway/health to judge. */
#include <math.h>
#include <string.h>

#include "gateway/api/device_row.h"
#include "gateway/api/opening.h"
#include "gateway/api/resources.h"

enum { READING_FRESH_MS = 5 * 60 * 1000 };

int device_view_read(const struct api_ops *ops, const struct sites *sites, int64_t now_ms, struct device_view *ret_view)
{
	struct device_view view = {.now_ms = now_ms, .sites = sites};
	int result = wear_plans_read(ops, &view.plans);

	if (result == 0)
		*ret_view = view;
	return result;
}

int device_view_of(const struct request *r, struct device_view *ret_view)
{
	return device_view_read(api_ops_of(r->api), api_sites(r->api), r->now_ms, ret_view);
}

void device_view_deinit(struct device_view *view)
{
	wear_plans_deinit(&view->plans);
}

/* ---- faults and cases ---- */

static const struct store_care_case *case_of(const struct store_device *d, enum gf_fault code)
{
	for (size_t i = 0; i < d->care.cases_count; i++)
		if (!d->care.cases[i].reported && d->care.cases[i].code == code)
			return &d->care.cases[i];
	return NULL;
}

static void add_case(struct health_fault *f, const struct store_care_case *c)
{
	f->case_id = c->id;
	f->reported = c->reported;
	f->times = c->times;
	f->first_ms = c->first_ms;
	f->acked_ms = c->acked_ms;
	f->acked_by = c->acked_by;
	f->by = c->by;
}

/* What machines raised, worst first, then what people reported, as far as there is room. */
static void add_faults(struct health_facts *facts, const struct store_device *d)
{
	for (size_t i = 0; i < d->open_faults && i < STORE_OPEN_FAULTS_MAX && facts->faults_count < HEALTH_FAULTS_MAX;
	     i++) {
		const struct store_fault *raised = &d->open[i];
		const struct store_care_case *c = case_of(d, raised->code);
		struct health_fault *f = &facts->faults[facts->faults_count++];

		*f = (struct health_fault){.code = raised->code,
		                           .severity = raised->severity,
		                           .since_ms = raised->raised_ms,
		                           .observed = raised->observed,
		                           .limit = raised->limit,
		                           .detail = raised->detail};
		if (c != NULL)
			add_case(f, c);
	}
	for (size_t i = 0; i < d->care.cases_count && facts->faults_count < HEALTH_FAULTS_MAX; i++) {
		const struct store_care_case *c = &d->care.cases[i];
		struct health_fault *f = &facts->faults[facts->faults_count];

		if (!c->reported)
			continue;
		*f = (struct health_fault){
		    .severity = c->severity, .since_ms = c->first_ms, .observed = NAN, .limit = NAN, .detail = c->detail};
		add_case(f, c);
		facts->faults_count++;
	}
}

/* ---- flags, tag, wear, use ---- */

static void add_flags(struct health_facts *facts, const struct store_care *care)
{
	static const enum health_severity severities[RULE_SEVERITY_COUNT] = {
	    [RULE_SEVERITY_OK] = HEALTH_OK,
	    [RULE_SEVERITY_ATTENTION] = HEALTH_ATTENTION,
	    [RULE_SEVERITY_CRITICAL] = HEALTH_CRITICAL,
	};

	while (facts->flags_count < care->flags_open && facts->flags_count < HEALTH_FLAGS_MAX &&
	       facts->flags_count < STORE_CARE_FLAGS_MAX) {
		const struct store_care_flag *f = &care->flags[facts->flags_count];
		bool known = (unsigned)f->severity < RULE_SEVERITY_COUNT;

		facts->flags[facts->flags_count++] = (struct health_flag){
		    .id = f->id,
		    .severity = known ? severities[f->severity] : HEALTH_ATTENTION,
		    .since_ms = f->opened_ms,
		    .acked_ms = f->acked_ms,
		    .title = f->title,
		    .text = f->text,
		    .advice = f->advice,
		    .acked_by = f->acked_by,
		    .of_wear = strcmp(f->metric, rule_metric_name(RULE_METRIC_PART_LIFE_PCT)) == 0,
		    .of_judging = strcmp(f->metric, STORE_METRIC_JUDGING) == 0,
		};
	}
	facts->flags_more = care->flags_open - facts->flags_count;
}

static void judge_wear(struct health_facts *facts, const struct store_device *d, const struct wear_plans *plans,
                       struct wear *ret_wear)
{
	const struct worn worn = {
	    .class = d->class,
	    .model = d->model,
	    .rated_motor_h = (double)d->rated_motor_h,
	    .odometer = &d->odometer,
	    .motor_before_ms = d->motor_before_ms,
	    .parts = d->care.parts,
	    .use = &d->care.use,
	};

	wear_of(plans, &worn, facts->now_ms, ret_wear, &facts->wear_pace);
	facts->wear = ret_wear;
}

/* ---- all of it ---- */

static enum health_presence presence(const struct store_device *d)
{
	static const enum health_presence offline[] = {
	    [STORE_OFFLINE_NEVER] = HEALTH_NEVER_SEEN,
	    [STORE_OFFLINE_GOODBYE] = HEALTH_GOODBYE,
	    [STORE_OFFLINE_LOST] = HEALTH_LOST,
	    [STORE_OFFLINE_SILENT] = HEALTH_SILENT,
	};
	return d->online ? HEALTH_ONLINE : offline[d->offline_reason];
}

/* While a machine uploads what it kept offline, its newest heartbeat here is an old one. */
static bool reads_now(const struct store_device *d, int64_t now_ms)
{
	int64_t fresh_ms = 3 * (int64_t)d->heartbeat.interval_ms;

	if (fresh_ms < READING_FRESH_MS)
		fresh_ms = READING_FRESH_MS;
	return d->online && d->has_heartbeat && now_ms - d->heartbeat_ms <= fresh_ms;
}

static struct health_facts facts_of(const struct store_device *d, const struct device_view *view)
{
	const struct store_care *care = &d->care;

	return (struct health_facts){
	    .device = d->id,
	    .now_ms = view->now_ms,
	    .presence = presence(d),
	    .presence_since_ms = d->presence_since_ms,
	    .last_seen_ms = d->last_seen_ms,
	    .heartbeat_ms = d->heartbeat_ms,
	    .motor_temp_stop_c = d->motor_temp_stop_c,
	    .surface_temp_stop_c = d->surface_temp_stop_c,
	    .clock_known = d->clock_since_ms > 0,
	    .clock_synced = d->clock_synced,
	    .clock_since_ms = d->clock_since_ms,
	    .last_record_ms = d->last_record_ms,
	    .cert_not_after_ms = d->cert_not_after_ms,
	    .interrupted_24h = d->interrupted_24h,
	    .interrupted_since_ms = d->interrupted_since_ms,
	    .rest_since_ms = d->rest_since_ms,
	    .rest_until_ms = d->rest_until_ms,
	    .locked = d->desired.locked,
	    .locked_since_ms = (int64_t)d->desired.issued_ms,
	    .lock_reason = d->desired.lock_reason,
	    .tag = {care->tag.since_ms, care->tag.back_ms, care->tag.reason, care->tag.owner},
	    .pace = {care->use.from_ms, care->use.last_ms, care->use.sessions},
	    .in_session = d->running_session > 0,
	    .calendar = opening_calendar(view->sites, d->location.site),
	};
}

static void add_heartbeat(struct health_facts *facts, const struct gf_heartbeat *beat)
{
	facts->duty_max_ms = beat->duty_max_ms;
	facts->bus =
	    (struct health_bus){beat->bus_timeouts, beat->bus_crc_errors, beat->bus_exceptions, beat->bus_reconnects};
	facts->motor_temp_c = beat->sensors[GF_SENSOR_MOTOR_TEMP_C];
	facts->surface_temp_c = beat->sensors[GF_SENSOR_SURFACE_TEMP_C];
	facts->spool_records = beat->spool_records;
}

void device_judge(const struct store_device *d, const struct device_view *view, struct device_health *ret_health)
{
	struct health_facts facts = facts_of(d, view);
	struct wear wear;

	if (d->has_heartbeat)
		add_heartbeat(&facts, &d->heartbeat);
	add_faults(&facts, d);
	add_flags(&facts, &d->care);
	judge_wear(&facts, d, &view->plans, &wear);
	for (; facts.closed_count < d->closed_count && facts.closed_count < HEALTH_CLOSED_MAX; facts.closed_count++) {
		const struct store_closed *c = &d->closed[facts.closed_count];
		facts.closed[facts.closed_count] =
		    (struct health_closed){c->area, c->side, c->since_ms, c->until_ms, c->personal};
	}
	ret_health->reads_now = reads_now(d, view->now_ms);
	ret_health->resting = d->rest_until_ms > view->now_ms;
	ret_health->wear_pct = wear.count > 0 ? wear.parts[0].used_pct : NAN;
	ret_health->severity = health_judge(&facts, ret_health->reasons, &ret_health->count);
}
