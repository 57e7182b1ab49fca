if(TARGET ag_station AND TARGET ag_sim AND TARGET ag_control)
    gf_add_library(ag_daemon SOURCES config.c control_thread.c tick_stats.c
        LINK ag_station ag_sim ag_control gf_link_config Threads::Threads)
    gf_add_program(gymfleet-agent SOURCES main.c LINK ag_daemon gf_catalog_codec gf_service PkgConfig::UV)
endif()
