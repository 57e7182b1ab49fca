gf_add_test(gateway_zone_test SOURCES unit/gateway/sites/zone_test.c LINK gw_zone Threads::Threads LABELS unit thread)
