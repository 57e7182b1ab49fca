gf_add_test(sim_test SOURCES integration/sim_test.c LINK it_fleet LABELS integration)
add_dependencies(sim_test gymfleet-sim gymfleet-gateway gymfleet)
gf_add_test(sim_update_test SOURCES integration/sim_update_test.c LINK it_fleet gf_catalog_sign gf_codec LABELS integration)
add_dependencies(sim_update_test gymfleet-sim gymfleet)
