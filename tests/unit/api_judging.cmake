# The API's resources of what is judged, cared for and counted.
set(api_server unit/gateway/api/server.c unit/gateway/api/starter.c unit/gateway/store/fixture.c)
foreach(part cases flags hostile usage wear)
    gf_add_test(api_${part}_test SOURCES unit/gateway/api/${part}_test.c ${api_server} LINK gw_api LABELS unit thread)
endforeach()
gf_add_fuzzer(body_fuzz SOURCES fuzz/body_fuzz.c LINK gw_api)
