gf_add_library(gf_link_config SOURCES link_config.c LINK gf_yaml gf_link gf_base)
gf_add_library(gf_keys_config SOURCES keys_config.c LINK gf_yaml gf_link_config gf_catalog_key gf_base)
