gf_add_test(proto_link_box_test SOURCES unit/proto/link_box_test.c LINK gf_link LABELS unit)

# The rest of the link is the test's: link_rig.c stands in for Paho, the probe, the certificates, the clock and the randomness.
function(gf_add_link_test name)
    gf_add_alloc_test(proto_link_${name}_test
        SOURCES unit/proto/link_${name}_test.c unit/proto/link_rig.c LINK gf_link LABELS unit)
    target_link_options(proto_link_${name}_test PRIVATE -Wl,--wrap=gf_rand_bytes,--wrap=clock_gettime)
endfunction()
foreach(name state backoff stop traffic watch random)
    gf_add_link_test(${name})
endforeach()
