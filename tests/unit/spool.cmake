gf_add_test(agent_spool_test
    SOURCES unit/agent/spool/spool_test.c unit/agent/spool/model.c unit/agent/spool/trap.c LINK ag_spool LABELS unit)
