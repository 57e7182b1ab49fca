# gateway/rollout: what happens next in a rollout. The plan is pure (plan*.c, window.c, gate.c); the runner lets it run over the store.
gf_add_library(gw_plan
    SOURCES rollout/rollout.c rollout/window.c rollout/gate.c rollout/plan.c rollout/plan_device.c rollout/plan_wave.c
    LINK gf_codec gf_base m)
gf_add_library(gw_runner SOURCES rollout/runner.c rollout/runner_look.c rollout/runner_order.c LINK gw_store gw_plan gw_zone gf_base Threads::Threads)
