# The programs' main job, each against a real broker, with the other programs real too.
gf_add_library(it_machine SOURCES integration/machine.c integration/lab.c integration/disk.c integration/cli_fleet.c
    LINK it_fleet it_harness gf_codec gf_base PkgConfig::CMOCKA)

foreach(job main_job memory report late rest cli_it cli_mistakes cli_catalog bad_start full_disk)
    gf_add_test(${job}_test SOURCES integration/${job}_test.c LINK it_fleet it_machine PkgConfig::SQLITE
        LABELS integration)
    add_dependencies(${job}_test gymfleet-agent gymfleet-gateway gymfleet)
endforeach()
gf_add_test(safety_test SOURCES integration/safety_test.c LINK it_fleet slave_rig LABELS integration)
add_dependencies(safety_test gymfleet-agent gymfleet-gateway gymfleet gymfleet-slave)
# Daemons, link and API with all their threads: once more under TSan.
set_property(TEST main_job_test cli_it_test APPEND PROPERTY LABELS thread)
add_dependencies(thread_tests main_job_test cli_it_test)
gf_add_test(downlink_test SOURCES integration/downlink_test.c LINK it_fleet it_machine gw_store gf_catalog_sign
    LABELS integration)
add_dependencies(downlink_test gymfleet-gateway gymfleet)
