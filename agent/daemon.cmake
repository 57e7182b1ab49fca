gf_add_library(ag_scenario SOURCES sim/scenario.c sim/sim_yaml.c LINK ag_sim gf_link_config)
gf_add_library(ag_daemon SOURCES
    config.c config_subjects.c config_sim.c config_modbus.c config_sysfs.c check.c check_catalog.c
    check_system.c driver_open.c own.c safe.c control_thread.c resident.c
    LINK ag_station ag_scenario ag_modbus ag_sysfs ag_rt_thread ag_tick gf_catalog_codec gf_catalog_key gf_subject gf_keys_config gf_link_config Threads::Threads)
gf_add_program(gymfleet-agent SOURCES main.c LINK ag_daemon gf_service)
add_dependencies(gymfleet-agent gymfleet-watcher) # which it starts

gf_add_library(ag_fleet SOURCES sim/fleet.c sim/fleet_live.c sim/machine.c sim/pace.c
    LINK ag_station ag_scenario ag_tick gf_service)
gf_add_program(gymfleet-sim SOURCES sim/main.c LINK ag_fleet gf_catalog_codec gf_catalog_key)
