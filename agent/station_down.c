/*
 * What comes from the gateway: messages go to the downlink and to the update, which call back what they want done: the link's
 * watch, the control core, records.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/station_impl.h"
#include "proto/base/log.h"

static const char module[] = "station";

/* ---- what the update wants ---- */

static int fetch(void *ctx, const struct gf_digest *digest)
{
	struct station *s = ctx;
	char filter[GF_TOPIC_MAX];
	if (s->link == NULL)
		return -ENOTCONN;
	return gf_link_watch(s->link, gf_topic_catalog_all(filter, digest), 1);
}

static void fetch_end(void *ctx, const struct gf_digest *digest)
{
	struct station *s = ctx;
	(void)digest;
	if (s->link != NULL)
		gf_link_unwatch(s->link);
}

static int use(void *ctx, const struct gf_catalog *catalog)
{
	struct station *s = ctx;
	const struct station_control *control = &s->config.control;
	return s->stepped && control->use != NULL ? control->use(control->ctx, catalog) : -EAGAIN;
}

static void applied(void *ctx, const struct gf_desired_applied *applied)
{
	struct station *s = ctx;
	const bool refused = applied->step == GF_DESIRED_STEP_REFUSED || applied->step == GF_DESIRED_STEP_ROLLED_BACK;
	gf_log(refused ? GF_LOG_WARNING : GF_LOG_NOTICE, module, "%s: desired state %llu: %s%s%s%s%s", s->config.id,
	       (unsigned long long)applied->revision, gf_desired_step_name(applied->step), refused ? " (" : "",
	       refused ? gf_refusal_name(applied->refusal) : "", refused ? ") " : "", applied->detail);
	station_spool_check(s, recorder_desired(s->recorder, applied, s->now), s->now);
}

static void changed(void *ctx, const struct gf_catalog_changed *changed)
{
	struct station *s = ctx;
	/* The first one of all is no news: the agent's start names it. */
	gf_log(changed->previous_version > 0 ? GF_LOG_NOTICE : GF_LOG_DEBUG, module, "%s: the catalog is %s@%llu now (%s)",
	       s->config.id, changed->catalog, (unsigned long long)changed->version, gf_catalog_cause_name(changed->cause));
	station_spool_check(s, recorder_catalog(s->recorder, changed, s->now), s->now);
}

/* ---- what the downlink wants ---- */

static bool desired(void *ctx, const struct gf_desired *desired, struct gf_time now)
{
	struct station *s = ctx;
	return update_desired(s->update, desired, now);
}

static int limit(void *ctx, const struct control_limits *limits)
{
	struct station *s = ctx;
	const struct station_control *control = &s->config.control;
	return control->limits != NULL ? control->limits(control->ctx, limits) : 0;
}

static int stop(void *ctx, bool *ret_running)
{
	struct station *s = ctx;
	const struct station_control *control = &s->config.control;
	*ret_running = s->in_session;
	return control->stop != NULL ? control->stop(control->ctx, GF_OUTCOME_STAFF_STOPPED) : 0;
}

static int reply(void *ctx, const void *data, size_t len, uint64_t id)
{
	struct station *s = ctx;
	if (!s->online)
		return -ENOTCONN;
	return gf_link_publish(s->link, s->topics[GF_TOPIC_REPLY], data, len, 1, false, 0, STATION_COOKIE_REPLY | id);
}

/* ---- what comes in ---- */

void station_down_link(struct station *s, bool up, struct gf_time now)
{
	if (s->phase == STATION_RUNNING)
		update_link(s->update, up, now);
}

void station_down_message(struct station *s, const struct gf_link_event *event, struct gf_time now)
{
	struct gf_digest digest;
	int part;
	if (s->phase != STATION_RUNNING)
		return;
	if (strcmp(event->topic, s->topics[GF_TOPIC_DESIRED]) == 0)
		downlink_desired(s->downlink, event->payload, event->len, now);
	else if (strcmp(event->topic, s->topics[GF_TOPIC_COMMAND]) == 0)
		downlink_command(s->downlink, event->payload, event->len, now);
	else if (gf_topic_parse_catalog(event->topic, strlen(event->topic), &digest, &part))
		update_part(s->update, &digest, part, event->payload, event->len, now);
	else
		gf_log_limited(&s->stray_log, now.mono_ms, GF_LOG_WARNING, module,
		               "%s: a message on '%s', which nobody asked for", s->config.id, event->topic);
}

