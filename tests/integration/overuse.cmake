# Overuse, wear and health, with real programs.
gf_add_test(tell_test SOURCES integration/tell_test.c unit/gateway/tell/receiver.c
    LINK it_fleet gw_tell gf_codec PkgConfig::MHD PkgConfig::JANSSON LABELS integration)
add_dependencies(tell_test gymfleet-gateway gymfleet)
gf_add_test(judge_test SOURCES integration/judge_test.c LINK it_fleet PkgConfig::JANSSON LABELS integration)
add_dependencies(judge_test gymfleet-gateway gymfleet gymfleet-agent)
gf_add_library(it_listener SOURCES integration/listener.c unit/gateway/tell/receiver.c
    LINK it_harness gw_tell gf_base PkgConfig::MHD PkgConfig::JANSSON PkgConfig::CMOCKA)
foreach(part site outage)
    gf_add_test(${part}_test SOURCES integration/${part}_test.c LINK it_listener it_fleet it_machine PkgConfig::JANSSON
        LABELS integration)
    add_dependencies(${part}_test gymfleet-gateway gymfleet gymfleet-sim)
endforeach()
gf_add_test(two_people_test SOURCES integration/two_people_test.c LINK it_fleet it_machine PkgConfig::JANSSON LABELS integration thread)
add_dependencies(two_people_test gymfleet-gateway gymfleet)
add_dependencies(thread_tests two_people_test)
gf_add_test(other_user_test SOURCES integration/other_user_test.c LINK it_fleet it_machine PkgConfig::JANSSON LABELS integration)
add_dependencies(other_user_test gymfleet-gateway gymfleet)
gf_add_test(forget_test SOURCES integration/forget_test.c LINK it_fleet it_machine PkgConfig::SQLITE PkgConfig::JANSSON
    LABELS integration)
add_dependencies(forget_test gymfleet-gateway gymfleet)
