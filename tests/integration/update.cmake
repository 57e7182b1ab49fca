# New routines over the air, end to end.
gf_add_library(it_rogue SOURCES integration/rogue.c LINK it_harness gf_catalog_key gf_catalog_codec gf_codec PkgConfig::CMOCKA)
gf_add_test(attack_test SOURCES integration/attack_test.c LINK it_rogue it_fleet it_machine LABELS integration)
add_dependencies(attack_test gymfleet-agent gymfleet)
gf_add_library(it_store_number SOURCES integration/store_number.c LINK it_harness PkgConfig::SQLITE PkgConfig::CMOCKA)
# Preloaded into the simulator, no part of us: no sanitizer.
add_library(quick_disk SHARED integration/quick_disk.c)
target_compile_options(quick_disk PRIVATE -Wall -Wextra -Werror)
set_target_properties(quick_disk PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
gf_add_test(rollout_fleet_test SOURCES integration/rollout_fleet_test.c LINK it_fleet it_machine it_many_certs it_store_number
    LABELS integration)
target_compile_definitions(rollout_fleet_test PRIVATE GF_BINARY_DIR="${CMAKE_BINARY_DIR}")
# A thousand machines on 50 ticks a second each are a load of their own: another has to wait meanwhile.
set_tests_properties(rollout_fleet_test PROPERTIES PROCESSORS 2)
add_dependencies(rollout_fleet_test quick_disk gymfleet-sim gymfleet-gateway gymfleet)
gf_add_library(it_gym SOURCES integration/gym.c
    LINK it_fleet it_machine it_many_certs it_store_number gf_catalog_sign PkgConfig::CMOCKA)
foreach(part rollout rollout_ways)
    gf_add_test(${part}_test SOURCES integration/${part}_test.c LINK it_gym LABELS integration)
    add_dependencies(${part}_test gymfleet-gateway gymfleet)
endforeach()
