gf_add_test(agent_spool_test
    SOURCES unit/agent/spool/spool_test.c unit/agent/spool/model.c unit/agent/spool/trap.c LINK ag_spool LABELS unit)
gf_add_test(agent_spool_crash_test
    SOURCES unit/agent/spool/crash_test.c unit/agent/spool/model.c unit/agent/spool/trap.c LINK ag_spool LABELS unit)
foreach(name recorder recorder_crash)
    gf_add_test(agent_${name}_test
        SOURCES unit/agent/${name}_test.c unit/agent/recorder_rig.c unit/agent/spool/model.c unit/agent/spool/trap.c
        LINK ag_recorder LABELS unit)
endforeach()
