# Not tests: figures, printed by tests/bench/run.
foreach(bench load echo)
    add_executable(bench_${bench} bench/${bench}.c)
    target_link_libraries(bench_${bench} PRIVATE gf_flags gf_link gf_codec gf_base)
    set_target_properties(bench_${bench} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endforeach()
add_executable(bench_tick bench/tick.c)
target_link_libraries(bench_tick PRIVATE gf_flags ag_tick)
set_target_properties(bench_tick PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
