/*
 * What agent/driver/driver.h demands of every driver, as tests: a driver's test makes a rig on hardware of its own and runs them all.
 *
 *     static int setup(void **state);     *state = &rig, rig.driver just made; teardown frees what is left
 *     const struct CMUnitTest tests[] = {CONTRACT_TESTS(setup, teardown), ...};
 *
 * The rig asks the hardware itself what is on, never the driver. Time is the rig's: real, or virtual where the hardware is.
 */
#ifndef TESTS_DRIVER_CONTRACT_H
#define TESTS_DRIVER_CONTRACT_H

#include "agent/driver/driver.h"

struct contract_rig {
	struct driver *driver; /* NULL once it is freed */
	void *ctx;
	int64_t (*now_ms)(struct contract_rig *rig);
	/* Lets time pass in which nobody calls the driver. */
	void (*pass)(struct contract_rig *rig, int ms);
	/* Is any output of the hardware on? */
	bool (*on)(struct contract_rig *rig);
	/* The hardware gives no readings and takes no output (cable out, files gone); false: all is well again. */
	void (*cut)(struct contract_rig *rig, bool cut);
	int settle_ms;  /* after a call it may take so long until the hardware has done it */
	int recover_ms; /* so long after the cut until readings come again, at most */
};

void contract_off_after_it_is_made(void **state);
void contract_never_starts_by_itself(void **state);
void contract_runs_and_stops_as_told(void **state);
void contract_off_after_safe(void **state);
void contract_off_after_free(void **state);
void contract_off_after_a_failure(void **state);
void contract_an_old_reading_is_none(void **state);
void contract_readings_come_back(void **state);
void contract_i5_off_when_nobody_writes(void **state);
void contract_i5_reading_alone_keeps_nothing_on(void **state);
void contract_i5_off_until_a_reading_has_failed(void **state);

#define CONTRACT_TEST(name, setup, teardown) cmocka_unit_test_setup_teardown(contract_##name, setup, teardown)
#define CONTRACT_TESTS(setup, teardown)                                                                             \
	CONTRACT_TEST(off_after_it_is_made, setup, teardown), CONTRACT_TEST(never_starts_by_itself, setup, teardown),   \
	    CONTRACT_TEST(runs_and_stops_as_told, setup, teardown), CONTRACT_TEST(off_after_safe, setup, teardown),     \
	    CONTRACT_TEST(off_after_free, setup, teardown), CONTRACT_TEST(off_after_a_failure, setup, teardown),        \
	    CONTRACT_TEST(an_old_reading_is_none, setup, teardown), CONTRACT_TEST(readings_come_back, setup, teardown), \
	    CONTRACT_TEST(i5_off_when_nobody_writes, setup, teardown),                                                  \
	    CONTRACT_TEST(i5_reading_alone_keeps_nothing_on, setup, teardown),                                          \
	    CONTRACT_TEST(i5_off_until_a_reading_has_failed, setup, teardown)

/* Knead a calf at 25 %. */
extern const struct driver_output contract_work;

/* One tick as the control thread makes it, asking for `command`; false when it failed, and then the driver was made safe. */
bool contract_tick(struct contract_rig *rig, enum driver_command command);
/* Ticks until the hardware is on; fails the test when it never is. */
void contract_start(struct contract_rig *rig);

#endif
