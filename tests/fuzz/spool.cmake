gf_add_fuzzer(spool_fuzz SOURCES fuzz/spool_fuzz.c LINK ag_spool)
gf_add_fuzzer(recorder_state_fuzz SOURCES fuzz/recorder_state_fuzz.c LINK ag_recorder)
