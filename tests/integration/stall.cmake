# What a test can do to a daemon from outside: hold its disk up, stop its threads. The preloaded library is no part of us: no sanitizer.
add_library(stall_disk SHARED integration/stall_disk.c)
target_include_directories(stall_disk PRIVATE ${CMAKE_SOURCE_DIR})
target_compile_definitions(stall_disk PRIVATE _GNU_SOURCE)
target_compile_options(stall_disk PRIVATE -Wall -Wextra -Werror)
target_link_libraries(stall_disk PRIVATE ${CMAKE_DL_LIBS})
set_target_properties(stall_disk PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
gf_add_library(it_stall SOURCES integration/stall.c LINK it_harness gf_base PkgConfig::CMOCKA)
target_compile_definitions(it_stall PRIVATE GF_BINARY_DIR="${CMAKE_BINARY_DIR}")

gf_add_test(stall_test SOURCES integration/stall_test.c LINK it_stall it_fleet LABELS integration)
add_dependencies(stall_test stall_disk gymfleet-agent gymfleet-gateway gymfleet)

gf_add_test(dead_man_test SOURCES integration/dead_man_test.c integration/dead_man_kinds.c
    LINK it_fleet driver_fake_sysfs slave_rig LABELS integration)
add_dependencies(dead_man_test gymfleet-agent gymfleet-watcher gymfleet)

gf_add_test(stop_test SOURCES integration/stop_test.c LINK it_stall it_fleet slave_rig LABELS integration)
add_dependencies(stop_test stall_disk gymfleet-agent gymfleet)
