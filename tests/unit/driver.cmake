add_library(driver_contract STATIC unit/agent/driver/contract.c)
target_link_libraries(driver_contract PRIVATE gf_flags PUBLIC gf_base PkgConfig::CMOCKA)
gf_add_test(agent_sim_contract_test SOURCES unit/agent/sim/sim_contract_test.c LINK driver_contract ag_sim LABELS unit)
