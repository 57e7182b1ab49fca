gf_add_library(gw_ingest SOURCES ingest/ingest.c LINK gw_store gf_codec gf_base)
