# Only the programs link this: libsystemd stays out of the libraries.
gf_add_library(gf_service SOURCES base/service.c base/daemon.c LINK gf_base PkgConfig::UV)
if(SYSTEMD_FOUND)
    target_compile_definitions(gf_service PRIVATE GF_HAVE_SYSTEMD)
    target_link_libraries(gf_service PRIVATE PkgConfig::SYSTEMD)
endif()
