gf_add_test(gateway_zone_test SOURCES unit/gateway/sites/zone_test.c LINK gw_zone Threads::Threads LABELS unit thread)
gf_add_test(gateway_calendar_test SOURCES unit/gateway/sites/calendar_test.c LINK gw_sites LABELS unit)
gf_add_test(gateway_calendar_model_test SOURCES unit/gateway/sites/calendar_model_test.c LINK gw_sites LABELS unit)
gf_add_test(gateway_sites_test SOURCES unit/gateway/sites/sites_test.c LINK gw_sites LABELS unit)
