/* Opening the modbus driver on controllers that are not what they should be. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/driver/modbus_io.h"
#include "tests/unit/agent/driver/modbus_rig.h"

static struct modbus_rig rig;

static const struct driver_finding *found(const struct driver_findings *findings, const char *what)
{
	for (size_t i = 0; i < findings->count; i++) {
		if (strcmp(findings->items[i].what, what) == 0)
			return &findings->items[i];
	}
	fail_msg("nothing is said of %s", what);
	return findings->items;
}

static void assert_found(const struct driver_findings *findings, const char *what, enum driver_verdict verdict,
                         const char *text)
{
	const struct driver_finding *finding = found(findings, what);
	assert_string_equal(finding->text, text);
	assert_int_equal(finding->verdict, verdict);
}

/* --- who it is --------------------------------------------------------------------------------------------------- */

static void another_map_version_is_refused(void **state)
{
	(void)state;
	slave_tell(&rig.slave, "version 2");
	modbus_rig_refused(&rig, -EINVAL,
	                   "the controller at %N has register map version 2, this agent knows 1; update gymfleet-agent");
	slave_tell(&rig.slave, "version 0");
	modbus_rig_refused(
	    &rig, -EINVAL,
	    "the controller at %N has register map version 0, this agent knows 1; update the controller's firmware");
}

static void another_class_is_refused(void **state)
{
	(void)state;
	slave_tell(&rig.slave, "class roller");
	modbus_rig_refused(
	    &rig, -EINVAL,
	    "the controller at %N says it is a roller (class 2), agent.yaml says class chair; mend `class` or "
	    "connect the right controller");
}

static void another_serial_number_is_refused(void **state)
{
	(void)state;
	strcpy(rig.config.serial, "GF-0002");
	modbus_rig_refused(&rig, -EINVAL,
	                   "the controller at %N has the serial number 'GF-0001', agent.yaml says 'GF-0002'; mend "
	                   "modbus.serial or connect the right controller");
	strcpy(rig.config.serial, "GF-0001");
	modbus_rig_open(&rig);
}

static void a_device_without_our_map_is_refused(void **state)
{
	(void)state;
	slave_tell(&rig.slave, "refuse 4");
	modbus_rig_refused(
	    &rig, -EPROTO,
	    "the controller at %N: it refused the request when asked who it is; see that it is on, the cable, "
	    "the unit number and the port");
}

static void i5_a_controller_that_stops_too_late_is_refused(void **state)
{
	(void)state;
	slave_tell(&rig.slave, "deadman 1001");
	modbus_rig_refused(
	    &rig, -EINVAL,
	    "the controller at %N stops too long after the last heartbeat (register 0x1F6: 1001 ms), at most "
	    "1000 ms are safe; set its heartbeat timeout to 800 ms");
	slave_tell(&rig.slave, "deadman 0");
	modbus_rig_refused(
	    &rig, -EINVAL,
	    "the controller at %N never stops after the last heartbeat (register 0x1F6: 0 ms), at most 1000 ms "
	    "are safe; set its heartbeat timeout to 800 ms");
	slave_tell(&rig.slave, "deadman 1000");
	modbus_rig_open(&rig);
}

/* --- the self-test ----------------------------------------------------------------------------------------------- */

static void a_controller_that_is_never_ready_is_refused(void **state)
{
	(void)state;
	slave_tell(&rig.slave, "ready off");
	const int64_t begun_ms = mb_now_ms();
	modbus_rig_refused(
	    &rig, -EIO,
	    "the controller at %N isn't ready 3 s after its self-test began and gives no reason (status 0x100); "
	    "switch the machine off and on, else have it looked at");
	assert_true(mb_now_ms() - begun_ms < 6000);
}

static void a_motor_that_nothing_stops_is_refused(void **state)
{
	(void)state;
	slave_tell(&rig.slave, "runaway on");
	modbus_rig_refused(
	    &rig, -EIO,
	    "the controller at %N says that it runs although it was told to stop; pull the machine's plug and "
	    "have it looked at");
}

