# agent/catalog: real files, on a disk that stops, loses what was not synced and runs full (catalog/disk.h); the clock is the test's.
add_library(catalog_rig STATIC unit/agent/catalog/rig.c unit/agent/catalog/disk.c unit/agent/catalog/siege.c)
target_link_libraries(catalog_rig PRIVATE gf_flags PUBLIC ag_catalog PkgConfig::CMOCKA)
target_link_options(catalog_rig INTERFACE -Wl,--wrap=write,--wrap=fsync,--wrap=rename,--wrap=unlink)
foreach(part attacks by_hand ends fetch judge memory model orders power shelf trial update)
    gf_add_test(agent_catalog_${part}_test SOURCES unit/agent/catalog/${part}_test.c LINK catalog_rig LABELS unit)
endforeach()
target_link_libraries(agent_catalog_judge_test PRIVATE gf_catalog_yaml)
target_sources(agent_catalog_memory_test PRIVATE unit/proto/alloc_fail.c)
target_link_options(agent_catalog_memory_test PRIVATE
    -Wl,--wrap=malloc,--wrap=calloc,--wrap=reallocarray,--wrap=strdup,--wrap=asprintf)
gf_add_fuzzer(shelf_state_fuzz SOURCES fuzz/shelf_state_fuzz.c LINK ag_catalog)
gf_add_fuzzer(catalog_fetch_fuzz SOURCES fuzz/catalog_fetch_fuzz.c LINK ag_catalog)
