#include "gateway/errands.h"

#include <errno.h>
#include <stdio.h>

#include "gateway/config.h"
#include "proto/base/log.h"

/* ---- what only the running daemon knows ---- */

void errands_tell(struct errands *errands, const struct api_facts *facts)
{
	pthread_mutex_lock(&errands->lock);
	errands->facts = *facts;
	pthread_mutex_unlock(&errands->lock);
}

static void get_facts(void *ctx, struct api_facts *ret_facts)
{
	struct errands *e = ctx;
	pthread_mutex_lock(&e->lock);
	*ret_facts = e->facts;
	pthread_mutex_unlock(&e->lock);
	/* The loop may rest for seconds; how long we are up goes on. */
	ret_facts->up_ms = gf_clock_now(e->clock).mono_ms - e->started_ms;
}

static size_t get_tell_states(void *ctx, struct tell_state *ret_states, size_t max)
{
	struct errands *e = ctx;
	return tell_states(e->tell, ret_states, max);
}

/* ---- machines ---- */

static int set_device(void *ctx, const char *device, const struct store_device_change *change,
                      const struct store_actor *actor, struct gf_diag *diag)
{
	struct errands *e = ctx;
	return store_device_set(e->store, device, change, actor, gf_clock_now(e->clock).wall_ms, diag);
}

/* What is wanted of machines is in the store before the loop, which tells them, is woken. */

static int set_desired(void *ctx, const char *device, const struct gf_desired_limits *limits, const bool *locked,
                       const char *lock_reason, const struct store_actor *actor, struct gf_diag *diag)
{
	struct errands *e = ctx;
	int r =
	    store_desired_set(e->store, device, limits, locked, lock_reason, actor, gf_clock_now(e->clock).wall_ms, diag);
	e->wake(e->wake_ctx);
	return r;
}

static int add_command(void *ctx, const char *device, enum gf_command kind, uint32_t within_ms,
                       const struct store_actor *actor, uint64_t *ret_id, struct gf_diag *diag)
{
	struct errands *e = ctx;
	int r = store_command_add(e->store, device, kind, within_ms, actor, gf_clock_now(e->clock).wall_ms, ret_id, diag);
	e->wake(e->wake_ctx);
	return r;
}

static int add_catalog(void *ctx, const struct store_catalog *catalog, const void *data, size_t len,
                       const struct store_actor *actor, bool *ret_known, struct gf_diag *diag)
{
	struct errands *e = ctx;
	return store_catalog_add(e->store, catalog, data, len, actor, gf_clock_now(e->clock).wall_ms, ret_known, diag);
}

/* ---- rollouts ---- */

static int start_rollout(void *ctx, const struct rollout_spec *spec, const struct store_actor *actor, uint64_t *ret_id,
                         size_t *ret_machines, struct gf_diag *diag)
{
	struct errands *e = ctx;
	return runner_start(e->runner, spec, actor, gf_clock_now(e->clock), ret_id, ret_machines, diag);
}

static int order_rollout(void *ctx, uint64_t id, enum rollout_order order, const struct store_actor *actor,
                         struct gf_diag *diag)
{
	struct errands *e = ctx;
	return runner_order(e->runner, id, order, actor, gf_clock_now(e->clock), diag);
}

/* ---- what needs somebody ---- */

static int ack_flag(void *ctx, uint64_t id, const char *note, bool release, const struct store_actor *actor,
                    struct store_acked *ret_acked, struct gf_diag *diag)
{
	struct errands *e = ctx;
	int r = store_flag_ack(e->store, id, note, release, actor, gf_clock_now(e->clock).wall_ms, ret_acked, diag);
	e->wake(e->wake_ctx);
	return r;
}

static int ack_case(void *ctx, uint64_t id, const char *note, const struct store_actor *actor,
                    struct store_acked *ret_acked, struct gf_diag *diag)
{
	struct errands *e = ctx;
	return store_case_ack(e->store, id, note, actor, gf_clock_now(e->clock).wall_ms, ret_acked, diag);
}

static int clear_case(void *ctx, uint64_t id, const char *note, const struct store_actor *actor, struct gf_diag *diag)
{
	struct errands *e = ctx;
	return store_case_clear(e->store, id, note, actor, gf_clock_now(e->clock).wall_ms, diag);
}

static int report_case(void *ctx, const char *device, const char *text, const struct store_actor *actor,
                       uint64_t *ret_id, struct gf_diag *diag)
{
	struct errands *e = ctx;
	return store_case_report(e->store, device, text, actor, gf_clock_now(e->clock).wall_ms, ret_id, diag);
}

static int set_tag(void *ctx, const char *device, const struct store_tag *tag, const struct store_actor *actor,
                   struct store_tag *ret_before, struct gf_diag *diag)
{
	struct errands *e = ctx;
	int r = store_tag_set(e->store, device, tag, actor, gf_clock_now(e->clock).wall_ms, ret_before, diag);
	e->wake(e->wake_ctx);
	return r;
}

static int add_service(void *ctx, const char *device, enum fact_part part, const char *note,
                       const struct store_actor *actor, struct gf_diag *diag)
{
	struct errands *e = ctx;
	int r = store_service_add(e->store, device, part, note, actor, gf_clock_now(e->clock).wall_ms, diag);
	e->wake(e->wake_ctx);
	return r;
}

