# gateway/store: the interface store.h, and behind it one folder for each database. sqlite/: writer.h is what the files of the
# writer share (report.c takes a report apart, session.c, heartbeat.c, fault.c ... each a kind of record, chain.c the odometers, rollup.c
# sums; case*.c what faults come to, hour.c how much each hour, people*.c forgetting, tag.c and service.c what people did, place.c where machines were;
# wish_*.c and deed.c what is wanted of machines and by whom, answer.c what they say to it), reader.h the same for read_*.c; db.h stands between both and SQLite, schema.c holds the migrations. The writer owns the one
# connection that changes anything and lends it to a batch; each reader owns its own.
gf_add_library(gw_store
    SOURCES
        store/sqlite/answer.c store/sqlite/beat_read.c store/sqlite/case.c store/sqlite/case_deed.c store/sqlite/case_read.c store/sqlite/case_reliability.c store/sqlite/chain.c store/sqlite/db.c store/sqlite/deed.c store/sqlite/device.c store/sqlite/event.c store/sqlite/fault.c store/sqlite/heartbeat.c store/sqlite/hour.c store/sqlite/hour_read.c store/sqlite/judging_end.c store/sqlite/judging_fact.c store/sqlite/judging_flag.c store/sqlite/judging_mark.c store/sqlite/life.c store/sqlite/limit.c store/sqlite/people.c store/sqlite/people_age.c store/sqlite/people_words.c store/sqlite/place.c
        store/sqlite/maintain.c store/sqlite/names.c store/sqlite/read_audit.c store/sqlite/read_catalogs.c store/sqlite/read_devices.c store/sqlite/read_flags.c
        store/sqlite/read_history.c store/sqlite/read_machines.c store/sqlite/read_stats.c store/sqlite/read_usage.c store/sqlite/read_usage_machines.c store/sqlite/read_usage_parts.c store/sqlite/read_wishes.c store/sqlite/report.c store/sqlite/row.c
        store/sqlite/rollout.c store/sqlite/rollout_load.c store/sqlite/rollout_read.c store/sqlite/rollout_row.c
        store/sqlite/rollout_save.c store/sqlite/rollup.c
        store/sqlite/schema.c store/sqlite/schema_judging.c store/sqlite/schema_cases.c store/sqlite/schema_tell.c store/sqlite/schema_incidents.c store/sqlite/schema_places.c store/sqlite/service.c store/sqlite/session.c store/sqlite/status.c store/sqlite/store.c store/sqlite/tag.c store/sqlite/telling.c
        store/sqlite/wish_catalog.c store/sqlite/wish_command.c store/sqlite/wish_desired.c
        store/sqlite/incident.c store/sqlite/incident_read.c
        store/sqlite/care_read.c
    LINK gw_rules gw_plan gf_catalog_sign gw_health gw_sites gf_codec gf_base PkgConfig::SQLITE Threads::Threads)
# What rules name, against what is stored.
gf_add_library(gw_routine_doubts SOURCES routine_doubts.c LINK gw_store gw_rules_yaml gf_catalog_codec gf_base)
# What rules go by, against hours and machines; and all of their doubts.
gf_add_library(gw_hours_doubts SOURCES hours_doubts.c LINK gw_rules gw_sites gf_base)
gf_add_library(gw_rule_doubts SOURCES measure_doubts.c rule_doubts.c LINK gw_hours_doubts gw_routine_doubts gw_store gw_rules gw_sites gf_base)
