/* /v1/status: the fleet in one answer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/api/device_row.h"
#include "gateway/api/incident_row.h"
#include "gateway/api/needs.h"
#include "gateway/api/opening.h"
#include "gateway/api/resources.h"
#include "gateway/api/rollout_json.h"
#include "gateway/store/cases.h"
#include "proto/base/span.h"

enum { HOURS = 24, NEEDS_TOLD = 50, SITES_MAX = 1024 };
/* One that halted waits for a person; who has not decided in a week, or has started a later one, has decided. */
enum { ROLLOUTS_SEEN = 50, HALTED_TOLD_MS = 7 * 24 * 3600 * 1000 };

struct site {
	char name[GF_NAME_MAX];
};

struct summary {
	struct device_view view;
	int64_t today_ms, utc_offset_ms;
	uint64_t machines, online, by_severity[3];
	struct site *sites; /* the different ones, in order of appearance */
	size_t sites_count;
	struct needs *needs;
	uint64_t sessions, running_ms, interrupted, by_hour_ms[HOURS];
	int64_t open_ms; /* of all machines, today until now */
};

static void count_site(struct summary *s, const char *name)
{
	size_t i = 0;

	if (*name == '\0')
		return;
	while (i < s->sites_count && strcmp(s->sites[i].name, name) != 0)
		i++;
	if (i == s->sites_count && i < SITES_MAX)
		(void)gf_strcpy(s->sites[s->sites_count++].name, GF_NAME_MAX, name);
}

/* The site's incident is told instead of each of its machines. */
static bool is_told(const struct store_device *device, const struct health_reason *reason)
{
	return device->care.incident != 0 && reason->code == HEALTH_CODE_OFFLINE;
}

static int add_device(void *ctx, const struct store_device *device)
{
	struct summary *s = ctx;
	struct device_health health;

	count_site(s, device->location.site);
	device_judge(device, &s->view, &health);
	s->machines++;
	s->online += device->online;
	s->sessions += device->sessions_today;
	s->by_severity[health.severity]++;
	for (size_t i = 0; i < health.count; i++)
		if (!is_told(device, &health.reasons[i]))
			needs_add(s->needs, device->id, device->location.site, &health.reasons[i]);
	return 0;
}

/* Nobody has to hurry while the site is closed. */
static int add_incident(void *ctx, const struct store_incident *incident)
{
	struct summary *s = ctx;
	struct health_reason reason = {
	    .code = HEALTH_CODE_OFFLINE, .severity = HEALTH_CRITICAL, .since_ms = incident->opened_ms};

	if (!calendar_is_open(opening_calendar(s->view.sites, incident->site), s->view.now_ms))
		return 0;
	incident_say(incident, s->view.now_ms, &reason);
	needs_add(s->needs, "", incident->site, &reason);
	return 0;
}

static int add_outcome(void *ctx, const struct store_usage *usage)
{
	struct summary *s = ctx;

	s->interrupted += usage->interrupted;
	return 0;
}

/* Of what ran in an hour of UTC, what is of today: a session that was under way at midnight counts from then on. */
static int add_hour(void *ctx, const struct store_hour *h)
{
	struct summary *s = ctx;
	int64_t end_ms = h->hour_ms + GF_HOUR_MS;

	for (int64_t at_ms = h->hour_ms, next_ms; at_ms < end_ms; at_ms = next_ms) {
		int64_t local_ms = at_ms + s->utc_offset_ms;

		next_ms = at_ms + GF_HOUR_MS - local_ms % GF_HOUR_MS;
		next_ms = next_ms < end_ms ? next_ms : end_ms;
		if (at_ms < s->today_ms)
			continue;
		uint64_t part_ms = (uint64_t)((double)h->running_ms * (double)(next_ms - at_ms) / GF_HOUR_MS);
		s->running_ms += part_ms;
		s->by_hour_ms[local_ms / GF_HOUR_MS % HOURS] += part_ms;
	}
	return 0;
}

/* How much ran today, and how much could have: the same hours for both. */
static int read_today(const struct request *r, struct summary *s, struct gf_diag *diag)
{
	struct stays stays;
	int result = stays_read(r->reader, &stays, diag);

	if (result == 0) {
		opening_sort(&stays);
		s->open_ms = opening_ms(s->view.sites, stays.items, stays.count, s->today_ms, s->view.now_ms);
	}
	stays_deinit(&stays);
	if (result == 0)
		result = store_read_hours(r->reader, NULL, s->today_ms - s->today_ms % GF_HOUR_MS, 0, add_hour, s, diag);
	if (result == 0)
		result = store_read_usage(r->reader, STORE_USAGE_OUTCOME, s->today_ms, 0, 0, add_outcome, s, diag);
	return result;
}

static json_t *gateway_json(const struct request *r)
{
	const struct api_ops *ops = api_ops_of(r->api);
	struct api_facts facts = {0};
	json_t *object = json_object();

	ops->facts(ops->ctx, &facts);
	json_put(&object, "version", json_string(GF_VERSION));
	json_put(&object, "up_s", json_count((uint64_t)facts.up_ms / 1000));
	json_put(&object, "epoch", json_count(facts.epoch));
	json_put(&object, "broker", json_string(facts.broker_connected ? "connected" : "disconnected"));
	json_put(&object, "broker_reason", json_text(facts.broker_connected ? "" : facts.broker_reason));
	return object;
}

