gf_add_library(ag_catalog SOURCES
    catalog/fetch.c catalog/fits.c catalog/judge.c catalog/shelf.c catalog/shelf_state.c
    LINK ag_control gf_catalog_codec gf_catalog_sign gf_base)
