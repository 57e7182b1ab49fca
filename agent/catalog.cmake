gf_add_library(ag_catalog SOURCES
    catalog/fetch.c catalog/fits.c catalog/judge.c catalog/shelf.c catalog/shelf_state.c
    catalog/update.c catalog/update_open.c catalog/update_say.c catalog/update_switch.c catalog/update_take.c
    LINK ag_control gf_catalog_codec gf_catalog_sign gf_base)
