# Tests in which memory runs out at each of our own allocations, one after the other.
function(gf_add_alloc_test name)
    gf_add_test(${name} ${ARGN})
    target_sources(${name} PRIVATE unit/proto/alloc_fail.c)
    target_link_options(${name} PRIVATE
        -Wl,--wrap=malloc,--wrap=calloc,--wrap=reallocarray,--wrap=strdup,--wrap=asprintf)
endfunction()

foreach(name err clock rand crc32c text pack date)
    gf_add_test(proto_base_${name}_test SOURCES unit/proto/base/${name}_test.c LINK gf_base LABELS unit)
endforeach()
# The calls that a replacement stands on are watched, and made to fail.
gf_add_test(proto_base_file_test SOURCES unit/proto/base/file_test.c LINK gf_base LABELS unit)
target_link_options(proto_base_file_test PRIVATE -Wl,--wrap=write,--wrap=read,--wrap=fsync,--wrap=rename)
gf_add_test(proto_base_log_test SOURCES unit/proto/base/log_test.c LINK gf_base Threads::Threads LABELS unit thread)
gf_add_test(proto_base_spsc_test SOURCES unit/proto/base/spsc_test.c LINK gf_base Threads::Threads LABELS unit thread)
gf_add_test(proto_base_service_test SOURCES unit/proto/base/service_test.c LINK gf_service LABELS unit)
if(SYSTEMD_FOUND)
    target_compile_definitions(proto_base_service_test PRIVATE GF_HAVE_SYSTEMD)
endif()
gf_add_test(proto_base_yaml_test SOURCES unit/proto/base/yaml_test.c LINK gf_yaml LABELS unit)
gf_add_test(proto_base_yaml_file_test SOURCES unit/proto/base/yaml_file_test.c LINK gf_yaml LABELS unit)
gf_add_fuzzer(yaml_fuzz SOURCES fuzz/yaml_fuzz.c LINK gf_yaml)
gf_add_test(proto_base_daemon_test SOURCES unit/proto/base/daemon_test.c LINK gf_service Threads::Threads LABELS unit thread)
