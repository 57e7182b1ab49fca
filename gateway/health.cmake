gf_add_library(gw_health SOURCES health/health.c health/fault.c health/rest.c health/incident.c health/presence.c health/upkeep.c LINK gw_calendar gw_wear gf_codec gf_base)
