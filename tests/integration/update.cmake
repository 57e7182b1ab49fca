# New routines over the air, end to end.
gf_add_library(it_rogue SOURCES integration/rogue.c LINK it_harness gf_catalog_key gf_catalog_codec gf_codec PkgConfig::CMOCKA)
gf_add_test(attack_test SOURCES integration/attack_test.c LINK it_rogue it_fleet it_machine LABELS integration TIMEOUT 300)
add_dependencies(attack_test gymfleet-agent gymfleet)
