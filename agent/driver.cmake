# agent/driver: hardware, one library for each kind; README.md there says how to write one.
#
#     sysfs ──> sysfs_pwm, gpio: in the tick;  sysfs_keeper ──> sysfs_sensors, watch: a thread of its own
#     watch ══pipe, page══> gymfleet-watcher: the dead man of hardware that has none
#
#     modbus ──newest order──> modbus_io (a thread) ──> modbus_bus ──> controller, which is its own dead man
#     modbus <──newest reading──┘
gf_add_library(ag_driver SOURCES driver/findings.c driver/newest.c LINK gf_base)
gf_add_library(ag_rt_thread SOURCES rt_thread.c LINK gf_base Threads::Threads)
gf_add_library(ag_sysfs SOURCES
    driver/sysfs.c driver/sysfs_check.c driver/sysfs_keeper.c driver/sysfs_pwm.c driver/sysfs_sensors.c driver/gpio.c
    driver/watch.c
    LINK ag_driver ag_rt_thread gf_codec gf_base PkgConfig::GPIOD Threads::Threads m)
gf_add_program(gymfleet-watcher SOURCES watcher/main.c)
gf_add_library(ag_modbus SOURCES
    driver/modbus.c driver/modbus_io.c driver/modbus_greet.c driver/modbus_bus.c driver/modbus_regs.c
    LINK ag_driver ag_rt_thread gf_codec gf_base PkgConfig::MODBUS Threads::Threads m)
