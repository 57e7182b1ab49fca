gf_add_library(ag_sim SOURCES sim/sim_driver.c sim/physics.c sim/users.c sim/journal.c LINK gf_codec gf_base m)
