foreach(name model topic arena codec codec_wire codec_report golden schema)
    gf_add_test(proto_${name}_test SOURCES unit/proto/${name}_test.c LINK gf_codec LABELS unit)
endforeach()
gf_add_test(proto_catalog_codec_test SOURCES unit/proto/catalog_codec_test.c LINK gf_catalog_codec LABELS unit)
