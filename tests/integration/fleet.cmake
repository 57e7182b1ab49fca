gf_add_library(it_fleet SOURCES integration/fleet.c LINK it_harness ag_sim gf_base PkgConfig::JANSSON PkgConfig::CMOCKA)
