gf_add_test(where_test SOURCES unit/gateway/api/where_test.c LINK gw_where LABELS unit)
if(GF_FUZZ OR EXISTS ${CMAKE_SOURCE_DIR}/tests/fuzz/replay.c)
    gf_add_fuzzer(where_fuzz SOURCES fuzz/where_fuzz.c LINK gw_where)
endif()
