gf_add_test(sim_test SOURCES integration/sim_test.c LINK it_fleet LABELS integration TIMEOUT 180)
add_dependencies(sim_test gymfleet-sim gymfleet-gateway gymfleet)
