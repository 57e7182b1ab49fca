foreach(part wish_catalog wish_desired wish_answer wish_command wish_failure)
    gf_add_test(gateway_store_${part}_test
        SOURCES unit/gateway/store/${part}_test.c unit/gateway/store/wish_rig.c unit/gateway/store/fixture.c
        LINK gw_store gf_base LABELS unit)
endforeach()
foreach(part audit care failure history hour_meter incident life life_model limit presence report rollup)
    gf_add_test(gateway_store_${part}_test
        SOURCES unit/gateway/store/${part}_test.c unit/gateway/store/fixture.c
        LINK gw_store gf_base LABELS unit)
endforeach()
target_sources(gateway_store_life_model_test PRIVATE unit/gateway/store/life_machine.c)

foreach(part ingest refusal)
    gf_add_test(gateway_${part}_test
        SOURCES unit/gateway/ingest/${part}_test.c unit/gateway/ingest/feed.c unit/gateway/store/fixture.c
        LINK gw_ingest LABELS unit)
endforeach()
target_link_options(gateway_refusal_test PRIVATE -Wl,--wrap=store_begin,--wrap=store_commit)
gf_add_test(gateway_steady_test SOURCES unit/gateway/steady_test.c LINK gw_daemon LABELS unit)
foreach(part health fault incident rest presence upkeep)
    string(REPLACE health_health health name health_${part})
    gf_add_test(gateway_${name}_test SOURCES unit/gateway/health/${part}_test.c unit/gateway/health/facts.c LINK gw_health LABELS unit)
endforeach()
foreach(part downlink downlink_loss)
    gf_add_test(gateway_${part}_test
        SOURCES unit/gateway/${part}_test.c unit/gateway/downlink_rig.c unit/gateway/store/wish_rig.c unit/gateway/store/fixture.c
        LINK gw_daemon gw_store PkgConfig::SQLITE LABELS unit)
endforeach()
