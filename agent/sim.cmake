# agent/sim: machines that aren't there, behind the same driver interface as real ones.
#
#     scenario.yaml ──> scenario ──> fleet ──> machine (one each: sim_driver, control core, station)      gymfleet-sim
#     sim_driver: users (who presses what) ──> panel;  output ──> physics ──> sensors;  motor time ──> journal
#
# Each machine owns its driver, control core and station; the driver owns its journal, the hardware's hour meter, which outlives a
# kill -9 and to which the fleet's store must add up. All chance comes from the scenario's seed, all time is an argument: the same
# seed and times give the same bytes.
gf_add_library(ag_sim SOURCES sim/sim_driver.c sim/physics.c sim/users.c sim/journal.c LINK ag_driver gf_codec gf_base m)
