add_library(unit_shipped STATIC unit/proto/certs.c unit/proto/shipped.c)
target_link_libraries(unit_shipped PRIVATE gf_flags PkgConfig::CMOCKA PUBLIC gf_base PkgConfig::OPENSSL)
target_compile_definitions(unit_shipped PRIVATE GF_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
gf_add_test(proto_link_config_test SOURCES unit/proto/link_config_test.c LINK unit_shipped gf_link_config LABELS unit)
foreach(name config config_keys config_modbus config_sysfs)
    gf_add_alloc_test(agent_${name}_test
        SOURCES unit/agent/${name}_test.c unit/agent/config_rig.c LINK unit_shipped ag_daemon LABELS unit)
endforeach()
gf_add_alloc_test(agent_scenario_test SOURCES unit/agent/sim/scenario_test.c LINK unit_shipped ag_scenario LABELS unit)
gf_add_test(agent_fleet_agents_test SOURCES unit/agent/sim/fleet_agents_test.c
    LINK unit_shipped ag_fleet ag_daemon LABELS unit)
gf_add_alloc_test(gateway_config_test SOURCES unit/gateway/config_test.c unit/gateway/config_rig.c LINK unit_shipped gw_daemon LABELS unit)
