gf_add_library(gf_link_config SOURCES link_config.c LINK gf_yaml gf_link gf_base)
