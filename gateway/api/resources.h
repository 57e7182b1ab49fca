/* The API's handlers, one file for each resource (resource_*.c); api.c has the table of their paths. */
#ifndef GATEWAY_API_RESOURCES_H
#define GATEWAY_API_RESOURCES_H

#include "gateway/api/api.h"
#include "gateway/api/request.h"

void resource_status(struct request *r);
void resource_incidents(struct request *r);
void resource_devices(struct request *r);
void resource_device(struct request *r);
void resource_device_tagged(struct request *r, const struct store_tag *before); /* answers with both */
void resource_device_patch(struct request *r);
void resource_health(struct request *r);
void resource_device_health(struct request *r);
void resource_sessions(struct request *r);
void resource_usage(struct request *r);
void resource_faults(struct request *r);
void resource_fault_occurrences(struct request *r);
void resource_fault(struct request *r);
void resource_fault_ack(struct request *r);
void resource_fault_clear(struct request *r);
void resource_flags(struct request *r);
void resource_one_flag(struct request *r);
void resource_flag_ack(struct request *r);
void resource_reliability(struct request *r);
void resource_device_report(struct request *r);
void resource_device_tag(struct request *r);
void resource_device_untag(struct request *r);
void resource_device_service(struct request *r);
void resource_device_wear(struct request *r);
void resource_device_series(struct request *r);
void resource_wear(struct request *r);
void resource_usage_heat(struct request *r);
void resource_usage_trend(struct request *r);
void resource_heartbeats(struct request *r);
void resource_subject_erase(struct request *r);
void resource_rules(struct request *r);
void resource_rules_reload(struct request *r);
void resource_rules_check(struct request *r);
void resource_audit(struct request *r);
void resource_events(struct request *r);
void resource_doctor(struct request *r);
void resource_webhooks(struct request *r);
void resource_webhooks_reload(struct request *r);
void resource_webhook_retry(struct request *r);
void resource_device_lock(struct request *r);
void resource_device_unlock(struct request *r);
void resource_device_limits(struct request *r);
void resource_device_stop(struct request *r);
void resource_command(struct request *r);
void resource_catalogs(struct request *r);
void resource_catalog_publish(struct request *r);
void resource_audit_log(struct request *r);
void resource_rollouts(struct request *r);
void resource_rollout_start(struct request *r);
void resource_rollout(struct request *r);
void resource_rollout_devices(struct request *r);
void resource_rollout_pause(struct request *r);
void resource_rollout_resume(struct request *r);
void resource_rollout_halt(struct request *r);
void resource_rollout_rollback(struct request *r);

/* What handlers need of the running API. */
const struct api_ops *api_ops_of(const struct api *api);
const char *api_database(const struct api *api);
const struct store *api_store(const struct api *api);
const struct gf_keyset *api_catalog_keys(const struct api *api); /* NULL = none */
const struct sites *api_sites(const struct api *api);            /* NULL = none */

/* Asks to be called again when an event newer than `after` is there, or at wait_until_ms at the latest. */
void request_wait(struct request *r, uint64_t after, unsigned wait_s);

#endif
