gf_add_library(it_harness SOURCES integration/harness.c integration/client.c
    LINK gf_link gf_base PkgConfig::CMOCKA)
gf_add_library(it_many_certs SOURCES integration/many_certs.c LINK PkgConfig::OPENSSL)
target_compile_definitions(it_harness PRIVATE GF_SOURCE_DIR="${CMAKE_SOURCE_DIR}" GF_BINARY_DIR="${CMAKE_BINARY_DIR}")

gf_add_test(link_test SOURCES integration/link_test.c LINK it_harness LABELS integration thread)
gf_add_test(link_reason_test SOURCES integration/link_reason_test.c LINK it_harness LABELS integration thread)
gf_add_test(acl_test SOURCES integration/acl_test.c LINK it_harness LABELS integration)
add_test(NAME pki_test COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/pki_test.py ${CMAKE_SOURCE_DIR})
set_tests_properties(pki_test PROPERTIES LABELS integration)
