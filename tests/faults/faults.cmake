# tests/faults: the whole fleet (integration/fleet.h) under violence, with a real broker; afterwards the store must tell the truth.
# A test owns its world; the seed is fixed, the order of events isn't.
gf_add_test(kill_test SOURCES faults/kill_test.c LINK it_fleet LABELS faults)
add_dependencies(kill_test gymfleet-agent gymfleet-gateway gymfleet)
