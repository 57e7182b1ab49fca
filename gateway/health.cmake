gf_add_library(gw_health SOURCES health/health.c health/fault.c health/rest.c LINK gf_codec gf_base)
