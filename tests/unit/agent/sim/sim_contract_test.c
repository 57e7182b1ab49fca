/* The simulated machine keeps the drivers' contract, in virtual time. */
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/sim/sim_driver.h"
#include "tests/unit/agent/driver/contract.h"

enum { LONG_MS = 3600 * 1000 };

static struct {
	struct contract_rig rig;
	int64_t now_ms;
	char dir[64], journal[96];
} machine;

static int64_t now_ms(struct contract_rig *rig)
{
	(void)rig;
	return machine.now_ms;
}

static void pass(struct contract_rig *rig, int ms)
{
	(void)rig;
	machine.now_ms += ms;
}

static bool on(struct contract_rig *rig)
{
	return rig->driver != NULL && sim_driver_motor_on(rig->driver, machine.now_ms);
}

static void cut(struct contract_rig *rig, bool cut)
{
	sim_driver_inject(rig->driver, GF_FAULT_COMMS_LOST, cut ? LONG_MS : 0);
}

static int setup(void **state)
{
	machine.rig = (struct contract_rig){.now_ms = now_ms, .pass = pass, .on = on, .cut = cut};
	machine.now_ms = 1000;
	strcpy(machine.dir, "/tmp/sim-contract-XXXXXX");
	if (mkdtemp(machine.dir) == NULL)
		return -1;
	snprintf(machine.journal, sizeof(machine.journal), "%s/hours", machine.dir);
	const struct sim_config config = {
	    .class = GF_CLASS_CHAIR, .seed = 1, .ambient_c = 22, .routines = 1, .journal_path = machine.journal};
	*state = &machine.rig;
	return sim_driver_new(&config, &machine.rig.driver, NULL);
}

static int teardown(void **state)
{
	struct contract_rig *rig = *state;
	if (rig->driver != NULL)
		rig->driver->ops->free(rig->driver);
	unlink(machine.journal);
	return rmdir(machine.dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {CONTRACT_TESTS(setup, teardown)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