/* The agent has to run to tell of it. */
static void a_reason_not_to_be_ready_is_for_the_core(void **state)
{
	struct driver_input input;
	(void)state;
	slave_tell(&rig.slave, "inject estop 60000");
	slave_tell(&rig.slave, "fault overpressure");
	modbus_rig_open(&rig);
	assert_int_equal(modbus_rig_tick(&rig, NULL, &input), 0);
	assert_true(input.estop);
	assert_int_equal(input.fault, GF_FAULT_OVERPRESSURE);
}

/* --- nobody there ------------------------------------------------------------------------------------------------ */

static void a_closed_port_is_named(void **state)
{
	struct gf_diag diag;
	struct driver *driver = NULL;
	(void)state;
	rig.config.bus.port = 1;
	assert_int_equal(modbus_driver_new(&rig.config, &driver, &diag), -ECONNREFUSED);
	assert_string_equal(diag.text,
	                    "the controller at 127.0.0.1:1 can't be reached: Connection refused; see that it is on, "
	                    "the cable and the address");
}

/* A port whose queue is full: who knocks hears nothing. */
static void a_host_that_says_nothing_is_named(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct gf_diag diag;
	struct driver *driver = NULL;
	int waiting[3];
	(void)state;
	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 0), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	for (size_t i = 0; i < 3; i++) {
		waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)!connect(waiting[i], (struct sockaddr *)&at, sizeof(at));
	}
	rig.config.bus.port = ntohs(at.sin_port);
	assert_int_equal(modbus_driver_new(&rig.config, &driver, &diag), -ETIMEDOUT);
	assert_non_null(strstr(diag.text, " can't be reached: no answer; see that it is on, the cable and the address"));
	for (size_t i = 0; i < 3; i++)
		close(waiting[i]);
	close(listener);
}

static void an_unknown_host_is_named(void **state)
{
	struct gf_diag diag;
	struct driver *driver = NULL;
	(void)state;
	strcpy(rig.config.bus.host, "no-such-controller.invalid");
	assert_int_equal(modbus_driver_new(&rig.config, &driver, &diag), -EHOSTUNREACH);
	assert_non_null(strstr(diag.text, "the controller's address 'no-such-controller.invalid' can't be found ("));
	assert_non_null(strstr(diag.text, "); mend modbus.host or write its number"));
}

static void a_missing_device_is_named(void **state)
{
	struct gf_diag diag;
	struct driver *driver = NULL;
	(void)state;
	strcpy(rig.config.bus.device, "/dev/no-such-line");
	assert_int_equal(modbus_driver_new(&rig.config, &driver, &diag), -ENOENT);
	assert_string_equal(diag.text,
	                    "the serial line /dev/no-such-line can't be opened: No such file or directory; see that its "
	                    "adapter is plugged in and modbus.device");
}

static void what_is_no_serial_line_is_named(void **state)
{
	struct gf_diag diag;
	struct driver *driver = NULL;
	(void)state;
	strcpy(rig.config.bus.device, "/dev/null");
	assert_int_equal(modbus_driver_new(&rig.config, &driver, &diag), -ENOTTY);
	assert_string_equal(diag.text, "/dev/null is no serial line; mend modbus.device");
}

static void another_unit_does_not_answer(void **state)
{
	(void)state;
	rig.config.bus.unit = 7;
	modbus_rig_refused(
	    &rig, -ETIMEDOUT,
	    "the controller at %N: no answer when told to stop; see that it is on, the cable, the unit number "
	    "and the speed and parity");
}

/* --- --check ----------------------------------------------------------------------------------------------------- */

