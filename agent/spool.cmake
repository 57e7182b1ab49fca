gf_add_library(ag_spool SOURCES spool/spool.c spool/disk.c spool/drop.c spool/format.c spool/read.c spool/restart.c spool/scan.c LINK gf_codec gf_base)
gf_add_library(ag_uplink SOURCES uplink.c LINK ag_spool gf_codec)
gf_add_library(ag_recorder SOURCES recorder.c recorder_badges.c recorder_open.c recorder_state.c
    LINK ag_control ag_spool gf_codec gf_subject m)
gf_add_library(ag_station SOURCES station.c station_spool.c station_down.c downlink.c limits.c
    LINK ag_recorder ag_uplink ag_catalog gf_link)
