gf_add_library(gw_where SOURCES api/where.c api/where_token.c api/where_literal.c LINK gf_base m)
gf_add_library(gw_rollout_spec SOURCES api/rollout_spec.c LINK gf_base PkgConfig::JANSSON m)
gf_add_library(gw_api SOURCES
    api/api.c api/peers.c api/readers.c api/socket.c api/actor.c api/route.c api/request.c api/page.c api/unknown.c api/body.c api/flag_row.c api/fleet.c api/opening.c api/device_row.c api/device_health.c api/device_field.c api/select.c api/needs.c api/incident_row.c api/resource_incidents.c
    api/resource_status.c api/resource_devices.c api/resource_sessions.c api/resource_usage.c
    api/resource_faults.c api/resource_audit.c api/resource_events.c api/resource_webhooks.c api/resource_doctor.c
    api/resource_catalogs.c api/resource_wishes.c api/resource_deeds.c api/rollout_json.c api/resource_rollouts.c
    api/resource_flags.c api/case_row.c api/resource_occurrences.c api/resource_reliability.c api/resource_service.c
    api/wear_row.c api/resource_wear.c api/resource_usage_time.c api/resource_heartbeats.c api/resource_series.c api/resource_rules.c api/resource_subjects.c
    LINK gw_where gw_rollout_spec gw_feed gw_store gw_plan gw_health gw_sites gw_rules gw_rules_yaml gw_rule_doubts gw_wear gf_catalog_codec gf_catalog_sign gf_codec gf_base PkgConfig::MHD PkgConfig::JANSSON Threads::Threads m)