static json_t *today_json(const struct summary *s)
{
	json_t *object = json_object(), *hours = json_array();

	for (size_t h = 0; h < HOURS; h++)
		json_push(&hours, json_count(s->by_hour_ms[h] / 1000));
	json_put(&object, "sessions", json_count(s->sessions));
	json_put(&object, "running_s", json_seconds(s->running_ms));
	json_put(&object, "interrupted", json_count(s->interrupted));
	json_put(&object, "opening_s", json_seconds((uint64_t)s->open_ms));
	json_put(&object, "use_pct",
	         s->open_ms > 0 ? json_measure((double)s->running_ms * 100.0 / (double)s->open_ms) : json_null());
	json_put(&object, "by_hour", hours);
	return object;
}

static json_t *needs_json(const struct summary *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->needs->count && i < NEEDS_TOLD; i++) {
		const struct need *need = &s->needs->items[i];
		const struct health_reason *reason = &need->reason;
		json_t *entry = json_object();
		json_put(&entry, "severity", json_string(health_severity_name(reason->severity)));
		json_put(&entry, "device", json_text(need->device));
		json_put(&entry, "site", json_text(need->site));
		json_put(&entry, "machines", json_count(need->machines));
		json_put(&entry, "code", json_string(health_code_name(reason->code)));
		json_put(&entry, "text", json_string(reason->text));
		json_put(&entry, "action", json_text(reason->action));
		json_put(&entry, "since", json_time(reason->since_ms));
		json_push(&list, entry);
	}
	return list;
}

struct rollouts {
	int64_t now_ms;
	json_t *list; /* those under way, newest first */
	char catalogs[ROLLOUTS_SEEN][GF_NAME_MAX];
	size_t seen;
};

static bool newer_seen(const struct rollouts *all, const char *catalog)
{
	for (size_t i = 0; i < all->seen; i++)
		if (strcmp(all->catalogs[i], catalog) == 0)
			return true;
	return false;
}

static int add_rollout(void *ctx, const struct store_rollout *rollout)
{
	struct rollouts *all = ctx;
	const struct rollout *r = &rollout->rollout;
	bool halted = r->state == ROLLOUT_HALTED && all->now_ms - r->state_since_ms < HALTED_TOLD_MS &&
	              !newer_seen(all, r->spec.catalog);

	if (!rollout_state_ends(r->state) || halted)
		json_push(&all->list, rollout_json_row(rollout));
	if (all->list == NULL)
		return -ENOMEM;
	(void)gf_strcpy(all->catalogs[all->seen], GF_NAME_MAX, r->spec.catalog);
	return ++all->seen == ROLLOUTS_SEEN;
}

static json_t *status_json(const struct request *r, const struct summary *s, const struct store_audit *audit)
{
	json_t *object = json_object();

	json_put(&object, "fleet",
	         json_pack("{s:I, s:I, s:I}", "machines", (json_int_t)s->machines, "online", (json_int_t)s->online, "sites",
	                   (json_int_t)s->sites_count));
	json_put(&object, "gateway", gateway_json(r));
	json_put(&object, "audit",
	         json_pack("{s:b, s:I}", "clean", audit->problems == 0, "problems", (json_int_t)audit->problems));
	json_put(&object, "health",
	         json_pack("{s:I, s:I, s:I}", "ok", (json_int_t)s->by_severity[HEALTH_OK], "attention",
	                   (json_int_t)s->by_severity[HEALTH_ATTENTION], "critical",
	                   (json_int_t)s->by_severity[HEALTH_CRITICAL]));
	json_put(&object, "today", today_json(s));
	json_put(&object, "needs_you", needs_json(s));
	return object;
}

void resource_status(struct request *r)
{
	struct summary s = {.today_ms = r->today_ms,
	                    .utc_offset_ms = r->utc_offset_ms,
	                    .sites = calloc(SITES_MAX, sizeof(*s.sites)),
	                    .needs = calloc(1, sizeof(*s.needs))};
	struct store_incident_query open = {.open_only = true};
	struct store_device_query query = {.now_ms = r->now_ms, .today_ms = r->today_ms};
	struct store_audit audit = {0};
	struct rollouts rollouts = {.now_ms = r->now_ms, .list = json_array()};
	struct gf_diag diag = {{0}};
	int result = s.sites != NULL && s.needs != NULL ? 0 : -ENOMEM;

	if (result == 0)
		result = device_view_of(r, &s.view);
	if (result == 0)
		result = store_read_incidents(r->reader, &open, add_incident, &s, &diag);
	if (result == 0)
		result = store_read_devices(r->reader, &query, add_device, &s, &diag);
	if (result == 0)
		result = read_today(r, &s, &diag);
	if (result == 0)
		result = store_read_audit(r->reader, NULL, NULL, NULL, &audit, &diag);
	if (result == 0)
		result = store_read_rollouts(r->reader, 0, add_rollout, &rollouts, &diag);
	if (result >= 0) {
		needs_fold(s.needs);
		json_t *answer = status_json(r, &s, &audit);
		json_put(&answer, "rollouts", json_incref(rollouts.list));
		request_answer(r, answer);
	} else {
		request_fail_store(r, result, &diag);
	}
	json_decref(rollouts.list);
	device_view_deinit(&s.view);
	free(s.sites);
	free(s.needs);
}
