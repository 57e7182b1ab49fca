gf_add_library(gw_store
    SOURCES
        store/sqlite/chain.c store/sqlite/db.c store/sqlite/device.c store/sqlite/event.c store/sqlite/fault.c store/sqlite/heartbeat.c
        store/sqlite/maintain.c store/sqlite/names.c store/sqlite/read_audit.c store/sqlite/read_devices.c
        store/sqlite/read_history.c store/sqlite/read_stats.c store/sqlite/read_usage.c store/sqlite/report.c
        store/sqlite/rollup.c
        store/sqlite/schema.c store/sqlite/session.c store/sqlite/status.c store/sqlite/store.c
    LINK gf_codec gf_base PkgConfig::SQLITE Threads::Threads)
