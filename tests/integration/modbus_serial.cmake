# The modbus driver against a controller that shares no code with it. What npm fetches goes into the build's folder, when it is needed.
set(packages ${CMAKE_BINARY_DIR}/npm)
add_test(NAME modbus_serial_packages COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/modbus-serial/install ${packages})
set_tests_properties(modbus_serial_packages PROPERTIES FIXTURES_SETUP modbus_serial LABELS integration)
foreach(wire tcp rtu)
    add_test(NAME modbus_serial_${wire}_test COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/modbus_serial_test.py
        ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/bin ${packages} ${wire})
    # A routine is played in real time, and a controller that stands still for half a second is rightly taken for lost.
    set_tests_properties(modbus_serial_${wire}_test PROPERTIES FIXTURES_REQUIRED modbus_serial LABELS integration
        PROCESSORS 2)
endforeach()
