# gateway/judge
foreach(part rules order runner change part move site clock)
    gf_add_test(gateway_judge_${part}_test
        SOURCES unit/gateway/judge/${part}_test.c unit/gateway/judge/judge_rig.c unit/gateway/store/fixture.c
        LINK gw_judge gw_rules_yaml gw_ingest LABELS unit)
endforeach()
foreach(part judging judging_flag place)
    gf_add_test(gateway_store_${part}_test
        SOURCES unit/gateway/store/${part}_test.c unit/gateway/store/judging_rig.c unit/gateway/store/fixture.c
        LINK gw_store gf_base LABELS unit)
endforeach()
gf_add_test(gateway_routine_doubts_test
    SOURCES unit/gateway/routine_doubts_test.c unit/gateway/api/signed.c unit/gateway/store/fixture.c
    LINK gw_routine_doubts gw_ingest LABELS unit)
gf_add_test(gateway_rule_doubts_test
    SOURCES unit/gateway/rule_doubts_test.c unit/gateway/store/fixture.c LINK gw_rule_doubts gw_ingest LABELS unit)
gf_add_test(gateway_hours_doubts_test
    SOURCES unit/gateway/hours_doubts_test.c LINK gw_hours_doubts gw_rules_yaml LABELS unit)
gf_add_test(gateway_rulebook_test
    SOURCES unit/gateway/rulebook_test.c unit/gateway/store/fixture.c LINK gw_daemon LABELS unit)
