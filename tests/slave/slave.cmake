# tests/slave: a controller behind Modbus; a tool for tests, not installed. slave.h runs one beside a test.
add_executable(gymfleet-slave slave/main.c slave/controller.c slave/commands.c slave/wire.c slave/frame.c)
target_link_libraries(gymfleet-slave PRIVATE gf_flags ag_sim gf_codec gf_base util m)
add_library(slave_rig STATIC slave/slave.c)
target_link_libraries(slave_rig PRIVATE gf_flags PUBLIC gf_base PkgConfig::CMOCKA)
target_compile_definitions(slave_rig PRIVATE GF_BINARY_DIR="${CMAKE_BINARY_DIR}")
add_dependencies(slave_rig gymfleet-slave)
