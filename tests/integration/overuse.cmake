# Overuse, wear and health, with real programs.
gf_add_test(tell_test SOURCES integration/tell_test.c unit/gateway/tell/receiver.c
    LINK it_fleet gw_tell gf_codec PkgConfig::MHD PkgConfig::JANSSON LABELS integration TIMEOUT 300)
add_dependencies(tell_test gymfleet-gateway gymfleet)
