# Every command of the README, run while the demo runs.
add_test(NAME readme_test COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/readme_test.py ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/bin)
set_tests_properties(readme_test PROPERTIES LABELS integration)
