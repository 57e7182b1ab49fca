gf_add_test(kill_test SOURCES faults/kill_test.c LINK it_fleet LABELS faults SERIAL TIMEOUT 300)
add_dependencies(kill_test gymfleet-agent gymfleet-gateway gymfleet)
