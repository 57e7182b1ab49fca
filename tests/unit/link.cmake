gf_add_test(proto_link_box_test SOURCES unit/proto/link_box_test.c LINK gf_link LABELS unit)
