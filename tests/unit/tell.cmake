# gateway/tell
gf_add_test(gateway_store_telling_test
    SOURCES unit/gateway/store/telling_test.c unit/gateway/store/fixture.c
    LINK gw_store gf_base LABELS unit)
