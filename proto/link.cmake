gf_add_library(gf_link SOURCES link.c link_paho.c link_box.c link_cert.c link_probe.c link_reason.c link_signal.c
    link_step.c link_watch.c
    LINK gf_base ${PAHO_AS} PkgConfig::OPENSSL Threads::Threads)
target_include_directories(gf_link PRIVATE ${PAHO_INCLUDE})
