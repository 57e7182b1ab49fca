gf_add_test(agent_spool_test
    SOURCES unit/agent/spool/spool_test.c unit/agent/spool/model.c unit/agent/spool/trap.c LINK ag_spool LABELS unit)
gf_add_test(agent_spool_crash_test
    SOURCES unit/agent/spool/crash_test.c unit/agent/spool/model.c unit/agent/spool/trap.c LINK ag_spool LABELS unit)
