# agent/spool and agent/recorder: on real files, under a disk that can be cut, filled and made to fail (spool/trap.h).
foreach(name spool spool_crash spool_format spool_restart)
    string(REPLACE spool_ "" file ${name})
    gf_add_test(agent_${name}_test
        SOURCES unit/agent/spool/${file}_test.c unit/agent/spool/model.c unit/agent/spool/trap.c
        LINK ag_spool LABELS unit)
endforeach()
foreach(name recorder recorder_crash recorder_memory)
    gf_add_test(agent_${name}_test
        SOURCES unit/agent/${name}_test.c unit/agent/recorder_rig.c unit/agent/spool/model.c unit/agent/spool/trap.c
        LINK ag_recorder LABELS unit)
endforeach()
# The control core with its recorder.
gf_add_test(agent_power_cycle_test
    SOURCES unit/agent/power_cycle_test.c unit/agent/recorder_rig.c unit/agent/spool/model.c unit/agent/spool/trap.c
    LINK control_rig ag_recorder LABELS unit)