bool station_down_event(struct station *s, const struct control_event *event, struct gf_time now)
{
	if (event->kind == CONTROL_EVENT_CATALOG) {
		update_switched(s->update, event->catalog, now);
	} else if (event->kind == CONTROL_EVENT_SESSION_STARTED) {
		s->in_session = true;
		update_session_started(s->update);
	} else if (event->kind == CONTROL_EVENT_SESSION_ENDED) {
		s->in_session = false;
		update_session_ended(s->update, event->session_ended.outcome, now);
	} else {
		return false;
	}
	return update_phase(s->update) != UPDATE_IDLE;
}

int64_t station_down_step(struct station *s, struct gf_time now)
{
	if (s->phase != STATION_RUNNING)
		return INT64_MAX;
	s->now = now;
	const int64_t update_ms = update_step(s->update, now), downlink_ms = downlink_step(s->downlink, now);
	return update_ms < downlink_ms ? update_ms : downlink_ms;
}

/* ---- life ---- */

static int open_update(struct station *s, struct gf_time now, struct gf_diag *diag)
{
	const struct station_config *c = &s->config;
	const struct update_config config = {
	    .judge =
	        {
	            .class = c->class,
	            .envelope = c->envelope,
	            .agent_version = GF_VERSION,
	            .keys = c->catalog_keys,
	        },
	    .state_dir = s->state_dir,
	    .catalog_file = s->catalog_file,
	    .catalog = c->catalog,
	    .catalog_digest = c->catalog_digest,
	    .trial_ms = c->catalog_trial_ms,
	    .sync = c->sync,
	};
	const struct update_ops ops = {
	    .fetch = fetch, .fetch_end = fetch_end, .use = use, .applied = applied, .changed = changed, .ctx = s};
	const struct gf_catalog *active = NULL;
	int r = update_open(&config, &ops, now, &s->update, &active, diag);
	if (r == 0 && update_notice(s->update)[0] != '\0')
		gf_log(GF_LOG_WARNING, module, "%s: %s", c->id, update_notice(s->update));
	return r;
}

int station_down_open(struct station *s, struct gf_time now, struct gf_diag *diag)
{
	const struct downlink_ops ops = {.desired = desired, .limits = limit, .stop = stop, .reply = reply, .ctx = s};
	char *path = NULL;
	int r = open_update(s, now, diag);
	if (r != 0)
		return r;
	if (asprintf(&path, "%s/limits", s->state_dir) < 0)
		return -ENOMEM;
	r = downlink_new(s->config.id, path, &ops, &s->downlink);
	free(path);
	return r;
}

/* What the shelf knows of a change is told by it; what it doesn't, as on a machine whose shelf is new, was done by hand. */
int station_down_begin(struct station *s, struct gf_time now)
{
	const struct gf_catalog *active = update_active(s->update);
	const char *name = "";
	s->now = now;
	update_step(s->update, now);
	const uint64_t version = recorder_catalog_version(s->recorder, &name);
	if (version == active->version && strcmp(name, active->name) == 0)
		return 0;
	struct gf_catalog_changed changed = {
	    .version = active->version,
	    .previous_version = version,
	    .cause = GF_CATALOG_CAUSE_BY_HAND,
	    .digest = update_active_digest(s->update),
	};
	gf_strcpy(changed.catalog, sizeof(changed.catalog), active->name);
	return recorder_catalog(s->recorder, &changed, now);
}

void station_down_say_unusable(const struct station *s)
{
	const struct downlink_stats down = downlink_stats(s->downlink);
	const struct update_stats update = update_stats(s->update);
	const uint64_t parts = update.bad_parts + update.stray_parts;

	if (down.bad_desired + down.bad_commands + parts > 0)
		gf_log(GF_LOG_INFO, module,
		       "%s: %llu desired states, %llu commands and %llu parts of catalogs could not be used since it started",
		       s->config.id, (unsigned long long)down.bad_desired, (unsigned long long)down.bad_commands,
		       (unsigned long long)parts);
}

void station_down_close(struct station *s)
{
	downlink_free(s->downlink);
	update_free(s->update);
}
