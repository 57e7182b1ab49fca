# gateway/sites: when and where. calendar.c is pure (days, opening hours); zone.c knows each site's clock, and is the only one that includes
# GLib.
gf_add_library(gw_zone SOURCES sites/zone.c LINK gf_codec gf_base PkgConfig::GLIB)
gf_add_library(gw_calendar SOURCES sites/calendar.c LINK gf_base)
gf_add_library(gw_sites SOURCES sites/sites.c LINK gw_calendar gw_zone gf_base)
