add_library(driver_contract STATIC unit/agent/driver/contract.c)
target_link_libraries(driver_contract PRIVATE gf_flags PUBLIC gf_base PkgConfig::CMOCKA)
gf_add_test(agent_sim_contract_test SOURCES unit/agent/sim/sim_contract_test.c LINK driver_contract ag_sim LABELS unit)

add_library(modbus_rig STATIC unit/agent/driver/modbus_rig.c)
target_link_libraries(modbus_rig PRIVATE gf_flags PUBLIC driver_contract slave_rig ag_modbus PkgConfig::CMOCKA)
gf_add_test(agent_modbus_contract_test SOURCES unit/agent/driver/modbus_contract_test.c
    LINK modbus_rig LABELS unit thread)
gf_add_test(agent_modbus_regs_test SOURCES unit/agent/driver/modbus_regs_test.c LINK ag_modbus LABELS unit)
gf_add_test(agent_newest_test SOURCES unit/agent/driver/newest_test.c LINK ag_driver LABELS unit thread)
gf_add_test(agent_modbus_open_test SOURCES unit/agent/driver/modbus_open_test.c LINK modbus_rig LABELS unit thread)
gf_add_test(agent_modbus_test SOURCES unit/agent/driver/modbus_test.c LINK modbus_rig LABELS unit thread)
gf_add_test(agent_modbus_wire_test SOURCES unit/agent/driver/modbus_wire_test.c LINK modbus_rig LABELS unit thread)
gf_add_test(agent_modbus_bus_test SOURCES unit/agent/driver/modbus_bus_test.c LINK modbus_rig LABELS unit)
