# tests/lint: what can be told from the sources alone. Each script reads the tree, changes nothing, and ends like a test program.
set(lint ${CMAKE_CURRENT_SOURCE_DIR}/lint)
add_test(NAME lint_includes COMMAND ${lint}/includes)
add_test(NAME lint_includes_self_test COMMAND ${lint}/includes --self-test)
add_test(NAME lint_format COMMAND ${lint}/format)
add_test(NAME lint_headers COMMAND ${lint}/headers ${CMAKE_BINARY_DIR})
add_test(NAME lint_analyze COMMAND ${lint}/analyze ${CMAKE_BINARY_DIR})
set_tests_properties(lint_includes lint_includes_self_test lint_format lint_headers PROPERTIES LABELS lint)
set_tests_properties(lint_analyze PROPERTIES LABELS lint)