static void a_check_says_what_is_there(void **state)
{
	struct driver_findings findings = {0};
	(void)state;
	slave_tell(&rig.slave, "sensor motor_temp_c 31.5");
	slave_tell(&rig.slave, "sensor surface_temp_c none");
	modbus_rig_open(&rig);
	rig.driver->ops->check(rig.driver, &findings);
	assert_found(&findings, "controller", DRIVER_FINE, "map version 1, class chair, serial number 'GF-0001'");
	assert_found(&findings, "dead man", DRIVER_FINE, "the controller stops by itself 800 ms after the last heartbeat");
	assert_found(&findings, "e-stop", DRIVER_FINE, "released");
	assert_found(&findings, "cover", DRIVER_FINE, "closed");
	assert_found(&findings, "panel", DRIVER_FINE, "no button is down");
	assert_found(&findings, "carriage", DRIVER_FINE, "homed");
	assert_found(&findings, "hour meter", DRIVER_FINE, "0.0 h, 0 cycles");
	assert_found(&findings, "motor_temp_c", DRIVER_FINE, "31.5");
	assert_found(&findings, "surface_temp_c", DRIVER_FINE, "none");
	assert_int_equal(found(&findings, "bus")->verdict, DRIVER_FINE);
	assert_false(slave_on(&rig.slave));
}

static void a_check_says_what_is_wrong(void **state)
{
	struct driver_findings findings = {0};
	(void)state;
	slave_tell(&rig.slave, "deadman none");
	slave_tell(&rig.slave, "inject estop 60000");
	slave_tell(&rig.slave, "inject cover_open 60000");
	slave_tell(&rig.slave, "fault leak");
	slave_tell(&rig.slave, "press pain 60000");
	modbus_rig_open(&rig);
	rig.driver->ops->check(rig.driver, &findings);
	assert_found(
	    &findings, "dead man", DRIVER_DOUBTFUL,
	    "the controller doesn't say when it stops by itself (register 0x1F6), taken to be 2000 ms: it is given one "
	    "second at a time");
	assert_found(&findings, "e-stop", DRIVER_DOUBTFUL, "pressed: release it, else no session starts");
	assert_found(&findings, "cover", DRIVER_DOUBTFUL, "open: close it, else no session starts");
	assert_found(&findings, "fault", DRIVER_BROKEN,
	             "the controller says leak: mend it, then clear it with the staff key");
	assert_found(&findings, "panel", DRIVER_DOUBTFUL, "a button is down: if nobody presses it, it is stuck");
}

static void a_check_says_that_the_controller_fell_silent(void **state)
{
	struct driver_findings findings = {0};
	struct driver_input input;
	(void)state;
	modbus_rig_open(&rig);
	slave_tell(&rig.slave, "deaf on");
	MODBUS_RIG_UNTIL(&rig, NULL, 2000, rig.driver->ops->read(rig.driver, 0, &input) != 0);
	rig.driver->ops->check(rig.driver, &findings);
	assert_int_equal(findings.count, 1);
	assert_int_equal(found(&findings, "bus")->verdict, DRIVER_BROKEN);
	assert_non_null(strstr(found(&findings, "bus")->text, "the controller has fallen silent; see to the cable"));
}

#define TCP(name) MODBUS_RIG_TCP(name, &rig)
#define RTU(name) MODBUS_RIG_RTU(name, &rig)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TCP(another_map_version_is_refused),
	    TCP(another_class_is_refused),
	    TCP(another_serial_number_is_refused),
	    TCP(a_device_without_our_map_is_refused),
	    TCP(i5_a_controller_that_stops_too_late_is_refused),
	    TCP(a_controller_that_is_never_ready_is_refused),
	    TCP(a_motor_that_nothing_stops_is_refused),
	    TCP(a_reason_not_to_be_ready_is_for_the_core),
	    TCP(a_closed_port_is_named),
	    TCP(an_unknown_host_is_named),
	    TCP(a_host_that_says_nothing_is_named),
	    RTU(a_missing_device_is_named),
	    RTU(what_is_no_serial_line_is_named),
	    RTU(another_unit_does_not_answer),
	    RTU(a_check_says_what_is_there),
	    TCP(a_check_says_what_is_wrong),
	    TCP(a_check_says_that_the_controller_fell_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
