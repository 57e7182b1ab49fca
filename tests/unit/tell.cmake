# gateway/tell
gf_add_test(gateway_store_telling_test
    SOURCES unit/gateway/store/telling_test.c unit/gateway/store/fixture.c
    LINK gw_store gf_base LABELS unit)
gf_add_test(gateway_flood_test SOURCES unit/gateway/tell/flood_test.c LINK gw_tell LABELS unit)
gf_add_test(gateway_sign_test SOURCES unit/gateway/tell/sign_test.c LINK gw_tell PkgConfig::OPENSSL LABELS unit)
gf_add_test(gateway_post_test SOURCES unit/gateway/tell/post_test.c LINK gw_tell LABELS unit thread)
gf_add_test(gateway_outbox_test
    SOURCES unit/gateway/tell/outbox_test.c unit/gateway/store/fixture.c
    LINK gw_tell PkgConfig::SQLITE LABELS unit)
gf_add_test(gateway_feed_test SOURCES unit/gateway/tell/feed_test.c LINK gw_feed LABELS unit)
foreach(part hook hook_sum hook_https hook_change)
    gf_add_test(gateway_${part}_test
        SOURCES unit/gateway/tell/${part}_test.c unit/gateway/tell/hook_rig.c unit/gateway/tell/receiver.c unit/gateway/store/fixture.c
        LINK gw_tell PkgConfig::MHD PkgConfig::JANSSON PkgConfig::SQLITE LABELS unit thread)
    target_link_options(gateway_${part}_test PRIVATE -Wl,--wrap=board_took,--wrap=board_passed,--wrap=board_failed)
endforeach()
gf_add_test(gateway_webhooks_yaml_test
    SOURCES unit/gateway/webhooks_yaml_test.c unit/gateway/config_rig.c
    LINK unit_shipped gw_daemon LABELS unit)
gf_add_test(gateway_tell_test
    SOURCES unit/gateway/tell/tell_test.c unit/gateway/store/fixture.c
    LINK gw_tell LABELS unit thread)
gf_add_test(gateway_errands_test
    SOURCES unit/gateway/errands_test.c unit/gateway/store/fixture.c
    LINK unit_shipped gw_errands PkgConfig::SQLITE LABELS unit thread)
