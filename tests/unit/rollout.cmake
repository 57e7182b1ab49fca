foreach(part plan fill away order walk gate)
    gf_add_test(gateway_rollout_${part}_test
        SOURCES unit/gateway/rollout/${part}_test.c unit/gateway/rollout/sim.c LINK gw_plan LABELS unit)
endforeach()
foreach(part runner runner_store runner_deaf)
    gf_add_test(gateway_${part}_test
        SOURCES unit/gateway/rollout/${part}_test.c unit/gateway/rollout/runner_rig.c unit/gateway/store/fixture.c
        LINK gw_runner gw_store LABELS unit thread)
endforeach()
gf_add_test(gateway_rollout_scale_test
    SOURCES unit/gateway/rollout/scale_test.c unit/gateway/store/fixture.c LINK gw_runner gw_store LABELS unit)
