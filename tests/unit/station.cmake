# agent/: what ties the pure core to disk and network. The clock is the test's, but for the control thread, which has its own.
gf_add_test(agent_uplink_test
    SOURCES unit/agent/uplink_test.c unit/agent/spool/model.c unit/agent/spool/trap.c LINK ag_uplink LABELS unit)
gf_add_test(agent_tick_stats_test SOURCES unit/agent/tick_stats_test.c LINK ag_daemon LABELS unit)
gf_add_test(agent_control_thread_test
    SOURCES unit/agent/control_thread_test.c LINK ag_daemon control_rig LABELS unit thread)
gf_add_test(agent_station_test
    SOURCES unit/agent/station_test.c unit/agent/fake_link.c unit/agent/spool/trap.c LINK ag_station LABELS unit)
target_link_options(agent_station_test PRIVATE -Wl,--wrap=pwrite,--wrap=fdatasync,--wrap=posix_fallocate)
gf_add_test(agent_sim_history_test SOURCES unit/agent/sim/history_test.c LINK ag_fleet gf_catalog_yaml LABELS unit)