static int erase_subject(void *ctx, uint64_t token, const struct store_actor *actor, struct store_erased *ret_erased,
                         struct gf_diag *diag)
{
	struct errands *e = ctx;
	return store_subject_erase(e->store, token, actor, gf_clock_now(e->clock).wall_ms, ret_erased, diag);
}

/* ---- rules ---- */

static int look_at_rules(void *ctx, api_rules_fn look, void *look_ctx)
{
	struct errands *e = ctx;
	return rulebook_look(e->rules, look, look_ctx);
}

static int look_at_new_rules(void *ctx, api_rules_fn look, void *look_ctx)
{
	struct errands *e = ctx;
	return rulebook_look_ahead(e->rules, look, look_ctx);
}

static int note_deed(struct errands *e, const struct store_actor *actor, const char *what, const char *of,
                     const char *detail, struct gf_diag *diag)
{
	int r = store_begin(e->store, diag);
	if (r != 0)
		return r;
	r = store_deed_add(e->store, actor, what, of, detail, gf_clock_now(e->clock).wall_ms, diag);
	if (r == 0)
		return store_commit(e->store, diag);
	store_rollback(e->store);
	return r;
}

/* Who had a file read again. It stands in the store before the file is in force: what can't be audited isn't done. */
struct reload {
	struct errands *errands;
	const struct store_actor *actor;
	const char *path, *what;
};

static int note_reload(void *ctx, size_t count, struct gf_diag *diag)
{
	const struct reload *reload = ctx;
	char deed[32], detail[GF_NAME_MAX];
	(void)snprintf(deed, sizeof(deed), "%s reload", reload->what);
	(void)snprintf(detail, sizeof(detail), "%zu %s", count, reload->what);
	return note_deed(reload->errands, reload->actor, deed, reload->path, detail, diag);
}

static int reload_rules(void *ctx, const struct store_actor *actor, size_t *ret_rules, struct gf_diag *diag)
{
	struct errands *e = ctx;
	struct reload reload = {.errands = e, .actor = actor, .path = e->rules_path, .what = "rules"};
	int r = rulebook_read_noted(e->rules, note_reload, &reload, ret_rules, diag);
	e->wake(e->wake_ctx);
	return r;
}

/* ---- webhooks ---- */

/* `reload` NULL: nobody asked for it by name. */
static int read_webhooks(struct errands *e, struct reload *reload, size_t *ret_webhooks, struct gf_diag *diag)
{
	struct gateway_config *config = NULL;
	int r = gateway_config_load(e->config_path, &config, diag);

	if (r != 0)
		return r == -ENOMEM ? r : -EINVAL;
	if (reload != NULL)
		r = note_reload(reload, config->webhooks_count, diag);
	if (r == 0)
		r = tell_change(e->tell, config->webhooks, config->webhooks_count);
	if (r == 0)
		*ret_webhooks = config->webhooks_count;
	if (r == 0 && sites_digest(config->sites) != sites_digest(e->sites))
		gf_log(GF_LOG_WARNING, "gateway",
		       "the opening hours or time zones in %s have changed; they hold from the next start on", e->config_path);
	gateway_config_free(config);
	return r;
}

int errands_read_webhooks(struct errands *errands, size_t *ret_webhooks, struct gf_diag *diag)
{
	return read_webhooks(errands, NULL, ret_webhooks, diag);
}

static int reload_webhooks(void *ctx, const struct store_actor *actor, size_t *ret_webhooks, struct gf_diag *diag)
{
	struct errands *e = ctx;
	struct reload reload = {.errands = e, .actor = actor, .path = e->config_path, .what = "webhooks"};
	int r = read_webhooks(e, &reload, ret_webhooks, diag);
	e->wake(e->wake_ctx);
	return r;
}

static int retry_webhook(void *ctx, const char *name, const struct store_actor *actor, struct gf_diag *diag)
{
	struct errands *e = ctx;
	if (!tell_retry(e->tell, name))
		return -ENOENT;
	e->wake(e->wake_ctx);
	return note_deed(e, actor, "webhooks retry", name, "", diag);
}

struct api_ops errands_ops(struct errands *errands)
{
	return (struct api_ops){.facts = get_facts,
	                        .device_set = set_device,
	                        .desired_set = set_desired,
	                        .command_add = add_command,
	                        .catalog_add = add_catalog,
	                        .rollout_start = start_rollout,
	                        .rollout_order = order_rollout,
	                        .flag_ack = ack_flag,
	                        .case_ack = ack_case,
	                        .case_clear = clear_case,
	                        .case_report = report_case,
	                        .tag_set = set_tag,
	                        .service_add = add_service,
	                        .subject_erase = erase_subject,
	                        .rules_look = look_at_rules,
	                        .rules_look_ahead = look_at_new_rules,
	                        .rules_reload = reload_rules,
	                        .tell_states = get_tell_states,
	                        .webhooks_reload = reload_webhooks,
	                        .webhook_retry = retry_webhook,
	                        .ctx = errands};
}
