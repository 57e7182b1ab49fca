# gateway/wear: how much of its life each part has behind it, and when service is due. Pure.
gf_add_library(gw_wear SOURCES wear/wear.c LINK gf_base m)
