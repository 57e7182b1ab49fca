gf_add_library(gw_health SOURCES health/health.c LINK gf_codec gf_base)
