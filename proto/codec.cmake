# The schema, compiled by protoc-c; its code is not ours to polish, so it is built without our warnings.
set(schema_out ${CMAKE_CURRENT_BINARY_DIR}/gymfleet.pb-c.c ${CMAKE_CURRENT_BINARY_DIR}/gymfleet.pb-c.h)
add_custom_command(
    OUTPUT ${schema_out}
    COMMAND ${PROTOC_C} --c_out=${CMAKE_CURRENT_BINARY_DIR} -I ${CMAKE_CURRENT_SOURCE_DIR} gymfleet.proto
    DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/gymfleet.proto
    VERBATIM)
add_library(gf_schema STATIC ${schema_out})
target_compile_options(gf_schema PRIVATE -w)
target_link_libraries(gf_schema PUBLIC PkgConfig::PROTOBUF_C)

gf_add_library(gf_codec
    SOURCES model.c arena.c codec.c codec_wire.c codec_record.c codec_report.c codec_desired.c topic.c
    LINK gf_base gf_schema m)

# Apart from the rest: decoding a catalog checks its routines by the catalog's rules, and its next keys by OpenSSL.
gf_add_library(gf_catalog_codec SOURCES catalog_codec.c catalog_seal.c LINK gf_codec gf_catalog gf_catalog_sign)
