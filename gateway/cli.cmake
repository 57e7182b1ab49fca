# The client knows the gateway by its API alone. Catalogs are checked and built without it.
gf_add_library(gw_cli SOURCES
    cli/cli.c cli/commands.c cli/findings.c cli/notice.c cli/flag_text.c cli/case_text.c cli/options.c cli/help.c cli/examples.c cli/request.c cli/when.c cli/local.c cli/client.c cli/writer.c cli/writer_table.c cli/text.c
    cli/cmd_status.c cli/cmd_devices.c cli/cmd_device.c cli/cmd_device_trend.c cli/cmd_health.c cli/cmd_sessions.c cli/cmd_usage.c
    cli/usage_heat.c cli/usage_trend.c cli/cmd_faults.c cli/cmd_faults_show.c cli/cmd_device_care.c cli/cmd_wear.c cli/cmd_overuse.c cli/cmd_rules.c cli/cmd_export.c cli/export_file.c
    cli/cmd_subject.c cli/cmd_subject_token.c cli/cmd_audit.c cli/cmd_events.c cli/cmd_device_wish.c cli/cmd_audit_log.c
    cli/cmd_rollout.c cli/cmd_rollout_start.c cli/cmd_rollout_watch.c cli/rollout_text.c cli/cmd_doctor.c cli/cmd_webhooks.c cli/cmd_catalog.c
    cli/cmd_catalog_build.c cli/cmd_catalog_sign.c cli/cmd_catalog_inspect.c cli/cmd_catalog_diff.c cli/cmd_catalog_publish.c
    cli/catalog_file.c cli/catalog_diff.c
    LINK gf_catalog_yaml gf_catalog_codec gf_catalog_key gf_subject gf_base PkgConfig::CURL PkgConfig::JANSSON m)
gf_add_program(gymfleet SOURCES cli/main.c LINK gw_cli)
