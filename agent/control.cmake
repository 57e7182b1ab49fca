gf_add_library(ag_control SOURCES
    control/control.c control/control_events.c control/control_panel.c control/duty.c control/envelope.c
    control/sensors.c control/sitting.c control/player.c control/guard.c control/clamp.c control/fault_rules.c
    control/faults.c control/panel.c control/session.c control/tally.c control/meter.c control/telemetry.c
    control/memory.c control/holder.c
    LINK gf_catalog gf_base m)
gf_add_library(ag_tick SOURCES tick.c tick_stats.c LINK ag_control)
