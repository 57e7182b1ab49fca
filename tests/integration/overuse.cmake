# Overuse, wear and health, with real programs.
gf_add_test(tell_test SOURCES integration/tell_test.c unit/gateway/tell/receiver.c
    LINK it_fleet gw_tell gf_codec PkgConfig::MHD PkgConfig::JANSSON LABELS integration TIMEOUT 300)
add_dependencies(tell_test gymfleet-gateway gymfleet)
gf_add_test(judge_test SOURCES integration/judge_test.c LINK it_fleet PkgConfig::JANSSON LABELS integration TIMEOUT 300)
add_dependencies(judge_test gymfleet-gateway gymfleet gymfleet-agent)
