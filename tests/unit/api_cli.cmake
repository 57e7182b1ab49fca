gf_add_library(test_api_server SOURCES unit/gateway/api/server.c unit/gateway/api/starter.c unit/gateway/store/fixture.c
    LINK gw_errands PkgConfig::CMOCKA)
gf_add_test(where_test SOURCES unit/gateway/api/where_test.c LINK gw_where LABELS unit)
gf_add_test(rollout_spec_test SOURCES unit/gateway/api/rollout_spec_test.c LINK gw_rollout_spec LABELS unit)
gf_add_test(select_test SOURCES unit/gateway/api/select_test.c LINK gw_api LABELS unit)
gf_add_fuzzer(rollout_spec_fuzz SOURCES fuzz/rollout_spec_fuzz.c LINK gw_rollout_spec)
gf_add_test(actor_test SOURCES unit/gateway/api/actor_test.c LINK gw_api LABELS unit)
gf_add_fuzzer(where_fuzz SOURCES fuzz/where_fuzz.c LINK gw_where)
gf_add_test(api_test
    SOURCES unit/gateway/api/api_test.c
    LINK test_api_server LABELS unit thread)
gf_add_test(api_unknown_test
    SOURCES unit/gateway/api/unknown_test.c
    LINK test_api_server LABELS unit thread)
gf_add_test(api_connection_test
    SOURCES unit/gateway/api/connection_test.c
    LINK test_api_server LABELS unit thread)
gf_add_test(api_peers_test
    SOURCES unit/gateway/api/peers_test.c
    LINK test_api_server LABELS unit thread)
gf_add_test(api_wishes_test
    SOURCES unit/gateway/api/wishes_test.c unit/gateway/api/signed.c
    LINK test_api_server LABELS unit thread)
gf_add_test(api_rollouts_test
    SOURCES unit/gateway/api/rollouts_test.c unit/gateway/api/signed.c
    LINK test_api_server LABELS unit thread)
gf_add_test(cli_help_test SOURCES unit/gateway/cli/help_test.c unit/gateway/cli/words.c LINK gw_cli LABELS unit)
gf_add_test(cli_when_test SOURCES unit/gateway/cli/when_test.c LINK gw_cli LABELS unit)
gf_add_test(cli_local_test SOURCES unit/gateway/cli/local_test.c LINK gw_cli LABELS unit)
gf_add_test(cli_writer_test SOURCES unit/gateway/cli/writer_test.c LINK gw_cli LABELS unit)
gf_add_test(cli_test
    SOURCES unit/gateway/cli/cli_test.c unit/gateway/cli/words.c
    LINK gw_cli test_api_server LABELS unit)
gf_add_test(cli_events_test
    SOURCES unit/gateway/cli/events_test.c unit/gateway/cli/words.c
    LINK gw_cli test_api_server PkgConfig::SQLITE LABELS unit thread)
target_link_options(cli_events_test PRIVATE -Wl,--wrap=nanosleep)
foreach(part rollout rollout_watch)
    gf_add_test(cli_${part}_test
        SOURCES unit/gateway/cli/${part}_test.c unit/gateway/cli/rollout_rig.c unit/gateway/cli/words.c unit/gateway/cli/canned.c
        LINK gw_cli gw_api gw_plan LABELS unit)
endforeach()
foreach(part overuse care health usage export narrow)
    gf_add_test(cli_${part}_test
        SOURCES unit/gateway/cli/${part}_test.c unit/gateway/cli/play.c unit/gateway/cli/words.c unit/gateway/cli/canned.c
        LINK gw_cli LABELS unit)
endforeach()
gf_add_test(cli_export_file_test SOURCES unit/gateway/cli/export_file_test.c LINK gw_cli LABELS unit)
target_link_options(cli_export_file_test PRIVATE -Wl,--wrap=flock)
gf_add_test(cli_stop_test
    SOURCES unit/gateway/cli/stop_test.c unit/gateway/cli/words.c unit/gateway/cli/canned.c
    LINK gw_cli LABELS unit)
gf_add_test(api_device_health_test SOURCES unit/gateway/api/device_health_test.c LINK gw_api LABELS unit)
gf_add_test(api_status_test
    SOURCES unit/gateway/api/status_test.c
    LINK test_api_server LABELS unit thread)
gf_add_test(needs_test SOURCES unit/gateway/api/needs_test.c LINK gw_api LABELS unit)
gf_add_test(device_row_test SOURCES unit/gateway/api/device_row_test.c LINK gw_api LABELS unit)
