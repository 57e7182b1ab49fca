gf_add_test(proto_catalog_test SOURCES unit/proto/catalog_test.c LINK gf_catalog LABELS unit)
gf_add_test(proto_subject_test SOURCES unit/proto/subject_test.c LINK gf_subject LABELS unit)
gf_add_test(proto_muscle_test SOURCES unit/proto/muscle_test.c LINK gf_catalog LABELS unit)
gf_add_test(proto_told_test SOURCES unit/proto/told_test.c LINK gf_catalog LABELS unit)
gf_add_test(proto_catalog_yaml_test SOURCES unit/proto/catalog_yaml_test.c LINK gf_catalog_yaml LABELS unit)
gf_add_fuzzer(catalog_yaml_fuzz SOURCES fuzz/catalog_yaml_fuzz.c LINK gf_catalog_yaml)
gf_add_test(proto_catalog_key_test SOURCES unit/proto/catalog_key_test.c LINK gf_catalog_key LABELS unit)
gf_add_test(proto_catalog_sign_test SOURCES unit/proto/catalog_sign_test.c
    LINK gf_catalog_codec gf_catalog_sign PkgConfig::OPENSSL LABELS unit)
gf_add_test(proto_catalog_keyset_test SOURCES unit/proto/catalog_keyset_test.c LINK gf_catalog_sign LABELS unit)
gf_add_test(proto_catalog_manifest_test SOURCES unit/proto/catalog_manifest_test.c LINK gf_catalog_codec LABELS unit)
gf_add_test(cli_catalog_diff_test SOURCES unit/gateway/cli/catalog_diff_test.c LINK gw_cli LABELS unit)
gf_add_test(cli_subject_token_test SOURCES unit/gateway/cli/subject_token_test.c unit/gateway/cli/words.c
    LINK gw_cli LABELS unit)
gf_add_test(cli_catalog_cmd_test
    SOURCES unit/gateway/cli/catalog_cmd_test.c unit/gateway/cli/catalog_rig.c unit/gateway/cli/words.c
    LINK gw_cli LABELS unit)
gf_add_test(cli_catalog_publish_test
    SOURCES unit/gateway/cli/catalog_publish_test.c unit/gateway/cli/catalog_rig.c unit/gateway/cli/words.c
    LINK gw_cli Threads::Threads LABELS unit thread)
gf_add_alloc_test(proto_catalog_memory_test SOURCES unit/proto/catalog_memory_test.c LINK gf_catalog_codec LABELS unit)
gf_add_test(cli_catalog_api_test SOURCES unit/gateway/cli/catalog_api_test.c unit/gateway/cli/words.c
    LINK gw_cli test_api_server LABELS unit thread)
