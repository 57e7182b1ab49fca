# agent/: what ties the pure core to disk and network. The clock is the test's, but for the control thread, which has its own.
gf_add_test(agent_uplink_test
    SOURCES unit/agent/uplink_test.c unit/agent/spool/model.c unit/agent/spool/trap.c LINK ag_uplink LABELS unit)
gf_add_test(agent_tick_test SOURCES unit/agent/tick_test.c LINK ag_tick control_rig LABELS unit)
gf_add_test(agent_tick_stats_test SOURCES unit/agent/tick_stats_test.c LINK ag_tick LABELS unit)
gf_add_test(agent_rt_thread_test SOURCES unit/agent/rt_thread_test.c LINK ag_rt_thread LABELS unit thread)
target_link_options(agent_rt_thread_test PRIVATE -Wl,--wrap=pthread_create)
gf_add_test(agent_control_thread_test
    SOURCES unit/agent/control_thread_test.c unit/agent/hardware.c LINK ag_daemon control_rig LABELS unit thread)
gf_add_test(agent_control_thread_stop_test
    SOURCES unit/agent/control_thread_stop_test.c LINK ag_daemon control_rig LABELS unit thread)
gf_add_test(agent_tick_path_test
    SOURCES unit/agent/tick_path_test.c LINK ag_daemon ag_sim ag_modbus control_rig slave_rig LABELS unit)
target_link_options(agent_tick_path_test PRIVATE
    -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc,--wrap=strdup,--wrap=free
    -Wl,--wrap=pthread_mutex_lock,--wrap=pthread_cond_wait,--wrap=sem_wait)
# Link and disk are the test's: station_rig.c.
function(gf_add_station_test name source)
    gf_add_test(${name} SOURCES unit/agent/${source}.c unit/agent/station_rig.c unit/agent/fake_link.c unit/agent/spool/trap.c
        LINK ag_station LABELS unit)
    target_link_options(${name} PRIVATE -Wl,--wrap=pwrite,--wrap=fdatasync,--wrap=posix_fallocate)
endfunction()
gf_add_station_test(agent_station_test station_test)
gf_add_station_test(agent_station_stop_test station_stop_test)
gf_add_station_test(agent_station_down_test station_down_test)
gf_add_station_test(agent_badges_test badges_test)
target_sources(agent_station_down_test PRIVATE unit/agent/signed_catalog.c)
target_link_libraries(agent_station_down_test PRIVATE gf_catalog_codec gf_catalog_sign)
gf_add_test(agent_sim_history_test SOURCES unit/agent/sim/history_test.c LINK ag_fleet gf_catalog_yaml LABELS unit)
gf_add_test(agent_limits_file_test SOURCES unit/agent/limits_test.c LINK ag_station LABELS unit)
gf_add_test(agent_downlink_test SOURCES unit/agent/downlink_test.c LINK ag_station LABELS unit)
