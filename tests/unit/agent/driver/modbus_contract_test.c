/* The modbus driver keeps the drivers' contract, over TCP and over a serial line, with a controller of its own for each test. */
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "agent/driver/modbus.h"
#include "agent/driver/modbus_io.h"
#include "tests/unit/agent/driver/contract.h"
#include "tests/unit/agent/driver/modbus_rig.h"

static struct modbus_rig machine;
static struct contract_rig contract;

static int64_t now_ms(struct contract_rig *rig)
{
	(void)rig;
	return mb_now_ms();
}

static void pass(struct contract_rig *rig, int ms)
{
	(void)rig;
	modbus_rig_pass(ms);
}

static bool on(struct contract_rig *rig)
{
	(void)rig;
	return slave_on(&machine.slave);
}

static void cut(struct contract_rig *rig, bool cut)
{
	(void)rig;
	slave_tell(&machine.slave, "deaf %s", cut ? "on" : "off");
}

static int setup(void **state, bool rtu)
{
	modbus_rig_start(&machine, rtu);
	modbus_rig_open(&machine);
	contract = (struct contract_rig){
	    .driver = machine.driver,
	    .now_ms = now_ms,
	    .pass = pass,
	    .on = on,
	    .cut = cut,
	    .settle_ms = 250, /* under the sanitizers; what it takes on a free machine is another test's */
	    .recover_ms = 5000,
	};
	*state = &contract;
	return 0;
}

static int setup_tcp(void **state)
{
	return setup(state, false);
}

static int setup_rtu(void **state)
{
	return setup(state, true);
}

static int teardown(void **state)
{
	(void)state;
	machine.driver = contract.driver;
	modbus_rig_stop(&machine);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tcp[] = {CONTRACT_TESTS(setup_tcp, teardown)};
	const struct CMUnitTest rtu[] = {CONTRACT_TESTS(setup_rtu, teardown)};

	return cmocka_run_group_tests(tcp, NULL, NULL) + cmocka_run_group_tests(rtu, NULL, NULL);
}
