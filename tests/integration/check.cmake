gf_add_test(check_test SOURCES integration/check_test.c LINK it_fleet driver_fake_sysfs slave_rig ag_station LABELS integration)
add_dependencies(check_test gymfleet-agent gymfleet-watcher gymfleet gymfleet-slave)
