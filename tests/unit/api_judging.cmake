# The API's resources of what is judged, cared for and counted.
foreach(part cases flags hostile usage usage_sum wear)
    gf_add_test(api_${part}_test SOURCES unit/gateway/api/${part}_test.c LINK test_api_server LABELS unit thread)
endforeach()
gf_add_fuzzer(body_fuzz SOURCES fuzz/body_fuzz.c LINK gw_api)
