gf_add_library(gw_where SOURCES api/where.c LINK gf_base m)
