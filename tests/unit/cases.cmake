# Cases, service, hours, people: gateway/store/cases.h
foreach(part case case_deed case_reliability hour people people_age service)
    gf_add_test(gateway_store_${part}_test
        SOURCES unit/gateway/store/${part}_test.c unit/gateway/store/case_rig.c unit/gateway/store/wish_rig.c
            unit/gateway/store/fixture.c
        LINK gw_store gf_base Threads::Threads LABELS unit)
endforeach()
set_tests_properties(gateway_store_people_test PROPERTIES LABELS "unit;thread")
add_dependencies(thread_tests gateway_store_people_test)
