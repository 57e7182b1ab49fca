# tests/fuzz: one libFuzzer target for each parser of bytes from outside. corpus/TARGET holds its seeds; without GF_FUZZ replay.c runs
# the target over them and over mutations. A target owns nothing between two inputs.
foreach(name report status ack desired)
    gf_add_fuzzer(${name}_fuzz SOURCES fuzz/${name}_fuzz.c LINK gf_codec gf_base)
endforeach()
gf_add_fuzzer(catalog_fuzz SOURCES fuzz/catalog_fuzz.c LINK gf_catalog_codec gf_base)
gf_add_fuzzer(catalog_sign_fuzz SOURCES fuzz/catalog_sign_fuzz.c LINK gf_catalog_codec gf_catalog_sign gf_base)
