gf_add_test(where_test SOURCES unit/gateway/api/where_test.c LINK gw_where LABELS unit)
gf_add_fuzzer(where_fuzz SOURCES fuzz/where_fuzz.c LINK gw_where)
if(TARGET gw_api)
    gf_add_test(api_test
        SOURCES unit/gateway/api/api_test.c unit/gateway/api/server.c unit/gateway/store/fixture.c
        LINK gw_api LABELS unit thread)
endif()
