# gateway/rules: what is found and not one moment earlier; the engine against a slow and obvious model of it (model*.c) on random histories (world.c).
set(rules_model unit/gateway/rules/model.c unit/gateway/rules/model_holds.c unit/gateway/rules/model_moments.c unit/gateway/rules/model_worth.c)
gf_add_test(gateway_rules_model_test
    SOURCES unit/gateway/rules/model_test.c ${rules_model} unit/gateway/rules/world.c
    LINK gw_rules LABELS unit)
gf_add_test(gateway_rules_missing_test
    SOURCES unit/gateway/rules/missing_test.c ${rules_model} unit/gateway/rules/world.c
    LINK gw_rules LABELS unit)
foreach(part judge judge_kinds)
    gf_add_test(gateway_rules_${part}_test
        SOURCES unit/gateway/rules/${part}_test.c unit/gateway/rules/desk.c LINK gw_rules LABELS unit)
endforeach()
gf_add_test(gateway_rules_check_test SOURCES unit/gateway/rules/rule_check_test.c LINK gw_rules LABELS unit)
gf_add_test(gateway_rules_yaml_test SOURCES unit/gateway/rules_yaml_test.c LINK gw_rules_yaml LABELS unit)
gf_add_test(gateway_rules_never_test SOURCES unit/gateway/rules_never_test.c LINK gw_rules_yaml LABELS unit)
gf_add_test(gateway_rules_flag_test SOURCES unit/gateway/rules/flag_test.c LINK gw_rules LABELS unit)
gf_add_alloc_test(gateway_rules_memory_test
    SOURCES unit/gateway/rules/memory_test.c unit/gateway/rules/world.c LINK gw_rules_yaml LABELS unit)
gf_add_fuzzer(rules_yaml_fuzz SOURCES fuzz/rules_yaml_fuzz.c LINK gw_rules_yaml)
